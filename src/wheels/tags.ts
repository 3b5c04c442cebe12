/*
 * Which wheels a server's Python can use, by their file names alone (PEP 425, PEP 427, PEP 600). The order is that of pip
 * and uv: the closest to this very Python first.
 */

/** What has to be fitted. */
export interface WheelTarget {
  /** CPython's minor version: 11 of 3.11. */
  readonly minor: number
  /** As `uname -m` says it: `x86_64`, `aarch64`. */
  readonly arch: string
  /** glibc's minor version: 36 of 2.36. */
  readonly glibc: number
}

/** A wheel's file name, taken apart. */
export interface WheelName {
  /** Of the project, normalised (PEP 503). */
  readonly name: string
  readonly version: string
  readonly pythons: readonly string[]
  readonly abis: readonly string[]
  readonly platforms: readonly string[]
}

/** What a file name on a server may be made of; the parts themselves hold no dash. */
const FORM =
  /^(?<name>[A-Za-z0-9._]+)-(?<version>[A-Za-z0-9._+!]+)(?:-\d[A-Za-z0-9._]*)?-(?<python>[a-z0-9._]+)-(?<abi>[a-z0-9._]+)-(?<platform>[A-Za-z0-9._]+)\.whl$/

/** The older names of `manylinux_2_N` (PEP 600). */
const ALIASES: Readonly<Record<string, number>> = { manylinux1: 5, manylinux2010: 12, manylinux2014: 17 }

/** More than any number of platforms between two interpreters' ranks. */
const STEP = 1_000

/** A project's name as indexes compare it (PEP 503). */
export function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}

/** Takes a wheel's file name apart; undefined where it is none. */
export function parseWheelName(file: string): WheelName | undefined {
  const parts = file.length <= 255 ? FORM.exec(file)?.groups : undefined
  if (parts === undefined) return undefined
  const list = (key: string) => (parts[key] ?? '').split('.')
  return {
    name: normalised(parts['name'] ?? ''),
    version: parts['version'] ?? '',
    pythons: list('python'),
    abis: list('abi'),
    platforms: list('platform'),
  }
}

/** How well a wheel fits: the smaller the better; undefined where it does not. */
export function wheelRank(file: string, target: WheelTarget): number | undefined {
  const wheel = parseWheelName(file)
  if (wheel === undefined) return undefined
  let best: number | undefined
  for (const python of wheel.pythons) {
    for (const abi of wheel.abis) {
      const interpreter = interpreterRank(python, abi, target.minor)
      if (interpreter === undefined) continue
      for (const platform of wheel.platforms) {
        const rank = platformRank(platform, target)
        if (rank === undefined) continue
        const whole = interpreter * STEP + rank
        if (best === undefined || whole < best) best = whole
      }
    }
  }
  return best
}

/** The wheel that fits best; of equals the first. */
export function bestWheel<T extends { readonly file: string }>(
  wheels: readonly T[],
  target: WheelTarget,
): T | undefined {
  let best: { readonly wheel: T; readonly rank: number } | undefined
  for (const wheel of wheels) {
    const rank = wheelRank(wheel.file, target)
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { wheel, rank }
  }
  return best?.wheel
}

function interpreterRank(python: string, abi: string, minor: number): number | undefined {
  const [, implementation, digits] = /^(cp|py)3(\d{0,2})$/.exec(python) ?? []
  if (implementation === undefined || digits === undefined) return undefined
  if (implementation === 'cp') {
    if (digits === '') return undefined
    const behind = minor - Number(digits)
    // Up to 3.7 the ABI has an `m` at its end.
    if (behind === 0 && (abi === python || (minor < 8 && abi === `${python}m`))) return 0
    if (behind >= 0 && Number(digits) >= 2 && abi === 'abi3') return 1 + behind
    return behind === 0 && abi === 'none' ? 100 : undefined
  }
  if (abi !== 'none') return undefined
  if (digits === '') return 202
  const behind = minor - Number(digits)
  // This version's own, then `py3`, then those of older ones.
  return behind < 0 ? undefined : behind === 0 ? 201 : 202 + behind
}

function platformRank(platform: string, { arch, glibc }: WheelTarget): number | undefined {
  if (platform === 'any') return STEP - 1
  if (platform === `linux_${arch}`) return STEP - 2
  const [, alias, own, of] =
    /^(?:(manylinux(?:1|2010|2014))|manylinux_2_(\d{1,3}))_([a-z0-9_]+)$/.exec(platform) ?? []
  if (of !== arch) return undefined
  const needed = alias === undefined ? Number(own) : ALIASES[alias]
  return needed === undefined || needed > glibc ? undefined : glibc - needed
}
