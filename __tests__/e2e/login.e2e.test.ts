import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type BootOptions, boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { tinyProject } from './projects.ts'
import { page, traces } from './traces.ts'

const able = canBoot()

/** The password of the test servers' user asker. */
const password = 'correct horse'

/** A login with which a deploy works. */
interface Login {
  readonly what: string
  readonly inputs: Readonly<Record<string, string>>
  readonly prepare?: string
  readonly boot?: Partial<BootOptions>
  /** Inputs of `reach` that are not given. */
  readonly without?: readonly string[]
}

const working: readonly Login[] = [
  { what: 'root', inputs: {} },
  { what: 'a sudoer without a password', inputs: { user: 'deploy' } },
  { what: 'a sudoer with a password', inputs: { user: 'asker', 'sudo-password': password } },
  {
    what: 'a sudoer without a password, though one is given',
    inputs: { user: 'deploy', 'sudo-password': 'never asked for' },
  },
  {
    what: 'a sudoer with a password of blanks, quotes and letters beyond ASCII',
    inputs: { user: 'asker', 'sudo-password': ` it's "q" $(x) \\ é ` },
    prepare: `printf '%s\\n' 'asker: it'"'"'s "q" $(x) \\ é ' | chpasswd`,
  },
  {
    what: 'sudo-rs and uutils without a password',
    boot: { suite: 'sid', uutils: true },
    inputs: { user: 'deploy' },
  },
  {
    what: 'sudo-rs and uutils with a password',
    boot: { suite: 'sid', uutils: true },
    inputs: { user: 'asker', 'sudo-password': password },
  },
  {
    what: 'login files that print on both outputs, and read what comes',
    inputs: { user: 'asker', 'sudo-password': password },
    prepare: `for file in /root/.bashrc /home/asker/.bashrc /home/asker/.profile; do
      printf '%s\\n' 'echo "Welcome, you have 3 updates"' 'printf "no newline at the end"' 'echo "a warning" >&2' \
        'read -r -t 0.2 line || :' > "$file"
    done`,
  },
  {
    what: 'a login file that speaks our own words',
    inputs: { user: 'deploy' },
    prepare: `printf '%s\\n' 'echo ready' 'echo "ready 0123456789abcdef"' 'echo facts-end' 'echo "0 end 0"' 'echo "0 serving evil"' > /home/deploy/.bashrc`,
  },
  ...(['/bin/dash', '/usr/bin/zsh', '/usr/bin/tcsh', '/usr/bin/fish'] as const).map((shell) => ({
    what: `the login shell ${shell}`,
    inputs: { user: 'asker', 'sudo-password': password },
    prepare: `usermod --shell ${shell} asker`,
  })),
  {
    what: 'root with the login shell fish',
    inputs: {},
    prepare: 'usermod --shell /usr/bin/fish root',
  },
  {
    what: 'a password in place of a key',
    inputs: { user: 'asker', password, 'sudo-password': password },
    without: ['ssh-key'],
    prepare: `echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/10-passwords.conf; systemctl reload ssh`,
  },
  {
    what: 'a password, asked for as a question',
    inputs: { user: 'asker', password, 'sudo-password': password },
    without: ['ssh-key'],
    prepare: `printf '%s\\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication yes' 'UsePAM yes' \
      > /etc/ssh/sshd_config.d/10-passwords.conf; systemctl reload ssh`,
  },
]

/** A login with which no deploy is possible, and what is said. */
interface Refused extends Login {
  readonly code: string
  readonly cause: RegExp
  readonly phase: 'connect' | 'facts'
}

