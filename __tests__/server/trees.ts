import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { clientKey } from './client-key.ts'
import { must } from './command.ts'
import { type HostSettings, hostSettings } from './host-settings.ts'
import { cacheFolder, scripts } from './places.ts'
import type { Suite } from './suites.ts'

/** Which file tree a server starts from. */
export type TreeChoice = {
  suite: Suite
  /** bare: systemd, sshd, sudo. ready: also what a first deploy installs (`ready.sh`). authority: see `authority.ts`. */
  packages: 'bare' | 'ready' | 'authority'
  /** uutils and sudo-rs in the place of GNU coreutils and sudo, as on Ubuntu 26.04 (suite sid only). */
  uutils: boolean
}

/** Building is apt's work over the network: minutes on a slow line. */
const buildTimeoutMs = 900_000

type Layer = { label: string; script?: string }

/**
 * The folder of a tree, built first if the cache has none of this choice, these scripts and these host settings.
 * It is shared and must not be written to. Safe to call from several processes at once.
 * @throws Error with apt's or mmdebstrap's output
 */
export async function ensureTree(choice: TreeChoice): Promise<string> {
  const { suite, packages, uutils } = choice
  if (uutils && suite !== 'sid')
    throw new Error(`uutils: only sid has the packages that this needs, not ${suite}`)
  const settings = await hostSettings(suite)
  settings.authorized_keys = (await clientKey()).publicKey
  const layers: Layer[] = [
    { label: 'bare' },
    ...(uutils ? [{ label: 'uutils', script: 'uutils.sh' }] : []),
    ...(packages === 'bare' ? [] : [{ label: packages, script: `${packages}.sh` }]),
  ]
  const hash = createHash('sha256').update(JSON.stringify([suite, settings]))
  for (const name of ['build-tree.sh', 'people.sh', 'in-tree.sh']) hash.update(source(name))
  let tree = ''
  let label: string = suite
  for (const layer of layers) {
    if (layer.script !== undefined)
      hash.update(source('layer-tree.sh')).update(source(layer.script)).update(source('../../remote/uv.txt'))
    label = `${label}-${layer.label}`
    const target = `${treesFolder()}/${label}-${hash.copy().digest('hex').slice(0, 12)}`
    if (!existsSync(target)) await build(target, layer, { suite, base: tree, settings })
    tree = target
  }
  return tree
}

/** An ext4 image of a tree (a file), made if it is missing. */
export async function ensureImage(tree: string): Promise<string> {
  const image = `${tree}.ext4`
  if (!existsSync(image)) await once(image, ['image-tree.sh', tree, `${image}.part`])
  return image
}

/** Where trees and their images are. */
export function treesFolder(): string {
  const folder = `${cacheFolder()}/trees`
  mkdirSync(folder, { recursive: true })
  return folder
}

async function build(
  target: string,
  layer: Layer,
  from: { suite: Suite; base: string; settings: HostSettings },
): Promise<void> {
  const part = `${target}.part`
  if (layer.script !== undefined) {
    await once(target, ['layer-tree.sh', from.base, part, join(scripts, layer.script)])
    return
  }
  const folder = mkdtempSync(`${cacheFolder()}/settings.`)
  try {
    mkdirSync(`${folder}/certs`)
    for (const [name, text] of Object.entries(from.settings)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    await once(target, ['build-tree.sh', from.suite, part, folder])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function once(target: string, work: readonly [string, ...string[]]): Promise<void> {
  const [script, ...args] = work
  await must('sh', [join(scripts, 'once.sh'), target, 'sh', join(scripts, script), ...args], {
    timeoutMs: buildTimeoutMs,
  })
}

function source(name: string): string {
  return readFileSync(join(scripts, name), 'utf8')
}
