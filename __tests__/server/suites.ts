/** The distributions a test server can be. The Debian names stand close to Ubuntu's: see `docs/`. */
export const suites = [
  'bookworm',
  'bullseye',
  'trixie',
  'sid',
  'noble',
  'jammy',
  'focal',
  'resolute',
] as const

export type Suite = (typeof suites)[number]

const ubuntu: readonly Suite[] = ['noble', 'jammy', 'focal', 'resolute']

export function isSuite(name: string): name is Suite {
  return (suites as readonly string[]).includes(name)
}

/** Which distribution (its `ID` in /etc/os-release) a suite is of. */
export function distribution(suite: Suite): 'debian' | 'ubuntu' {
  return ubuntu.includes(suite) ? 'ubuntu' : 'debian'
}
