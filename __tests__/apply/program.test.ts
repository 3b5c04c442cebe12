import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { renderProgram } from '../../src/apply/program.ts'
import { programFiles } from '../../src/apply/program-files.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { bareLines, facts, wish } from '../plan/sample.ts'

const settings = {
  name: 'hello',
  run: '0123456789abcdef',
  holder: "it's me",
  lockTimeoutSeconds: 600,
  sentWaitSeconds: 90,
}

/** The calls that follow the library. */
function calls(program: string): readonly string[] {
  const lines = program.split('\n')
  return lines.slice(lines.indexOf('begin'))
}

test('the program takes the lock, compares, repairs, and then does the plan', () => {
  const plan = makePlan(facts(bareLines), wish())
  expect(calls(renderProgram(plan, settings)).slice(0, 10)).toEqual([
    'begin',
    "take_lock '600' 'it'\\''s me'",
    "compare_generation '0'",
    'repair',
    "phase 'packages'",
    "install_packages 'no' 'nginx' 'python3' 'python3-pip-whl'",
    "claim '4711 someone/hello'",
    'ensure_account',
    "generated_env 'SECRET_KEY' 'FLASK_SECRET_KEY'",
    "phase 'upload'",
  ])
})

test('the program is sound for the shell whatever the values are', () => {
  const odd = `'"$(touch /tmp/never)\`x\`;\\ %s \n\u{1f600}`
  const program = renderProgram(
    makePlan(facts(bareLines), wish({ app: { env: new Map([['ODD', odd]]), releaseCommand: odd } })),
    settings,
  )
  execFileSync('sh', ['-n'], { input: program })
  const call = program.slice(program.indexOf("\nrelease_command '600' '") + 1)
  const heard = execFileSync('sh', [], { input: `release_command() { printf %s "$2"; exit; }\n${call}` })
  expect(heard.toString()).toBe(odd)
})

test('what the build may see and what the check needs travel as files of their own', () => {
  const files = programFiles(makePlan(facts(bareLines), wish()))
  expect([...files.keys()].sort()).toEqual(['apt.stop', 'build.env', 'check.json', 'probe.json', 'steps.sh'])
  expect(JSON.parse(files.get('check.json') ?? '')).toMatchObject({ host: 'example.org', scheme: 'http' })
})
