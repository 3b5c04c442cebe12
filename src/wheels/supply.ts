import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { DeployError } from '../errors.ts'
import { uv } from '../plan/pins.ts'
import { needsWheels, serverMinor, WHEEL_STORE, type Wheel, type WheelFile } from '../plan/wheels.ts'
import type { Wish } from '../plan/wish.ts'
import type { Exec } from '../project/exec.ts'
import type { Facts } from '../server/facts.ts'
import { Downloads } from './download.ts'
import { type Indexes, indexesOf } from './indexes.ts'
import { type FoundWheel, requirementsText } from './lock.ts'
import { type Resolver, resolve } from './resolve.ts'
import { bestWheel, type WheelTarget } from './tags.ts'
import { findUvWheels, installUv, type UvWheel } from './uv-tool.ts'
import { ownGunicorn, type Wanted, wantedOf } from './wanted.ts'

/** Downloads at once: an index serves each in turn, and a runner has two cores. */
const AT_ONCE = 4

/** What the supply needs of the run. */
export interface SupplySettings {
  /** Absolute: the folder of the checkout that is the bundle's root. */
  readonly root: string
  /** Takes a folder of its own, until `close`. */
  readonly temp: string
  readonly exec: Exec
  /** The runner's variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The most that looking and fetching may take, in ms. */
  readonly limitMs: number
  readonly signal: AbortSignal
  readonly say: (text: string) => void
}

/** Why wheels are looked for though the plan would do without: the environment cannot be shared after all. */
export interface Again {
  /** CPython's minor version, where the server has said which it takes. */
  readonly minor: number | undefined
}

/** What one plan is to be made of, and what has to be sent for it. */
export interface Supplied {
  readonly wish: Wish
  readonly send: readonly WheelFile[]
}

/**
 * `dependencies: wheels`: finds and fetches on the runner what the server cannot. It is the one case in which the action
 * downloads anything, and it runs uv alone, whose bytes it knows.
 */
export class WheelSupply {
  readonly #settings: SupplySettings
  #folder: string | undefined
  /** What was found already, for a plan that is made anew. */
  readonly #found = new Map<string, Promise<readonly FoundWheel[]>>()
  readonly #fetched = new Map<string, WheelFile>()

  constructor(settings: SupplySettings) {
    this.#settings = settings
  }

