import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { checkout, tinyApp } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

const app = `import os\n${tinyApp}

@app.get("/compiled")
def compiled():
    with open("words/de.mo") as file:
        return file.read()


@app.get("/write")
def write():
    open("words/de.mo", "w").write("changed")
    return "changed"
`

const files = {
  'app.py': app,
  'requirements.txt': 'flask\n',
  'words/de.po': 'hallo\n',
  'static/plain.css': 'a{}\n',
}

describe.skipIf(!able.ok)(
  `what a release command makes in the release${able.ok ? '' : ` (skipped: ${able.why})`}`,
  () => {
    let server: Server | undefined
    afterEach(async () => {
      await server?.stop()
      server = undefined
    })
    const start = async () => {
      server = await boot({ suite: 'bookworm' })
      return server
    }

    test('is in it, served like all else, and root has it from then on', async () => {
      const on = await start()
      const { good } = runs(on, checkout(files).folder)
      const { release } = await good({
        'release-command':
          'tr a-z A-Z <words/de.po >words/de.mo\nmkdir static/dist\ncat static/plain.css >static/dist/packed.css\necho >>app.py',
      })
      const { root } = releasePaths('hello', release)
      expect((await visit(on, '/compiled')).body).toBe('HALLO\n')
      expect((await visit(on, '/static/dist/packed.css')).body).toBe('a{}\n')
      expect(await on.must(`find ${root} -user web-hello; find ${root} ! -type l -perm /022`)).toBe('')
      expect(await on.must(`stat -c '%a %U:%G' ${root} ${root}/words/de.mo ${root}/.deploy`)).toBe(
        '751 root:web-hello\n640 root:web-hello\n751 root:web-hello\n',
      )
      expect((await visit(on, '/write')).status).toBe(500)
      expect((await visit(on, '/compiled')).body).toBe('HALLO\n')
    })

    test('is refused where it is a trick, and what is ours stays out of its reach', async () => {
      const on = await start()
      const project = checkout(files)
      const { good, bad } = runs(on, project.folder)
      const first = await good()
      // A second name for a file that is root's: taking it over would hand it to whoever made the name.
      const linked = await bad({ 'release-command': 'ln app.py second.py' })
      expect(linked.report.error).toMatchObject({ code: 'release-tampered' })
      const piped = await bad({ 'release-command': 'mkfifo pipe' })
      expect(piped.report.error).toMatchObject({ code: 'release-tampered' })
      const moved = await bad({ 'release-command': 'mv .venv venv || mv .deploy deploy || rm -r .venv' })
      expect(moved.report.error).toMatchObject({ code: 'release-command' })
      expect(await on.must('ls /srv/web-hello/releases')).toBe(`${first.release}\n`)

      // nginx would follow a link that leads out of the folder, so the app serves that one itself.
      await good({ 'release-command': 'ln -s /etc/passwd static/users.txt' })
      expect(await on.must('ls -A /srv/web-hello/current/.public')).toBe('')
    })
  },
)
