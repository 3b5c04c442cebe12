import { releasePaths } from './paths.ts'
import { releaseProperties } from './sandbox.ts'

/**
 * What makes a transient unit a process of a release that is there: `Key=Value` each. What the release's own files say
 * (how to find the app, its secret files, the variables that win) the server adds: see remote/run.sh.
 */
export function commandProperties(name: string, release: string, systemd: number): readonly string[] {
  return [
    ...releaseProperties({ name, release, systemd, env: new Map(), secretFiles: [] }),
    ['WorkingDirectory', releasePaths(name, release).root] as const,
  ].map(([key, value]) => `${key}=${value}`)
}
