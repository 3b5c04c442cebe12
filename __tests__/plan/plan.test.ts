import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DeployError } from '../../src/errors.ts'
import type { Operation, Plan } from '../../src/plan/operation.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { releaseId, type Wish } from '../../src/plan/wish.ts'
import { describePlan } from '../../src/report/describe-plan.ts'
import { bareLines, facts, readyLines, wish } from './sample.ts'

/** The server's facts after this wish was deployed: what the program writes, read back. */
function factsAfter(deployed: Wish, extra: readonly string[] = []) {
  const plan = makePlan(facts(readyLines.filter((line) => !/^(account|home)/.test(line))), deployed)
  const record = operation(plan, 'settle').record
  const site = createHash('sha256').update(operation(plan, 'nginx').site).digest('hex')
  return facts([
    ...readyLines,
    'state generation 1',
    'state owner 4711 someone/hello',
    `state current ${deployed.release}`,
    `state release ${record}`,
    `link ${deployed.release}`,
    `active ${deployed.release} yes`,
    `file web-hello.conf ${site}`,
    `nonce ${deployed.release} ${deployed.nonce}`,
    ...extra,
  ])
}

function operation<Kind extends Operation['kind']>(
  plan: Plan,
  kind: Kind,
): Extract<Operation, { kind: Kind }> {
  const found = plan.operations.find((one): one is Extract<Operation, { kind: Kind }> => one.kind === kind)
  if (found === undefined) throw new Error(`the plan has no ${kind}`)
  return found
}

const kinds = (plan: Plan) => plan.operations.map((one) => one.kind)

function refusal(run: () => unknown): DeployError {
  try {
    run()
  } catch (error) {
    if (error instanceof DeployError) return error
  }
  throw new Error('it was not refused')
}

describe('a first deploy on a bare server', () => {
  const plan = makePlan(facts(bareLines), wish())

  test('installs what is missing and nothing else', () => {
    expect(operation(plan, 'install-packages')).toMatchObject({
      names: ['nginx', 'python3', 'python3-pip-whl'],
      upgrade: false,
    })
  })

  test('does everything in the order of the phases', () => {
    const { operations } = plan
    const order = [
      'packages',
      'upload',
      'dependencies',
      'configure',
      'start',
      'health',
      'cutover',
      'smoke',
      'report',
    ]
    expect([...new Set(operations.map((one) => one.phase))]).toEqual(order)
    expect(kinds(plan).slice(-9)).toEqual([
      'start',
      'health',
      'grow',
      'processes',
      'nginx',
      'cutover',
      'verdict',
      'settle',
      'prune',
    ])
  })

  test('comes from nothing', () => {
    expect(plan).toMatchObject({ kind: 'deploy', from: undefined, generation: 0 })
  })
})

test("an old distribution gets pip's wheel by its old name", () => {
  const plan = makePlan(facts([...bareLines.slice(1), 'os debian 11 bullseye']), wish())
  expect(operation(plan, 'install-packages').names).toEqual([
    'nginx',
    'python3',
    'python-pip-whl',
    'python3-distutils',
  ])
})

test("nginx from its makers is as good as the distribution's", () => {
  const plan = makePlan(facts([...bareLines, 'nginx 1.30.6', 'nginx-user nginx']), wish())
  expect(operation(plan, 'install-packages').names).not.toContain('nginx')
  const socket = plan.operations.find((one) => one.kind === 'write-file' && one.what === 'socket unit')
  expect(socket).toMatchObject({ content: expect.stringContaining('SocketGroup=nginx') })
})

