import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasPython } from '../config/sample.ts'
import { deeds, judge, probe } from './judge.ts'

const files = {
  'app.py': 'app\n',
  'static/style.css': 'body {}\n',
  'shop/static/a.css': 'a {}\n',
  'data/list.json': '[]\n',
  out: '-> /etc',
  inner: '-> data',
}
const app = { outcome: 'app', candidate: 0, described: true }
const statics = (folder: string, url = '/static') => [{ url, folder, proven: true, whole: true }]

describe.runIf(hasPython)('of what an honest app said', () => {
  test('static folders are published, and what it wrote outlives the release', () => {
    const judged = judge({
      files,
      report: { ...app, static: [...statics('ROOT/static'), ...statics('ROOT/shop/static', '/shop/files')] },
      written: {
        'logs/app.log': 'x',
        'app.db': 'x',
        'data/list.json': '[1]',
        'static/gen/made.css': 'x',
        '__pycache__/app.pyc': 'x',
      },
    })
    expect(deeds(judged)).toEqual([
      'keep-file\tapp.db',
      'keep-file\tdata/list.json',
      'keep-folder\tlogs',
      'hole\tstatic/gen',
      'publish\t/static\tstatic',
      'publish\t/shop/files\tshop/static',
    ])
    expect(judged.own).toMatchObject({
      'flask_deploy_entry.py': 'entry of wsgi:app\n',
      'target.env': 'environment of wsgi:app\n',
    })
  })

  test('the candidate that it is decides entry module and variables', () => {
    const judged = judge({ files, report: { ...app, candidate: 1 } })
    expect(judged.said).toContain('found\tapp\tother:app')
    expect(judged.own['flask_deploy_entry.py']).toBe('entry of other:app\n')
  })

  test.each([
    ['a file of the bundle that is not there yet', 'ROOT/shop.db', ['keep-file\tshop.db']],
    ['in a folder that is not there yet', 'ROOT/var/db/shop.db', ['keep-folder\tvar']],
    ['in what outlives the release anyway', 'ROOT/instance/shop.db', []],
    ['elsewhere', '/srv/other/shop.db', []],
  ])('a database is kept: %s', (_, path, expected) => {
    expect(deeds(judge({ files, report: { ...app, databases: [{ setting: 'DATABASE', path }] } }))).toEqual(
      expected,
    )
  })

  test('an instance folder elsewhere leads to the same place', () => {
    expect(deeds(judge({ files, report: { ...app, instance: 'ROOT/shop/instance' } }))).toEqual([
      'link\tshop/instance\tinstance',
    ])
    expect(deeds(judge({ files, report: { ...app, instance: 'ROOT/.venv/var/shop-instance' } }))).toEqual([
      'link\t.venv/var/shop-instance\tinstance',
    ])
  })

  test('what earlier deploys found stays, and is said with what pins it', () => {
    const judged = judge({
      files,
      report: app,
      state: 'persist logs\npersist-file app.db\npersist ../x\nrelease x\n',
    })
    expect(deeds(judged)).toEqual(['keep-folder\tlogs', 'keep-file\tapp.db'])
    expect(judged.said).toContain('found\tpersist\tapp.db, logs / instance, app.db, logs')
  })

  test('with `persist: none` nothing is kept', () => {
    const report = { ...app, databases: [{ setting: 'DB', path: 'ROOT/a.db' }] }
    const judged = judge({
      files,
      report,
      written: { 'app.db': 'x' },
      settings: { keeps: false, persist: [] },
    })
    expect(judged.said).toEqual(['doubt\tdatabase-in-release\tDB a.db'])
  })

  test('Socket.IO is one process with threads, or a worker that is there', () => {
    const shape = (more: object) =>
      JSON.parse(judge({ files, report: { ...app, ...more } }).own['shape.json'] ?? '{}')
    expect(shape({ socketio: 'threading' })).toEqual({ workers: 1, threads: 100 })
    expect(shape({ socketio: 'gevent', worker: 'gevent' })).toEqual({
      workers: 1,
      threads: 100,
      worker: 'gevent',
    })
    expect(shape({ worker: 'os.system' })).toEqual({})
    expect(shape({})).toEqual({})
  })

  test.each([
    [{ kinds: ['ModuleNotFoundError', 'ImportError'], name: 'yaml' }, 'fail\tapp-import'],
    [{ kinds: ['IndentationError', 'SyntaxError'] }, 'fail\tapp-import'],
    [{ kinds: ['ModuleNotFoundError', 'ImportError'], name: 'wsgi._made' }, 'build\tfirst'],
    [{ kinds: ['ModuleNotFoundError', 'ImportError'], name: 'shop._made' }, 'build\tfirst'],
    [{ kinds: ['PackageNotFoundError', 'ModuleNotFoundError', 'ImportError'], name: 'shop' }, 'build\tafter'],
    [{ kinds: ['OperationalError', 'Exception'] }, 'raised'],
  ])('%j -> %s', (error, first) => {
    const judged = judge({
      files,
      report: { outcome: 'raised', candidate: 0, error },
      settings: { buildable: true },
    })
    expect(judged.said[0]).toBe(first)
  })

  test('an ImportError is not the end where the app keeps code of its own on the server', () => {
    const state = mkdtempSync(join(tmpdir(), 'state-'))
    mkdirSync(join(state, 'instance'))
    writeFileSync(join(state, 'instance/settings.py'), '')
    const report = { outcome: 'raised', error: { kinds: ['ImportError'], name: 'settings' } }
    expect(judge({ files, report, settings: { state } }).said[0]).toBe('raised')
    rmSync(join(state, 'instance/settings.py'))
    expect(judge({ files, report, settings: { state } }).said[0]).toBe('fail\tapp-import')
    rmSync(state, { recursive: true })
  })

  test('where it could not say, what reading found is served', () => {
    const fallback = [{ url: '/static', folder: 'static' }]
    const judged = judge({
      files,
      report: { outcome: 'raised', error: { kinds: ['KeyError'] } },
      settings: { fallback },
    })
    expect(deeds(judged)).toEqual(['raised', 'publish\t/static\tstatic'])
  })
})

