import { natural, shortly } from './fact-words.ts'

/** Something of ours that somebody changed by hand on the server (remote/flask_deploy_drift.py). */
export interface Drift {
  /** What a deploy does about it. */
  readonly fate: 'replaced' | 'stays'
  readonly how: DriftKind
  /** By `how`: what it was and is, names of variables, a shell; '' for none. */
  readonly detail: string
  /** A path, or the name of a user or unit. */
  readonly path: string
  /** A diff, without what looks like a secret: foreign text. */
  readonly lines: readonly string[]
}

const kinds = [
  'edited',
  'added',
  'removed',
  'mode',
  'owner',
  'link',
  'variables',
  'shell',
  'groups',
  'stopped',
  'disabled',
] as const

/** How it was changed. */
export type DriftKind = (typeof kinds)[number]

/** More than the server tells of. */
const MOST_ITEMS = 50
const MOST_LINES = 300

/**
 * Reads the facts' lines; a `drift-line` belongs to the `drift` above it.
 * @param lines all facts
 */
export function parseDrift(lines: readonly string[]): readonly Drift[] {
  const found: { readonly item: Omit<Drift, 'lines'>; readonly lines: string[] }[] = []
  let room = MOST_LINES
  for (const line of lines) {
    const [key = '', fate = '', how = '', detail = '-', ...path] = line.split(' ')
    if (key === 'drift') {
      const kind = kinds.find((one) => one === how)
      if (kind === undefined || (fate !== 'replaced' && fate !== 'stays') || found.length === MOST_ITEMS)
        continue
      const item = {
        fate,
        how: kind,
        detail: detail === '-' ? '' : shortly(detail),
        path: shortly(path.join(' ')),
      } as const
      found.push({ item, lines: [] })
    } else if (key === 'drift-line' && room > 0) {
      found.at(-1)?.lines.push(shortly(line.slice('drift-line '.length)))
      room -= 1
    } else if (line.startsWith('nginx-unit ') && (fate === 'stopped' || fate === 'disabled')) {
      found.push({ item: { fate: 'replaced', how: fate, detail: '', path: 'nginx.service' }, lines: [] })
    }
  }
  return found.map(({ item, lines: diff }) => ({ ...item, lines: diff }))
}

/** How many more there are than are told one by one. */
export function moreDrift(text: string | undefined): number {
  return Math.min(natural(text), 1_000_000)
}
