import { explainNoPython } from '../config/python-wish.ts'
import { downloadProperties } from '../config/sandbox.ts'
import { DeployError } from '../errors.ts'
import type { Facts } from '../server/facts.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** Minor versions of which uv (the pinned one) can fetch a finished release, oldest first. */
const MANAGED = ['3.8', '3.9', '3.10', '3.11', '3.12', '3.13', '3.14', '3.15']

/** A way to a Python; the first that works is taken. */
export type PythonTry =
  /** The server's python3, where it is one of these; empty: whichever it is. */
  | { readonly how: 'server'; readonly versions: readonly string[] }
  /** Another one of the distribution, installed or not. */
  | { readonly how: 'distribution'; readonly version: string }
  /** One that uv downloaded, or will. */
  | { readonly how: 'managed'; readonly version: string }
  /** None is left, and `python-download` forbids the one that could be had. */
  | { readonly how: 'forbidden' }

type Asked = Pick<Wish, 'inputs' | 'project'>

/** The Pythons beside its own that a server has already. */
type Present = Pick<Facts, 'pythons' | 'managedPythons'>

/**
 * The ways to a Python that fits, the best first: the distribution's own get their updates from it, and what is there
 * already goes before what is newer, so that no app changes its Python by itself.
 */
export function pythonTries(
  { inputs, project }: Asked,
  present: Present = { pythons: new Set(), managedPythons: new Set() },
): readonly PythonTry[] {
  const { allowed, preferred } = project.python
  const newest = allowed.toReversed()
  const server = (versions: readonly string[]) => ({ how: 'server', versions }) as const
  const distribution = (version: string) => ({ how: 'distribution', version }) as const
  const managed = (version: string | undefined): readonly PythonTry[] =>
    version === undefined || !MANAGED.includes(version)
      ? []
      : inputs.app.pythonDownload
        ? [{ how: 'managed', version }]
        : [{ how: 'forbidden' }]
  const liked =
    preferred === undefined
      ? []
      : [
          server([preferred]),
          distribution(preferred),
          // Where nothing may be downloaded the server's own comes next: this one is a wish and no rule.
          ...(inputs.app.pythonDownload ? managed(preferred) : []),
        ]
  const rest = newest.filter((version) => version !== preferred)
  const others = [...rest].sort((a, b) => Number(present.pythons.has(b)) - Number(present.pythons.has(a)))
  const fetched = rest.find((version) => present.managedPythons.has(version))
  const all: readonly PythonTry[] = [
    ...liked,
    server(allowed),
    ...others.map(distribution),
    ...(allowed.length === 0 ? [] : managed(fetched ?? rest.find((version) => MANAGED.includes(version)))),
  ]
  // Wheels are looked for before the server does anything: for a Python that is there.
  return inputs.app.dependencies === 'wheels' ? all.filter((one) => isThere(one, present)) : all
}

function isThere(one: PythonTry, { pythons, managedPythons }: Present): boolean {
  switch (one.how) {
    case 'server':
      return true
    case 'distribution':
      return pythons.has(one.version)
    case 'managed':
      return managedPythons.has(one.version)
    case 'forbidden':
      return false
  }
}

/** What the facts are asked about Python; empty where the server's own will do, whichever it is. */
export function askedPythons(wish: Asked): { readonly good: readonly string[] } | undefined {
  const [first] = pythonTries(wish)
  return first?.how === 'server' && first.versions.length > 0 ? { good: first.versions } : undefined
}

/** The Python that a deploy will take, as far as the facts tell. */
export type PythonForecast =
  | { readonly how: 'server' | 'distribution'; readonly version: string; readonly installed: boolean }
  | { readonly how: 'managed'; readonly version: string; readonly installed: boolean }
  /** It takes a server with its packages to say. */
  | { readonly how: 'unknown' }

/**
 * Which Python it will be.
 * @throws DeployError `python-forbidden`, `python-absent` where the facts say that none can be had
 */
export function forecastPython(facts: Facts, wish: Asked): PythonForecast {
  const own = /^\/usr\/(?:local\/)?bin\/python(3\.[0-9]+)$/.exec(facts.python ?? '')?.[1]
  for (const one of pythonTries(wish, facts)) {
    switch (one.how) {
      case 'server':
        if (facts.python === undefined && one.versions.length > 0) return { how: 'unknown' }
        if (one.versions.length === 0 || (own !== undefined && one.versions.includes(own))) {
          return own === undefined ? { how: 'unknown' } : { how: 'server', version: own, installed: true }
        }
        break
      case 'distribution':
        if (facts.pythons.has(one.version))
          return { how: 'distribution', version: one.version, installed: true }
        if (facts.installablePythons === undefined) return { how: 'unknown' }
        if (facts.installablePythons.has(one.version)) {
          return { how: 'distribution', version: one.version, installed: false }
        }
        break
      case 'managed':
        return { how: 'managed', version: one.version, installed: facts.managedPythons.has(one.version) }
      case 'forbidden':
        throw new DeployError(
          'python-forbidden',
          explainNoPython('forbidden', own ?? '', wish.project.python.reason),
        )
    }
  }
  throw new DeployError('python-absent', explainNoPython('absent', own ?? '', wish.project.python.reason))
}

/** Decides on the Python before anything of the project is installed. */
export function pythonOperations(facts: Facts, wish: Wish, key: string): readonly Operation[] {
  const { reason, preferred, preferredReason } = wish.project.python
  return [
    {
      phase: 'dependencies',
      kind: 'python',
      key,
      tries: pythonTries(wish, facts),
      forecast: forecastPython(facts, wish),
      reason,
      preferred: preferred ?? '',
      preferredReason,
      properties: downloadProperties(wish.project.name, facts.systemd).map(
        ([name, value]) => `${name}=${value}`,
      ),
    },
  ]
}
