import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import type { ReleaseSettings, SiteSettings } from '../../src/config/settings.ts'
import { DeployError } from '../../src/errors.ts'

/** A release of an app `shop`, as most tests want it. */
export function releaseOf(change: Partial<ReleaseSettings> = {}): ReleaseSettings {
  return {
    name: 'shop',
    release: '20261122184800-abc1234',
    source: '',
    target: {
      module: 'wsgi',
      attribute: 'app',
      factory: false,
      expression: 'app',
      path: [''],
      reason: '`app` in wsgi.py',
    },
    workers: 3,
    threads: 4,
    timeoutSeconds: 60,
    env: new Map([['GREETING', 'hello']]),
    secretFiles: [],
    nonce: '0123456789abcdef0123456789abcdef',
    systemd: 252,
    services: [],
    nginxGroup: 'www-data',
    ...change,
  }
}

/** The site of the app `shop`. */
export function siteOf(change: Partial<SiteSettings> = {}): SiteSettings {
  return {
    name: 'shop',
    domains: ['shop.example'],
    ipv6: true,
    maxBodySize: '16m',
    timeoutSeconds: 60,
    tls: undefined,
    nginx: '1.22.1',
    hstsSeconds: 86_400,
    ...change,
  }
}

/** Every text that can be an environment variable: no NUL, no half pairs, no noncharacters. */
export function values(): fc.Arbitrary<string> {
  const special = fc.oneof(
    fc.constantFrom('$(id)', '\\n', '%n', "'\\''", ' #', '\u{85}', 'é', '\u{1f600}'),
    fc.string({ unit: fc.constantFrom(...Array.from('\'"\\$`%#;&|<>(){}[]*?~!= \t\n\r')), maxLength: 3 }),
  )
  const clean = fc
    .string({ unit: 'binary' })
    .map((text) => text.replace(/\0|\p{Noncharacter_Code_Point}/gu, ''))
  return fc.oneof(
    clean,
    fc.array(special, { maxLength: 12 }).map((parts) => parts.join('')),
  )
}

/** What a call gives, or the code of the DeployError that refuses it. */
export function outcome<T>(call: () => T): { readonly value: T } | { readonly refused: string } {
  try {
    return { value: call() }
  } catch (error) {
    if (error instanceof DeployError) return { refused: error.code }
    throw error
  }
}

/** The error that a call ends with. */
export function errorOf(call: () => unknown): DeployError {
  try {
    call()
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Whether there is a python3 to ask; everything else of the unit tests needs Node only. */
export const hasPython = spawnSync('python3', ['-c', '']).status === 0

/** Runs a Python program. @returns its standard output */
export function python(program: string, input = ''): string {
  const done = spawnSync('python3', ['-I', '-X', 'utf8', '-c', program], { input, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return done.stdout
}
