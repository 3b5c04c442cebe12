import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uv } from '../../src/plan/pins.ts'

/** A package index on the runner's side, at this machine's loopback address. */
export interface RunnerIndex {
  /** Its address, for `UV_DEFAULT_INDEX`. */
  readonly url: string
  /** The paths that it was asked for since `forget`, in order. */
  readonly asked: () => readonly string[]
  readonly forget: () => void
  /** Of its newest wheel of a package: SHA-256, and the version. */
  readonly hash: (name: string) => string
  readonly version: (name: string) => string
  readonly stop: () => void
}

/**
 * Starts an index (PEP 503 and 691) that has these packages, what they depend on, and uv as the action pins it.
 * pip fetches them once for this machine.
 * @param python the version that the wheels are for, e.g. `3.11`
 */
export async function startRunnerIndex(packages: readonly string[], python: string): Promise<RunnerIndex> {
  const name = createHash('sha256')
    .update(JSON.stringify([packages, python, uv.version]))
    .digest('hex')
  const folder = join(tmpdir(), `runner-index-${name.slice(0, 12)}`)
  mkdirSync(folder, { recursive: true })
  const wanted = [`uv==${uv.version}`, ...packages]
  const platforms = ['manylinux_2_17', 'manylinux2014', 'manylinux_2_28']
  const download = (one: readonly string[], deep: boolean) =>
    execFileSync('python3', [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'],
      ...['--python-version', python, '--implementation', 'cp'],
      ...[`cp${python.replace('.', '')}`, 'abi3', 'none'].flatMap((abi) => ['--abi', abi]),
      ...platforms.flatMap((tag) => ['--platform', `${tag}_x86_64`]),
      ...(deep ? [] : ['--no-deps']),
      ...['--find-links', folder, '--dest', folder, ...one],
    ])
  // A second version of a package comes by itself: pip takes one of each.
  const twice = wanted.filter((one, at) => wanted.findIndex((other) => named(other) === named(one)) !== at)
  download(
    wanted.filter((one) => !twice.includes(one)),
    true,
  )
  for (const one of twice) download([one], false)
  const files = readdirSync(folder).filter((file) => file.endsWith('.whl'))
  const hashes = new Map(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ]),
  )
  const newest = (name: string) => files.toSorted().findLast((file) => file.startsWith(`${name}-`)) ?? ''
  let asked: string[] = []
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://index').pathname
    asked.push(path)
    const [, project] = /^\/simple\/([a-z0-9-]+)\/$/.exec(path) ?? []
    const [, file = ''] = /^\/files\/([^/]+)$/.exec(decodeURIComponent(path)) ?? []
    const own = files.filter((one) => one.split('-')[0]?.toLowerCase().replaceAll(/[._]/g, '-') === project)
    if (project !== undefined && own.length > 0) {
      const links = own.map(
        (one) => `<a href="/files/${encodeURIComponent(one)}#sha256=${hashes.get(one)}">${one}</a>`,
      )
      response.setHeader('content-type', 'text/html')
      response.end(`<!DOCTYPE html><html><body>${links.join('<br>\n')}</body></html>`)
    } else if (hashes.has(file)) {
      response.end(readFileSync(join(folder, file)))
    } else {
      response.statusCode = 404
      response.end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/simple`,
    asked: () => asked,
    forget: () => {
      asked = []
    },
    hash: (name) => hashes.get(newest(name)) ?? '',
    version: (name) => newest(name).split('-')[1] ?? '',
    stop: () => server.close(),
  }
}

function named(requirement: string): string {
  return requirement.split('==')[0] ?? ''
}
