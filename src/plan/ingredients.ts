import { createHash } from 'node:crypto'
import { renderEntry } from '../config/entry.ts'
import { renderGunicorn } from '../config/gunicorn.ts'
import { renderCatchAll, renderSite } from '../config/nginx.ts'
import { nginxVersion } from '../config/nginx-tls.ts'
import { paths } from '../config/paths.ts'
import type { ReleaseSettings, SiteTls } from '../config/settings.ts'
import { renderServiceUnit, renderSocketUnit } from '../config/units.ts'
import { renderProxyUnit, webStopSeconds } from '../config/web-command.ts'
import type { Facts } from '../server/facts.ts'
import type { KeptRelease } from '../server/state.ts'
import { wishedReleaseCommand } from './commands.ts'
import { gunicorn } from './pins.ts'
import { processTexts } from './processes.ts'
import { wishedVariables } from './services.ts'
import type { Wish } from './wish.ts'

/** Stands for the release where only the rest of the settings is compared. */
const ANY_RELEASE = '00000000000000-0000000'

/** The release that serves, where nothing of the wish differs from it. */
export function unchangedRelease(
  name: string,
  facts: Facts,
  record: KeptRelease,
  site: string,
): string | undefined {
  const { state } = facts
  const current = state?.releases.find((release) => release.id === state.current)
  if (state === undefined || current === undefined || facts.begun !== undefined) return undefined
  const same =
    current.bundle === record.bundle &&
    current.dependencies === record.dependencies &&
    current.settings === record.settings &&
    facts.link === current.id &&
    facts.active &&
    // Somebody changed it by hand, or stopped nginx: it is made anew.
    facts.drift.every(({ fate }) => fate === 'stays') &&
    !facts.environmentBroken &&
    facts.files.get(paths(name).nginxSite) === sha256(site)
  return same ? current.id : undefined
}

/** What the release's files are rendered from. */
export function releaseSettings(facts: Facts, wish: Wish, release: string, nonce: string): ReleaseSettings {
  return {
    name: wish.project.name,
    release,
    // The bundle's root is the source folder.
    source: '',
    target: wish.project.target,
    workers: workerCount(facts, wish),
    threads: wish.inputs.site.threads,
    timeoutSeconds: wish.inputs.site.timeoutSeconds,
    env: wish.inputs.app.env,
    secretFiles: [...wish.inputs.app.secretFiles.keys()],
    webCommand: wish.inputs.app.webCommand,
    nonce,
    systemd: facts.systemd,
    services: wish.inputs.app.services,
    nginxGroup: facts.nginxUser,
  }
}

/** The variables of a release: those of its services, and `env`, which has the last word. */
export function releaseVariables(wish: Wish): ReadonlyMap<string, string> {
  return new Map([...wishedVariables(wish), ...wish.inputs.app.env])
}

/** The app's nginx file, with the HTTPS that it is to have. */
export function siteText(
  facts: Facts,
  wish: Wish,
  tls: SiteTls | undefined,
  stay: readonly string[] = [],
): string {
  const { domains, maxBodySize, timeoutSeconds } = wish.inputs.site
  const site = {
    name: wish.project.name,
    domains,
    ipv6: facts.ipv6,
    maxBodySize,
    timeoutSeconds,
    tls,
    nginx: nginxVersion(facts.nginx, facts.os.codename),
    hstsSeconds: wish.inputs.tls.hstsSeconds,
  }
  return renderSite(site, stay)
}

/** nginx's file for names that nobody serves; undefined where the app serves every name. */
export function catchAllText(facts: Facts, wish: Wish): string | undefined {
  return wish.inputs.site.domains.includes('_') ? undefined : renderCatchAll({ ipv6: facts.ipv6 })
}

/** Two for each core and one more, as gunicorn's manual has it, but no more than memory bears (150 MB each). */
export function workerCount(facts: Facts, wish: Wish): number {
  const { workers } = wish.inputs.site
  if (workers !== undefined) return workers
  const byMemory = Math.floor(facts.memoryBytes / (150 * 1024 * 1024))
  return Math.max(1, Math.min(facts.cpus * 2 + 1, byMemory, 9))
}

/** When the environment gets a gunicorn of ours: a lock that lists one may still bring none. */
export function ownGunicorn({ inputs, project }: Wish): 'first' | 'late' | 'never' {
  if (inputs.app.webCommand !== undefined) return 'never'
  return project.requirements.listsGunicorn ? 'late' : 'first'
}

/** What decides the environment, as far as the runner knows it, as a hash. */
export function dependenciesKey(wish: Wish): string {
  const { requirements } = wish.project
  return sha256(
    JSON.stringify([
      requirements.sha256,
      requirements.file,
      [...buildVariables(wish.inputs.app.env)],
      { first: gunicorn.requirements, late: '', never: 'none' }[ownGunicorn(wish)],
    ]),
  )
}

/** Everything else that a release is made of, as a hash: a change of any of it makes a new release. */
export function settingsKey(facts: Facts, wish: Wish): string {
  const settings = releaseSettings(facts, wish, ANY_RELEASE, '')
  return sha256(
    JSON.stringify([
      renderSocketUnit(settings),
      renderServiceUnit(settings),
      ...(settings.webCommand === undefined
        ? [renderGunicorn(settings), renderEntry(settings)]
        : [settings.webCommand, renderProxyUnit(settings, settings.webCommand, webStopSeconds(settings))]),
      ...wish.project.others.map((target) => renderEntry(settings, target)),
      wish.project.declared.workerClass ?? '',
      [...releaseVariables(wish)],
      [...wish.inputs.app.secretFiles],
      wish.inputs.app.persist,
      wishedReleaseCommand(wish) ?? '',
      processTexts(settings, wish),
      wish.project.static,
      wish.project.python,
      wish.inputs.app.pythonDownload,
    ]),
  )
}

/** All of `env` that a build may see: what concerns package indexes. */
export function buildVariables(env: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...env].filter(([key]) => key.startsWith('UV_') || key.startsWith('PIP_')))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
