import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type BootOptions, boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { act, reach } from './action.ts'
import { tinyProject } from './projects.ts'
import { page } from './traces.ts'

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
})

function inputsOf(server: Server, login: Login): Readonly<Record<string, string>> {
  const all = { ...reach(server), ...login.inputs }
  return Object.fromEntries(Object.entries(all).filter(([name]) => login.without?.includes(name) !== true))
}
