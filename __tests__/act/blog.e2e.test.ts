import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Checkout } from '../e2e/projects.ts'
import { installTimeoutMs } from '../house/tools.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { Runner, type Trigger } from './act.ts'
import { repositoryOf, secretLines, settingsFor } from './example.ts'

const able = canBoot()

describe.skipIf(!able.ok)('the workflow of examples/blog', () => {
  let runner: Runner
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  beforeAll(async () => {
    runner = await Runner.start()
  }, installTimeoutMs)
  afterAll(() => runner?.stop())
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  test('a push deploys it with its tables, and what is written outlives the next push', async () => {
    const server = await start()
    const repository = repositoryOf('blog')
    const push = pushTo(server)

    const first = await runner.run(repository.folder, push)

    expect(first).toMatchObject({ succeeded: true })
    expect(first.log).toContain('Running upgrade  -> 0001, posts')
    expect(await page(server, '/')).toContain('Nothing is written yet.')
    await write(server, push.secrets['AUTHOR_PASSWORD'] ?? '', 'The first post')

    repository.commit({
      'blog/models.py': `${file(repository, 'blog/models.py')}    likes: Mapped[int] = mapped_column(server_default="0")\n`,
      'migrations/versions/0002_likes.py': migration('0002', '0001', likes),
      'blog/templates/post.html': file(repository, 'blog/templates/post.html').replace(
        '</h1>',
        ' ({{ post.likes }} likes)</h1>',
      ),
    })
    const second = await runner.run(repository.folder, push)

    expect(second).toMatchObject({ succeeded: true })
    expect(second.log).toContain('Running upgrade 0001 -> 0002')
    expect(await page(server, '/posts/1')).toContain('<h1>The first post (0 likes)</h1>')
  })

  test('nginx serves its stylesheet', async () => {
    const server = await start()
    const repository = repositoryOf('blog')

    expect(await runner.run(repository.folder, pushTo(server))).toMatchObject({ succeeded: true })

    const [, path = ''] = /<link rel="stylesheet" href="([^"]+)"/.exec(await page(server, '/')) ?? []
    const answer = await fetch(`http://${server.address}${path}`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/css/)
    expect(await answer.text()).toBe(file(repository, 'blog/static/style.css'))
    // Flask would answer too, were it asked: so it is stopped.
    await server.must('systemctl stop "web-blog-*.socket" "web-blog-*.service"')
    expect((await fetch(`http://${server.address}/`)).status).toBe(502)
    expect((await fetch(`http://${server.address}${path}`)).status).toBe(200)
  })

  test('a migration that fails fails the job, and visitors keep the site', async () => {
    const server = await start()
    const repository = repositoryOf('blog')
    const push = pushTo(server)
    expect(await runner.run(repository.folder, push)).toMatchObject({ succeeded: true })
    repository.commit({
      'migrations/versions/0002_broken.py': migration(
        '0002',
        '0001',
        'op.execute("ALTER TABLE nowhere ADD COLUMN x")',
      ),
      'blog/templates/index.html': 'the new index',
    })

    const run = await runner.run(repository.folder, push)

    expect(run).toMatchObject({ succeeded: false })
    expect(run.log).toContain('no such table: nowhere')
    expect(run.log).toContain('::set-output:: failed-phase=release-command')
    expect(await page(server, '/')).toContain('Nothing is written yet.')
  })

  test('a secret that is not set is named', async () => {
    const server = await start()
    const { secrets, ...push } = pushTo(server)
    const { AUTHOR_PASSWORD: _, ...others } = secrets

    const run = await runner.run(repositoryOf('blog').folder, { ...push, secrets: others })

    expect(run).toMatchObject({ succeeded: false })
    expect(run.log).toContain('The environment variable AUTHOR_PASSWORD is not set.')
  })

  test('no secret is in the log, not even where a release prints them all', async () => {
    const server = await start()
    const repository = repositoryOf('blog')
    const push = pushTo(server)
    const prints =
      'import os\n\nprint(dict(os.environ), flush=True)\nraise RuntimeError(os.environ["SECRET_KEY"])\n'
    const markers = [
      ...secretLines(server.privateKey),
      push.secrets['SECRET_KEY'] ?? '',
      push.secrets['AUTHOR_PASSWORD'] ?? '',
    ]

    const good = await runner.run(repository.folder, push)
    repository.commit({ 'blog/__init__.py': `${file(repository, 'blog/__init__.py')}\n\n${prints}` })
    const bad = await runner.run(repository.folder, push)
    const unmasked = await runner.run(repository.folder, { ...push, unmasked: true })

    expect([good.succeeded, bad.succeeded, unmasked.succeeded]).toEqual([true, false, false])
    for (const run of [bad, unmasked]) {
      expect(run.log).toContain("'AUTHOR_PASSWORD': '***'")
      expect(run.log).toContain('RuntimeError: ***')
    }
    for (const { log } of [good, bad, unmasked]) {
      expect(markers.filter((marker) => log.includes(marker))).toEqual([])
    }
  })
})

/** A push where all secrets of the workflow are set, each with a value of its own. */
function pushTo(server: Server): Trigger {
  const { secrets, variables } = settingsFor(server)
  const random = () => randomBytes(16).toString('hex')
  return {
    event: 'push',
    variables,
    secrets: { ...secrets, SECRET_KEY: random(), AUTHOR_PASSWORD: `${random()} #"$(id)` },
  }
}

function file({ folder }: Checkout, path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

const likes = 'op.add_column("post", sa.Column("likes", sa.Integer(), nullable=False, server_default="0"))'

function migration(revision: string, after: string, upgrade: string): string {
  return `import sqlalchemy as sa
from alembic import op

revision = "${revision}"
down_revision = "${after}"


def upgrade():
    ${upgrade}
`
}

async function page(server: Server, path: string): Promise<string> {
  return await (await fetch(`http://${server.address}${path}`)).text()
}

/** Signs in as the author and publishes a post, as a browser does. */
async function write(server: Server, password: string, title: string): Promise<void> {
  const site = `http://${server.address}`
  const post = (path: string, form: Readonly<Record<string, string>>, cookie = '') =>
    fetch(site + path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { cookie },
      redirect: 'manual',
    })
  const signedIn = await post('/sign-in', { password })
  const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';')
  const written = await post('/write', { title, text: 'Some words.' }, cookie)
  expect(written.headers.get('location')).toBe('/posts/1')
}
