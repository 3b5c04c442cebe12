import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A file of remote/, which is what runs on the server. The folder lies beside src/ and beside dist/, so the same path
 * is right for the source and for the bundled action.
 */
export function remoteFile(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'remote', name), 'utf8')
}

/** A file of sh without its comment lines, but for shellcheck's: they are half of its bytes, and would travel in every run. */
export function remoteScript(name: string): string {
  return remoteFile(name).replace(/^ *#(?! shellcheck ).*\n/gm, '')
}
