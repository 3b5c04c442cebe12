import { remoteFile } from '../remote.ts'

/**
 * What the action itself installs on a server, pinned by hash: requirement lines for pip and uv, in remote/.
 */
export const uv = {
  version: pinned('uv'),
  requirements: remoteFile('uv.txt'),
  /** SHA-256 of its wheels, hex. */
  hashes: new Set(
    Array.from(remoteFile('uv.txt').matchAll(/sha256:([0-9a-f]{64})/g), ([, hash = '']) => hash),
  ),
} as const

/** For projects that list no gunicorn. */
export const gunicorn = { requirements: remoteFile('gunicorn.txt') } as const

function pinned(name: string): string {
  const [, version] = new RegExp(`^${name}==(\\S+)`, 'm').exec(remoteFile(`${name}.txt`)) ?? []
  if (version === undefined) throw new Error(`remote/${name}.txt pins no ${name}`)
  return version
}
