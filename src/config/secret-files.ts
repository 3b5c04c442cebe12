import type { ReleasePaths } from './paths.ts'
import type { Property } from './unit-text.ts'

/** The variable that names the folder of the secret files: systemd's own name for it (systemd.exec(5), Credentials). */
const FOLDER_VARIABLE = 'CREDENTIALS_DIRECTORY'

/** The first version that hands files to a service (LoadCredential=). */
const CREDENTIALS_SINCE = 247

/**
 * How a release's process gets its secret files: by systemd, which reads root's files at each start and shows copies in
 * memory to this process alone; where systemd is too old for that, as files that the app's group may read.
 * The variable for the app is the same.
 */
export function secretFilesBy(
  process: { readonly systemd: number; readonly secretFiles: readonly string[] },
  release: ReleasePaths,
): {
  readonly properties: readonly Property[]
  readonly environment: readonly (readonly [string, string])[]
} {
  if (process.secretFiles.length === 0) return { properties: [], environment: [] }
  if (process.systemd < CREDENTIALS_SINCE) {
    return { properties: [], environment: [[FOLDER_VARIABLE, release.files]] }
  }
  return {
    properties: process.secretFiles.map((name) => ['LoadCredential', `${name}:${release.files}/${name}`]),
    environment: [],
  }
}

/** Who may read a release's secret files on the disk. */
export interface SecretFileModes {
  /** Of the folder /etc/web-NAME, where it has to be another one than 0700 root:root. */
  readonly outer: { readonly mode: string; readonly owner: string } | undefined
  readonly folder: { readonly mode: string; readonly owner: string }
  readonly file: { readonly mode: string; readonly owner: string }
}

/** @param user the app's user, whose group has the same name */
export function secretFileModes(systemd: number, user: string): SecretFileModes {
  if (systemd >= CREDENTIALS_SINCE) {
    const [mode, owner] = ['0700', 'root:root']
    return { outer: undefined, folder: { mode, owner }, file: { mode: '0600', owner } }
  }
  const owner = `root:${user}`
  // Env files lie in the outer folder too: it may be passed through and not listed, and they stay root's.
  return { outer: { mode: '0710', owner }, folder: { mode: '0750', owner }, file: { mode: '0640', owner } }
}
