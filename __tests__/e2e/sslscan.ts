import { quote } from '../../src/quote.ts'
import type { Authority } from '../server/authority.ts'

/** What a server agrees to, as found out by trying. */
export interface Offers {
  /** As `TLSv1.2`, in sslscan's order (oldest first). */
  readonly protocols: readonly string[]
  readonly ciphers: readonly Cipher[]
  /** Names of the key exchange groups, as `x25519`. */
  readonly groups: readonly string[]
}

/** A cipher suite with one protocol. */
export interface Cipher {
  readonly protocol: string
  /** OpenSSL's name of the suite. */
  readonly name: string
  readonly bits: number
  /** sslscan's word: `strong`, `acceptable`, `medium`, `weak`, `null` or `anonymous`. */
  readonly strength: string
}

/**
 * What a name of the test network offers on port 443, tried by sslscan on the authority's server.
 * @throws Error where it could not be tried
 */
export async function sslscan(authority: Authority, name: string): Promise<Offers> {
  return offers(await authority.server.must(`sslscan --xml=- --no-colour ${quote(name)}`))
}

/** Reads sslscan's XML, in which all that is wanted stands in attributes. */
function offers(xml: string): Offers {
  const failure = /<error><!\[CDATA\[(.*?)\]\]><\/error>/.exec(xml)?.[1]
  if (failure !== undefined) throw new Error(`sslscan: ${failure}`)
  const all = (element: string) =>
    [...xml.matchAll(new RegExp(`<${element} ([^>]*)/>`, 'g'))].map(([, text = '']) => {
      const attributes = new Map(
        [...text.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      )
      return (key: string) => attributes.get(key) ?? ''
    })
  return {
    protocols: all('protocol')
      .filter((value) => value('enabled') === '1')
      .map((value) => `${value('type').toUpperCase()}v${value('version')}`),
    ciphers: all('cipher').map((value) => ({
      protocol: value('sslversion'),
      name: value('cipher'),
      bits: Number(value('bits')),
      strength: value('strength'),
    })),
    groups: [...new Set(all('group').map((value) => value('name')))],
  }
}