  /**
   * Adds the wheels to a wish. Where the environment is shared with the release that serves, or the server has no Python
   * yet, there are none to look for.
   * @param again a program on the server has asked for them
   * @throws DeployError `wheels-...`
   */
  async prepare(facts: Facts, wish: Wish, again?: Again): Promise<Supplied> {
    const none: Supplied = { wish, send: [] }
    if (wish.inputs.app.dependencies !== 'wheels') return none
    const minor = again?.minor ?? serverMinor(facts, wish)
    if (minor === undefined || !(again !== undefined || needsWheels(facts, wish))) return none
    const target = targetOf(facts, minor)
    const { signal, limitMs, environment, say } = this.#settings
    const time = AbortSignal.timeout(limitMs)
    const indexes = indexesOf(wish.inputs.app.env, environment)
    const downloads = new Downloads(indexes, AbortSignal.any([signal, time]))
    try {
      say(`Looking for wheels for Python 3.${minor} on ${target.arch} with glibc 2.${target.glibc}.`)
      const tools = await findUvWheels(downloads, indexes)
      const wheels = await this.#resolved(wish, target, { downloads, indexes, tools })
      const own = facts.uv.has(`uv-${uv.version}`) ? undefined : bestWheel(tools, target)
      const all = [...(own === undefined ? [] : [own]), ...wheels]
      const send = await this.#fetch(
        all.filter(({ sha256 }) => !facts.wheels.has(sha256)),
        downloads,
      )
      const bytes = send.reduce((sum, one) => sum + one.bytes, 0)
      say(
        `${all.length} wheels, ${send.length} of them to be sent (${megabytes(bytes)} MB); the server has the others.`,
      )
      const requirements = requirementsText(wheels, (sha256) => `${WHEEL_STORE}/${sha256}`)
      return {
        wish: {
          ...wish,
          wheels: { python: `3.${minor}`, wheels: wheels.map(named), uv: own && named(own), requirements },
        },
        send,
      }
    } catch (error) {
      if (time.aborted && !signal.aborted) throw late(limitMs)
      throw error
    } finally {
      await downloads.close()
    }
  }

  /** Removes what was downloaded. */
  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }

  async #resolved(wish: Wish, target: WheelTarget, tools: Tools): Promise<readonly FoundWheel[]> {
    const key = JSON.stringify(target)
    const known = this.#found.get(key)
    if (known !== undefined) return await known
    const found = this.#resolve(wish, target, tools)
    this.#found.set(key, found)
    return await found
  }

  async #resolve(wish: Wish, target: WheelTarget, { downloads, indexes, tools }: Tools) {
    const { exec, environment, root } = this.#settings
    const folder = await this.#ownFolder()
    const wanted = await wantedOf(wish, (file) => readBelow(root, file))
    const program = await installUv(downloads, tools, folder)
    const resolver = (name: string): Resolver => ({
      uv: program,
      exec,
      environment,
      variables: indexes.variables,
      folder: join(folder, name),
    })
    const wheels = await resolve(wanted, target, resolver('packages'))
    if (wish.project.requirements.hashed) expectKnown(wheels, wanted)
    const names = new Set(wheels.map(({ name }) => name))
    if (names.has('gunicorn')) return wheels
    // Where the project wants another version of what gunicorn brings, the project's word is the last.
    const own = await resolve(ownGunicorn, target, resolver('gunicorn'))
    return [...wheels, ...own.filter(({ name }) => !names.has(name))]
  }

  async #fetch(
    wheels: readonly (FoundWheel | UvWheel)[],
    downloads: Downloads,
  ): Promise<readonly WheelFile[]> {
    const folder = join(await this.#ownFolder(), 'wheels')
    await mkdir(folder, { recursive: true })
    const waiting = [...new Map(wheels.map((wheel) => [wheel.sha256, wheel])).values()]
    const work = async () => {
      for (let wheel = waiting.shift(); wheel !== undefined; wheel = waiting.shift()) {
        const { sha256 } = wheel
        if (this.#fetched.has(sha256)) continue
        const path = join(folder, sha256)
        const bytes = await downloads.file(wheel.url, sha256, path)
        this.#fetched.set(sha256, { sha256, path, bytes })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return wheels.flatMap(({ sha256 }) => this.#fetched.get(sha256) ?? [])
  }

  async #ownFolder(): Promise<string> {
    this.#folder ??= await mkdtemp(join(this.#settings.temp, 'flask-deploy-wheels-'))
    return this.#folder
  }
}

/** A file of the project; one that a link leads out of it to is none. */
async function readBelow(root: string, file: string): Promise<string> {
  const real = await realpath(join(root, file))
  if (relative(await realpath(root), real).startsWith('..'))
    throw new Error(`${file} leads out of the project`)
  return await readFile(real, 'utf8')
}

interface Tools {
  readonly downloads: Downloads
  readonly indexes: Indexes
  readonly tools: readonly UvWheel[]
}

/** @throws DeployError `wheels-server` for a machine that wheels are not made for */
function targetOf(facts: Facts, minor: number): WheelTarget {
  const { arch, glibc } = facts
  if (glibc !== undefined && (arch === 'x86_64' || arch === 'aarch64')) return { minor, arch, glibc }
  throw new DeployError('wheels-server', {
    cause: `\`dependencies: wheels\` knows no wheels for this server (${arch}, ${glibc === undefined ? 'another C library than glibc' : `glibc 2.${glibc}`}).`,
    cure: 'Let the server reach a package index and set `dependencies: server`.',
    input: 'dependencies',
  })
}

/** Where every line of the user's files has a hash, nothing else is taken, whatever the index says. */
function expectKnown(wheels: readonly FoundWheel[], { texts, file }: Wanted): void {
  const known = new Set(
    [...texts.values()].flatMap((text) =>
      Array.from(text.matchAll(/\bsha256(?::|\s*=\s*["'])([0-9a-f]{64})\b/g), ([, hash]) => hash),
    ),
  )
  const strange = wheels.filter(({ sha256 }) => !known.has(sha256))
  if (strange.length === 0) return
  throw new DeployError('wheels-hash', {
    cause: `The wheel that the server needs of ${strange.map(({ name, version }) => `${name} ${version}`).join(', ')} is not among those whose hashes are in ${file}.`,
    cure: `Write ${file} anew with the hashes of all wheels (\`uv pip compile --generate-hashes\` does), and look why the index has others if it was.`,
    input: 'dependencies',
    file,
  })
}

function late(limitMs: number): DeployError {
  return new DeployError('wheels-index', {
    cause: `The wheels could not be fetched on the runner within ${Math.round(limitMs / 60_000)} minutes.`,
    cure: 'Run the job again; if it happens again, look at the package index that the runner asks (`UV_DEFAULT_INDEX` in `env` names another one).',
    input: 'dependencies',
  })
}

function named({ file, sha256 }: FoundWheel | UvWheel): Wheel {
  return { file, sha256 }
}

function megabytes(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1)
}