describe('the same wish again', () => {
  const first = wish()
  const again = wish({ release: '20261122190000-abc1234' })

  test('changes nothing', () => {
    const plan = makePlan(factsAfter(first), again)
    expect(plan).toMatchObject({ kind: 'unchanged', release: first.release, operations: [] })
  })

  test('another commit with the same files changes nothing either', () => {
    const other = wish({ release: '20261122190000-def5678', project: { commit: 'd'.repeat(40) } })
    expect(makePlan(factsAfter(first), other).kind).toBe('unchanged')
  })

  test.each([
    ['the code', { project: { bundle: { ...first.project.bundle, contentSha256: 'x'.repeat(64) } } }],
    ['a variable', { app: { env: new Map([['COLOUR', 'red']]) } }],
    ['the workers', { site: { workers: 7 } }],
    ['the domain', { site: { domains: ['example.net'] } }],
    ['the release command', { app: { releaseCommand: 'flask db upgrade' } }],
    [
      'the requirements',
      { project: { requirements: { ...first.project.requirements, sha256: 'n'.repeat(64) } } },
    ],
  ])('a change of %s makes a new release', (_, change) => {
    const plan = makePlan(factsAfter(first), wish({ release: again.release, ...change }))
    expect(plan).toMatchObject({ kind: 'deploy', release: again.release, from: first.release })
  })

  test('a refresh builds the environment anew, though nothing differs', () => {
    const anew = makePlan(factsAfter(first), wish({ release: again.release, app: { refresh: true } }))
    expect(anew).toMatchObject({ kind: 'deploy', release: again.release })
    expect(operation(anew, 'environment')).toMatchObject({
      refresh: true,
      key: operation(makePlan(facts(readyLines), first), 'environment').key,
    })
    expect(
      describePlan(anew, factsAfter(first), 'hello').find(({ what }) => what === 'environment')?.detail,
    ).toBe('build from requirements.txt, with gunicorn')
  })

  test('a server that lost its secret key gets one', () => {
    const lost = { ...factsAfter(first), generated: new Set(['FLASK_SECRET_KEY']) }
    expect(operation(makePlan(lost, again), 'generated-env').keys).toEqual(['SECRET_KEY', 'FLASK_SECRET_KEY'])
  })

  test.each([
    ['the current link leads elsewhere', 'link 20260101000000-1234567'],
    ['the units do not run', `active ${first.release} no`],
    ["nginx's file was edited", `file web-hello.conf ${'0'.repeat(64)}`],
    ['a deploy was cut off', `journal ${again.release}`],
  ])('a server where %s is put right', (_, line) => {
    const key = line.split(' ')[0]
    const before = factsAfter(first)
    const broken = factsAfter(first, key === 'link' ? [] : [line])
    const changed = key === 'link' ? { ...before, link: '20260101000000-1234567' } : broken
    expect(makePlan(changed, again).kind).toBe('deploy')
  })

  test('the environment has the same key when only code or env changed', () => {
    const key = (plan: Plan) => operation(plan, 'environment').key
    const code = { project: { bundle: { ...first.project.bundle, contentSha256: 'x'.repeat(64) } } }
    const plan = makePlan(factsAfter(first), wish(code))
    expect(key(makePlan(factsAfter(first), wish({ app: { env: new Map([['A', 'b']]) } })))).toBe(key(plan))
    const index = { app: { env: new Map([['UV_INDEX', 'https://example.org/simple']]) } }
    expect(key(makePlan(factsAfter(first), wish(index)))).not.toBe(key(plan))
  })
})

describe('rollback', () => {
  const one = '20261122184800-abc1234'
  const two = '20261122190000-def5678'
  const record = (id: string) => `state release ${id} b d s c`
  const server = facts([
    ...readyLines,
    'state generation 2',
    'state owner 4711 someone/hello',
    `state current ${two}`,
    `state previous ${one}`,
    record('20261101000000-0000001'),
    record(one),
    record(two),
    `link ${two}`,
    `active ${two} yes`,
  ])

  test('goes to the previous release and sends nothing', () => {
    const plan = makePlan(server, wish({ inputs: { command: 'rollback' } }))
    expect(plan).toMatchObject({ kind: 'rollback', release: one, from: two })
    expect(kinds(plan)).toEqual([
      'start',
      'health',
      'grow',
      'processes',
      'nginx',
      'cutover',
      'verdict',
      'settle',
      'prune',
    ])
  })

  test('goes to a named release', () => {
    const inputs = { command: 'rollback', release: '20261101000000-0000001' } as const
    expect(makePlan(server, wish({ inputs })).release).toBe('20261101000000-0000001')
  })

  test('of a release that the server does not have names those that it has', () => {
    const inputs = { command: 'rollback', release: '20200101000000-0000001' } as const
    const error = refusal(() => makePlan(server, wish({ inputs })))
    expect(error.code).toBe('no-release')
    expect(error.message).toContain(`${one}, ${two}`)
  })

  test('makes nothing, so a full disk does not stop it', () => {
    const full = { ...server, diskFreeBytes: 1000 }
    expect(makePlan(full, wish({ inputs: { command: 'rollback' } })).kind).toBe('rollback')
  })

  test('after one release only is refused', () => {
    const error = refusal(() => makePlan(factsAfter(wish()), wish({ inputs: { command: 'rollback' } })))
    expect(error.message).toContain('no previous release')
  })
})

