import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { reach, start } from './action.ts'
import { haveSecrets, outcomesOf, outside } from './attacks.ts'
import { untilAtRest } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'
import { page, traces, tracesOnceDrained, until } from './traces.ts'

const able = canBoot()

/** A package whose build does something to the release's environment: `venv`, in which `own` is a file of its own. */
const building = (deed: string) => `import glob, os, shutil, sys, time
for venv in glob.glob("/srv/web-*/releases/*/.venv"):
    own = venv + "/own"
    if not os.path.exists(own):
        open(own, "w").close()
${deed.trim().replaceAll(/^/gm, '        ')}
from setuptools import setup
setup(name="vendored", version="1", py_modules=["vendored"])
`

describe.skipIf(!able.ok)(`a hostile build ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())
  const tell = outcomesOf('a hostile build')

  test('what a build leaves behind is taken over only where it is its own; what it, a command or the app says is not believed', async () => {
    server = await boot({ suite: 'bookworm' })
    await haveSecrets(server)
    const project = tinyProject({
      'requirements.txt': 'flask\n./vendor\n',
      'vendor/vendored.py': '',
      'vendor/setup.py': building(''),
    })
    const { good, bad } = runs(server, project.folder)
    const first = await good()
    await untilAtRest(server)
    const [before, kept] = [await outside(server), await traces(server)]

    // A second name for a file, where the event would tell it.
    project.commit({ 'vendor/setup.py': building('os.link(own, venv + "/x\\n1.0 kept 1\\n1.0 end 0")') })
    const linked = await bad()
    expect(linked.report.error).toMatchObject({ code: 'build-tampered' })
    expect(linked.outputs).toMatchObject({
      result: 'failed',
      'failed-phase': 'dependencies',
      serving: first.release,
    })
    expect(await tracesOnceDrained(server, kept)).toBe(kept)
    tell('a hard link in the environment', 'build-tampered, nothing taken over')
    tell('its name forges the end of the deploy', 'not believed, the old release serves')

    const forged = '1.0 kept 1\\n1.0 serving 1\\n1.0 end 0'
    project.commit({ 'vendor/setup.py': building(`print("${forged}", file=sys.stderr); sys.exit(1)`) })
    expect((await bad()).report.error).toMatchObject({ code: 'dependencies' })
    tell('the output of a build forges the end', 'not believed')
    project.commit({ 'vendor/setup.py': building('') })
    const command = { 'release-command': `printf '\\n${forged}\\n'; exit 7` }
    expect((await bad(command)).report.error).toMatchObject({ code: 'release-command' })
    tell('the output of a release command forges the end', 'not believed')
    // The word about the release is a header; this one says another release, and would be a pattern for a shell.
    const pattern = tinyApp.replace('"version 1"', '"version 2", {"X-Flask-Deploy-Release": "x /root/* y"}')
    project.commit({ 'app.py': pattern })
    const other = await bad()
    expect(other.report.error).toMatchObject({ code: 'wrong-release' })
    expect(other.log).toContain('/root/*')
    expect(other.log).not.toContain('/root/secret')
    tell('the app answers with a pattern for a shell in place of its release', 'not expanded, wrong-release')
    expect(await tracesOnceDrained(server, kept)).toBe(kept)
    expect(await page(server)).toBe('version 1')

    // Whatever else can be in an environment: root makes it its own, and follows and opens nothing.
    project.commit({
      'app.py': tinyApp.replace('version 1', 'version 2'),
      'vendor/setup.py': building(`
os.symlink("/root/secret/shadow", venv + "/shadow")
os.symlink("/root/secret", venv + "/lib/secret")
os.symlink("/root/bag", venv + "/lib/__pycache__")
os.mkfifo(venv + "/pipe")
shutil.copy("/bin/sh", venv + "/sh")
try:
    os.chmod(venv + "/sh", 0o6777)
except OSError:
    pass
os.chmod(venv, 0o777)
if os.fork() == 0:
    os.setsid()
    for descriptor in range(3):
        os.close(descriptor)
    file = open(own, "a")
    while True:
        file.write("still here\\n")
        file.flush()
        time.sleep(0.01)
`),
    })
    const ran = await good()
    expect(await page(server)).toBe('version 2')
    expect(await outside(server)).toBe(before)
    const { stdout } = await server.run('ps -o args= -u web-hello-build')
    expect(stdout).toBe('')
    const venv = `/srv/web-hello/releases/${ran.release}/.venv`
    expect(await server.must(`tail -n 1 ${venv}/own`)).toBe('still here\n')
    expect(await server.must(`find ${venv} ! -user root -o -perm /6022 ! -type l`)).toBe('')
    expect(await server.must(`stat -c '%A %U:%G' ${venv} ${venv}/sh`)).toBe(
      'drwxr-x--x root:web-hello\n-rwxr-x--- root:web-hello\n',
    )
    tell(
      'links, a FIFO, set-user-ID and open modes in the environment',
      "not followed, not opened, root's and 0750",
    )
    tell('a process that stays behind and writes', 'ended with the build')
  })

  test('a build that goes on when the program that began it was killed is ended at once', async () => {
    server = await boot({ suite: 'bookworm' })
    const booted = server
    const endless = 'while True: os.makedirs(f"{venv}/{time.time()}/x", exist_ok=True)'
    const project = tinyProject({
      'requirements.txt': 'flask\n./vendor\n',
      'vendor/setup.py': building(endless),
    })
    const running = start({ workspace: project.folder, inputs: reach(server) })
    await until('the build writes', async () => {
      const { status } = await booted.run('ls -d /srv/web-hello/releases/*/.venv/own')
      return status === 0
    })
    await server.must(
      `systemctl kill -s KILL "flask-deploy-hello-$(ls /run/flask-deploy/hello | grep -E '^[0-9a-f]+$').service"`,
    )
    expect((await running.ended).status).toBe(1)
    await until('the build is ended', async () => {
      const { stdout } = await booted.run('ps -o args= -u web-hello-build')
      return stdout === ''
    })
    project.commit({ 'requirements.txt': 'flask\n' })
    const { release } = await runs(server, project.folder).good()
    expect(await page(server)).toBe('version 1')
    expect(await server.must('ls /srv/web-hello/releases')).toBe(`${release}\n`)
    expect((await server.run('ps -o args= -u web-hello-build')).stdout).toBe('')
    tell('a build outlives the program that began it', 'ended by the recovery')
  })
})
