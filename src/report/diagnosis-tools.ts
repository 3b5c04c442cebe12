import { anyNeed, saidNeed, writtenNames } from '../config/needs.ts'
import type { Explanation } from '../errors.ts'
import { cutToBytes, visible } from '../text.ts'
import type { Failure, Situation } from './failure.ts'

/**
 * What uv and nginx say when they fail, in words for the user. Nothing is decided by these texts: the failure is
 * known already, and where no row fits, the tool's own words are shown.
 */
export interface SaidRow {
  readonly fits: RegExp
  readonly explain: (match: RegExpExecArray, failure: Failure, situation: Situation) => Explanation
}

/** uv's words, and pip's, for a file with another hash than was asked for. */
export const otherBytes = /[Hh]ash mismatch for `([^`]+)`|THESE PACKAGES DO NOT MATCH THE HASHES/

const dependencies: readonly SaidRow[] = [
  {
    fits: otherBytes,
    explain: ([, what = 'a package'], { detail: file }) => ({
      cause: `The file of ${what} that the index sent is not the one whose hash is in ${file}.`,
      cure: `Lock the packages anew; if the hash in ${file} was right, somebody has replaced the file on the index.`,
      file,
    }),
  },
  {
    fits: /all requirements must have (?:a hash|their versions pinned)[^:]*: ?(.*)/,
    explain: ([, what = ''], { detail: file }) => ({
      cause: `Some lines of ${file} have hashes, but not all${what === '' ? '' : `: ${what}`}.`,
      cure: `Give every package in ${file} its version and hashes, or none.`,
      file,
    }),
  },
  {
    fits: /dns error|failed to lookup address|error sending request|[Cc]onnection (?:refused|timed out|reset)|Failed to fetch|Temporary failure in name resolution/,
    explain: () => ({
      cause: 'The server could not reach the package index.',
      cure: 'Check that the server may open connections to the internet (DNS, firewall, proxy), then run the job again.',
      input: 'host',
    }),
  },
  {
    fits: anyNeed,
    explain: ({ input: line }, failure) => {
      const { packages, why } = saidNeed(line) ?? { packages: [], why: 'something of the system was missing' }
      const own = /pg_config|libpq/.test(line) ? `take \`psycopg2-binary\` in ${failure.detail}, or ` : ''
      return {
        cause: `${built(failure)} could not be installed: ${why} on the server.`,
        cure: `${own === '' ? 'Add' : `${own.replace('take', 'Take')}add`} ${quotedNames(packages)} to \`packages\`${own === '' ? ', or pin a version that comes ready-made (a wheel) for this Python' : ''}.`,
        input: 'packages',
        file: failure.detail,
      }
    },
  },
  {
    fits: /Failed to build `([^`]+)`|Failed to download and build `([^`]+)`/,
    explain: ([, first, second], { detail: file, lines }) => ({
      cause: `${first ?? second} has no ready-made build for this server's Python, and could not be built${buildError(lines)}.`,
      cure: `Pin a version in ${file} that has one, set \`python\`, or add what the build asks for to \`packages\`; its words are in the log.`,
      file,
    }),
  },
  {
    fits: /current Python version \(([^)]+)\) does not satisfy Python([^\s,]+)/,
    explain: ([, has = '', wants = ''], { detail: file }) => ({
      cause: `A package in ${file} needs Python ${wants}, and the server's is ${has}.`,
      cure: `Set \`python\` to a version that fits, or pin an older version of the package in ${file}.`,
      input: 'python',
      file,
    }),
  },
  {
    fits: /resolved to Python (\S+), which is incompatible with the project's Python requirement: `([^`]+)`/,
    explain: ([, has = '', wants = ''], { detail: file }) => ({
      cause: `${file} is for Python ${wants}, and the server's is ${has.replace(/,$/, '')}.`,
      cure: 'Set `python` to a version that fits.',
      input: 'python',
      file,
    }),
  },
  {
    fits: /Requested extra not found: (\S+)/,
    explain: ([, extra = ''], { detail: file }) => ({
      cause: `There is no extra \`${extra}\` in ${file}.`,
      cure: `Correct \`extras\`, or declare it in ${file}.`,
      input: 'extras',
      file,
    }),
  },
  {
    fits: /Failed to parse `uv\.lock`|lockfile at `uv\.lock` (?:could not be parsed|uses an unsupported schema)/,
    explain: (_, { detail: file }) => ({
      cause: `${file} cannot be read: it is damaged, or a newer version of uv has written it.`,
      cure: 'Run `uv lock` and commit it; or set `requirements` to another file.',
      input: 'requirements',
      file,
    }),
  },
  {
    fits: /Because there (?:is|are) no versions? of ([^\s,]+)|(\S+) was not found in the package registry/,
    explain: ([, pinned, unknown], { detail: file }) => ({
      cause: `The index has no ${pinned ?? `package called ${unknown}`}.`,
      cure: `Correct the name and version of it in ${file}.`,
      file,
    }),
  },
  {
    fits: /you require (\S+), we can conclude that (?:your|the) requirements are unsatisfiable/,
    explain: ([, asked = ''], { detail: file, lines }) => {
      const needs = lines
        .map((line) => /Because (\S+) depends on (\S+)/.exec(line))
        .find((one) => one !== null)
      const [, who, what] = needs ?? []
      return {
        cause:
          who === undefined
            ? `The packages in ${file} want versions of one another that exclude each other.`
            : `The pins in ${file} exclude each other: ${who} depends on ${what}, but ${asked} is asked for.`,
        cure: `Loosen one of the pins in ${file}; how they clash is in the log.`,
        file,
      }
    },
  },
  {
    fits: /No solution found when resolving dependencies|your requirements are unsatisfiable|ResolutionImpossible/,
    explain: (_, { detail: file }) => ({
      cause: `The packages in ${file} want versions of one another that exclude each other.`,
      cure: `Loosen one of the pins in ${file}; which ones clash is in the log.`,
      file,
    }),
  },
  {
    // (glibc's words for ENOSPC and EDQUOT)
    fits: /No space left on device|Disk quota exceeded/,
    explain: () => full('while the packages were installed'),
  },
  {
    fits: /Couldn't parse requirement in `?([^`\s]+)`? at position|error: (?:Unsupported|Invalid) requirement/,
    explain: (_, { detail: file }) => ({
      cause: `${file} has a line that is no requirement.`,
      cure: `Correct ${file}; the line is in the log.`,
      file,
    }),
  },
]

