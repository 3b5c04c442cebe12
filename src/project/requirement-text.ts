import { always, behind, type Marker, never } from './markers.ts'

/** One thing to install, as a converter found it. */
export interface Line {
  /** Normalised (PEP 503). */
  readonly name: string
  readonly extras: readonly string[]
  /** PEP 440, e.g. `==3.0`; '' for any. */
  readonly specifier: string
  readonly marker: Marker
  /** `sha256:...`, only those that are good enough for hash checking. */
  readonly hashes: readonly string[]
  /** Where it comes from, if not from an index: an address, or a path relative to the declaration's folder. */
  readonly from: { readonly address: string } | { readonly local: string } | undefined
}

/** A requirement by its name alone. */
export function lineOf(name: string, changes: Partial<Line> = {}): Line {
  return { name, extras: [], specifier: '', marker: always, hashes: [], from: undefined, ...changes }
}

/** Lines of a requirements file (pip's documentation, "Requirements File Format"); what is never installed is left out. */
export function requirementText(lines: readonly Line[], indexes: readonly string[] = []): string {
  return [
    ...indexes.map((url) => `--extra-index-url ${url}`),
    ...lines.filter(({ marker }) => marker !== never && marker.length > 0).map(text),
    '',
  ].join('\n')
}

function text({ name, extras, specifier, marker, hashes, from }: Line): string {
  const wanted = extras.length === 0 ? '' : `[${extras.join(',')}]`
  const hash = hashes.map((one) => ` \\\n    --hash=${one}`).join('')
  if (from === undefined) return `${name}${wanted}${specifier}${behind(marker)}${hash}`
  const place = 'address' in from ? from.address : from.local
  return `${name}${wanted} @ ${place}${behind(marker)}${hash}`
}

/** Of hashes as locks write them, those that count. */
export function goodHashes(hashes: readonly string[]): readonly string[] {
  return [
    ...new Set(hashes.filter((one) => /^(?:sha256|sha384|sha512):[0-9a-f]{64,128}$/.test(one))),
  ].toSorted()
}

/**
 * A git address as uv takes it.
 * @param url as git takes it, also `git@host:path`
 */
export function gitAddress(url: string, reference: string | undefined, folder: string | undefined): string {
  const scp = /^([\w.-]+@[\w.-]+):(?!\/)(.+)$/.exec(url)
  const full = (scp === null ? url : `ssh://${scp[1]}/${scp[2]}`).replace(/^git\+/, '')
  return `git+${full}${reference === undefined ? '' : `@${reference}`}${folder === undefined ? '' : `#subdirectory=${folder}`}`
}

/** PyPI itself needs no naming. */
export function otherIndexes(urls: readonly (string | undefined)[]): readonly string[] {
  const wanted = urls.flatMap((url) =>
    url !== undefined && /^https?:\/\/\S+$/.test(url) && !/^https:\/\/pypi\.(?:org|python\.org)\//.test(url)
      ? [url]
      : [],
  )
  return [...new Set(wanted)]
}
