import type { Facts } from '../server/facts.ts'
import { dependenciesKey } from './ingredients.ts'
import type { Operation } from './operation.ts'
import { forecastPython } from './python.ts'
import type { Wish } from './wish.ts'

/** Where a server keeps wheels: a folder for each, named by its hash, with the one file in it. */
export const WHEEL_STORE = '/var/lib/flask-deploy/wheels'

/** A wheel that the server is to have. */
export interface Wheel {
  readonly file: string
  /** Hex. */
  readonly sha256: string
}

/** A wheel that lies on the runner, to be sent. */
export interface WheelFile {
  /** Hex. */
  readonly sha256: string
  /** The file on the runner. */
  readonly path: string
  readonly bytes: number
}

/** What the runner found for the server. */
export interface Wheels {
  /** The Python that they are for, e.g. `3.11`. */
  readonly python: string
  /** All that the environment consists of. */
  readonly wheels: readonly Wheel[]
  /** uv itself, where the server lacks it. */
  readonly uv: Wheel | undefined
  /** The requirement lines that install exactly these. */
  readonly requirements: string
}

/** The minor version of the Python that the server will build the environment with; undefined while it is not known. */
export function serverMinor(facts: Facts, wish: Wish): number | undefined {
  const python = forecastPython(facts, wish)
  return python.how === 'unknown' ? undefined : Number(python.version.slice('3.'.length))
}

/**
 * Whether the environment has to be built: else the serving release's is shared, and nothing is looked for in any index.
 */
export function needsWheels(facts: Facts, wish: Wish): boolean {
  const current = facts.state?.releases.find((release) => release.id === facts.state?.current)
  return wish.inputs.app.refresh || current?.dependencies !== dependenciesKey(wish)
}

/** Before anything is sent: a server that has no Python yet gets one first, and says then which. */
export function wantOperations(facts: Facts, wish: Wish): readonly Operation[] {
  if (byPip(wish) || serverMinor(facts, wish) !== undefined) return []
  return [{ phase: 'packages', kind: 'want-wheels' }]
}

/** The wheels reach the server's store. */
export function storeOperations(wish: Wish): readonly Operation[] {
  const { wheels } = wish
  if (wheels === undefined) return []
  const all = wheels.uv === undefined ? wheels.wheels : [wheels.uv, ...wheels.wheels]
  return [{ phase: 'dependencies', kind: 'store-wheels', wheels: all, requirements: wheels.requirements }]
}

/** uv comes by pip and all packages come from an index. */
export function byPip(wish: Wish): boolean {
  return wish.inputs.app.dependencies !== 'wheels'
}

/** What the environment is built from, where that is not what the project says. */
export function builtOf(wish: Wish): Partial<Extract<Operation, { kind: 'environment' }>> {
  if (byPip(wish)) return {}
  const from = wish.wheels?.python ?? 'wanted'
  const words = ['--no-deps', '--require-hashes', '-r', 'wheels.txt']
  return {
    from,
    gunicorn: wish.inputs.app.webCommand === undefined ? 'late' : 'never',
    copies: [],
    texts: new Map(wish.wheels === undefined ? [] : [['wheels.txt', wish.wheels.requirements]]),
    steps: [{ how: 'install', folder: '', words, fixed: true, project: undefined }],
  }
}

/** How uv itself comes to the server. */
export function uvSource(wish: Wish): Extract<Operation, { kind: 'install-uv' }>['from'] {
  if (byPip(wish)) return 'index'
  return wish.wheels?.uv ?? 'wanted'
}
