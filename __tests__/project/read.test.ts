import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { runnerExec } from '../../src/project/exec.ts'
import type { Project } from '../../src/project/project.ts'
import { type ProjectInputs, readProject } from '../../src/project/read.ts'
import { folder, git, repository, write } from './checkouts.ts'

const app = 'from flask import Flask\napp = Flask(__name__)\n'
const defaults: ProjectInputs = {
  name: undefined,
  source: '',
  app: undefined,
  python: undefined,
  requirements: undefined,
  packages: [],
  env: new Map(),
  secretFiles: new Map(),
  releaseCommand: undefined,
  extras: [],
  groups: [],
  dependencies: 'server',
  refresh: false,
  pythonDownload: true,
  services: [],
  firstDeployCommand: undefined,
  webCommand: undefined,
  processes: undefined,
  cron: [],
  persist: ['instance'],
  exclude: [],
  include: [],
  static: undefined,
}

const read = (
  workspace: string,
  inputs: Partial<ProjectInputs> = {},
  fullName = 'octo/Hello',
): Promise<Project> =>
  readProject(
    { ...defaults, ...inputs },
    { workspace, repository: { id: '1', fullName } },
    runnerExec,
    folder(),
  )

describe('readProject', () => {
  test('says all there is to know of a project', async () => {
    const root = repository({ 'app.py': app, 'requirements.txt': 'flask\n', 'static/a.css': '' })
    const project = await read(root)
    expect(project).toMatchObject({
      name: 'hello',
      repository: { id: '1', fullName: 'octo/Hello' },
      commit: git(root, 'rev-parse', 'HEAD'),
      source: '',
      target: { module: 'app', expression: 'app' },
      requirements: { file: 'requirements.txt' },
      static: [{ url: '/static', folder: 'static' }],
      bundle: { files: 3 },
      warnings: [],
    })
    const listed = execFileSync('tar', ['-tzf', project.bundle.path], { encoding: 'utf8' })
    expect(listed).toBe('app.py\nrequirements.txt\nstatic/a.css\n')
  })

  test('takes the commit of the workflow where git knows none', async () => {
    const workspace = folder()
    write(workspace, { 'app.py': app, 'requirements.txt': 'flask' })
    const context = { workspace, repository: { id: '1', fullName: 'octo/hello' } }
    const project = await readProject(defaults, { ...context, sha: 'abc' }, runnerExec, folder())
    expect(project.commit).toBe('abc')
    expect((await readProject(defaults, context, runnerExec, folder())).commit).toBeUndefined()
  })

  test('reports every fault at once', async () => {
    const root = repository({ 'main.py': '' })
    const inputs = { name: 'Shop', static: [{ url: '/x', folder: 'gone' }] }
    await expect(read(root, inputs)).rejects.toMatchObject({
      code: 'project-faults',
      explanations: [{ input: 'name' }, { input: 'app' }, { input: 'requirements' }, { input: 'static' }],
    })
  })

  test('keeps the code of a single fault', async () => {
    const root = repository({ 'app.py': app, 'requirements.txt': 'flask' })
    await expect(read(root, { name: 'Shop' })).rejects.toMatchObject({ code: 'name-invalid' })
    await expect(read(root, { include: ['gone'] })).rejects.toMatchObject({ code: 'include-missing' })
  })

  test('names files as the repository does, with `source` in front', async () => {
    const root = repository({
      'web/app.py': app,
      'web/requirements.txt': '-r gone.txt',
      'web/out': { link: '/etc' },
    })
    await expect(read(root, { source: 'web' })).rejects.toMatchObject({
      explanations: [{ file: 'web/requirements.txt' }],
    })
    write(root, { 'web/requirements.txt': 'flask' })
    expect((await read(root, { source: 'web' })).warnings).toMatchObject([
      { code: 'link-outside', file: 'web/out' },
    ])
  })

  test('warns about assets that the workflow built and nobody sends', async () => {
    const root = repository({
      '.gitignore': 'dist/\n',
      'shop/__init__.py': 'def create_app(): pass',
      'requirements.txt': 'flask',
      'shop/static/a.css': '',
    })
    write(root, {
      'shop/static/dist/a.js': '',
      'shop/static/dist/b.js': '',
      'shop/static/node_modules/x.js': '',
    })
    const [warning, ...others] = (await read(root)).warnings
    expect(others).toEqual([])
    expect(warning).toMatchObject({ code: 'static-not-sent' })
    expect(warning?.text).toMatch(/^shop\/static\/dist\/[ab]\.js and 1 more are not sent: .*`include`/)
    expect((await read(root, { include: ['shop/static/dist'] })).warnings).toEqual([])
    expect((await read(root, { exclude: ['dist'] })).warnings).toEqual([])
  })

  test('warns where the static folder as a whole is not sent', async () => {
    const root = repository({ '.gitignore': 'static\n', 'app.py': app, 'requirements.txt': 'flask' })
    write(root, { 'static/a.js': '' })
    const project = await read(root)
    expect(project.static).toEqual([])
    expect(project.warnings).toMatchObject([{ code: 'static-not-sent', file: 'static/a.js' }])
  })
})