describe.runIf(hasPython)('of a hostile report', () => {
  const bad = [
    '/',
    '/etc',
    'ROOT',
    'ROOT/',
    'ROOT/..',
    'ROOT/../x',
    'ROOT/out',
    'ROOT/out/ssh',
    'ROOT/.venv/lib',
    'ROOT/.deploy',
    'ROOT/static/../../x',
    'static',
    '',
    'ROOT/a\nkeep-folder\tapp.py',
    'ROOT/a\tb',
    `ROOT/${'x'.repeat(400)}`,
    'ROOT/\u0000',
    'ROOT/\ud800',
    '~',
    7,
    null,
    [],
    {},
  ]

  test.each(bad)('%j is no static folder, no database, no folder for uploads and no instance', (path) => {
    const report = {
      ...app,
      static: statics('').map((one) => ({ ...one, folder: path })),
      databases: [{ setting: 'DATABASE', path }],
      uploads: [{ setting: 'UPLOAD_FOLDER', path }],
      instance: path,
      attempts: [path],
    }
    const judged = judge({ files, report })
    expect(deeds(judged)).toEqual([])
    for (const line of judged.said)
      expect(line).toMatch(/^(?:found\tstatic-by-app|doubt\t(?:writes-outside|database-temporary))\t[^\t]*$/)
  })

  test.each([
    '/../x',
    '/a/../b',
    '/.hidden',
    'static',
    '//',
    '/a\n/b',
    '/a\tb',
    '/a;b{',
    '/a*',
    '/a\\b',
    `/${'a'.repeat(220)}`,
    7,
    null,
  ])('%j is no URL', (url) => {
    expect(
      deeds(judge({ files, report: { ...app, static: [{ ...statics('ROOT/static')[0], url }] } })),
    ).toEqual([])
  })

  test.each([
    ['no JSON', 'x'],
    ['no object', '[]'],
    ['nested without end', '['.repeat(200_000)],
    ['without end', `{"outcome":"app","x":"${'x'.repeat(2_000_000)}"}`],
    [
      'of wrong types',
      '{"outcome":1,"candidate":true,"static":{},"databases":7,"error":[],"passed":{},"weak":"x"}',
    ],
    ['with a candidate that there is not', '{"outcome":"app","candidate":99}'],
    ['with a candidate below none', '{"outcome":"app","candidate":-1}'],
  ])('one that is %s is none', (_, report) => {
    const judged = judge({ files, report })
    expect(deeds(judged)).toEqual([])
    expect(judged.own['flask_deploy_entry.py']).toBe('entry of wsgi:app\n')
  })

  test.each<readonly [string, (scratch: string) => void]>([
    [
      'a link to another file',
      (scratch) => swap(scratch, 'report.json', (file) => symlinkSync('/etc/passwd', file)),
    ],
    ['a FIFO', (scratch) => swap(scratch, 'report.json', (file) => execFileSync('mkfifo', [file]))],
    ['a folder', (scratch) => swap(scratch, 'report.json', (file) => mkdirSync(file))],
    [
      'a second name of another file',
      (scratch) => swap(scratch, 'report.json', (file) => linkSync(join(scratch, 'app.py'), file)),
    ],
    [
      'in a folder that is a link',
      (scratch) => {
        renameSync(join(scratch, '.deploy'), join(scratch, 'elsewhere'))
        symlinkSync(join(scratch, 'elsewhere'), join(scratch, '.deploy'))
      },
    ],
  ])('%s is not read', (_, spoil) => {
    const judged = judge({ files, report: { ...app, candidate: 1 }, spoil })
    expect(judged.own['flask_deploy_entry.py']).toBe('entry of wsgi:app\n')
    expect(judged.said).toContain('doubt\tprobe-unfinished\t')
  })

  test('no words of another file get into the log by what the app printed', () => {
    const spoil = (scratch: string) => symlinkSync('/etc/passwd', join(scratch, '.deploy/output'))
    expect(judge({ files, spoil }).log).toBe('')
    const lines = ['1.0 end 0', 'a\nb', 'c\u001b[31m', 'x'.repeat(9000)]
    const { log } = judge({ files, report: { outcome: 'raised', error: { kinds: ['KeyError'], lines } } })
    expect(log.split('\n').map((line) => line.slice(0, 20))).toEqual([
      '1.0 end 0',
      'a?b',
      // As it is: the runner makes it harmless, and knows a secret only if nothing of it was changed.
      'c\u001b[31m',
      'x'.repeat(20),
      '',
    ])
  })

  test('odd names in the scratch copy are passed over, and links are not followed', () => {
    const judged = judge({
      files,
      report: app,
      spoil: (scratch) => {
        for (const name of ['a\nkeep-folder\tapp.py', 'b\tc', '\u0085'])
          writeFileSync(join(scratch, name), 'x')
        symlinkSync('/etc', join(scratch, 'link'))
        rmSync(join(scratch, 'data'), { recursive: true })
        symlinkSync('/etc', join(scratch, 'data'))
        execFileSync('mkfifo', [join(scratch, 'pipe')])
      },
    })
    expect(deeds(judged)).toEqual([])
  })

  test('more than an honest app has is cut off', () => {
    const written = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`file-${at}`, 'x']))
    expect(deeds(judge({ files, report: app, written }))).toHaveLength(39)
  })
})

