import { DeployError, type Explanation } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import { readKey } from '../server/key.ts'
import { shown } from '../text.ts'
import { defaults, type InputName } from './declared.ts'
import { bad, faultsOf, good, type Reading } from './reading.ts'
import { type Row, table } from './table.ts'
import { isTask } from './tasks.ts'
import { tlsTogether } from './tls.ts'

/** Gives the text of one input, '' where it is not set: `getInput` of the toolkit, or a Map in a test. */
export type GetInput = (name: InputName) => string

/**
 * What the user wished.
 * @throws DeployError `bad-inputs` with every fault of all inputs; a secret input's value is in none of them
 */
export function parseInputs(get: GetInput): Inputs {
  const top = readRows(table.top, get)
  const server = readRows(table.server, get)
  const app = readRows(table.app, get)
  const site = readRows(table.site, get)
  const tls = readRows(table.tls, get)
  const behaviour = readRows(table.behaviour, get)
  const together = [
    ...togetherFaults(get),
    ...faultsOf(staticWithin(app, site)),
    ...('value' in tls && 'value' in site && site.value.domains.length > 0
      ? tlsTogether(tls.value, site.value, Date.now()).flatMap(faultsOf)
      : []),
  ]
  if (
    'value' in top &&
    'value' in server &&
    'value' in app &&
    'value' in site &&
    'value' in tls &&
    'value' in behaviour &&
    together.length === 0
  ) {
    return {
      ...top.value,
      server: server.value,
      app: app.value,
      site: site.value,
      tls: tls.value,
      behaviour: behaviour.value,
    }
  }
  const faults = [server, app, site, tls, behaviour, top].flatMap(faultsOf)
  throw new DeployError('bad-inputs', inOrder([...faults, ...together, ...keyFaults(get)]))
}

/** The text that counts: the workflow's, else action.yml's default. */
function effective(get: GetInput, name: InputName): string {
  const text = get(name)
  return isBlank(text) ? (defaults[name] ?? '') : text
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}

function readRows<Fields extends object>(
  rows: { readonly [Field in keyof Fields]: Row<Fields[Field]> },
  get: GetInput,
): Reading<Fields> {
  const values: Partial<Fields> = {}
  const faults: Explanation[] = []
  for (const field of keysOf(rows)) {
    const reading = readRow(rows[field], get)
    if ('value' in reading) values[field] = reading.value
    else faults.push(...reading.faults)
  }
  return faults.length > 0 || !isComplete(values, rows) ? { faults } : good(values)
}

function readRow<Value>(row: Row<Value>, get: GetInput): Reading<Value> {
  const text = effective(get, row.input)
  if (!isBlank(text)) return row.kind(text, row.input)
  return 'value' in row.blank ? row.blank : bad(row.input, 'is missing', row.blank.missing)
}

/** What is wrong with the key, where there are other faults to tell anyway; else reading it for the login tells. */
function keyFaults(get: GetInput): readonly Explanation[] {
  const key = get('ssh-key')
  if (isBlank(key)) return []
  try {
    readKey(key, get('ssh-key-passphrase') || undefined)
    return []
  } catch (error) {
    if (error instanceof DeployError) return error.explanations
    throw error
  }
}

/** Faults that lie between inputs: each is told where the user would look for it. */
function togetherFaults(get: GetInput): readonly Explanation[] {
  const has = (name: InputName) => !isBlank(get(name))
  const command = effective(get, 'command').trim()
  const faults: Reading<unknown>[] = []
  if (!isTask(command) && !has('domain')) {
    const cure = "Set it to the site's name, such as `blog.example.com`, or to `_` for any."
    faults.push(bad('domain', 'is missing', cure))
  }
  if (!has('ssh-key') && !has('password')) {
    const cure =
      'Check that a secret of exactly that name exists for this job (one of an environment needs `environment` in the job, and a pull request from a fork gets none), or set `password` instead.'
    faults.push(bad('ssh-key', 'is empty: the secret is empty or its name is misspelt', cure))
  } else if (!has('ssh-key') && has('ssh-key-passphrase')) {
    const cure = 'Check that the secret exists under exactly that name, or leave out `ssh-key-passphrase`.'
    faults.push(
      bad(
        'ssh-key',
        'is empty though a passphrase is given: its secret is empty or its name is misspelt',
        cure,
      ),
    )
  }
  if (has('known-hosts') && has('host-fingerprint')) {
    faults.push(bad('host-fingerprint', 'is given beside `known-hosts`', 'Leave one of the two out.'))
  }
  const onlyWith = { release: 'rollback', run: 'run', 'destroy-data': 'destroy' } as const
  for (const input of ['release', 'run', 'destroy-data'] as const) {
    if (has(input) && command !== onlyWith[input]) {
      const wrong = `is given with \`command\` ${shown(command)}`
      faults.push(bad(input, wrong, `Leave it out, or set \`command\` to \`${onlyWith[input]}\`.`))
    }
  }
  if (command === 'run' && !has('run')) {
    faults.push(bad('run', 'is missing', 'Set it to the command to run, such as `flask users list`.'))
  }
  return faults.flatMap(faultsOf)
}

/** What the app may write is never served by nginx, so a static folder within it could not work. */
function staticWithin(app: Reading<Inputs['app']>, site: Reading<Inputs['site']>): Reading<undefined> {
  if (!('value' in app) || !('value' in site)) return good(undefined)
  for (const { folder } of site.value.static) {
    const outer = app.value.persist.find((path) => `${folder}/`.startsWith(`${path}/`))
    if (outer !== undefined) {
      const wrong = `has ${shown(folder)}, which \`persist\` has too (${shown(outer)}): nginx serves nothing that the app may write`
      return bad(
        'static',
        wrong,
        'Leave it out of one of the two; `static: none` lets the app serve all its files.',
      )
    }
  }
  return good(undefined)
}

/** Missing ones first, which is where a beginner stands; else as the table has them. */
function inOrder(faults: readonly Explanation[]): readonly Explanation[] {
  const rank = (fault: Explanation) => (/ is (missing|empty)\b/.test(fault.cause) ? 0 : 1)
  return faults.toSorted((one, other) => rank(one) - rank(other))
}

function keysOf<Fields extends object>(value: Fields): readonly (keyof Fields)[] {
  return Object.keys(value).filter((key): key is keyof Fields & string => key in value)
}

function isComplete<Fields extends object>(values: Partial<Fields>, rows: object): values is Fields {
  return Object.keys(rows).every((key) => key in values)
}
