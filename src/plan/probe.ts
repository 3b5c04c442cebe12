import { renderEntry } from '../config/entry.ts'
import { paths, releasePaths } from '../config/paths.ts'
import { releaseProperties } from '../config/sandbox.ts'
import { renderTargetEnv } from '../config/target-env.ts'
import type { Property } from '../config/unit-text.ts'
import type { AppTarget, StaticFolder } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import { checkSettings } from './check-settings.ts'
import { releaseSettings } from './ingredients.ts'
import type { Operation } from './operation.ts'
import { presentTls } from './tls.ts'
import type { Wish } from './wish.ts'

/** Seconds that importing the app and asking it may take, all candidates together. */
const PROBE_SECONDS = 55
/** As many at least, however short a time the app has to become well. */
const LEAST_SECONDS = 10
/** Seconds that systemd waits beyond, before it ends a probe that does not end itself. */
const GRACE_SECONDS = 5

/** More candidates than this are not tried. */
const MOST_CANDIDATES = 5

/** What remote/probe.py and remote/adopt.py are told; JSON. Nothing in it is secret: the app's user reads it. */
export interface ProbeSettings {
  /** The app's folders, absolute. */
  readonly state: string
  readonly cache: string
  readonly log: string
  /** As a visitor asks: the first domain, and how it is reached. */
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly candidates: readonly Candidate[]
  /** nginx serves files at all. */
  readonly publishes: boolean
  /** URLs that the user gave folders for: nothing else is published there. */
  readonly given: readonly string[]
  /** What reading the project found, for an app that does not say. */
  readonly fallback: readonly StaticFolder[]
  /** What the app writes is persisted without being named. */
  readonly keeps: boolean
  /** The paths that are named: in the release, and below `state`. */
  readonly persist: readonly PersistedPath[]
  readonly buildable: boolean
  /** The worker class that the project's own files name. */
  readonly workerClass: string | null
  /** A command of the project's own serves: what cannot be imported here may be served by it all the same. */
  readonly ownServer: boolean
  /** The user said how many workers. */
  readonly workersGiven: boolean
}

/** A path that outlives releases. */
export interface PersistedPath {
  readonly path: string
  readonly target: string
}

interface Candidate {
  /** E.g. `wsgi:app`. */
  readonly name: string
  readonly module: string
  /** The entry module that serves it. */
  readonly entry: string
  /** `target.env`, where what was built of the project comes after its folder, and where it comes first. */
  readonly environment: string
  readonly siteFirst: string
}

/**
 * The probe and what follows from it before any command runs: entry module, and state that outlives releases. What the user
 * named himself stands whatever the probe finds.
 */
export function probeOperations(facts: Facts, wish: Wish): readonly Operation[] {
  const settings = probeSettings(facts, wish)
  return [
    ...(settings.candidates.length === 0 ? [] : [asking(facts, wish, settings)]),
    ...settings.persist.map((path): Operation => ({ phase: 'configure', kind: 'persist', ...path })),
    { phase: 'configure', kind: 'adopt' },
  ]
}

/** What nginx serves, by the user's word and the probe's: after the commands, which may have made some of it. */
export function publishOperations({ project, inputs }: Wish): readonly Operation[] {
  const given = isDefaultStatic(inputs) ? [] : project.static
  return [
    { phase: 'start', kind: 'public' },
    ...given.map(({ url, folder }): Operation => ({ phase: 'start', kind: 'publish', url, folder })),
    { phase: 'start', kind: 'publish-found' },
  ]
}

/** The probe itself, where there is an app to ask. */
function asking(facts: Facts, wish: Wish, settings: ProbeSettings): Operation {
  const { inputs, project, release } = wish
  // What hangs longer than it may at its start need not be waited for here.
  const health = Math.ceil(inputs.behaviour.healthTimeoutMs / 1000)
  const seconds = Math.min(PROBE_SECONDS, Math.max(LEAST_SECONDS, health))
  return {
    phase: 'configure',
    kind: 'probe',
    settings: JSON.stringify(settings),
    seconds,
    properties: [
      ...releaseProperties({
        ...releaseSettings(facts, wish, release, wish.nonce),
        secretFiles: [...inputs.app.secretFiles.keys()],
      }),
      ...scratchProperties(project.name, release, seconds),
    ].map(([key, value]) => `${key}=${value}`),
  }
}

function probeSettings(facts: Facts, wish: Wish): ProbeSettings {
  const { inputs, project } = wish
  const app = paths(project.name)
  const { host, scheme } = checkSettings(facts, wish, presentTls(facts, inputs))
  const given = isDefaultStatic(inputs) ? [] : project.static.map(({ url }) => url)
  return {
    state: app.stateDir,
    cache: app.cacheDir,
    log: app.logDir,
    host,
    scheme,
    candidates: [project.target, ...project.others]
      .filter(({ module }) => module !== '')
      .slice(0, MOST_CANDIDATES)
      .map((target) => candidate(facts, wish, target)),
    publishes: inputs.site.static.length > 0,
    given,
    fallback: project.static.filter(({ url }) => !given.includes(url)),
    keeps: inputs.app.persist.length > 0,
    persist: inputs.app.persist.map((path) => persisted(path, wish)),
    buildable: project.requirements.buildable,
    workerClass: project.declared.workerClass ?? null,
    ownServer: inputs.app.webCommand !== undefined,
    workersGiven: inputs.site.workers !== undefined,
  }
}

function candidate(facts: Facts, wish: Wish, target: AppTarget): Candidate {
  const settings = releaseSettings(facts, wish, wish.release, wish.nonce)
  return {
    name: `${target.module}:${target.expression}`,
    module: target.module,
    entry: renderEntry(settings, target),
    environment: renderTargetEnv(settings, target, false),
    siteFirst: renderTargetEnv(settings, target, true),
  }
}

/** `static` was not given, or says what it says without being given. */
function isDefaultStatic(inputs: Wish['inputs']): boolean {
  const [only, ...others] = inputs.site.static
  return others.length === 0 && only?.url === '/static' && only.folder === 'static'
}

/** A scratch copy in place of the release, and empty folders in place of the app's own (remote/probe.sh makes them). */
function scratchProperties(name: string, release: string, seconds: number): readonly Property[] {
  const app = paths(name)
  const { root, venv, site } = releasePaths(name, release)
  const scratch = `${app.app}/probe`
  return [
    ['WorkingDirectory', root],
    ['RuntimeMaxSec', String(seconds + GRACE_SECONDS)],
    ['BindPaths', `${scratch}/files:${root}`],
    ['BindPaths', `${scratch}/lib:${app.stateDir}`],
    ['BindPaths', `${scratch}/cache:${app.cacheDir}`],
    ['BindPaths', `${scratch}/log:${app.logDir}`],
    ['BindReadOnlyPaths', venv],
    ['BindReadOnlyPaths', `-${site}`],
  ]
}

/**
 * `instance` is where Flask looks for it: beside the package, which in a `src` layout is below `src`
 * (Flask's `auto_find_instance_path`). Where that was guessed wrong, the probe says better.
 */
function persisted(path: string, wish: Wish): PersistedPath {
  const folder = wish.project.target.path[0] ?? ''
  return { path: path === 'instance' && folder !== '' ? `${folder}/instance` : path, target: path }
}
