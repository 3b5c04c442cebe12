import path from 'node:path'
import { type Declaration, fileWord, nothingIn, together, type Wanted } from './declaration.ts'
import { listedIn } from './listed.ts'
import { plainName } from './markers.ts'
import { folderOf, readRequirements } from './requirement-files.ts'
import { requirementName } from './requirement-lines.ts'
import { type Tree, textOf } from './tree.ts'

/**
 * Reads setup.py and the setup.cfg beside it. Where all that they depend on stands there in plain lists, nothing has to
 * be built to know it; else only a build tells.
 */
export function readSetup(tree: Tree, file: string, wanted: Wanted): Declaration {
  const folder = path.posix.dirname(file)
  const script = path.posix.join(folder, 'setup.py')
  const settings = path.posix.join(folder, 'setup.cfg')
  const code = tree.has(script) ? withoutComments(textOf(tree, script) ?? '') : ''
  const cfg = parseCfg(textOf(tree, settings) ?? '')
  const main = tree.has(script) ? script : settings
  const files = [script, settings].filter((own) => tree.has(own))
  const inCode = literalList(code, 'install_requires')
  const options = cfg.get('options')?.get('install_requires')
  const extras = cfg.get('options.extras_require') ?? new Map<string, string>()
  if (options !== undefined && !/\binstall_requires\b/.test(code)) {
    const values = [...extras].flatMap(([extra, text]) => (wanted.extras.has(plainName(extra)) ? [text] : []))
    const read = listedOrFiles(tree, settings, [options, ...values], wanted)
    return {
      ...read,
      files: [...new Set([...files, ...read.files])],
      extras: new Set([...extras.keys()].map(plainName)),
      groups: new Set(),
    }
  }
  if (inCode !== undefined && wanted.extras.size === 0) {
    return { ...listedIn(main, inCode), files, extras: undefined }
  }
  const says = /\binstall_requires\b|\brequires\s*=/.test(code) || wanted.extras.size > 0
  if (!says || code === '') return nothingIn(main, { files, extras: undefined })
  const words = [
    '-r',
    fileWord(path.posix.basename(main)),
    ...[...wanted.extras].flatMap((extra) => ['--extra', extra]),
  ]
  const read = readBy(tree, folder, code)
  return nothingIn(main, {
    files: [...files, ...read],
    local: [folderOf(main)],
    names: [...namesIn(code), ...read.flatMap((own) => readRequirements(tree, own, wanted).names)],
    unpinned: [{ what: 'dependencies', name: main, file: main }],
    dynamic: true,
    steps: [
      {
        how: 'install',
        folder: folderOf(main),
        words,
        fixed: false,
        project: cfg.get('metadata')?.get('name') ?? projectName(code),
      },
    ],
    extras: undefined,
  })
}

/** The project's name in setup.py, '' where it is not said plainly. */
export function projectName(code: string): string {
  return /\bname\s*=\s*['"]([\w.-]+)['"]/.exec(code)?.[1] ?? ''
}

/** Lists of setup.cfg, of which any may be `file:` and the files that have it. */
function listedOrFiles(tree: Tree, settings: string, values: readonly string[], wanted: Wanted): Declaration {
  const named = (text: string) => /^\s*file:\s*([\s\S]*)$/.exec(text)?.[1]
  const plain = values.flatMap((text) =>
    named(text) !== undefined
      ? []
      : text
          .split('\n')
          .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
          .filter((line) => line !== ''),
  )
  return values
    .flatMap((text) => named(text)?.split(/[\n,]/) ?? [])
    .map((own) => path.posix.join(path.posix.dirname(settings), own.trim()))
    .filter((own) => tree.has(own))
    .map((own) => readRequirements(tree, own, wanted))
    .reduce(together, listedIn(settings, plain))
}

/** Names in the lists that setup.py makes its dependencies of. A build tells all; this is what can be known before. */
function namesIn(code: string): readonly string[] {
  const lists = [
    ...code.matchAll(/\b\w*(?:requir|deps|depend)\w*\s*\+?=\s*\[([\s\S]*?)\]\s*(?:[,)+]|\n|$)/gi),
  ]
  return lists.flatMap(([, list = '']) =>
    [...list.matchAll(/'([^']*)'|"([^"]*)"/g)].flatMap(
      ([, one, other]) => requirementName(one ?? other ?? '') ?? [],
    ),
  )
}

/** Files that setup.py reads its list from, as far as it names them plainly. */
function readBy(tree: Tree, folder: string, code: string): readonly string[] {
  const named = [...code.matchAll(/['"]([\w./-]+\.(?:txt|in))['"]/g)].map(([, own = '']) =>
    path.posix.join(folder, own),
  )
  return [...new Set(named)].filter((own) => tree.has(own))
}

/** A keyword's value where it is a plain list of texts, itself or by a name that nothing else touches. */
function literalList(code: string, keyword: string): readonly string[] | undefined {
  const values = [...code.matchAll(new RegExp(`\\b${keyword}\\s*=\\s*`, 'g'))]
  const [only] = values
  if (only === undefined || values.length > 1) return undefined
  const rest = code.slice(only.index + only[0].length)
  const name = /^([A-Za-z_]\w*)\s*[,)]/.exec(rest)?.[1]
  if (name === undefined) return listAt(rest)
  const uses = [...code.matchAll(new RegExp(`\\b${name}\\b`, 'g'))]
  const bound = new RegExp(`^${name}\\s*=\\s*`, 'm').exec(code)
  return bound === null || uses.length !== 2 ? undefined : listAt(code.slice(bound.index + bound[0].length))
}

function listAt(text: string): readonly string[] | undefined {
  const list = /^[[(]\s*((?:(?:'[^'\\\n]*'|"[^"\\\n]*")\s*(?:,\s*)?)*)[\])]\s*(?:[,)]|\n|$)/.exec(text)
  if (list === null) return undefined
  return [...(list[1] ?? '').matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, one, other]) => one ?? other ?? '')
}

function withoutComments(code: string): string {
  return code.replaceAll(/^[ \t]*#.*$/gm, '').replaceAll(/[ \t]#[^'"\n]*$/gm, '')
}

/** Sections of an INI file: section -> key -> value, further lines of a value indented (Python's configparser). */
export function parseCfg(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section = new Map<string, string>()
  let key: string | undefined
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue
    const head = /^\[([^\]]+)\]\s*$/.exec(line)?.[1]
    const pair = /^([^\s=:[][^=:]*?)\s*[=:]\s*(.*)$/.exec(line)
    if (head !== undefined) {
      section = sections.get(head) ?? new Map<string, string>()
      sections.set(head, section)
      key = undefined
    } else if (pair !== null) {
      key = (pair[1] ?? '').toLowerCase().replaceAll('-', '_')
      section.set(key, pair[2] ?? '')
    } else if (/^\s+\S/.test(line) && key !== undefined)
      section.set(key, `${section.get(key) ?? ''}\n${line.trim()}`)
  }
  return sections
}
