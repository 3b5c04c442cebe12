import type { Because } from './app-candidates.ts'
import { assignment } from './command-line.ts'
import { readDockerfile } from './container.ts'
import { readProcfile } from './procfile.ts'
import { type ServerCommand, type StartLine, startLine } from './server-command.ts'
import { uwsgiOptions } from './server-options.ts'
import { type Tree, textOf } from './tree.ts'

/** A file that says how the web server is started. */
export interface Start {
  /** Whose word it is. */
  readonly because: Because
  /** The line or script with the start in it, and its folder in the project. */
  readonly line: StartLine
  readonly server: ServerCommand
  /** Where the line stands: `procfile` lines are commands to run, of a `script` only what always runs is. */
  readonly kind: 'procfile' | 'script' | 'other'
  /** The file that it began with. */
  readonly via: string
}

/** Files of hosts that have a start command, with the text before it. */
const hosts: readonly (readonly [string, RegExp])[] = [
  ['heroku.yml', /^\s+web:\s*(\S.*)$/m],
  ['render.yaml', /^\s*(?:-\s*)?startCommand:\s*(\S.*)$/m],
  ['render.yml', /^\s*(?:-\s*)?startCommand:\s*(\S.*)$/m],
  ['app.yaml', /^entrypoint:\s*(\S.*)$/m],
  ['nixpacks.toml', /^cmd\s*=\s*(\S.*)$/m],
  ['railway.toml', /^startCommand\s*=\s*(\S.*)$/m],
  ['railway.json', /"startCommand"\s*:\s*("(?:[^"\\]|\\.)*")/],
  ['fly.toml', /^\[processes\][^[]*?^\s*(?:app|web)\s*=\s*(\S.*)$/m],
]

const dockerfiles = [
  ...['Dockerfile', 'Dockerfile.prod', 'Dockerfile.production', 'Dockerfile.web', 'Containerfile'],
  ...[
    'docker/Dockerfile',
    'docker/Dockerfile.prod',
    '.docker/Dockerfile',
    'deploy/Dockerfile',
    'docker/production/Dockerfile',
  ],
]
const scripts = [
  'docker-entrypoint.sh',
  'entrypoint.sh',
  'boot.sh',
  'start.sh',
  'run.sh',
  'start',
  'start_server.sh',
  'gunicorn.sh',
]
const scriptFolders = ['', 'docker/', 'scripts/', 'bin/', 'deploy/', 'conf/', '.docker/']
const uwsgiFiles = [
  'uwsgi.ini',
  'wsgi.ini',
  'app.ini',
  'uwsgi/uwsgi.ini',
  'config/uwsgi.ini',
  'deploy/uwsgi.ini',
]
const composeFiles = [
  'docker-compose.yml',
  'docker-compose.yaml',
  'compose.yml',
  'compose.yaml',
  'docker-compose.prod.yml',
]

/** Every start that the project's files tell, the better first. */
export function startsIn(tree: Tree): readonly Start[] {
  const starts: Start[] = []
  const add = (
    because: Because,
    text: string,
    variables: ReadonlyMap<string, string>,
    kind: Start['kind'],
  ): void => {
    const found = followed(tree, text, variables, because, kind)
    if (found !== undefined) starts.push({ ...found, via: because.file })
  }
  const none = new Map<string, string>()

  const web = readProcfile(textOf(tree, 'Procfile') ?? '').get('web')
  if (web !== undefined)
    add({ before: 'the web line of ', file: 'Procfile', after: ' has it' }, web, none, 'procfile')

  const container = dockerfiles.find((file) => tree.has(file))
  if (container !== undefined) {
    const { command, instruction, variables } = readDockerfile(textOf(tree, container) ?? '')
    if (command !== undefined) {
      add({ before: `${instruction} in `, file: container, after: ' has it' }, command, variables, 'script')
    }
  }
  for (const file of scriptFolders.flatMap((folder) => scripts.map((name) => `${folder}${name}`))) {
    if (!tree.has(file)) continue
    add({ before: '', file, after: ' starts it' }, textOf(tree, file) ?? '', none, 'script')
  }
  for (const [file, line] of hosts) {
    const command = line.exec(textOf(tree, file) ?? '')?.[1]
    if (command !== undefined)
      add({ before: '', file, after: ' starts it' }, unquoted(command), none, 'other')
  }
  for (const file of uwsgiFiles) {
    if (tree.has(file)) add({ before: '', file, after: ' has it' }, `uwsgi --ini ${file}`, none, 'other')
  }
  for (const file of composeFiles) {
    for (const [, command = ''] of (textOf(tree, file) ?? '').matchAll(/^\s*command:\s*(\S.*)$/gm)) {
      add({ before: '`command` in ', file, after: ' has it' }, listed(command), none, 'other')
    }
  }
  return starts
}

/** How many files one start may lead through. */
const deepest = 5

/** Follows a start through the scripts and settings that it names. */
function followed(
  tree: Tree,
  text: string,
  variables: ReadonlyMap<string, string>,
  because: Because,
  kind: Start['kind'],
  handed: readonly string[] = [],
  depth = 0,
  above: Pick<StartLine, 'before' | 'always'> = { before: [], always: true },
): Omit<Start, 'via'> | undefined {
  const own = startLine(text, variables, handed)
  const line = { ...own, before: [...above.before, ...own.before], always: above.always && own.always }
  const { server } = line
  if (server === undefined || depth > deepest) return undefined
  if (server.pointer.kind !== 'follow') return { because, line, server, kind }
  const file = fileOf(tree, server.pointer.file, line.folder)
  if (file === undefined) return undefined
  const content = textOf(tree, file) ?? ''
  const next: Because =
    depth === 0 && because.file === file ? because : { before: '', file, after: ' starts it' }
  if (file.endsWith('.py')) {
    return { because, line, server: { ...server, pointer: { kind: 'script', file } }, kind }
  }
  if (/\.(?:ini|ya?ml|xml)$/.test(file)) {
    const found = uwsgiOptions(settingsOf(content))
    const after = { ...next, after: ' has it' }
    return found === undefined
      ? undefined
      : { because: after, line, server: { ...found, variables: new Map() }, kind }
  }
  if (server.program === 'honcho' || server.program === 'foreman') {
    const web = readProcfile(content).get('web')
    return web === undefined || file === 'Procfile'
      ? undefined
      : followed(
          tree,
          web,
          line.variables,
          { before: 'the web line of ', file, after: ' has it' },
          kind,
          [],
          depth + 1,
          line,
        )
  }
  if (server.program === 'supervisord') {
    for (const [, command = ''] of content.matchAll(/^\s*command\s*=\s*(\S.*)$/gm)) {
      const found = followed(tree, command, line.variables, next, 'other', [], depth + 1, line)
      if (found !== undefined) return found
    }
    return undefined
  }
  return followed(tree, content, line.variables, next, 'script', server.pointer.arguments, depth + 1, line)
}

/** Finds the project's own file behind a path in a container: as written, else by its name alone. */
export function fileOf(tree: Tree, written: string, folder = ''): string | undefined {
  const plain = written.replace(/^(?:\.\/)+/, '').replace(/^\/+/, '')
  if (plain === '' || /[$`]/.test(plain)) return undefined
  const direct = [folder === '' ? plain : `${folder}/${plain}`, plain].find((own) => tree.has(own))
  if (direct !== undefined) return direct
  // `/app/docker/run.sh` in a container is `docker/run.sh` here.
  const parts = plain.split('/')
  for (let at = 1; at < parts.length; at += 1) {
    const own = parts.slice(at).join('/')
    if (tree.has(own)) return own
  }
  const name = parts.at(-1) ?? ''
  const alike = tree.paths
    .filter((own) => [name, `${name}.sh`].includes(own.slice(own.lastIndexOf('/') + 1)))
    .toSorted((one, two) => one.split('/').length - two.split('/').length)
  return alike[0]
}

/** `NAME = VALUE` of uWSGI's files, as options of its command line. */
function settingsOf(content: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (const [, name = '', value = ''] of content.matchAll(/^\s*([\w-]+)\s*[=:]\s*(\S.*?)\s*$/gm)) {
    if (!options.has(`--${name}`)) options.set(`--${name}`, value.replace(/\s+[;#].*$/, ''))
  }
  return options
}

/** What files say of FLASK_APP, the better first. */
export function flaskApps(tree: Tree): readonly { readonly text: string; readonly because: Because }[] {
  const found: { text: string; because: Because }[] = []
  const add = (file: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') {
      found.push({ text, because: { before: 'FLASK_APP in ', file, after: ' has it' } })
    }
  }
  for (const line of (textOf(tree, '.flaskenv') ?? '').split(/\r?\n/)) {
    const [name, value] = assignment(line.trim().replace(/^export\s+/, '')) ?? []
    if (name === 'FLASK_APP') add('.flaskenv', unquoted(value ?? ''))
  }
  const container = dockerfiles.find((file) => tree.has(file))
  if (container !== undefined)
    add(container, readDockerfile(textOf(tree, container) ?? '').variables.get('FLASK_APP'))
  for (const file of composeFiles) {
    const value = /^\s*-?\s*["']?FLASK_APP["']?\s*[=:]\s*(\S+)\s*$/m.exec(textOf(tree, file) ?? '')?.[1]
    add(file, value === undefined ? undefined : unquoted(value.replace(/["']$/, '')))
  }
  return found
}

/** A list of YAML or JSON, or plain text, as shell text. */
function listed(command: string): string {
  if (!command.startsWith('[')) return unquoted(command)
  const words = [...command.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)].map(
    ([, one, two]) => one ?? two ?? '',
  )
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/s, '$2')
}
