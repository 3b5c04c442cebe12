import { afterEach, describe, expect, test } from 'vitest'
import { releasePaths } from '../../src/config/paths.ts'
import { boot, type Server } from '../server/boot.ts'
import { canBoot } from '../server/requirements.ts'
import { visit } from './look.ts'
import { addWheels, startIndex } from './package-index.ts'
import { checkout, tinyApp } from './projects.ts'
import { runs } from './runs.ts'

const able = canBoot()

/** A page that says which versions the app runs with. */
const versions = (...names: readonly string[]) =>
  `from importlib.metadata import version\n${tinyApp.replace('"version 1"', `" ".join(version(name) for name in ${JSON.stringify(names)})`)}`

/** One package as uv pinned it. */
interface Pin {
  readonly name: string
  readonly version: string
  readonly hashes: readonly string[]
}

/** Asks the index, by the server's own uv, for versions and hashes. */
async function pinned(server: Server, wanted: string): Promise<readonly Pin[]> {
  const text = await server.must(
    `cd "$(mktemp -d)" && printf '%s\\n' ${wanted} | UV_SYSTEM_CERTS=1 HOME=/tmp /opt/flask-deploy/uv-*/bin/uv pip compile --quiet \\
      --no-cache --generate-hashes --no-header --no-annotate --python /usr/bin/python3 -`,
  )
  return [...text.matchAll(/^([\w-]+)==(\S+)((?:.|\n)*?)(?=^\S|(?![\s\S]))/gm)].map(
    ([, name = '', version = '', rest = '']) => ({
      name,
      version,
      hashes: [...rest.matchAll(/--hash=(\S+)/g)].map(([, hash = '']) => hash),
    }),
  )
}

const pyproject = (more = '') => `[project]
name = "shop"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["flask>=3,<3.1"]
${more}
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
`

