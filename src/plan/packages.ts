import { DEV, namedNeeds, writtenNames } from '../config/needs.ts'
import { servicePackages } from '../config/services.ts'
import type { Facts } from '../server/facts.ts'
import { uv } from './pins.ts'
import type { Wish } from './wish.ts'

/** Debian 11 and Ubuntu 20.04 and older call pip's wheel by the old name, and split distutils off. */
const OLD_WHEEL = new Set(['bullseye', 'buster', 'focal', 'bionic'])

/**
 * What the project needs of the distribution: what `packages` names, and what is known of its dependencies. `a|b` is
 * either of them, since the name of a library differs from release to release.
 */
export function projectPackages({ inputs, project }: Pick<Wish, 'inputs' | 'project'>): readonly string[] {
  const needed = namedNeeds(project.requirements.names).flatMap((need) => need.packages)
  const services = inputs.app.services.map((service) => servicePackages[service])
  return [
    ...new Set([
      ...inputs.app.packages,
      ...services,
      ...needed.map((one) => (one === DEV ? 'python3-dev' : one)),
    ]),
  ]
}

/** Why packages are wanted that nobody named, a sentence each; only of those that are missing. */
export function packageReasons(facts: Facts, { project }: Pick<Wish, 'project'>): readonly string[] {
  return namedNeeds(project.requirements.names).flatMap(({ packages, why }) => {
    const missing = missingOf(facts, packages)
    return missing.length === 0 ? [] : [`${writtenNames(missing).join(', ')} (${why})`]
  })
}

/**
 * Every package that a deploy may want on any distribution: what the facts are asked about.
 * @param extra as {@link projectPackages} has them
 */
export function askedPackages(extra: readonly string[]): readonly string[] {
  const asked = [
    'nginx',
    'python3',
    'ca-certificates',
    'python3-pip-whl',
    'python-pip-whl',
    'python3-distutils',
    ...extra.flatMap((one) => one.split('|')),
  ]
  return [...new Set(asked)]
}

/**
 * The packages that this server needs for this deploy, installed or not.
 * @param pip uv comes from an index, by pip
 */
export function wantedPackages(facts: Facts, extra: readonly string[], pip = true): readonly string[] {
  const wanted = ['python3', 'ca-certificates', ...extra]
  // nginx.org's package has another name and is as good.
  if (facts.nginx === undefined) wanted.unshift('nginx')
  if (pip && !facts.uv.has(`uv-${uv.version}`)) {
    wanted.push(
      ...(OLD_WHEEL.has(facts.os.codename) ? ['python-pip-whl', 'python3-distutils'] : ['python3-pip-whl']),
    )
  }
  return wanted
}

/** Those that are missing. Of `a|b` the first: where the distribution calls it by the other name, apt knows both. */
export function missingPackages(facts: Facts, extra: readonly string[], pip = true): readonly string[] {
  const missing = missingOf(facts, wantedPackages(facts, extra, pip))
  return [...new Set(missing.map((one) => one.split('|')[0] ?? one))]
}

function missingOf(facts: Facts, packages: readonly string[]): readonly string[] {
  return packages.filter((one) => !one.split('|').some((name) => facts.installed.has(name)))
}
