import { afterEach, expect, test, vi } from 'vitest'
import { readInput } from '../src/read-inputs.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('reads what the runner sets: capitals, hyphens kept, to the byte', () => {
  vi.stubEnv('INPUT_SUDO-PASSWORD', ' pass word \n')
  expect(readInput('sudo-password')).toBe(' pass word \n')
  expect(readInput('host')).toBe('')
})
