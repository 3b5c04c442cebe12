import { isReleaseId } from '../config/paths.ts'
import { shown } from '../text.ts'
import { bad, good, type Kind, oddCharacter, tidy } from './reading.ts'

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Kind<number> {
  return (raw, input) => {
    const text = tidy(raw)
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
    if (value !== undefined && value >= min && value <= max) return good(value)
    return bad(input, `is ${shown(text)}`, `Write a whole number from ${min} to ${max}.`)
  }
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A duration in seconds, or with `s`, `m`, `h` or `d` behind it, from `min` to `max` seconds; the value is in seconds. */
export function seconds(min: number, max: number): Kind<number> {
  return (raw, input) => {
    const text = tidy(raw)
    const [, digits, unit] = /^([0-9]{1,9})\s?([smhd]?)$/.exec(text) ?? []
    const value = digits === undefined ? undefined : Number(digits) * (units[unit || 's'] ?? 1)
    if (value !== undefined && value >= min && value <= max) return good(value)
    const cure = `Write seconds, or such as \`90s\` or \`5m\`, from ${min} to ${max} seconds.`
    return bad(input, `is ${shown(text)}`, cure)
  }
}

/** The same as {@link seconds}, in milliseconds. */
export function milliseconds(min: number, max: number): Kind<number> {
  const kind = seconds(min, max)
  return (text, input) => {
    const reading = kind(text, input)
    return 'value' in reading ? good(reading.value * 1000) : reading
  }
}

/** `true` or `false` in the spellings of YAML 1.2's core schema. */
export const boolean: Kind<boolean> = (raw, input) => {
  const text = tidy(raw)
  if (/^(true|True|TRUE)$/.test(text)) return good(true)
  if (/^(false|False|FALSE)$/.test(text)) return good(false)
  return bad(input, `is ${shown(text)}`, 'Write `true` or `false`.')
}

/** One word out of a few. */
export function choice<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return (raw, input) => {
    const text = tidy(raw)
    const word = words.find((one) => one === text)
    if (word !== undefined) return good(word)
    return bad(input, `is ${shown(text)}`, `Write one of ${words.map((one) => `\`${one}\``).join(', ')}.`)
  }
}

/** A text of one line and one form; `right` tells the form. */
export function pattern(form: RegExp, right: string): Kind<string> {
  return (raw, input) => {
    const text = tidy(raw)
    return form.test(text) ? good(text) : bad(input, `is ${shown(text)}`, right)
  }
}

/** A login name: what useradd, LDAP and Active Directory (`name@domain`) make of it. */
export const userName = pattern(
  /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/,
  'Write the login as it stands before the `@` in `ssh login@server`.',
)

/** A Debian package name (Debian Policy 5.6.1). */
export const packageName: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  // To apt-get(8) a `-` at the end means: remove it.
  if (/^[a-z0-9][a-z0-9+.-]*[a-z0-9+.]$/.test(text)) return good(text)
  if (/[\s,]/.test(text)) return bad(input, `has ${shown(text)} on one line`, 'Write one package a line.')
  if (/[=:/]/.test(text)) {
    return bad(input, `has ${shown(text)}`, 'Write the package name alone, without version or architecture.')
  }
  return bad(input, `has ${shown(text)}`, 'Write names of Debian packages, such as `libpq5`, in lower case.')
}

/** A name of an extra or a dependency group (PyPA's specifications, "Names and normalization"). */
export const distributionName = pattern(
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/,
  'Write names of letters, digits, `-`, `_` and `.`, one a line.',
)

/** A Python version, `3` or `3.N`. */
export const pythonVersion: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (/^3\.[1-5]$/.test(text)) {
    // YAML reads 3.10 as the number 3.1.
    return bad(input, `is \`${text}\``, `Write it in quotes, such as \`'3.10'\`: YAML reads 3.10 as 3.1.`)
  }
  if (/^3(\.[0-9]{1,2})?$/.test(text)) return good(text)
  if (/^3\.[0-9]+\./.test(text)) {
    return bad(input, `is ${shown(text)}`, `Write the first two numbers alone, such as \`'3.12'\`.`)
  }
  return bad(input, `is ${shown(text)}`, `Write \`3\` or such as \`'3.12'\`.`)
}

/** A size for nginx's client_max_body_size: a number with `k`, `m` or `g`, at most 1 TiB. */
export const bodySize: Kind<string> = (raw, input) => {
  const text = tidy(raw).toLowerCase()
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,12})([kmg]?)$/.exec(text) ?? []
  const bytes = Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit)
  if (digits !== '' && bytes <= 1024 ** 4) return good(text)
  return bad(input, `is ${shown(tidy(raw))}`, 'Write such as `512k`, `16m` or `1g`, at most `1024g`.')
}

/** The ID of a release. */
export const releaseId: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (isReleaseId(text)) return good(text)
  const cure = 'Write a release as the summary of its deploy shows it, such as `20260131120000-0a1b2c3`.'
  return bad(input, `is ${shown(text)}`, cure)
}

/** Text of any number of lines, kept as it is but for CRLF and the line end that YAML's `|` adds. */
export const plainText: Kind<string> = (raw, input) => {
  const text = raw.replaceAll('\r\n', '\n').replace(/\n+$/, '')
  const odd = oddCharacter(text)
  if (odd === undefined) return good(text)
  return bad(input, `holds the control character ${shown(odd)}`, 'Take that character out.')
}

/** The same of one line. */
export const plainLine: Kind<string> = (raw, input) => {
  const reading = plainText(raw, input)
  if (!('value' in reading) || !reading.value.includes('\n')) return reading
  return bad(
    input,
    'has more than one line',
    'Write one command; what it needs before it is a `release-command`.',
  )
}

/** A password or passphrase: one line, kept to the byte but for line ends after it, which pasting adds. */
export const secretLine: Kind<string> = (raw, input) => {
  const text = raw.replace(/[\r\n]+$/, '')
  if (/[\r\n]/.test(text)) {
    return bad(input, 'has more than one line', 'Put the secret in as one line, with nothing else.')
  }
  if (/[\0\ud800-\udfff]/u.test(text)) {
    return bad(input, 'holds a character that no password can hold', 'Enter the secret anew.')
  }
  return good(text)
}

/** A private key: as given, whatever its line ends; reading and repairing it is the connection's work. */
export const secretText: Kind<string> = (raw, input) =>
  raw.includes('\0') ? bad(input, 'holds the character NUL', 'Enter the secret anew, as text.') : good(raw)