const nginx: readonly SaidRow[] = [
  { fits: /bind\(\) to \S+ failed \(98|Address already in use/, explain: () => portTaken() },
  {
    fits: /\[emerg\] (.*?) in (\/\S+):(\d+)/,
    explain: ([, what = '', file = '', line = ''], _, { name }) =>
      file.endsWith(`/web-${name}.conf`) || file.endsWith('/00-flask-deploy-default.conf')
        ? {
            cause: `nginx on the server refuses this app's site: ${what} (${file}, line ${line}).`,
            cure: 'Compare `domain` and `max-body-size` with what the message names; if they are right, please report it.',
            input: 'domain',
          }
        : {
            cause: `nginx on the server refuses a file that is not this app's: ${what} (${file}, line ${line}).`,
            cure: `Repair ${file} on the server until \`nginx -t\` is content, then run the job again.`,
            input: 'host',
          },
  },
]

/** What a failed installation of Python packages said. The failure's detail is the requirements file. */
export function explainDependencies(failure: Failure, situation: Situation): Explanation {
  return (
    said(dependencies, failure, situation) ?? {
      cause: `The Python packages of ${failure.detail} could not be installed.`,
      cure: `What uv said is in the log; correct ${failure.detail} by it.`,
      file: failure.detail,
    }
  )
}

/** What `nginx -t` or nginx's start said. */
export function explainNginx(failure: Failure, situation: Situation, fallback: Explanation): Explanation {
  return said(nginx, failure, situation) ?? fallback
}

/** The server's disk is full. */
export function full(when: string): Explanation {
  return {
    cause: `The server's disk got full ${when}.`,
    cure: 'Free some space on the server (`df -h`, `journalctl --vacuum-size=100M`), or set `keep-releases` lower.',
    input: 'keep-releases',
  }
}

/** The explanation of the first row that fits one of the last lines. */
export function said(
  rows: readonly SaidRow[],
  failure: Failure,
  situation: Situation,
): Explanation | undefined {
  for (const row of rows) {
    // The last mention: earlier ones may be of an attempt that was repeated.
    const match = failure.lines
      .toReversed()
      .map((line) => row.fits.exec(line.trim()))
      .find((one) => one !== null)
    if (match) return row.explain(match, failure, situation)
  }
  return undefined
}

/** The exception that a build ended with. */
function buildError(lines: readonly string[]): string {
  const last = lines.findLast((line) => /^\s*[\w.]+(?:Error|Exception): /.test(line))
  return last === undefined ? '' : `: ${cutToBytes(visible(last.trim()), 200)}`
}

/** Names as a person would write them into `packages`. */
export function quotedNames(packages: readonly string[]): string {
  return writtenNames(packages)
    .map((name) => `\`${name}\``)
    .join(', ')
}

function built({ lines }: Failure): string {
  const found = lines
    .map((line) => /Failed to build `([^`]+)`/.exec(line)?.[1])
    .find((one) => one !== undefined)
  return found ?? 'A package'
}

/** nginx cannot have its port. */
export function portTaken(): Explanation {
  return {
    cause: 'Another program on the server has taken port 80, so nginx cannot answer on it.',
    cure: 'See which one with `ss -ltnp` on the server, and stop or move it (often Apache: `systemctl disable --now apache2`).',
    input: 'host',
  }
}
