import { afterEach, describe, expect, test } from 'vitest'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { haveSecrets, outcomesOf, outside } from './attacks.ts'
import { visit } from './look.ts'
import { tinyApp, tinyProject } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** Knows where it is by whether it may write its own folder, and does there what its author wishes. */
const attack = `import os
import sys

${tinyApp}
own = os.path.dirname(os.path.abspath(__file__))
state = "/var/lib/web-hello"


def ever(way, *words):
    try:
        return way(*words)
    except OSError as error:
        return type(error).__name__


if os.access(own, os.W_OK):
    print("state:", sorted(os.listdir(state)), flush=True)
    for path in ("report.json", "output", "probe.py", "flask_deploy_entry.py", "shape.json"):
        ever(os.remove, own + "/.deploy/" + path)
        ever(os.symlink, "/root/secret/shadow", own + "/.deploy/" + path)
    for place in (own, own + "/static", state, "/srv/web-hello", "/srv/web-hello/probe"):
        for name in ("planted", "-rf", "a\\nkeep-folder\\tstatic"):
            ever(os.symlink, "/root/secret", place + "/" + name)
            ever(os.mkdir, place + "/" + name + ".d")
    ever(os.rename, own + "/static", own + "/gone")
    ever(os.symlink, "/etc", own + "/static")
    with open(state + "/notes", "w") as file:
        file.write("by the probe")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "4711"])
        os._exit(0)
    os._exit(0)
`

describe.skipIf(!able.ok)(`a hostile app in the probe ${able.ok ? '' : able.why}`, () => {
  let server: Server | undefined
  afterEach(async () => server?.stop())
  const tell = outcomesOf('a hostile app in the probe')

  test('reaches nothing that is real, and root believes and follows nothing that it leaves', async () => {
    server = await boot({ suite: 'bookworm' })
    await haveSecrets(server)
    const project = tinyProject({ 'static/style.css': 'body {}\n' })
    const { good } = runs(server, project.folder)
    await good()
    await server.must(
      'cd / && setpriv --reuid web-hello --regid web-hello --clear-groups sh -c "echo real >/var/lib/web-hello/notes"',
    )
    const before = await outside(server)
    project.commit({ 'app.py': attack.replace('version 1', 'version 2') })
    const ran = await good()
    expect((await visit(server)).body).toBe('version 2')
    expect(await outside(server)).toBe(before)
    tell('replaces report and output by links to what root alone may read', 'neither is read')
    expect(ran.log).not.toContain('of-root')
    expect(ran.report.warnings.map(({ code }) => code)).toContain('probe-unfinished')
    tell('writes and reads the state of the app', 'an empty folder is in its place')
    expect(await server.must('cat /var/lib/web-hello/notes')).toBe('real\n')
    tell(
      'plants folders where the release is',
      'as any folder that an app makes: they lie in its own, behind links',
    )
    expect(await server.must('cd /var/lib/web-hello; ls -A; find . -type l')).toBe(
      '-rf.d\ngone\ninstance\nnotes\nplanted.d\n',
    )
    tell('plants links where the release and nginx’s files are', 'nothing of it is in the release')
    const release = '/srv/web-hello/current'
    const links = await server.must(
      `cd /srv/web-hello; find . -name probe -o -type l ! -path '*/.venv/*' -printf '%l\\n'`,
    )
    expect(links.split('\n').filter((link) => /root|probe|etc/.test(link))).toEqual([])
    expect(await server.must(`cd ${release}/; find .public static | sort`)).toBe(
      '.public\n.public/static\nstatic\nstatic/style.css\n',
    )
    tell('leaves a process behind', 'it ends with the probe')
    expect(await server.must('pgrep -cf "[s]leep 4711" || :')).toBe('0\n')
  })
})