describe.skipIf(!able.ok)(`dependencies${able.ok ? '' : ` (skipped: ${able.why})`}`, () => {
  const running: Server[] = []
  const start = async () => {
    const server = await boot({ suite: 'bookworm' })
    running.push(server)
    return server
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()))
  })

  /** A deploy of one list first, so that the server has uv. */
  const withUv = async (server: Server) => {
    const first = checkout({ 'app.py': tinyApp, 'requirements.txt': 'flask\n' })
    await runs(server, first.folder).good()
  }

  test('a src layout with uv.lock: its versions, its hashes, and the project is not in the environment', async () => {
    const server = await start()
    await withUv(server)
    const extras = '[project.optional-dependencies]\nfast = ["ujson"]\n'
    const lock = await server.must(
      `mkdir -p /tmp/l/src/shop && cd /tmp/l && cat >pyproject.toml && touch src/shop/__init__.py &&
      UV_SYSTEM_CERTS=1 HOME=/tmp /opt/flask-deploy/uv-*/bin/uv lock --quiet --no-cache --python /usr/bin/python3 && cat uv.lock`,
      { stdin: pyproject(extras) },
    )
    const project = checkout({
      'src/shop/__init__.py': versions('flask', 'ujson'),
      'pyproject.toml': pyproject(extras),
      'uv.lock': lock,
    })
    const { good, bad } = runs(server, project.folder, { extras: 'fast' })
    const { release, report, log } = await good()
    const [, flask] = /^name = "flask"\nversion = "(.*)"/m.exec(lock) ?? []
    const [, ujson] = /^name = "ujson"\nversion = "(.*)"/m.exec(lock) ?? []
    expect((await visit(server)).body).toBe(`${flask} ${ujson}`)
    expect(report.unpinned).toEqual([])
    expect(report.found.map(({ detail }) => detail).join('\n')).toContain('pyproject.toml: uv.lock is there')
    const site = await server.must(`ls ${releasePaths('hello', release).venv}/lib/python3.11/site-packages`)
    expect(site, log).not.toMatch(/^shop/m)

    const forged = lock.replaceAll(/(?<=hash = "sha256:)[0-9a-f]{4}/g, '0000')
    project.commit({ 'uv.lock': forged })
    const refused = await bad()
    expect(refused.outputs).toMatchObject({ result: 'failed', 'failed-phase': 'dependencies' })
    expect(refused.report.error?.cause).toMatch(/hash is in uv\.lock/)
    expect((await visit(server)).body).toBe(`${flask} ${ujson}`)
  })

  test('poetry.lock and Pipfile.lock: each version by its hash, and nothing of the groups for development', async () => {
    const server = await start()
    await withUv(server)
    const pins = await pinned(server, "'flask<3.1' colorama")
    const flask = pins.find(({ name }) => name === 'flask')?.version ?? ''
    expect(flask).toMatch(/^3\.0/)
    const poetryLock = `${pins
      .map(
        ({ name, version, hashes }) => `[[package]]
name = "${name}"
version = "${version}"
optional = false
python-versions = ">=3.8"
files = [${hashes.map((hash) => `{ file = "x", hash = "${hash}" }`).join(', ')}]
${name === 'flask' ? `\n[package.dependencies]\n${pins.flatMap((one) => (['flask', 'colorama', 'markupsafe'].includes(one.name) ? [] : [`${one.name} = "*"`])).join('\n')}\n` : ''}${name === 'jinja2' ? '\n[package.dependencies]\nMarkupSafe = ">=2.0"\n' : ''}`,
      )
      .join('\n')}
[metadata]
lock-version = "2.0"
python-versions = "^3.9"
`
    const poetry =
      '[tool.poetry]\nname = "shop"\nversion = "1"\n[tool.poetry.dependencies]\npython = "^3.9"\nflask = "^3.0"\n[tool.poetry.group.dev.dependencies]\ncolorama = "*"\n'
    const project = checkout({
      'app.py': versions('flask'),
      'poetry.lock': poetryLock,
      'pyproject.toml': poetry,
    })
    const { good } = runs(server, project.folder)
    const first = await good()
    expect((await visit(server)).body).toBe(flask)
    expect(first.report.unpinned).toEqual([])
    const packages = (release: string) =>
      server.must(`ls ${releasePaths('hello', release).venv}/lib/python3.11/site-packages`)
    expect(await packages(first.release)).not.toContain('colorama')

    const entry = ({ name, version, hashes }: Pin) => [name, { version: `==${version}`, hashes }] as const
    const isDev = ({ name }: Pin) => name === 'colorama'
    const pipfileLock = JSON.stringify({
      _meta: { sources: [{ name: 'pypi', url: 'https://pypi.org/simple', verify_ssl: true }] },
      default: Object.fromEntries(pins.filter((one) => !isDev(one)).map(entry)),
      develop: Object.fromEntries(pins.filter(isDev).map(entry)),
    })
    project.commit({
      'poetry.lock': null,
      'pyproject.toml': null,
      'Pipfile.lock': pipfileLock,
      'app.py': versions('flask', 'colorama'),
    })
    const second = await good({ groups: 'dev' })
    expect((await visit(server)).body).toMatch(new RegExp(`^${flask.replaceAll('.', '\\.')} \\d`))
    expect(second.report.unpinned).toEqual([])
  })

  test('pylock.toml', async () => {
    const server = await start()
    await withUv(server)
    const lock = await server.must(
      `cd "$(mktemp -d)" && echo 'flask<3.1' | UV_SYSTEM_CERTS=1 HOME=/tmp /opt/flask-deploy/uv-*/bin/uv pip compile --quiet --no-cache \\
        --format pylock.toml --python /usr/bin/python3 -`,
    )
    const project = checkout({ 'app.py': versions('flask'), 'pylock.toml': lock })
    await runs(server, project.folder).good()
    expect((await visit(server)).body).toMatch(/^3\.0/)
  })

  test('requirements that omit the project, whose setup.py cannot be built, and what it declares', async () => {
    const server = await start()
    const project = checkout({
      'shop/__init__.py': versions('flask', 'colorama'),
      'requirements.txt': 'colorama==0.4.6\n',
      'setup.py':
        'from setuptools import setup\nimport nowhere_to_be_found\nsetup(name="shop", install_requires=["flask<3.1"], entry_points={"shop.plugins": ["a = shop"]})\n',
    })
    const { report, release } = await runs(server, project.folder).good()
    expect((await visit(server)).body).toMatch(/^3\.0\.\d+ 0\.4\.6$/)
    const found = new Map(report.found.map(({ what, detail }) => [what, detail]))
    expect(found.get('dependencies')).toContain('with what setup.py lists')
    expect(found.get('the project itself')).toContain('could not be built')
    expect(await server.must(`ls -A ${releasePaths('hello', release).root}`)).not.toMatch(/^\.site$/m)
  })

  test("a project with plugins is installed beside its environment, as root's", async () => {
    const server = await start()
    const project = checkout({
      'src/shop/__init__.py': versions('flask'),
      'src/shop/plugin.py': 'import click\n@click.command()\ndef greet(): print("moin")\n',
      'requirements.txt': '-e .\n',
      'pyproject.toml': `${pyproject('dynamic = []\n[project.entry-points."flask.commands"]\ngreet = "shop.plugin:greet"\n')}\n`,
    })
    const { release, report } = await runs(server, project.folder).good()
    const { root, venv, site } = releasePaths('hello', release)
    expect(new Map(report.found.map(({ what, detail }) => [what, detail])).get('the project itself')).toBe(
      'installed beside its packages',
    )
    expect(await server.must(`find ${site} ! -user root | head -n 1; ls ${site}`)).toMatch(
      /^shop-1\.0\.dist-info$/m,
    )
    expect(await server.must(`ls ${venv}/lib/python3.11/site-packages`)).not.toMatch(/^shop/m)
    expect(
      await server.must(
        `cd ${root} && setpriv --reuid web-hello --regid web-hello --clear-groups env PYTHONPATH=${root}/src:${site} FLASK_APP=shop:app ${venv}/bin/flask greet`,
      ),
    ).toBe('moin\n')
  })

  test('versions stay until a refresh asks for them anew, and when they were chosen is said', async () => {
    const server = await start()
    const index = await startIndex(server, ['colours-1.0-py3-none-any.whl'])
    const project = checkout({
      'app.py': versions('colours'),
      'requirements.txt': `--extra-index-url ${index.url}\nflask\ncolours\n`,
    })
    const { good } = runs(server, project.folder)
    const today = (await server.must('date -u +%F')).trim()
    const said = (found: readonly { what: string; detail: string }[]) =>
      found.find(({ what }) => what === 'versions')?.detail ?? ''
    expect(said((await good()).report.found)).toContain(`chosen on ${today} (today)`)
    expect((await visit(server)).body).toBe('1.0')

    await addWheels(server, ['colours-2.0-py3-none-any.whl'])
    // As if it were five days ago, and nobody had written that by hand.
    await server.must(`for file in /srv/web-hello/releases/*/.deploy/environment; do
        read -r key at <$file
        echo "$key $((at - 5 * 86400))" >$file
      done
      rm /srv/web-hello/written/*.json`)
    const unchanged = await good()
    expect(unchanged.outputs.result).toBe('unchanged')
    expect(said(unchanged.report.found)).toContain('5 days ago')
    project.commit({ 'more.py': '' })
    expect(said((await good()).report.found)).toContain('5 days ago')
    expect((await visit(server)).body).toBe('1.0')

    const anew = await good({ refresh: 'true' })
    expect(anew.outputs.result).toBe('deployed')
    expect(said(anew.report.found)).toContain('(today)')
    expect((await visit(server)).body).toBe('2.0')
    expect((await good()).outputs.result).toBe('unchanged')
  })

  test('pins that exclude each other fail before anything of the site, and are named', async () => {
    const server = await start()
    const project = checkout({ 'app.py': tinyApp, 'requirements.txt': 'flask==3.0.0\nwerkzeug==2.0.0\n' })
    const { report, outputs } = await runs(server, project.folder).bad()
    expect(outputs['failed-phase']).toBe('dependencies')
    expect(report.error?.cause).toBe(
      'The pins in requirements.txt exclude each other: flask==3.0.0 depends on werkzeug>=3.0.0, but werkzeug==2.0.0 is asked for.',
    )
    expect(await server.must('ls /srv/web-hello/releases')).toBe('')
  })
})
