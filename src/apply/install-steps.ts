import type { Plan } from '../plan/operation.ts'
import { quote } from '../quote.ts'

/**
 * What remote/build.sh does in its copy of the project, as sh that it reads: the plan's copies, texts and calls of uv.
 * The build user reads it, so it holds nothing secret.
 */
export function renderSteps(plan: Plan): string {
  const lines: string[] = []
  for (const operation of plan.operations) {
    if (operation.kind !== 'environment') continue
    for (const path of operation.copies) lines.push(words('copy', path))
    for (const [path, text] of operation.texts) lines.push(words('put', path, text))
    for (const step of operation.steps) {
      lines.push(words('within', step.folder))
      if (step.how === 'uv-lock') {
        lines.push(words('install_lock', step.hashed ? 'yes' : 'no', ...step.words))
        continue
      }
      if (step.project !== undefined) lines.push(words('pretend', step.project))
      lines.push(words('install_from', ...step.words))
    }
  }
  return `${lines.join('\n')}\n`
}

function words(name: string, ...values: readonly string[]): string {
  return [name, ...values.map(quote)].join(' ')
}
