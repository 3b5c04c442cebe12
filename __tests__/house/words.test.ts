import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFiles, repository, textOf } from './files.ts'

const texts = projectFiles().filter((file) => !/\.(?:png|ico|gz)$/.test(file))

/** Where packages come from for everybody: these may be named. */
const everybodys = [
  'archive.ubuntu.com',
  'deb.debian.org',
  'files.pythonhosted.org',
  'github.com',
  'ports.ubuntu.com',
  'proxy.golang.org',
  'pypi.org',
  'pypi.python.org',
  'registry.npmjs.org',
  'registry.yarnpkg.com',
  'security.debian.org',
  'security.ubuntu.com',
  'sum.golang.org',
  'www.debian.org',
]

test('nothing committed names the folder that this machine has it in', () => {
  const places = [repository, homedir()].filter((path) => path.split('/').length > 2)
  expect(texts.filter((file) => places.some((place) => textOf(file).includes(place)))).toEqual([])
})

test('nothing committed names a mirror or a proxy that this machine gets its packages from', () => {
  const hosts = ownHosts()
  const found = texts.flatMap((file) => {
    const text = textOf(file)
    return hosts.filter((host) => text.includes(host)).map((host) => `${file}: ${host}`)
  })
  expect(found).toEqual([])
})

test('the lock file takes every package from the registry of everybody', () => {
  const lock: { readonly packages: Readonly<Record<string, { readonly resolved?: string }>> } = JSON.parse(
    textOf('package-lock.json'),
  )
  const elsewhere = Object.values(lock.packages).filter(
    ({ resolved }) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
  )
  expect(elsewhere).toEqual([])
})

/** The hosts in this machine's own settings of npm, pip, uv, apt and Go. */
function ownHosts(): readonly string[] {
  const home = homedir()
  const folders = ['/etc/apt/sources.list.d', '/etc/apt/apt.conf.d']
  const files = [
    ...[
      `${home}/.npmrc`,
      `${home}/.pip/pip.conf`,
      `${home}/.config/pip/pip.conf`,
      `${home}/.config/uv/uv.toml`,
    ],
    ...[
      `${home}/.config/go/env`,
      '/etc/pip.conf',
      '/etc/uv/uv.toml',
      '/etc/apt/sources.list',
      '/etc/apt/apt.conf',
    ],
    ...folders.flatMap((folder) =>
      existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
    ),
  ].filter((file) => existsSync(file))
  const environment = Object.entries(process.env).filter(([name]) =>
    /proxy|index|registry|mirror/i.test(name),
  )
  const settings = [
    ...files.map((file) => readFileSync(file, 'utf8')),
    ...environment.map(([, value]) => value),
  ].join('\n')
  const hosts = Array.from(
    settings.matchAll(/https?:\/\/(?:[^/\s"'@]*@)?([\w.-]+)/g),
    ([, host = '']) => host,
  )
  return [...new Set(hosts)].filter(
    (host) => host.includes('.') && !everybodys.includes(host) && !/^127\./.test(host),
  )
}