describe.runIf(hasPython)('of static files', () => {
  test.each([
    'key.pem',
    'settings.py',
    '.env',
    'shop.sqlite3',
    'deep/er/.git/config',
    'deep/id_rsa',
    'templates/a.html',
  ])('a folder with %s in it is left to the app', (name) => {
    const report = { ...app, static: statics('ROOT/static') }
    expect(deeds(judge({ files: { ...files, [`static/${name}`]: 'x' }, report }))).toEqual([])
  })

  test.each([
    ['leads out', '-> /etc/passwd', []],
    ['leads to what lies beside it', '-> ../app.py', []],
    ['leads to one of its own', '-> style.css', ['publish\t/static\tstatic']],
  ])('a link that %s', (_, link, expected) => {
    const report = { ...app, static: statics('ROOT/static') }
    expect(deeds(judge({ files: { ...files, 'static/link': link }, report }))).toEqual(expected)
  })

  test('those that the app does not give to everybody stay with it, and those that the user named do too', () => {
    const report = {
      ...app,
      static: [{ ...statics('ROOT/static')[0], proven: false }, ...statics('ROOT/shop/static', '/s')],
    }
    expect(deeds(judge({ files, report, settings: { given: ['/s'] } }))).toEqual([])
    expect(deeds(judge({ files, report, settings: { publishes: false } }))).toEqual([])
  })

  test('one that the app fills as it starts is made anew with each release, though .gitkeep keeps its place', () => {
    const judged = judge({
      files: { ...files, 'static/build/.gitkeep': '' },
      report: { ...app, static: statics('ROOT/static') },
      written: { 'static/build/a.css': 'x' },
    })
    expect(deeds(judged)).toEqual(['hole\tstatic/build', 'publish\t/static\tstatic'])
    const linked = judge({
      files: { ...files, 'static/build/.gitkeep': '' },
      report: { ...app, static: statics('ROOT/static') },
      spoil: (scratch) => symlinkSync('../site.css', join(scratch, 'static/build/a1b2.css')),
    })
    expect(deeds(linked)).toEqual(deeds(judged))
  })

  test('uploads below them outlive the release, and the whole folder never does', () => {
    const report = {
      ...app,
      static: statics('ROOT/static'),
      uploads: [{ setting: 'UPLOAD_FOLDER', path: 'ROOT/static/up' }],
    }
    expect(deeds(judge({ files, report }))).toEqual(['keep-folder\tstatic/up', 'publish\t/static\tstatic'])
    const all = { ...report, uploads: [{ setting: 'UPLOAD_FOLDER', path: 'ROOT/static' }] }
    const judged = judge({ files, report: all, written: { 'static/uploads/a': 'x' } })
    expect(deeds(judged)).toEqual(['keep-folder\tstatic/uploads', 'publish\t/static\tstatic'])
    expect(judged.said).toContain('doubt\tuploads-in-static\tstatic')
  })
})

