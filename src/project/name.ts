import { createHash } from 'node:crypto'

/** The longest NAME: `web-NAME-build` has to stay within the 32 bytes that useradd(8) allows for a user. */
const longest = 21
/** Hex digits that keep two cut names apart. */
const suffixDigits = 5

/**
 * Derives NAME (`web-NAME` on the server) from a repository's name: lower case, every other character a `-`,
 * `app-` in front of a leading digit, a trailing `-build` dropped, cut at 21 with a hash of the whole name behind.
 * The result always passes `nameFault`; a name with nothing to use in it gives `app`.
 * @param repositoryName `owner/name` or `name`, e.g. `octo/My_App.py` -> `my-app-py`
 */
export function appName(repositoryName: string): string {
  const own = repositoryName.slice(repositoryName.lastIndexOf('/') + 1).toLowerCase()
  let name = own.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')
  name = name.replace(/(?:-build)+$/, '')
  if (name === '') return 'app'
  if (/^[0-9]/.test(name)) name = `app-${name}`
  if (name.length <= longest) return name
  const suffix = createHash('sha256').update(own).digest('hex').slice(0, suffixDigits)
  return `${name.slice(0, longest - suffixDigits - 1).replace(/-$/, '')}-${suffix}`
}

/**
 * Judges a NAME given by the user.
 * @returns undefined for a good one, else a clause to be put after "`name`", e.g. "must begin with a letter a to z"
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (!/^[a-z0-9-]*$/.test(name)) return 'may hold only the letters a to z, digits and -'
  if (!/^[a-z]/.test(name)) return 'must begin with a letter a to z'
  if (name.length > longest) return `is ${name.length} characters long; ${longest} are allowed`
  if (name.endsWith('-')) return 'must not end in -'
  if (name.endsWith('-build')) return 'must not end in -build, which names the user that builds'
  return undefined
}
