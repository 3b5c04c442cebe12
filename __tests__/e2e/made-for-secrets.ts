import { expect } from 'vitest'
import type { Found, Hit } from './search.ts'

/** A file that is made for secrets. */
export interface Made {
  readonly what: string
  readonly where: RegExp
  /** Mode, owner and group, and which of the users that were asked can read it: `0400 web-hello:root web-hello`. */
  readonly access: string
}

const root = '0600 root:root '
const app = '0400 web-hello:web-hello web-hello'
/** systemd 252 gives its copies to the user alone. */
const credential = '0400 web-hello:root web-hello'

/** The files that are made for secrets and stay. */
export const made: readonly Made[] = [
  { what: 'env file', where: /^\/etc\/web-hello\/[^/]+\.env$/, access: root },
  { what: 'secret file', where: /^\/etc\/web-hello\/[^/]+\.files\/[^/]+$/, access: root },
  {
    what: 'its copy in memory',
    where: /^\/run\/credentials\/web-hello-[^/]+\.service\/[^/]+$/,
    access: credential,
  },
  { what: 'certificate and key of the site', where: /^\/etc\/web-hello\/tls-[^/]+\.pem$/, access: root },
  { what: 'variables of the app’s process', where: /^\/proc\/\d+\/environ$/, access: app },
]

/** What there is besides while a deploy runs. */
export const meanwhile: readonly Made[] = [
  { what: 'program', where: /^\/run\/flask-deploy\/hello\/[^/]+\/program$/, access: root },
  { what: 'variables of the build', where: /^\/run\/flask-deploy\/hello\/[^/]+\/build\.env$/, access: root },
  {
    what: 'copy for the release command',
    where: /^\/run\/credentials\/flask-deploy-hello-[^/]+\.service\/[^/]+$/,
    access: credential,
  },
]

/**
 * No secret was found but in these files, each of which has one in it, and whose owner, mode and readers are as they have
 * to be; and there was no core dump. Prints where was looked.
 */
export function expectNone(title: string, found: readonly Found[], but: readonly Made[] = []): void {
  const hits = found.flatMap((one) => one.hits)
  const rowOf = (hit: Hit) =>
    but.find(({ where, access }) => where.test(hit.where) && access === accessOf(hit))
  const leaks = hits.filter((hit) => rowOf(hit) === undefined)
  const inTheirs = hits.flatMap((hit) => {
    const row = rowOf(hit)
    return row === undefined ? [] : [`  ${hit.where}: ${row.what}, ${accessOf(hit)}`]
  })
  console.log(
    [
      `${title}: searched`,
      ...found.flatMap((one) => one.places).map((place) => `  ${place}`),
      `${leaks.length} found${but.length > 0 ? ' but in the files made for them (mode, owner, who reads it beside root):' : ''}`,
      ...new Set(inTheirs),
    ].join('\n'),
  )
  expect(leaks).toEqual([])
  expect(found.flatMap(({ cores }) => cores)).toEqual([])
  const missed = but.filter((row) => !hits.some((hit) => rowOf(hit) === row)).map(({ what }) => what)
  expect(missed, 'made for secrets, and none in it').toEqual([])
}

function accessOf({ mode, owner, readers = [] }: Hit): string {
  return `${mode} ${owner} ${readers.join()}`
}
