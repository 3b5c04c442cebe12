/** One `Key=Value` of a unit. */
export type Property = readonly [key: string, value: string]

/**
 * Writes one word of a setting that is split into words: in double quotes with C escapes where it has to be
 * (systemd.syntax(7), "Quoting").
 * @throws RangeError for NUL, lone surrogates and noncharacters: systemd passes over a line that holds one
 */
export function unitWord(text: string): string {
  if (text.includes('\0') || !text.isWellFormed() || /\p{Noncharacter_Code_Point}/u.test(text)) {
    throw new RangeError('a unit cannot hold NUL, half a surrogate pair or a noncharacter')
  }
  const body = text
    .replace(/["\\]/g, '\\$&')
    .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return /^[A-Za-z0-9_./:@+,=%-]+$/.test(body) ? body : `"${body}"`
}

/**
 * Writes one assignment of `Environment=`.
 * @throws RangeError as `unitWord`, and for control characters but tab, which older versions of systemd drop the
 * variable for
 */
export function assignmentWord(name: string, value: string): string {
  if (/[\p{Cc}--\t]/v.test(value))
    throw new RangeError(`a unit cannot hold the control characters of ${name}`)
  return unitWord(`${name}=${value}`)
}

/**
 * Writes one word of a command line (`ExecStart=`), where `$` would begin a variable as well
 * (systemd.service(5), "Command Lines") and a `;` on its own would begin the next command.
 * @throws RangeError as `unitWord`
 */
export function commandWord(text: string): string {
  return unitWord(text).replaceAll('$', '$$$$')
}

/**
 * Writes a unit file. A `%` in a value stands for itself: it is doubled, for it would begin a specifier
 * (systemd.unit(5), "Specifiers"). `systemd-run -p` knows no specifiers, so the properties themselves hold one.
 */
export function renderUnit(
  sections: readonly (readonly [title: string, properties: readonly Property[]])[],
): string {
  return sections
    .map(
      ([title, properties]) =>
        `[${title}]\n${properties.map(([key, value]) => `${key}=${value.replaceAll('%', '%%')}\n`).join('')}`,
    )
    .join('\n')
}
