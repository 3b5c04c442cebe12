import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { page, traces, tracesOnceDrained } from './traces.ts'

const able = canBoot()
const saying = (text: string) => tinyApp.replace('version 1', text)

describe.skipIf(!able.ok)(`smoke tests ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test('what only the new release fails is reverted: the old one serves again, and nothing is left of the new one', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const inputs = { ...reach(server), 'expect-text': 'version' }
    const good = await act({ workspace: project.folder, inputs })
    expect(good.status, good.log).toBe(0)
    const before = await traces(server)

    project.commit({ 'app.py': saying('something else') })
    const bad = await act({ workspace: project.folder, inputs })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'reverted',
      'failed-phase': 'smoke',
      serving: good.outputs.release,
      'previous-release': good.outputs.release,
    })
    expect(JSON.parse(bad.outputs.report).error).toMatchObject({ code: 'smoke-text' })
    expect(bad.log).toContain(`Visitors get release ${bad.outputs.release}.`)
    // The old release passed the same test before anything was taken back.
    expect(bad.log).toContain(`release ${good.outputs.release} answered 200`)
    expect(bad.summary).toContain(`is back on <code>${good.outputs.release}</code>`)
    expect(await page(server)).toBe('version 1')
    // Its last requests are waited for, though not by the run.
    expect(await tracesOnceDrained(server, before)).toBe(before)

    project.commit({ 'app.py': saying('version 2') })
    const next = await act({ workspace: project.folder, inputs })
    expect(next.status, next.log).toBe(0)
    expect(await page(server)).toBe('version 2')
  })

  test('a status that only the new release answers is reverted too', async () => {
    server = await boot({ suite: 'bookworm' })
    const about = `\n@app.route("/about")\ndef about():\n    return "about us"\n`
    const project = tinyProject({ 'app.py': `${tinyApp}${about}` })
    const inputs = { ...reach(server), 'smoke-url': `http://${server.address}/about` }
    const good = await act({ workspace: project.folder, inputs })
    expect(good.status, good.log).toBe(0)

    project.commit({
      'app.py': `${saying('version 2')}${about.replace('return "about us"', 'raise OSError(5)')}`,
    })
    const bad = await act({ workspace: project.folder, inputs })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({ result: 'reverted', serving: good.outputs.release })
    expect(JSON.parse(bad.outputs.report).error).toMatchObject({ code: 'smoke-status' })
    expect(bad.log).toMatch(/This release answered 500/)
    expect(await page(server)).toBe('version 1')
    expect(await page(server, '/about')).toBe('about us')
  })

  test('what the old release fails too is not the new one’s fault: it stays, and the run fails and says why', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const good = await act({ workspace: project.folder, inputs: reach(server) })
    expect(good.status, good.log).toBe(0)

    project.commit({ 'app.py': saying('version 2') })
    const inputs = { ...reach(server), 'expect-text': 'a text that no release has' }
    const bad = await act({ workspace: project.folder, inputs })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'smoke',
      serving: bad.outputs.release,
      'previous-release': good.outputs.release,
    })
    const { error } = JSON.parse(bad.outputs.report)
    expect(error.code).toBe('smoke-text')
    expect(error.cure).toContain(`because release \`${good.outputs.release}\` fails the same test`)
    expect(await page(server)).toBe('version 2')

    const back = await act({ workspace: project.folder, inputs: { ...reach(server), command: 'rollback' } })
    expect(back.status, back.log).toBe(0)
    expect(await page(server)).toBe('version 1')
  })

  test('a first deploy that fails its smoke test stays, fails, and says why', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const inputs = { ...reach(server), 'expect-text': 'version 2' }
    const bad = await act({ workspace: project.folder, inputs })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'smoke',
      serving: bad.outputs.release,
      'previous-release': '',
    })
    const { error } = JSON.parse(bad.outputs.report)
    expect(error.code).toBe('smoke-text')
    expect(error.cure).toContain('there is no older one to go back to')
    expect(await page(server)).toBe('version 1')

    project.commit({ 'app.py': saying('version 2') })
    const next = await act({ workspace: project.folder, inputs })
    expect(next.status, next.log).toBe(0)
  })

  test('answered on the server but not from outside: a firewall, with the command for ufw', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    await server.must('mkdir -p /etc/ufw && echo ENABLED=yes > /etc/ufw/ufw.conf')
    await inNetworkOf(server, [
      'iptables',
      '-I',
      'INPUT',
      '-p',
      'tcp',
      '--dport',
      '80',
      '!',
      '-i',
      'lo',
      '-j',
      'DROP',
    ])
    const bad = await act({ workspace: project.folder, inputs: reach(server) })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'smoke',
      serving: bad.outputs.release,
    })
    const { error } = JSON.parse(bad.outputs.report)
    expect(error.code).toBe('smoke-unreachable-outside')
    expect(error.cause).toContain('firewall (ufw is active on the server)')
    expect(error.cure).toContain('ufw allow 80/tcp')
    expect(
      await server.must(`python3 -c 'import urllib.request as u; print(u.urlopen(u.Request(
      "http://127.0.0.1/", headers={"Host": "${server.address}"})).read().decode())'`),
    ).toBe('version 1\n')
    // Where ufw does not run, it is somebody else's firewall; the unchanged release is tested again.
    await server.must('rm /etc/ufw/ufw.conf')
    await inNetworkOf(server, ['iptables', '-D', 'INPUT', '1'])
    await inNetworkOf(server, ['iptables', '-I', 'INPUT', '-p', 'tcp', '--dport', '80', '-j', 'REJECT'])
    await inNetworkOf(server, ['iptables', '-I', 'INPUT', '-i', 'lo', '-j', 'ACCEPT'])
    project.commit({ 'app.py': saying('version 2') })
    const again = await act({ workspace: project.folder, inputs: reach(server) })
    expect(again.outputs).toMatchObject({ result: 'failed', serving: again.outputs.release })
    const { error: second } = JSON.parse(again.outputs.report)
    expect(second.code).toBe('smoke-unreachable-outside')
    expect(second.cure).toContain("provider's control panel")
    expect(second.cure).not.toContain('ufw')
    // Asked from the server, or not at all, the same site is well.
    const local = await act({
      workspace: project.folder,
      inputs: { ...reach(server), 'smoke-from': 'server', threads: '3' },
    })
    expect(local.status, local.log).toBe(0)
    expect(local.log).toContain('from the server: release')
    const off = await act({
      workspace: project.folder,
      inputs: { ...reach(server), 'smoke-from': 'off', threads: '5' },
    })
    expect(off.status, off.log).toBe(0)
    expect(off.outputs).toMatchObject({ result: 'deployed', serving: off.outputs.release })
    expect(off.log).toContain('`smoke-from` is off')
  })

  test('asked from the server, the address of `smoke-url` is the one that counts', async () => {
    server = await boot({ suite: 'bookworm' })
    const about = (answer: string) => `\n@app.route("/about")\ndef about():\n    ${answer}\n`
    const project = tinyProject({ 'app.py': `${tinyApp}${about('return "about us"')}` })
    const inputs = {
      ...reach(server),
      'smoke-from': 'server',
      'smoke-url': `http://${server.address}/about`,
      'expect-text': 'about us',
    }
    const good = await act({ workspace: project.folder, inputs })
    expect(good.status, good.log).toBe(0)
    expect(good.log).toContain(`http://${server.address}/about from the server: release`)

    project.commit({ 'app.py': `${saying('version 2')}${about('raise OSError(5)')}` })
    const bad = await act({ workspace: project.folder, inputs })
    expect(bad.status, bad.log).toBe(1)
    expect(bad.outputs).toMatchObject({
      result: 'reverted',
      'failed-phase': 'smoke',
      serving: good.outputs.release,
    })
    expect(await page(server)).toBe('version 1')
  })

  test('without a smoke test a healthy release is kept, whatever its page says', async () => {
    server = await boot({ suite: 'bookworm' })
    const project = tinyProject()
    const inputs = { ...reach(server), 'smoke-from': 'off', 'expect-text': 'a text that it has not' }
    const ran = await act({ workspace: project.folder, inputs })
    expect(ran.status, ran.log).toBe(0)
    expect(await page(server)).toBe('version 1')
  })
})

/** Runs a program of this machine in a server's network; the server itself need not have it. */
async function inNetworkOf(server: Server, words: readonly string[]): Promise<void> {
  const network = (await server.must('readlink /proc/1/ns/net')).trim()
  const process = readdirSync('/proc').find((one) => {
    try {
      return /^[0-9]+$/.test(one) && readlinkSync(`/proc/${one}/ns/net`) === network
    } catch {
      return false
    }
  })
  execFileSync('nsenter', [`--net=/proc/${process}/ns/net`, ...words])
}
