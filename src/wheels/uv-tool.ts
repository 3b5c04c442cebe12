import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DeployError } from '../errors.ts'
import { uv } from '../plan/pins.ts'
import type { Downloads } from './download.ts'
import { type IndexFile, PAGE_TYPES, parseIndexPage } from './index-page.ts'
import type { Indexes } from './indexes.ts'
import { bestWheel, parseWheelName } from './tags.ts'
import { unzipOne } from './zip.ts'

/** Bytes: the program has 60 MB. */
const MOST_PROGRAM = 256 * 1024 * 1024

/** A wheel of uv that an index has and whose hash the action brings along. */
export interface UvWheel {
  readonly file: string
  readonly url: URL
  /** Hex. */
  readonly sha256: string
}

/** Looks for the wheels of uv, of the one version that the action knows, in the runner's indexes. */
export async function findUvWheels(
  downloads: Downloads,
  { addresses }: Indexes,
): Promise<readonly UvWheel[]> {
  for (const address of addresses) {
    const url = new URL(`${address.pathname.replace(/\/$/, '')}/uv/`, address)
    url.search = address.search
    const page = await downloads.page(url, PAGE_TYPES)
    if (page === undefined) continue
    const known = knownWheels(parseIndexPage(page.text, page.type, page.address))
    if (known.length > 0) return known
  }
  throw new DeployError('wheels-index', {
    cause: `No package index of the runner's has uv ${uv.version} as the action knows it (asked: ${addresses.map(({ host }) => host).join(', ')}).`,
    cure: 'Set `UV_DEFAULT_INDEX` in `env` to an index that has it; one that mirrors PyPI does.',
    input: 'dependencies',
  })
}

/** Of all files, those that the action knows by hash. */
export function knownWheels(files: readonly IndexFile[]): readonly UvWheel[] {
  const hashes = uv.hashes
  return files.flatMap(({ file, url, sha256 }) => {
    const parts = parseWheelName(file)
    if (parts?.name !== 'uv' || parts.version !== uv.version) return []
    return sha256 !== undefined && hashes.has(sha256) ? [{ file, url, sha256 }] : []
  })
}

/**
 * Puts uv for the runner itself into a folder.
 * @returns the program's path
 * @throws DeployError `wheels-runner` where the runner is none that uv's known wheels are for
 */
export async function installUv(
  downloads: Downloads,
  wheels: readonly UvWheel[],
  folder: string,
): Promise<string> {
  const wheel = forRunner(wheels)
  if (wheel === undefined) {
    throw new DeployError('wheels-runner', {
      cause: `\`dependencies: wheels\` needs uv on the runner, and the action knows none for ${process.platform} on ${process.arch}.`,
      cure: 'Run the job on Linux (`runs-on: ubuntu-latest`), or set `dependencies: server`.',
      input: 'dependencies',
    })
  }
  const packed = join(folder, 'uv.whl')
  await downloads.file(wheel.url, wheel.sha256, packed)
  const program = join(folder, 'uv')
  await writeFile(program, unzipUv(await readFile(packed)))
  await chmod(program, 0o755)
  return program
}

function unzipUv(archive: Buffer): Buffer {
  return unzipOne(archive, (path) => /^uv-[^/]+\.data\/scripts\/uv$/.test(path), MOST_PROGRAM)
}

/** uv's wheels hold a program and are for every Python 3. */
function forRunner(wheels: readonly UvWheel[]): UvWheel | undefined {
  const arch = ARCHITECTURES[process.arch]
  if (process.platform !== 'linux' || arch === undefined) return undefined
  const glibc = runnerGlibc()
  return glibc === undefined
    ? wheels.find(({ file }) =>
        parseWheelName(file)?.platforms.some((one) => new RegExp(`^musllinux_1_\\d_${arch}$`).test(one)),
      )
    : bestWheel(wheels, { minor: 13, arch, glibc })
}

/** glibc's minor version on the runner; undefined with another C library. */
function runnerGlibc(): number | undefined {
  const report: unknown = process.report.getReport()
  const text = JSON.stringify(report)
  const [, minor] = /"glibcVersionRuntime":"2\.(\d{1,3})/.exec(text) ?? []
  return minor === undefined ? undefined : Number(minor)
}

/** Node's words for those of `uname -m`. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }
