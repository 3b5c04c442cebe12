import { generateKeyPairSync } from 'node:crypto'
import type { InputName } from '../../src/inputs/declared.ts'
import type { GetInput } from '../../src/inputs/parse.ts'

/** The fewest inputs that are enough. */
export const fewest: Readonly<Partial<Record<InputName, string>>> = {
  host: '203.0.113.10',
  'ssh-key': generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'known-hosts':
    '203.0.113.10 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPLoHuAPf0Y+3Pj5Dbg1sNXHUuVHdZXjDpzHpnRVAhKR',
  domain: 'blog.example.com',
}

/** The workflow's `with:`, the fewest inputs and those given. */
export function inputsOf(given: Readonly<Partial<Record<InputName, string>>>): GetInput {
  const all: Readonly<Partial<Record<InputName, string>>> = { ...fewest, ...given }
  return (name) => all[name] ?? ''
}

/** Every text within a value, in order; undefined and empty things have none. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof Map) return [...value].flatMap(textsIn)
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsIn)
  return typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : []
}
