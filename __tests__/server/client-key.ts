import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { must } from './command.ts'
import { cacheFolder } from './places.ts'

/** The one key that every test server lets in (as root, deploy and asker). */
export type ClientKey = { path: string; privateKey: string; publicKey: string }

/** Reads the tests' ssh key; the first call on a machine makes it. */
export async function clientKey(): Promise<ClientKey> {
  const folder = `${cacheFolder()}/client-key`
  if (!existsSync(folder)) {
    const draft = mkdtempSync(`${folder}.`)
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'tests', '-f', `${draft}/id_ed25519`])
    try {
      renameSync(draft, folder)
    } catch (error) {
      // Another process was quicker: its key counts.
      rmSync(draft, { recursive: true })
      if (!existsSync(folder)) throw error
    }
  }
  const path = `${folder}/id_ed25519`
  return { path, privateKey: readFileSync(path, 'utf8'), publicKey: readFileSync(`${path}.pub`, 'utf8') }
}
