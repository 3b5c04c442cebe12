import { readDomain } from '../config/domain.ts'
import { DeployError } from '../errors.ts'
import { parseKnownHosts } from '../server/known-hosts.ts'
import { shown } from '../text.ts'
import type { InputName } from './declared.ts'
import { all, andThen, bad, good, type Kind, linesOf, type Reading, tidy } from './reading.ts'

/** The server: a name (IDN as its ASCII form), an IPv4 or an IPv6 address, the latter without brackets. */
export const host: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (/[\s,]/.test(text)) return bad(input, `is ${shown(text)}`, 'Write one host name or IP address.')
  const [, user, rest] = /^([^@/]+)@(.+)$/.exec(text) ?? []
  if (user !== undefined) {
    return bad(
      input,
      `is ${shown(text)}`,
      `Write ${shown(rest ?? '')} here and ${shown(user)} into \`user\`.`,
    )
  }
  const port = portOf(text)
  if (port !== undefined) {
    const cure = `Write ${shown(port.host)} here and ${shown(port.port)} into \`port\`.`
    return bad(input, `is ${shown(text)}`, cure)
  }
  if (text === '_') return bad(input, 'is `_`', "Write the server's name or IP address.")
  return address(text, input)
}

/** The site's names: at least one, each a name, an IP address (IPv6 without brackets), or `_` alone. */
export const domains: Kind<readonly string[]> = (raw, input) => {
  const lines = linesOf(raw)
  if (lines.includes('_') && lines.length > 1) {
    return bad(
      input,
      'has `_` beside other names',
      'Write `_` alone, which answers to every name, or only the names.',
    )
  }
  return andThen(all(lines.map((line) => domain(line, input))), (names) => good([...new Set(names)]))
}

function domain(text: string, input: InputName): Reading<string> {
  if (text === '_') return good(text)
  if (/[\s,]/.test(text)) return bad(input, `has ${shown(text)} on one line`, 'Write one name a line.')
  if (text.startsWith('*.')) {
    return bad(input, `has the wildcard ${shown(text)}`, 'Write every name by itself, one a line.')
  }
  const port = portOf(text)
  if (port !== undefined) {
    return bad(input, `has ${shown(text)}`, `Write ${shown(port.host)}: the site is served on port 80.`)
  }
  return address(text, input)
}

/** What is often pasted gets a cure of its own; whether the rest is a name or an address is `readDomain`'s to say. */
function address(text: string, input: InputName): Reading<string> {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) || text.startsWith('//')) {
    const name = URL.parse(text)?.hostname
    const cure = name ? `Write ${shown(name)}.` : 'Write the name alone.'
    return bad(input, `is the address of a page, ${shown(text)}`, cure)
  }
  if (text.includes('/'))
    return bad(input, `has a path, ${shown(text)}`, 'Write the part before the first `/`.')
  try {
    return good(readDomain(text).text)
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
  }
  if (/^[0-9.]+$/.test(text)) {
    return bad(
      input,
      `is ${shown(text)}, which is no IP address`,
      'Write all four numbers of it, each up to 255.',
    )
  }
  const right = 'Write a name such as `blog.example.com`, or an IP address.'
  return bad(input, `is ${shown(text)}, which is no host name`, right)
}

function portOf(text: string): { readonly host: string; readonly port: string } | undefined {
  const [, name, port] = /^(\[[^\]]*\]|[^:/[\]]+):([0-9]+)$/.exec(text) ?? []
  return name === undefined || port === undefined ? undefined : { host: name.replace(/^\[|\]$/g, ''), port }
}

/** The fingerprint of a host key as `ssh-keygen -l` prints it: SHA-256 in base64 without padding. */
export const fingerprint: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(text)) return good(text)
  const within = /SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])/.exec(text)?.[0]
  if (within !== undefined) return bad(input, `has ${shown(text)}`, `Write \`${within}\` alone on its line.`)
  if (/^(MD5:)?([0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(text)) {
    return bad(
      input,
      'has an MD5 fingerprint',
      'Take the SHA256 one, from `ssh-keygen -lf FILE` on the server.',
    )
  }
  return bad(
    input,
    `has ${shown(text)}`,
    'Write `SHA256:` and the 43 characters behind it, one fingerprint a line.',
  )
}

/** known_hosts lines, as given; every line has to be readable. */
export const knownHosts: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (text.includes('PRIVATE KEY')) {
    return bad(input, 'holds a private key', 'Put it into `ssh-key`, and known_hosts lines here.')
  }
  if (/[\0-\x08\x0b-\x1f\x7f]/.test(text)) {
    return bad(input, 'holds a control character', 'Paste the known_hosts lines as text.')
  }
  if (/^SHA256:/.test(text)) return bad(input, 'is a fingerprint', 'Put it into `host-fingerprint`.')
  const { faults } = parseKnownHosts(text)
  return faults.length > 0 ? { faults } : good(text)
}
