import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { helperCommand } from '../../src/apply/helper-command.ts'

const command = helperCommand({ name: 'hello', run: 'ab12', nonce: 'cd34', packages: ['nginx', 'python3'] })

test('the command has nothing in it that one login shell reads otherwise than another', () => {
  expect(command).toMatch(/^sh -c '[^'!\\\n]*'$/)
})

test('it fits into one argument of Linux (128 KiB)', () => {
  expect(command.length).toBeLessThan(16_384)
})

test('what it unpacks is sound for the shell', () => {
  const packed = /echo ([A-Za-z0-9+/=]+) /.exec(command)?.[1] ?? ''
  const program = execFileSync('sh', ['-c', 'base64 -d | gzip -d'], { input: packed })
  expect(program.toString()).toContain("wanted='nginx python3'")
  execFileSync('sh', ['-n'], { input: program })
})
