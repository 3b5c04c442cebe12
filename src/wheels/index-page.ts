/** A file that an index offers. */
export interface IndexFile {
  /** Its name: nothing but a name, no folder. */
  readonly file: string
  readonly url: URL
  /** Hex; undefined where the page does not say. */
  readonly sha256: string | undefined
}

/** What an index is asked for: its page as JSON (PEP 691), else as HTML (PEP 503). */
export const PAGE_TYPES = 'application/vnd.pypi.simple.v1+json, text/html;q=0.2, */*;q=0.1'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}$/
/** A link's address, up to where the next one begins; no link is longer. */
const LINK = /^[^>]*?\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i
const MOST_LINK = 4_096

const SHA256 = /^[0-9a-f]{64}$/

/**
 * Reads an index's page of one project. What is malformed in it is left out: nothing is used but what has a known hash.
 * @param address where the page came from, after redirects
 */
export function parseIndexPage(text: string, contentType: string, address: URL): readonly IndexFile[] {
  return contentType.includes('json') ? ofJson(text, address) : ofHtml(text, address)
}

function ofJson(text: string, address: URL): readonly IndexFile[] {
  const page = parsed(text)
  const files = isRecord(page) && Array.isArray(page['files']) ? (page['files'] as readonly unknown[]) : []
  return files.flatMap((one) => {
    if (!isRecord(one) || typeof one['url'] !== 'string') return []
    const hashes = isRecord(one['hashes']) ? one['hashes'] : {}
    return indexFile(String(one['filename']), one['url'], String(hashes['sha256']), address)
  })
}

function ofHtml(text: string, address: URL): readonly IndexFile[] {
  const links = text.split(/<a(?=\s)/i).slice(1)
  return links.flatMap((link) => {
    const [, double, single] = LINK.exec(link.slice(0, MOST_LINK)) ?? []
    const href = unescaped(double ?? single ?? '')
    const [url = '', fragment = ''] = href.split('#', 2)
    const file = url.split('?', 1)[0]?.split('/').at(-1) ?? ''
    const [, sha256 = ''] = /^sha256=([0-9a-f]{64})$/.exec(fragment) ?? []
    return indexFile(decoded(file), url, sha256, address)
  })
}

function indexFile(file: string, href: string, sha256: string, address: URL): readonly IndexFile[] {
  const url = URL.parse(href, address.href)
  if (url === null || !/^https?:$/.test(url.protocol) || !NAME.test(file)) return []
  url.hash = ''
  return [{ file, url, sha256: SHA256.test(sha256) ? sha256 : undefined }]
}

/** The few characters that a link has escaped (WHATWG HTML, 13.1.4). */
function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
