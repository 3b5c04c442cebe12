import { quote } from '../quote.ts'

/** For systemd-run: `-p Key=Value` each. */
export function properties(list: readonly string[]): readonly string[] {
  return list.flatMap((property) => ['-p', property])
}

/** A call of a export function of the library. */
export function call(name: string, ...words: readonly (string | number)[]): string {
  return [name, ...words.map((word) => quote(String(word)))].join(' ')
}

/** A variable of the program's. */
export function assign(name: string, value: string): string {
  return `${name}=${quote(value)}`
}

/** How the library reads a flag. */
export function yes(value: boolean): string {
  return value ? 'yes' : 'no'
}
