import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import type { Ran } from './action.ts'
import { marked } from './marked.ts'
import { lookAtRunner, searcher } from './search.ts'

const able = canBoot()

describe.skipIf(!able.ok)(`the search for secrets ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('finds one in each place on the server, each in another spelling', async () => {
    server = await boot({ suite: 'bookworm' })
    const secret = await marked(server)
    const search = await searcher(server, secret)
    const token = secret.secrets.get('TOKEN') ?? ''
    const seen = search.watch()
    const base64 = Buffer.from(`x${token}`).toString('base64')
    await server.must(`
      setpriv --reuid nobody --regid nogroup --clear-groups env LEAK=${token} sleep 0.5 &
      sh -c 'sleep 0.5; : ${base64}'
      wait
      systemd-run --quiet --unit=leaky --setenv=LEAK=${[...token].reverse().join('')} sleep 60
      logger ${Buffer.from(token).toString('hex')}
      echo ${token} | gzip > /tmp/leak.gz
      ln -s /${token} /tmp/link
      install -m 0640 -g www-data /dev/null /var/log/nginx/leak.log
      echo ${token} > /var/log/nginx/leak.log`)
    const { hits } = await search.look()
    const found = [...(await seen()).hits, ...hits].map(({ place, where }) => `${place} ${where}`)
    for (const wanted of [
      /^variables that everybody sees /,
      /^argv sh -c sleep/,
      /^systemctl show /,
      /^journal /,
      /^files \/tmp\/leak\.gz$/,
      /^files \/tmp\/link$/,
    ])
      expect.soft(found, String(wanted)).toContainEqual(expect.stringMatching(wanted))
    const readers = hits.find(({ where }) => where === '/var/log/nginx/leak.log')?.readers
    expect(readers).toEqual(['www-data'])
  })
})

test('the search for secrets finds one in each place on the runner', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'))
  const token = 'q0123456789a'
  const encoded = Buffer.from(token).toString('base64')
  const spellings = new Map([
    ['as it is', Buffer.from(token)],
    ['base64', Buffer.from(encoded)],
  ])
  const secrets = new Map([['SHORT', 'q6f2']])
  const silent: Ran = { status: 0, log: '', summary: '', outputs: {} as Ran['outputs'], state: new Map() }
  const hit = (ran: Partial<Ran>, folders = {}) =>
    lookAtRunner([{ ...silent, ...ran }], folders, { spellings, secrets }).hits.map(({ place }) => place)
  expect(hit({ log: `${encoded.slice(0, 8)}\n${encoded.slice(8)}` })).toEqual(['log without its blanks'])
  expect(hit({ log: 'say q6f2' })).toEqual(['log', 'log without its blanks'])
  expect(hit({ log: `::add-mask::${token}\n` })).toEqual([])
  expect(hit({ summary: encoded })).toEqual(['summary'])
  expect(hit({ outputs: { url: token } as Ran['outputs'] })).toEqual(['outputs, report included'])
  expect(hit({ state: new Map([['x', token]]) })).toEqual(['state'])
  writeFileSync(join(folder, 'left'), token)
  expect(hit({}, { TMPDIR: folder })).toEqual(['TMPDIR'])
  rmSync(folder, { recursive: true })
})
