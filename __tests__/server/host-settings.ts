import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { command } from './command.ts'
import { distribution, type Suite } from './suites.ts'

/** What a server needs of the host's settings to reach the registries that the host reaches: file name -> text. */
export type HostSettings = Record<string, string>

const localCertificates = '/usr/local/share/ca-certificates'

/**
 * Reads how this machine reaches its package registries.
 * @returns `sources.list` and `apt.conf` (maybe empty), `certs/*.crt`, and `pip.conf` and `uv.toml` where pip is told
 *   something here that a server has to know too
 */
export async function hostSettings(suite: Suite): Promise<HostSettings> {
  const certificates = certificateFiles()
  const pip = pipSettings()
  return {
    'sources.list': await sources(suite),
    'apt.conf': await aptSettings(),
    ...certificates,
    ...pipConf(pip, Object.keys(certificates).length > 0),
    ...uvToml(pip),
  }
}

/** The host's own mirrors, for suites of the host's distribution; empty means: the distribution's default. */
async function sources(suite: Suite): Promise<string> {
  const os = Object.fromEntries(
    readFileSync('/etc/os-release', 'utf8')
      .split('\n')
      .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1).replaceAll('"', '')]),
  )
  const kind = distribution(suite)
  if (os.ID !== kind) return ''
  const codename = os.VERSION_CODENAME ?? ''
  const listed = await command('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ])
  const mirrors = new Map<string, string>()
  for (const line of listed.stdout.split('\n')) {
    const [uri = '', release = '', component] = line.split(' ')
    // (a list of mirrors in a file of this machine, as on GitHub's runners, means nothing in a tree)
    if (component === 'main' && /^https?:/.test(uri)) mirrors.set(release, uri)
  }
  const main = mirrors.get(codename)
  if (main === undefined) return ''
  const components = kind === 'ubuntu' ? 'main universe' : 'main'
  const lines = [`deb ${main} ${suite} ${components}`]
  if (suite !== 'sid') {
    const security = mirrors.get(`${codename}-security`)
    lines.push(`deb ${main} ${suite}-updates ${components}`)
    if (security !== undefined) lines.push(`deb ${security} ${suite}-security ${components}`)
  }
  return `${lines.join('\n')}\n`
}

/** The apt settings that decide whether a mirror answers. */
async function aptSettings(): Promise<string> {
  const wanted = ['Acquire::http::Proxy', 'Acquire::https::Proxy', 'Acquire::Check-Date']
  const lines: string[] = []
  for (const key of wanted) {
    const { stdout } = await command('apt-config', ['shell', 'VALUE', key])
    const value = /^VALUE='(.*)'$/m.exec(stdout)?.[1]
    if (value !== undefined) lines.push(`${key} "${value}";`)
  }
  for (const scheme of ['http', 'https']) {
    const proxy = process.env[`${scheme}_proxy`]
    if (proxy && !lines.some((line) => line.startsWith(`Acquire::${scheme}::Proxy `))) {
      lines.push(`Acquire::${scheme}::Proxy "${proxy}";`)
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

function certificateFiles(): HostSettings {
  if (!existsSync(localCertificates)) return {}
  const found: HostSettings = {}
  for (const name of readdirSync(localCertificates, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('.crt')) {
      found[`certs/${basename(name)}`] = readFileSync(join(localCertificates, name), 'utf8')
    }
  }
  return found
}

/** pip's settings that name an index, later sources winning: its configuration files in pip's own order, then PIP_*. */
function pipSettings(): Map<string, string> {
  const wanted = ['index-url', 'extra-index-url', 'trusted-host']
  const settings = new Map<string, string>()
  const home = homedir()
  const files = [
    '/etc/xdg/pip/pip.conf',
    '/etc/pip.conf',
    `${home}/.pip/pip.conf`,
    `${home}/.config/pip/pip.conf`,
  ]
  if (process.env.PIP_CONFIG_FILE) files.push(process.env.PIP_CONFIG_FILE)
  for (const file of files.filter((path) => existsSync(path))) {
    // One level of `key = value`, lists continued on indented lines.
    const text = readFileSync(file, 'utf8').replaceAll(/\n[ \t]+/g, ' ')
    for (const [, key = '', value = ''] of text.matchAll(/^([a-z-]+)[ \t]*=[ \t]*(.*)$/gm)) {
      if (wanted.includes(key)) settings.set(key, value.trim())
    }
  }
  for (const key of wanted) {
    const value = process.env[`PIP_${key.toUpperCase().replaceAll('-', '_')}`]
    if (value) settings.set(key, value)
  }
  return settings
}

function pipConf(pip: Map<string, string>, ownCertificates: boolean): HostSettings {
  const lines = [...pip].map(([key, value]) => `${key} = ${value}`)
  // pip trusts the certificates that it carries unless told; the file is where Debian and Ubuntu keep the system's.
  if (ownCertificates) lines.push('cert = /etc/ssl/certs/ca-certificates.crt')
  return lines.length === 0 ? {} : { 'pip.conf': `[global]\n${lines.join('\n')}\n` }
}

/** uv reads no pip.conf: the same index in its own words (its manual, "Configuration files", system level). */
function uvToml(pip: Map<string, string>): HostSettings {
  const words = (key: string) => (pip.get(key) ?? '').split(/\s+/).filter((word) => word !== '')
  const hosts = words('trusted-host')
  const parts = [
    ...(hosts.length > 0 ? [`allow-insecure-host = ${JSON.stringify(hosts)}`] : []),
    ...words('extra-index-url').map((url) => `[[index]]\nurl = ${JSON.stringify(url)}`),
    ...words('index-url').map((url) => `[[index]]\nurl = ${JSON.stringify(url)}\ndefault = true`),
  ]
  return parts.length === 0 ? {} : { 'uv.toml': `${parts.join('\n')}\n` }
}
