import { diagnosed } from '../../src/report/diagnosis.ts'
import { filesBelow, textOf } from './pages.ts'

const code = "'([a-z]+(?:-[a-z0-9]+)*)'"

/** The ways in which the source names a code. */
const spoken = {
  /** `new DeployError('code', ...)`, and with a choice of codes before the comma. */
  thrown: /\bnew DeployError\(([^,]*),/g,
  /** What makes such an error in one file: `lasting('code', ...)`. */
  made: new RegExp(String.raw`\b(?:lasting|passing|diagnosis|error|fault)\(\s*${code}`, 'g'),
  /** `{ code: 'code', explanation }`, thrown later. */
  returned: new RegExp(String.raw`\bcode: ${code},\s*explanation\b`, 'g'),
  warning: new RegExp(String.raw`(?:\bcode: ${code},\s*text\b|\b(?:warning|finding)\(\s*${code})`, 'g'),
}

/** How the server's own request through nginx may end: told as one of the codes of the smoke test. */
const answers = new Set(['unreachable', 'tls'])

/** Every code that an error of the action's can have, read from the source. */
export function errorCodes(): ReadonlySet<string> {
  const found = new Set<string>(diagnosed)
  for (const text of sources()) {
    for (const [, first = ''] of text.matchAll(spoken.thrown)) {
      for (const [, one = ''] of first.matchAll(new RegExp(code, 'g'))) found.add(one)
    }
    for (const way of [spoken.made, spoken.returned])
      for (const [, one = ''] of text.matchAll(way)) found.add(one)
  }
  return found
}

/** Every code of a warning, read from the source. */
export function warningCodes(): ReadonlySet<string> {
  return new Set(
    sources().flatMap((text) =>
      [...text.matchAll(spoken.warning)].map(([, one, other]) => one ?? other ?? ''),
    ),
  )
}

/** Every code that the program on the server can fail with. */
export function serverCodes(): ReadonlySet<string> {
  const texts = filesBelow('remote')
    .filter((file) => /\.(?:sh|py)$/.test(file))
    .map((file) => textOf(file).replaceAll(/^\s*#.*$|"""[\s\S]*?"""/gm, ''))
  const found = texts.flatMap((text) => [
    ...text.matchAll(/(?:\bfail |\bfailure=|\breason=)([a-z]+(?:-[a-z]+)*)\b/g),
  ])
  return new Set(found.map(([, one = '']) => one).filter((one) => !answers.has(one)))
}

function sources(): readonly string[] {
  return filesBelow('src').map((file) => textOf(file))
}
