import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Writes a resolv.conf for a server into a folder: the host's, or, where that points to a resolver on the host's own
 * loopback, which no server can reach, the upstream one that systemd-resolved keeps beside it.
 * @returns the file's path
 * @throws Error where both name only loopback addresses
 */
export function resolverFile(folder: string): string {
  const candidates = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'].filter((file) =>
    existsSync(file),
  )
  for (const candidate of candidates) {
    const lines = readFileSync(candidate, 'utf8').split('\n')
    const reachable = lines.filter((line) => !/^\s*nameserver\s+(127\.|::1)/.test(line))
    if (reachable.some((line) => /^\s*nameserver\s/.test(line))) {
      const path = `${folder}/resolv.conf`
      writeFileSync(path, reachable.join('\n'))
      return path
    }
  }
  throw new Error(`no name server that a test server could reach in ${candidates.join(', ')}`)
}
