import type { Facts } from '../server/facts.ts'
import { uv } from './pins.ts'

/** Debian 11 and Ubuntu 20.04 and older call pip's wheel by the old name, and split distutils off. */
const OLD_WHEEL = new Set(['bullseye', 'buster', 'focal', 'bionic'])

/** Every package that a deploy may want on any distribution: what the facts are asked about. */
export function askedPackages(extra: readonly string[]): readonly string[] {
  return [
    'nginx',
    'python3',
    'ca-certificates',
    'python3-pip-whl',
    'python-pip-whl',
    'python3-distutils',
    ...extra,
  ]
}

/** The packages that this server needs for this deploy, installed or not. */
export function wantedPackages(facts: Facts, extra: readonly string[]): readonly string[] {
  const wanted = ['python3', 'ca-certificates', ...extra]
  // nginx.org's package has another name and is as good.
  if (facts.nginx === undefined) wanted.unshift('nginx')
  if (!facts.uv.has(`uv-${uv.version}`)) {
    wanted.push(
      ...(OLD_WHEEL.has(facts.os.codename) ? ['python-pip-whl', 'python3-distutils'] : ['python3-pip-whl']),
    )
  }
  return wanted
}

/** Those that are missing. */
export function missingPackages(facts: Facts, extra: readonly string[]): readonly string[] {
  return wantedPackages(facts, extra).filter((name) => !facts.installed.has(name))
}
