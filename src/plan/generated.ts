import { generatedKeys } from '../config/generated.ts'
import type { Facts } from '../server/facts.ts'
import type { Operation } from './operation.ts'
import type { Wish } from './wish.ts'

/** The variables that the server makes for the app. */
export function generatedOperations(wish: Wish): readonly Operation[] {
  return [{ phase: 'packages', kind: 'generated-env', keys: generatedKeys(wish.inputs.app.env) }]
}

/** Everything that the server was to make is there. */
export function hasGenerated(facts: Facts, wish: Wish): boolean {
  return generatedKeys(wish.inputs.app.env).every((name) => facts.generated.has(name))
}
