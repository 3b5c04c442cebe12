import type { StatusRange } from '../inputs.ts'
import { shown } from '../text.ts'
import { bad, good, type Kind, tidy } from './reading.ts'

const DOTS = 'Write the path without `.` and `..` in it, as a browser would ask for it.'

/** `.` and `..` are taken out of a path before it is asked for (RFC 3986, 5.2.4), percent-encoded ones too. */
function hasDots(text: string): boolean {
  const [path = ''] = text.split(/[?#]/)
  return path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment))
}

/** A path and query as they go into a request (RFC 3986: pchar, `/`, `?`), beginning with one `/`. */
export const urlPath: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  if (/^https?:\/\//i.test(text)) {
    return bad(input, `is ${shown(text)}, a whole address`, 'Write the path alone, such as `/health`.')
  }
  if (!/^\/(?!\/)/.test(text))
    return bad(input, `is ${shown(text)}`, 'Write a path with one `/` in front, such as `/health`.')
  if (hasDots(text)) return bad(input, `is ${shown(text)}`, DOTS)
  if (text.length <= 2048 && /^([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+$/.test(text))
    return good(text)
  return bad(input, `is ${shown(text)}`, 'Percent-encode what a URL cannot hold, such as `%20` for a space.')
}

/** An absolute http or https URL, in its normal form. */
export const webUrl: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  const right = 'Write such as `https://blog.example.com/health`.'
  // The URL parser drops tabs and newlines, and turns `\` into `/`, without a word.
  const url = /[\0-\x20\\\x7f]/.test(text) || !text.isWellFormed() ? null : URL.parse(text)
  if (url === null || !/^https?:\/\//i.test(text)) return bad(input, `is ${shown(text)}`, right)
  if (url.username !== '' || url.password !== '') {
    return bad(input, 'holds a user name or password', `Write the address without them. ${right}`)
  }
  if (hasDots(text.replace(/^https?:\/\/[^/]*/i, ''))) return bad(input, `is ${shown(text)}`, DOTS)
  if (text.includes('#'))
    return bad(input, `is ${shown(text)}`, 'Leave out `#` and what follows: no server gets to see it.')
  return good(url.href)
}

/** Statuses that count as good: `200`, `2xx` or `200-299`. */
export const statusRange: Kind<StatusRange> = (raw, input) => {
  const text = tidy(raw)
  const [, hundreds] = /^([1-5])xx$/i.exec(text) ?? []
  if (hundreds !== undefined) return good([Number(hundreds) * 100, Number(hundreds) * 100 + 99])
  const [, first, last] = /^([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?$/.exec(text) ?? []
  if (first !== undefined && Number(last ?? first) >= Number(first))
    return good([Number(first), Number(last ?? first)])
  return bad(input, `has ${shown(text)}`, 'Write one status a line, such as `200`, `2xx` or `200-299`.')
}

/** The directory of an ACME authority: an https URL without anything that a directory does not have. */
export const directoryUrl: Kind<string> = (raw, input) => {
  const reading = webUrl(raw, input)
  if (!('value' in reading)) return reading
  const right =
    'Write the directory URL as the authority gives it, such as `https://ca.example.com/acme/directory`.'
  if (!reading.value.startsWith('https://')) return bad(input, `is ${shown(tidy(raw))}`, right)
  return good(reading.value)
}

/**
 * An e-mail address as authorities take it: ASCII without quotes, one `@`, a host name behind it (RFC 5321's dot-string).
 */
export const emailAddress: Kind<string> = (raw, input) => {
  const text = tidy(raw)
  const form =
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/
  if (form.test(text) && text.length <= 254) return good(text)
  return bad(input, `is ${shown(text)}`, 'Write one address, such as `you@example.com`, or leave it out.')
}
