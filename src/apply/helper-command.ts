import { gzipSync } from 'node:zlib'
import { quote } from '../quote.ts'
import { remoteScript } from '../remote.ts'
import type { Kit } from './kit.ts'

/** What the server's end of the conversation is started with. None of it is secret: it is an argument. */
export interface HelperSettings {
  /** NAME */
  readonly name: string
  /** The run's ID: hex digits; its folder's name on the server. */
  readonly run: string
  /** Marks what the helper says from what a login file prints; also sudo's prompt. */
  readonly nonce: string
  /** Debian packages that the facts are asked about. */
  readonly packages: readonly string[]
  /** The facts are to say which wheels the server keeps. */
  readonly wheels?: boolean
  /** false: the run leaves nothing on the server, so its folder goes with the connection. */
  readonly lasting?: boolean
  /** What its programs work with; undefined: none is sent. */
  readonly kit?: Kit
  /** The Pythons that fit, e.g. `3.11`, where not every one does. */
  readonly pythons?: readonly string[]
  /** The site's names, as nginx writes them: who else has one of them is asked. */
  readonly domains?: readonly string[]
}

/**
 * The command of the one exec. The helper is root's: where the user is not root, sudo asks for a password only if it
 * needs one, with the nonce as its prompt.
 *
 * The login shell reads this, whichever it is (sh, fish, csh): so no newline, no `!`, no backslash, and quotes that mean
 * the same to all of them. The program is base64, which they all leave alone.
 */
export function helperCommand(settings: HelperSettings): string {
  const program = [
    'set -eu',
    'LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'export LC_ALL PATH',
    `name=${quote(settings.name)}`,
    `run=${quote(settings.run)}`,
    `nonce=${quote(settings.nonce)}`,
    `wanted=${quote(settings.packages.join(' '))}`,
    `wheels=${settings.wheels ? 'yes' : 'no'}`,
    `lasting=${settings.lasting === false ? 'no' : 'yes'}`,
    `kit=${quote(settings.kit?.sha256 ?? '')}`,
    `good=${quote((settings.pythons ?? []).join(' '))}`,
    `domains=${quote((settings.domains ?? []).join(' '))}`,
    remoteScript('memory-limit.sh'),
    remoteScript('space-facts.sh'),
    remoteScript('facts.sh'),
    remoteScript('default-site.sh'),
    remoteScript('neighbours.sh'),
    remoteScript('reach.sh'),
    remoteScript('helper.sh'),
    'ready',
    'send_facts',
    'frames',
  ].join('\n')
  const packed = gzipSync(program, { level: 9 }).toString('base64')
  const unpack = `helper="$(echo ${packed} | base64 -d | gzip -d)"`
  const asRoot = 'if [ "$(id -u)" = 0 ]; then exec sh -c "$helper"; fi'
  const noSudo = `command -v sudo >/dev/null || { echo no-sudo ${settings.nonce}; exit 1; }`
  // Whatever a login file left on the line: what follows tells a shell from a program that took its place.
  const hello = `echo; echo shell ${settings.nonce}`
  // sudo's own words are read where it refuses, so they have to be those of its source.
  const withSudo = `export LC_ALL=C; exec sudo -S -p ${settings.nonce} sh -c "$helper"`
  return `sh -c '${[unpack, hello, asRoot, noSudo, withSudo].join('; ')}'`
}
