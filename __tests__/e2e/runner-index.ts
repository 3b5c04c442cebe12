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
  const minor = python.replace('.', '')
  execFileSync('python3', [
    ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'],
    ...[
      '--python-version',
      python,
      '--implementation',
      'cp',
      '--abi',
      `cp${minor}`,
      '--abi',
      'abi3',
      '--abi',
      'none',
    ],
    ...['manylinux_2_17', 'manylinux2014', 'manylinux_2_28'].flatMap((tag) => [
      '--platform',
      `${tag}_x86_64`,
    ]),
    ...['--find-links', folder, '--dest', folder, ...wanted],
  ])
  const files = readdirSync(folder).filter((file) => file.endsWith('.whl'))
  const hashes = new Map(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ]),
  )
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
    stop: () => server.close(),
  }
}