describe.runIf(hasPython)('of a log', () => {
  const error = (path: string, number = 30) => `OSError: [Errno ${number}] Read-only file system: '${path}'\n`

  test.each([
    ['a new file', error('ROOT/state.bin'), ['keep-file\tstate.bin']],
    [
      'what was to be made',
      `  File "<frozen os>", line 225, in makedirs\n${error('ROOT/visits')}`,
      ['keep-folder\tvisits'],
    ],
    ['a file in a folder that is not there', error('visits/count'), ['keep-folder\tvisits']],
    ['of the release before', error('ROOT/../20250101000000-1234567/notes/a'), []],
    ['a folder for data', error('ROOT/data/2026-01.json'), ['keep-folder\tdata']],
    [
      'PermissionError',
      `PermissionError: [Errno 13] Permission denied: 'cache.bin'\n`,
      ['keep-file\tcache.bin'],
    ],
    ['code', error('ROOT/app.py'), []],
    ['a template', error('templates/new'), []],
    ['a way out', error('../../etc/x'), []],
    ['behind a link', error('ROOT/out/x'), []],
    ['not the app’s', error('/etc/x'), []],
    ['in the middle of a line', `INFO asked for ${error('state.bin')}`, []],
    [
      'not writable by SQLite',
      'sqlite3.OperationalError: attempt to write a readonly database\n',
      ['keep-file\tshop/shop.db'],
    ],
  ])('%s', (_, log, expected) => {
    expect(deeds(judge({ files: { ...files, 'shop/shop.db': 'x' }, report: app, log }))).toEqual(expected)
  })
})

describe.runIf(hasPython)('the probe loads candidates one after the other', () => {
  const wsgi = 'def app(environ, start_response): return []\n'
  test.each([
    ['a name that the module has not', { 'a.py': '', 'b.py': wsgi }],
    ['no app', { 'a.py': 'app = 7', 'b.py': wsgi }],
    ['a class', { 'a.py': 'class app: pass', 'b.py': wsgi }],
    ['a page’s function', { 'a.py': 'def app(): return "page"', 'b.py': wsgi }],
    ['a module that ends the process', { 'a.py': 'import sys; sys.exit(1)', 'b.py': wsgi }],
  ])('and passes over %s', (_, project) => {
    expect(probe(project, ['a:app', 'b:app'])).toMatchObject({ outcome: 'app', candidate: 1 })
  })

  test('a factory that wants more than it is given', () => {
    const project = {
      'a.py': 'def make(config): return None',
      'b.py': `def make(config=None):\n  ${wsgi}  return app\n`,
    }
    expect(probe(project, ['a:make()', 'b:make()'])).toMatchObject({ outcome: 'app', candidate: 1 })
  })

  test('but what an import raises is the answer', () => {
    const project = { 'a.py': 'import nothing_of_the_kind', 'b.py': wsgi }
    expect(probe(project, ['a:app', 'b:app'])).toMatchObject({
      outcome: 'raised',
      candidate: 0,
      error: { name: 'nothing_of_the_kind', kinds: expect.arrayContaining(['ImportError']) },
    })
  })

  test('and none of them is said with the reasons', () => {
    expect(probe({ 'a.py': 'app = 7' }, ['a:app'])).toMatchObject({
      outcome: 'none',
      passed: [['a:app', 'it is no WSGI app but int']],
    })
  })

  test('and tells what it tried to write', () => {
    const project = {
      'a.py': `${wsgi}open("made", "w")\ntry: open("/proc/version", "w")\nexcept OSError: pass\nopen(__file__)\n`,
    }
    const { attempts } = probe(project, ['a:app'])
    expect(attempts).toEqual([expect.stringMatching(/\/made$/), '/proc/version'])
  })
})

function swap(scratch: string, name: string, make: (file: string) => void): void {
  const file = join(scratch, '.deploy', name)
  rmSync(file)
  make(file)
}
