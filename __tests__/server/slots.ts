import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import { cacheFolder, identity, runtimeFolder, scripts } from './places.ts'

/** A server's place: its number decides its addresses and its names on the host. */
export type Slot = {
  number: number
  /** Folder under the runtime folder: `owner`, `holder`, `token`, `store`, `console.log` and mount points. */
  folder: string
  /** Tells this use of the slot from the next one. */
  token: string
  /** Folder of the server's own disk files, on the cache's file system. */
  store: string
  hostAddress: string
  address: string
}

/** 198.51.100.0/24 (documentation range, RFC 5737) in parts of four addresses. */
const slots = 64

/**
 * Takes a free slot for this process.
 * @throws Error when all 64 are taken
 */
export function takeSlot(): Slot {
  const runtime = runtimeFolder()
  const owner = identity(process.pid)
  if (owner === undefined) throw new Error('this process is not in /proc')
  const token = randomBytes(8).toString('hex')
  const store = `${cacheFolder()}/disks/${token}`
  const draft = mkdtempSync(`${runtime}/draft.`)
  mkdirSync(`${draft}/root`)
  mkdirSync(`${draft}/overlay`)
  writeFileSync(`${draft}/owner`, `${owner}\n`)
  writeFileSync(`${draft}/token`, `${token}\n`)
  writeFileSync(`${draft}/store`, `${store}\n`)
  for (let number = 0; number < slots; number++) {
    const folder = `${runtime}/slots/${number}`
    try {
      // Onto a slot that is taken, a folder with files in it, rename(2) fails.
      renameSync(draft, folder)
    } catch {
      continue
    }
    mkdirSync(store, { recursive: true })
    const part = (host: number) => `198.51.100.${4 * number + host}`
    return { number, folder, token, store, hostAddress: part(1), address: part(2) }
  }
  rmSync(draft, { recursive: true })
  throw new Error(`all ${slots} slots in ${runtime}/slots are taken`)
}

/**
 * Takes down the servers whose owners have died.
 * @returns how many there were
 */
export async function reap(): Promise<number> {
  const runtime = runtimeFolder()
  let reaped = 0
  for (const name of readdirSync(`${runtime}/slots`)) {
    const folder = join(runtime, 'slots', name)
    let owner: string
    let token: string
    try {
      owner = readFileSync(`${folder}/owner`, 'utf8').trim()
      token = readFileSync(`${folder}/token`, 'utf8').trim()
    } catch {
      continue // it went while we looked
    }
    if (identity(Number(owner.split(' ')[0])) === owner) continue
    await release(folder, token)
    reaped++
  }
  return reaped
}

/** Takes down whatever is left of one use of a slot; nothing where that is over. */
export async function release(folder: string, token: string): Promise<void> {
  const { status, stderr } = await command('unshare', ['--mount', 'sh', join(scripts, 'release.sh')], {
    env: { ...process.env, SLOT: folder, TOKEN: token },
  })
  if (status !== 0) throw new Error(`the test server in ${folder} could not be taken down: ${stderr}`)
}
