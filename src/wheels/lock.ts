import { parse } from 'smol-toml'
import { bestWheel, normalised, parseWheelName, type WheelTarget } from './tags.ts'

/** A version that stands in a line of requirements (PEP 440). */
const VERSION = /^[A-Za-z0-9.+!]{1,100}$/

/** A wheel to fetch: which it is, and where it lies. */
export interface FoundWheel {
  /** Of the project, normalised. */
  readonly name: string
  readonly version: string
  readonly file: string
  readonly url: URL
  /** Hex. */
  readonly sha256: string
}

/** What a resolution comes to. */
export interface Chosen {
  readonly wheels: readonly FoundWheel[]
  /** Packages of the resolution for which there is no wheel that the server could use. */
  readonly without: readonly string[]
}

/**
 * Reads a resolution (PEP 751, pylock.toml, as uv writes it) and takes the best wheel of each package.
 * @throws Error where it is no lock at all
 */
export function chooseWheels(lock: string, target: WheelTarget): Chosen {
  const { packages } = parse(lock)
  const wheels: FoundWheel[] = []
  const without: string[] = []
  for (const one of Array.isArray(packages) ? packages : []) {
    if (!isTable(one) || typeof one['name'] !== 'string') throw new Error('a package without a name')
    const name = normalised(one['name'])
    const version = typeof one['version'] === 'string' && VERSION.test(one['version']) ? one['version'] : ''
    const all = Array.isArray(one['wheels']) && version !== '' ? one['wheels'] : []
    const offered = all.flatMap((wheel) => offer(wheel, name, version))
    const best = bestWheel(offered, target)
    if (best === undefined) without.push(name)
    else wheels.push(best)
  }
  return { wheels, without }
}

/**
 * The file by which the server installs exactly these wheels, from where it keeps them: hash-checked, without an index.
 * @param folderOf where the wheel with this hash lies on the server
 */
export function requirementsText(
  wheels: readonly Pick<FoundWheel, 'name' | 'version' | 'sha256'>[],
  folderOf: (sha256: string) => string,
): string {
  const sorted = wheels.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return [
    '--no-index',
    ...sorted.map(({ sha256 }) => `--find-links ${folderOf(sha256)}`),
    ...sorted.map(({ name, version, sha256 }) => `${name}==${version} --hash=sha256:${sha256}`),
    '',
  ].join('\n')
}

/** One wheel of the lock; none where its name or place is not what they have to be. */
function offer(wheel: unknown, name: string, version: string): readonly FoundWheel[] {
  if (!isTable(wheel) || typeof wheel['url'] !== 'string' || !isTable(wheel['hashes'])) return []
  const url = URL.parse(wheel['url'])
  const sha256 = wheel['hashes']['sha256']
  if (url === null || !/^https?:$/.test(url.protocol)) return []
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return []
  const file = typeof wheel['name'] === 'string' ? wheel['name'] : lastPart(url)
  const parts = parseWheelName(file)
  return parts === undefined || parts.name !== name ? [] : [{ name, version, file, url, sha256 }]
}

function lastPart(url: URL): string {
  try {
    return decodeURIComponent(url.pathname.split('/').at(-1) ?? '')
  } catch {
    return ''
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