describe('a server that cannot be deployed to is left alone', () => {
  test.each([
    ["another repository's app", ['state owner 12 other/hello', 'state generation 3', 'home yes'], 'owner'],
    ['a user that is not ours', ['taken user web-hello'], 'owner'],
    ['a folder that is not ours', ['taken /etc/web-hello'], 'owner'],
    ['no systemd', ['systemd 0'], 'server-unfit'],
    ['Ubuntu 16.04', ['os ubuntu 16.04 xenial', 'systemd 229'], 'server-unfit'],
    ['a full disk', ['disk 1000'], 'disk'],
    ['a disk without one byte left', ['disk 0'], 'disk'],
    ['a full /var', ['free /var 0'], 'disk'],
    ['a full /tmp, with packages to install', ['free /tmp 0'], 'disk'],
    ['a disk that is read-only', ['read-only /srv'], 'server-read-only'],
  ])('%s', (_, lines, code) => {
    const keys = lines.map((line) => line.split(' ')[0])
    const kept = bareLines.filter((line) => !keys.includes(line.split(' ')[0]))
    expect(refusal(() => makePlan(facts([...kept, ...lines]), wish())).code).toBe(code)
  })

  test('but a renamed repository goes on: its number is the same', () => {
    const renamed = wish({ project: { repository: { id: '4711', fullName: 'someone/renamed' } } })
    expect(makePlan(factsAfter(wish()), renamed).kind).toBe('unchanged')
  })
})

test('secrets reach the env file and the build only as far as each needs', () => {
  const env = new Map([
    ['SECRET_KEY', 'hush'],
    ['UV_INDEX', 'https://user:pass@example.org'],
  ])
  const plan = makePlan(facts(bareLines), wish({ app: { env } }))
  expect(plan.buildEnv).not.toContain('hush')
  expect(plan.buildEnv).toContain('UV_INDEX')
  const holding = plan.operations.filter((one) => JSON.stringify(one).includes('hush'))
  expect(holding.map((one) => (one.kind === 'write-file' ? one.what : one.kind))).toEqual(['env file'])
})

test.each(['SECRET_KEY', 'FLASK_SECRET_KEY'])('no key is made where env has %s', (name) => {
  const plan = makePlan(facts(bareLines), wish({ app: { env: new Map([[name, 'own']]) } }))
  expect(operation(plan, 'generated-env').keys).toEqual([])
})

test('one worker less than memory bears is the most', () => {
  const small = facts([...bareLines.filter((line) => !line.startsWith('memory')), 'memory 400000'])
  expect(operation(makePlan(small, wish()), 'grow').workers).toBe(2)
})

test('a src layout keeps its instance folder where Flask looks for it', () => {
  const target = {
    module: 'shop',
    attribute: 'app',
    factory: false,
    expression: 'app',
    path: ['src'],
    reason: '',
  }
  const plan = makePlan(facts(bareLines), wish({ project: { target } }))
  expect(operation(plan, 'persist')).toMatchObject({ path: 'src/instance', target: 'instance' })
})

test('a release is named by its time and its commit', () => {
  expect(releaseId(new Date('2026-11-22T18:48:07.123Z'), 'abc1234567')).toBe('20261122184807-abc1234')
})
