/**
 * Quotes one value for a POSIX shell: the only way a value gets into a shell program of ours.
 * Single quotes keep every byte but the single quote itself (POSIX.1-2024, XCU 2.2.2).
 * @throws RangeError for NUL, which no shell word can hold.
 */
export function quote(value: string): string {
  if (value.includes('\0')) throw new RangeError('a shell word cannot hold NUL')
  return `'${value.replaceAll("'", `'\\''`)}'`
}
