import { DeployError, type Explanation } from '../errors.ts'

/** What a name may be for systemd to take it (systemd.exec(5), EnvironmentFile=) and for a shell to reach it. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * systemd talks to gunicorn through these, and tells the app its folder of secret files: a release that sets them never
 * comes up, or misses its files.
 */
const OF_SYSTEMD = new Set([
  'CREDENTIALS_DIRECTORY',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PID',
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
])

/** Variables with this beginning are the tool's own. */
const OWN_PREFIX = 'FLASK_DEPLOY_'

/** The variable that carries a release's nonce to its entry module. */
export const NONCE_VARIABLE = `${OWN_PREFIX}NONCE`

/**
 * Bytes of one `NAME=value` with its final NUL: execve(2) knows MAX_ARG_STRLEN, 32 pages. One byte more and the
 * service does not start (E2BIG).
 */
const LONGEST_VARIABLE = 131_072

/**
 * Bytes of all variables together. execve(2) gives arguments and environment a quarter of the stack's soft limit, 2 MiB
 * by systemd's default, pointers included; a part of it is left to systemd's own variables.
 */
const LONGEST_ENVIRONMENT = 2_097_152 - 65_536

/** The first version whose parser reads a newline within quotes back as it was. */
const NEWLINES_SINCE = 241
/** The first version that takes control characters other than tab and newline. */
const CONTROLS_SINCE = 248

/**
 * Says why a value cannot be an environment variable on any server, or nothing where it can.
 * The answer continues a sentence that begins with the variable's name, and never holds the value.
 */
export function valueFault(value: string): string | undefined {
  if (value.includes('\0')) return 'holds a NUL character, which ends a variable'
  if (!value.isWellFormed()) return 'holds half of a surrogate pair, which no file can hold as UTF-8'
  // systemd's utf8.c takes noncharacters (U+FDD0..U+FDEF and the last two of each plane) for broken UTF-8, refuses the
  // whole file and starts nothing.
  if (/\p{Noncharacter_Code_Point}/u.test(value)) return 'holds a Unicode noncharacter, which systemd refuses'
  return undefined
}

/**
 * Renders a release's env file for `EnvironmentFile=`. The form (no quotes, a backslash before every special ASCII
 * character) is the one that the parsers of systemd 229 to 262 all read back exactly; values of several lines need
 * single quotes, which mean what a shell means by them only since systemd 241.
 * @param env the variables of the release, the tool's own among them where there are any
 * @param systemd the server's version of systemd, e.g. 252
 * @throws DeployError `env-unusable` with every fault; names are in its text, values never
 */
export function renderEnvFile(env: ReadonlyMap<string, string>, systemd: number): string {
  const faults: Explanation[] = []
  let total = 0
  for (const [name, value] of env) {
    const fault = variableFault(name, value, systemd)
    if (fault !== undefined) faults.push({ ...fault, input: 'env' })
    // One pointer beside each string, and its NUL.
    total += Buffer.byteLength(`${name}=${value}`) + 9
  }
  if (total > LONGEST_ENVIRONMENT) {
    faults.push({
      cause: `\`env\` is ${total} bytes long, and Linux starts no program with more than ${LONGEST_ENVIRONMENT}.`,
      cure: 'Put large values into a file of the project or into `persist`.',
      input: 'env',
    })
  }
  if (faults.length > 0) throw new DeployError('env-unusable', faults)
  return [...env].map(([name, value]) => line(name, value)).join('')
}

/**
 * The variables that a release runs with: the user's, and the tool's nonce, where something can answer to it.
 * @throws DeployError `env-reserved` where the user sets a variable that is the tool's or systemd's
 */
export function releaseEnv(
  env: ReadonlyMap<string, string>,
  nonce: string | undefined,
): ReadonlyMap<string, string> {
  const taken = [...env.keys()].filter((name) => name.startsWith(OWN_PREFIX) || OF_SYSTEMD.has(name))
  if (taken.length > 0) {
    throw new DeployError(
      'env-reserved',
      taken.map((name) => ({
        cause: `The variable ${name} is set by ${OF_SYSTEMD.has(name) ? 'systemd' : 'this action'} itself.`,
        cure: `Take ${name} out of \`env\`.`,
        input: 'env',
      })),
    )
  }
  return nonce === undefined ? env : new Map([...env, [NONCE_VARIABLE, nonce]])
}

function variableFault(name: string, value: string, systemd: number): Explanation | undefined {
  if (!VARIABLE_NAME.test(name)) {
    return {
      cause: `${JSON.stringify(name)} is not a variable's name.`,
      cure: 'Use letters, digits and `_`, and do not begin with a digit.',
    }
  }
  const fault = valueFault(value)
  if (fault !== undefined) return { cause: `The value of ${name} ${fault}.`, cure: ENCODE_IT }
  if (Buffer.byteLength(`${name}=${value}`) + 1 > LONGEST_VARIABLE) {
    return {
      cause: `The value of ${name} is longer than the 128 KiB that Linux allows a variable.`,
      cure: 'Put it into a file of the project or into `persist`.',
    }
  }
  if (systemd < NEWLINES_SINCE && value.includes('\n')) {
    return {
      cause: `The value of ${name} has several lines, and the server's systemd ${systemd} would drop it.`,
      cure: `${ENCODE_IT.slice(0, -1)}, or use a server with Ubuntu 20.04 or newer.`,
    }
  }
  if (systemd < CONTROLS_SINCE && /[\p{Cc}--[\t\n\u0080-\u009f]]/v.test(value)) {
    return {
      cause: `The value of ${name} holds a control character, and the server's systemd ${systemd} would drop it.`,
      cure: `${ENCODE_IT.slice(0, -1)}, or use a server with Ubuntu 22.04 or newer.`,
    }
  }
  return undefined
}

const ENCODE_IT = 'Give it in base64 and decode it in the app.'

function line(name: string, value: string): string {
  if (/[\n\r]/.test(value)) return `${name}='${value.replaceAll("'", `'"'"'`)}'\n`
  return `${name}=${value.replace(/[^A-Za-z0-9_./:@%+,=^\u0080-\u{10ffff}-]/gu, '\\$&')}\n`
}
