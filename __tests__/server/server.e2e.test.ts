import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, test } from 'vitest'
import { type BootOptions, boot, type Server } from './boot.ts'
import { command, type Outcome } from './command.ts'
import { runtimeFolder } from './places.ts'
import { canBoot } from './requirements.ts'
import { reap } from './slots.ts'

const able = canBoot()

describe.skipIf(!able.ok)('test servers', () => {
  const running: Server[] = []
  const start = async (options: BootOptions) => {
    const server = await boot(options)
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('a bare one boots whole, is reached by ssh, and reaches the package archive', async () => {
    const server = await start({ suite: 'bookworm', packages: 'bare' })
    expect((await server.must('systemctl is-system-running --wait')).trim()).toBe('running')
    expect(await ssh(server, 'root', 'id -un')).toMatchObject({ status: 0, stdout: 'root\n' })
    expect(await ssh(server, 'deploy', 'sudo -n id -un')).toMatchObject({ status: 0, stdout: 'root\n' })
    const refused = await ssh(server, 'asker', 'sudo -n id -un')
    expect(refused.status).not.toBe(0)
    const asked = await ssh(server, 'asker', 'sudo -S -p "" id -un', 'correct horse\n')
    expect(asked).toMatchObject({ status: 0, stdout: 'root\n' })
    expect((await server.run('command -v python3; command -v nginx')).stdout).toBe('')
    await server.must('apt-get -qq update && apt-get -qq --print-uris install nginx')
  })

  test('a script inside has its status, its outputs and its input', async () => {
    const server = await start({ suite: 'bookworm' })
    const outcome = await server.run('cat; echo to stderr >&2; exit 7', { stdin: 'to stdout\n' })
    expect(outcome).toEqual({ status: 7, stdout: 'to stdout\n', stderr: 'to stderr\n' })
    await expect(server.must('echo why; false')).rejects.toThrow('why')
    await expect(server.run('sleep 60', { timeoutMs: 300 })).rejects.toThrow('more than 300 ms')
    expect((await server.run('pgrep -x sleep || ps -e | grep sleep')).stdout).toBe('')
  })

  test('two at once have networks and units of their own', async () => {
    const [one, two] = await Promise.all([start({ suite: 'bookworm' }), start({ suite: 'bookworm' })])
    expect(one.address).not.toBe(two.address)
    await Promise.all(running.map((server) => server.must('systemd-run --unit=same sleep 600')))
    await one.must('systemctl stop same')
    expect((await two.must('systemctl is-active same')).trim()).toBe('active')
    await one.stop()
    expect((await two.must('systemctl is-active same')).trim()).toBe('active')
    expect(await ssh(two, 'root', 'hostname')).toMatchObject({ stdout: `${two.name}\n` })
  })

  test.each(['overlay', 'copy', 'image'] as const)(
    'a reboot keeps the files and the address (%s)',
    async (disk) => {
      const server = await start({ suite: 'bookworm', disk })
      const before = await server.readFile('/proc/sys/kernel/random/boot_id')
      await server.must('echo kept > /root/kept; echo gone > /run/gone')
      await server.reboot()
      expect(await server.readFile('/root/kept')).toBe('kept\n')
      expect((await server.run('test -e /run/gone')).status).toBe(1)
      expect(await ssh(server, 'root', 'cat /root/kept')).toMatchObject({ stdout: 'kept\n' })
      expect(await server.readFile('/proc/sys/kernel/random/boot_id')).not.toBe(before)
    },
  )

  test('a power cut loses what was not synced, and only that', async () => {
    const server = await start({ suite: 'bookworm', disk: 'image' })
    await server.must('echo synced > /root/synced; sync; echo lost > /root/lost')
    // (sooner than ext4 writes by itself, every 5 s)
    await server.powerCut()
    await expect(server.run('true')).rejects.toThrow('switched off')
    await server.powerOn()
    expect(await server.readFile('/root/synced')).toBe('synced\n')
    expect((await server.run('cat /root/lost')).stdout).toBe('')
    expect(await ssh(server, 'root', 'true')).toMatchObject({ status: 0 })
  })

  test('unplugged, it is silent; plugged in again, the same connection goes on', async () => {
    const server = await start({ suite: 'bookworm' })
    const pending = ssh(server, 'root', 'echo $(cat)', 'later', 300)
    await server.unplug()
    const greeted = await greeting(server, 500)
    expect(greeted).toBe(false)
    await server.plug()
    expect(await greeting(server, 5000)).toBe(true)
    expect(await pending).toMatchObject({ status: 0, stdout: 'later\n' })
  })

  test('on sid with uutils the plain names are uutils and sudo-rs, for root, over ssh and in units', async () => {
    const server = await start({ suite: 'sid', uutils: true })
    const proof = 'head --version; sudo --version 2>&1'
    const unit = `systemd-run --quiet --pipe --wait sh -c '${proof}'`
    for (const outcome of [
      await server.run(proof),
      await ssh(server, 'deploy', proof),
      await server.run(unit),
    ]) {
      expect(outcome.stdout).toContain('uutils')
      expect(outcome.stdout).toContain('sudo-rs')
    }
    expect(await ssh(server, 'deploy', 'sudo -n id -un')).toMatchObject({ stdout: 'root\n' })
    const asked = await ssh(server, 'asker', 'sudo -S id -un', 'correct horse\n')
    expect(asked).toMatchObject({ status: 0, stdout: 'root\n' })
  })

  test('stop leaves nothing behind', async () => {
    const server = await start({ suite: 'bookworm', disk: 'copy' })
    const number = numberOf(server.address)
    const disk = readFileSync(`${slotOf(number)}/store`, 'utf8').trim()
    const token = readFileSync(`${slotOf(number)}/token`, 'utf8')
    expect(existsSync(`${disk}/tree/etc`)).toBe(true)
    expect(traces(number, token).join()).toMatch(/slot.*process/)
    await server.stop()
    await server.stop()
    expect(existsSync(disk)).toBe(false)
    await expect.poll(() => traces(number, token)).toEqual([])
  })

  test('the death of its owner ends it', async () => {
    const folder = mkdtempSync(`${tmpdir()}/owner.`)
    const script = `${folder}/owner.ts`
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs'
       import { boot } from '${import.meta.dirname}/boot.ts'
       const server = await boot({ suite: 'bookworm' })
       const number = (Number(server.address.split('.')[3]) - 2) / 4
       console.log(number, readFileSync('${runtimeFolder()}/slots/' + number + '/token', 'utf8'))
       process.kill(process.pid, 'SIGKILL')`,
    )
    const { stdout, status } = await command(process.execPath, [script])
    rmSync(folder, { recursive: true })
    expect(status).toBe(128 + 9)
    const [number = '', token = ''] = stdout.trim().split(' ')
    await expect.poll(() => traces(Number(number), `${token}\n`), { timeout: 10_000 }).toEqual([])
    await reap()
  })
})

function numberOf(address: string): number {
  return (Number(address.split('.')[3]) - 2) / 4
}

function slotOf(number: number): string {
  return `${runtimeFolder()}/slots/${number}`
}

/** What a server has on the host. Others that run beside this test may take its slot at once: the token tells them apart. */
function traces(number: number, token: string): string[] {
  const found: string[] = []
  let holder: string | undefined
  try {
    holder = readFileSync(`${slotOf(number)}/token`, 'utf8')
  } catch {
    // nobody has it
  }
  if (holder === token) found.push('slot')
  if (holder === undefined) {
    if (existsSync(`/sys/class/net/fdt-${number}`)) found.push('interface')
    for (const folder of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']) {
      if (existsSync(`${folder}/flask-deploy-tests-${number}`)) found.push('cgroup')
    }
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(`slots/${number}/`)) found.push('mount')
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TOKEN=${token.trim()}\0`))
        found.push(`process ${pid}`)
    } catch {
      // it ended while we looked
    }
  }
  // (other processes' servers keep them)
  const rules = execFileSync('iptables-save', { encoding: 'utf8' }).includes('flask-deploy-tests')
  if (rules && readdirSync(`${runtimeFolder()}/slots`).length === 0) found.push('rules')
  return found
}

/** The machine's own ssh client; the input comes after a pause. */
async function ssh(server: Server, user: string, script: string, input = '', pauseMs = 0): Promise<Outcome> {
  const folder = mkdtempSync(`${tmpdir()}/known.`)
  writeFileSync(`${folder}/known_hosts`, server.knownHosts)
  const options = ['BatchMode=yes', `UserKnownHostsFile=${folder}/known_hosts`, 'StrictHostKeyChecking=yes']
  const words = [
    'ssh',
    '-F',
    'none',
    '-i',
    server.privateKeyPath,
    ...options.flatMap((option) => ['-o', option]),
  ]
  try {
    return await command('sh', [
      '-c',
      'pause=$1; input=$2; shift 2; { sleep "$pause"; printf %s "$input"; } | "$@"',
      'ssh',
      String(pauseMs / 1000),
      input,
      ...words,
      `${user}@${server.address}`,
      script,
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function greeting(server: Server, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port })
    const answer = (yes: boolean) => {
      socket.destroy()
      resolve(yes)
    }
    socket.setTimeout(timeoutMs, () => answer(false))
    socket.on('data', () => answer(true))
    socket.on('error', () => answer(false))
  })
}