const refused: readonly Refused[] = [
  {
    what: 'the wrong sudo password',
    inputs: { user: 'asker', 'sudo-password': 'battery staple' },
    code: 'sudo-password-wrong',
    cause: /did not accept the password of asker/,
    phase: 'facts',
  },
  {
    what: 'no sudo password where one is asked for',
    inputs: { user: 'asker' },
    code: 'sudo-password-needed',
    cause: /asks asker for a password/,
    phase: 'facts',
  },
  {
    what: 'the wrong sudo password for sudo-rs',
    boot: { suite: 'sid', uutils: true },
    inputs: { user: 'asker', 'sudo-password': 'battery staple' },
    code: 'sudo-password-wrong',
    cause: /did not accept the password of asker/,
    phase: 'facts',
  },
  {
    what: 'a user who may not use sudo',
    inputs: { user: 'nobodys', 'sudo-password': 'right enough' },
    prepare: `useradd --create-home --shell /bin/bash nobodys; echo 'nobodys:right enough' | chpasswd
      cp -r /home/deploy/.ssh /home/nobodys/; chown -R nobodys: /home/nobodys/.ssh`,
    code: 'sudo-not-allowed',
    cause: /does not let this login become root/,
    phase: 'facts',
  },
  {
    what: 'a server without sudo',
    inputs: { user: 'deploy' },
    prepare: 'rm /usr/bin/sudo',
    code: 'sudo-absent',
    cause: /the server has no sudo/,
    phase: 'facts',
  },
  {
    what: 'a login shell that lets nobody in',
    inputs: { user: 'deploy' },
    prepare: 'usermod --shell /usr/sbin/nologin deploy',
    code: 'not-root',
    cause: /no program could be started as root/,
    phase: 'facts',
  },
  {
    what: 'the wrong SSH password',
    inputs: { user: 'asker', password: 'battery staple' },
    without: ['ssh-key'],
    prepare: `echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/10-passwords.conf; systemctl reload ssh`,
    code: 'login-password-refused',
    cause: /did not take the password for the user asker/,
    phase: 'connect',
  },
  {
    what: 'a key that the server does not know',
    inputs: { user: 'deploy' },
    prepare: 'rm /home/deploy/.ssh/authorized_keys',
    code: 'login-key-refused',
    cause: /did not take the key SHA256:/,
    phase: 'connect',
  },
]

describe.skipIf(!able.ok)(`logins ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())

  test.each(working)('$what: a deploy works, and a redeploy', async (login) => {
    server = await boot({ suite: 'bookworm', ...login.boot })
    if (login.prepare !== undefined) await server.must(login.prepare)
    // More than any shell or sudo reads ahead, and bytes that a terminal would act upon.
    const project = tinyProject({ 'data.bin': randomBytes(300_000).toString('latin1') })
    const options = { workspace: project.folder, inputs: inputsOf(server, login) }
    const ran = await act(options)
    expect(ran.status, ran.log).toBe(0)
    expect(await page(server)).toBe('version 1')
    const sent = createHash('sha256')
      .update(readFileSync(join(project.folder, 'data.bin')))
      .digest('hex')
    expect(await server.must('sha256sum < /srv/web-hello/current/data.bin')).toContain(sent)
    const again = await act(options)
    expect(again.outputs, again.log).toMatchObject({ result: 'unchanged', serving: ran.outputs.release })
  })

  test.each(refused)('$what: the run fails, says so, and changes nothing', async (login) => {
    server = await boot({ suite: 'bookworm', ...login.boot })
    if (login.prepare !== undefined) await server.must(login.prepare)
    const ran = await act({ workspace: tinyProject().folder, inputs: inputsOf(server, login) })
    expect(ran.status, ran.log).toBe(1)
    expect(ran.outputs).toMatchObject({ result: 'failed', 'failed-phase': login.phase, serving: 'unknown' })
    const { error } = JSON.parse(ran.outputs.report)
    expect(error.code, ran.log).toBe(login.code)
    expect(error.cause).toMatch(login.cause)
    expect(ran.summary).toContain('The server was not touched')
    expect(await traces(server)).toBe('')
    expect(await server.must('ls -d /run/flask-deploy /var/lib/flask-deploy 2>/dev/null || :')).toBe('')
    // Three wrong tries of one password would lock some accounts out.
    const tries = await server.must(
      `journalctl -o cat | grep -cE 'authentication failure|incorrect password|Failed password' || :`,
    )
    expect(Number(tries)).toBeLessThan(4)
  })
})

function inputsOf(server: Server, login: Login): Readonly<Record<string, string>> {
  const all = { ...reach(server), ...login.inputs }
  return Object.fromEntries(Object.entries(all).filter(([name]) => login.without?.includes(name) !== true))
}
