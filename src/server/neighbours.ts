import { natural, PATH, shortly, WORD } from './fact-words.ts'

/** Who else is on the server's web ports, and in its nginx (remote/neighbours.sh). */
export interface Neighbours {
  /** Programs other than nginx that listen on port 80 or 443. */
  readonly listeners: readonly Listener[]
  /** Control panels that are installed, e.g. `Plesk`. */
  readonly panels: readonly string[]
  /** Units of web servers that are stopped and would take the ports at the next boot. */
  readonly waiting: readonly string[]
  /** What somebody made of nginx's own unit. */
  readonly nginx: ReadonlySet<string>
  /** Sites of others that have one of our names; without a name: they answer for every other name of their port. */
  readonly sites: readonly OtherSite[]
}

export interface Listener {
  readonly port: number
  /** '' where it is no unit's. */
  readonly unit: string
  /** '' where it is not known. */
  readonly command: string
}

export interface OtherSite {
  readonly port: number
  /** undefined: the default server of its port. */
  readonly name: string | undefined
  readonly file: string
  readonly line: number
}

/** @param all the values of all facts of one key */
export function parseNeighbours(all: (key: string) => readonly string[]): Neighbours {
  return {
    listeners: all('port').slice(0, 20).map(listener),
    panels: all('panel').map(shortly).slice(0, 10),
    waiting: all('waits')
      .filter((unit) => WORD.test(unit))
      .slice(0, 10),
    nginx: new Set(all('nginx-unit')),
    sites: [
      ...all('site').flatMap((text) => {
        const [port = '', name = '', line = '', file = ''] = text.split(' ')
        return otherSite(port, name, line, file)
      }),
      ...all('default-site').flatMap((text) => {
        const [port = '', line = '', file = ''] = text.split(' ')
        return otherSite(port, undefined, line, file)
      }),
    ].slice(0, 100),
  }
}

function listener(text: string): Listener {
  const [port = '', unit = '-', ...command] = text.split(' ')
  return {
    port: natural(port),
    unit: WORD.test(unit) && unit !== '-' ? unit : '',
    command: shortly(command.join(' ')),
  }
}

function otherSite(port: string, name: string | undefined, line: string, file: string): readonly OtherSite[] {
  return PATH.test(file)
    ? [{ port: natural(port), name: name === undefined ? name : shortly(name), file, line: natural(line) }]
    : []
}
