import type { StaticInput } from '../inputs.ts'
import { shown } from '../text.ts'
import type { InputName } from './declared.ts'
import {
  all,
  andThen,
  bad,
  good,
  hasNoncharacter,
  type Kind,
  linesOf,
  list,
  oddCharacter,
  type Reading,
  tidy,
} from './reading.ts'

/** Names that a release keeps for itself (`docs/architecture.md`, layout on the server), and git's own. */
const reserved = new Set(['.venv', '.site', '.public', '.previous', '.deploy', '.sock', '.git'])

/** A path below the project's folder, with `/`, without `./` in front or `/` behind; '' for that folder itself. */
export const relativePath: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  const item = shown(text)
  if (oddCharacter(text) !== undefined || /[\t\n]/.test(text)) {
    return bad(input, `has ${item}, with a control character`, 'Write a plain path.')
  }
  if (hasNoncharacter(text))
    return bad(input, `has ${item}, with a code that is no Unicode character`, 'Rename it.')
  if (/^([A-Za-z]:)?\\/.test(text) || text.startsWith('/') || text.startsWith('~')) {
    return bad(
      input,
      `has ${item}, which is not below the project`,
      'Write it relative to the project, without `/` in front.',
    )
  }
  if (text.includes('\\')) return bad(input, `has ${item}`, 'Write `/` between folders, not `\\`.')
  const segments = text.split('/').filter((one) => one !== '' && one !== '.')
  if (segments.includes('..')) {
    return bad(input, `has ${item}, which leads out of the project`, 'Write a path without `..`.')
  }
  if (/[*?]/.test(text))
    return bad(input, `has ${item}`, 'Write names without `*` and `?`; a folder means all in it.')
  if (isTooLong(text)) {
    return bad(input, `has ${item}`, 'Write a name of at most 255 bytes, and at most 1024 in all.')
  }
  return good(segments.join('/'))
}

/** What Linux and nginx cannot take, with room for the folders above (NAME_MAX, PATH_MAX). */
function isTooLong(path: string): boolean {
  return path.split('/').some((one) => Buffer.byteLength(one) > 255) || Buffer.byteLength(path) > 1024
}

/** The same for something within the project's folder that is the project's own. */
export const innerPath: Kind<string> = (raw, input) =>
  andThen(relativePath(raw, input), (path) => {
    if (path === '')
      return bad(input, `has ${shown(tidy(raw))}, the whole project`, 'Name a file or folder in it.')
    const [first = ''] = path.split('/')
    if (!reserved.has(first)) return good(path)
    return bad(input, `has ${shown(path)}, a name that the deploy keeps for itself`, 'Use another name.')
  })

/** Paths that outlive releases: none twice, none within another (each is one link in a release). */
export const persistPaths: Kind<readonly string[]> = (raw, input) =>
  andThen(list(innerPath)(raw, input), (given) => {
    const paths = [...new Set(given)]
    const inner = paths.flatMap((path) => {
      const outer = paths.find((other) => path.startsWith(`${other}/`))
      return outer === undefined ? [] : [{ path, outer }]
    })
    const [first] = inner
    if (first === undefined) return good(paths)
    return bad(
      input,
      `has ${shown(first.path)} within ${shown(first.outer)}`,
      `Leave ${shown(first.path)} out.`,
    )
  })

/** gitignore patterns (gitignore(5)), which may begin with `!` and `/`; comment lines are left out. */
export const ignorePatterns: Kind<readonly string[]> = (raw, input) => {
  const lines = raw
    .replaceAll('\r\n', '\n')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  if (lines.length === 1 && lines[0] === 'none') return good([])
  return all(lines.map((line) => ignorePattern(line, input)))
}

function ignorePattern(line: string, input: InputName): Reading<string> {
  if (oddCharacter(line) !== undefined) {
    return bad(input, `has ${shown(line)}, with a control character`, 'Write a plain pattern.')
  }
  if (line.split('/').includes('..')) {
    return bad(
      input,
      `has ${shown(line)}, which leads out of the repository`,
      'Write a pattern without `..`.',
    )
  }
  return good(line)
}

/** The folders that nginx serves: `folder` or `/url: folder`, one a line, no URL twice. */
export const staticFolders: Kind<readonly StaticInput[]> = (raw, input) => {
  const lines = linesOf(raw)
  if (lines.length === 1 && lines[0] === 'none') return good([])
  return andThen(all(lines.map((line) => staticFolder(line, input))), (folders) => {
    const twice = folders.find((one, at) => folders.findIndex((other) => other.url === one.url) < at)
    if (twice !== undefined) {
      return bad(input, `serves two folders under ${shown(twice.url)}`, 'Give each folder a URL of its own.')
    }
    // A URL is a link on the server, and below a link is the folder that it leads to.
    const inner = folders.find((one) => folders.some((other) => one.url.startsWith(`${other.url}/`)))
    if (inner === undefined) return good(folders)
    return bad(
      input,
      `has the URL ${shown(inner.url)} within that of another folder`,
      'Give each folder a URL outside of the others.',
    )
  })
}

function staticFolder(line: string, input: InputName): Reading<StaticInput> {
  const [, key, value] = /^(.*?):\s+(.*)$/.exec(line) ?? []
  if (key === undefined || value === undefined) {
    if (line.startsWith('/')) {
      return bad(input, `has ${shown(line)}`, 'Write a folder such as `static`, or `/url: folder`.')
    }
    return andThen(
      innerPath(line, input),
      (folder) => urlFault(`/${folder}`, input) ?? good({ url: `/${folder}`, folder }),
    )
  }
  if (!key.startsWith('/')) {
    return bad(input, `has ${shown(line)}`, `Write the URL with \`/\` in front, such as \`/static: folder\`.`)
  }
  const url = key.replace(/\/+$/, '')
  if (url === '') {
    return bad(
      input,
      `has ${shown(line)}, a folder for the whole site`,
      'Leave it out: the app serves these files itself.',
    )
  }
  const fault = urlFault(url, input)
  if (fault !== undefined) return fault
  return andThen(innerPath(value, input), (folder) => good({ url, folder }))
}

/** Why nginx would not serve files below a URL path, or nothing where it would. */
function urlFault(url: string, input: InputName): ReturnType<typeof bad> | undefined {
  const item = `has the URL ${shown(url)}`
  if (oddCharacter(url) !== undefined || url.includes('\t')) {
    return bad(input, `${item}, with a control character`, 'Write a plain path.')
  }
  if (/[%?#\\*]|\/\/|\/\.{1,2}(\/|$)/.test(url)) {
    return bad(input, item, 'Write a plain path, not percent-encoded, such as `/static`.')
  }
  if (url.includes('/.')) {
    const cure = 'Write `/url: folder` with another URL: hidden paths are left to the app.'
    return bad(input, `${item}, with a hidden part`, cure)
  }
  if (isTooLong(url)) {
    return bad(input, item, 'Write a name of at most 255 bytes between two `/`, and at most 1024 in all.')
  }
  return undefined
}
