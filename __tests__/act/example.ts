import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Checkout, checkoutOf } from '../e2e/projects.ts'
import type { Server } from '../server/boot.ts'
import type { Trigger } from './act.ts'

/** A user's repository, made from an example: its commits are on `main`, its name on GitHub is `someone/NAME`. */
export function repositoryOf(example: 'hello' | 'blog' | 'shop'): Checkout {
  const checkout = checkoutOf(join(import.meta.dirname, '..', '..', 'examples', example))
  const origin = `https://github.com/someone/${example}.git`
  execFileSync('git', ['remote', 'add', 'origin', origin], { cwd: checkout.folder })
  return checkout
}

/** What the examples' workflows ask of the repository's settings to reach a server. */
export function settingsFor(server: Server): Pick<Trigger, 'secrets' | 'variables'> {
  return {
    secrets: { DEPLOY_KEY: server.privateKey, KNOWN_HOSTS: server.knownHosts },
    variables: { HOST: server.address, DOMAIN: server.address },
  }
}

/** The lines of a private key that tell something: the first and the last are the same in every key. */
export function secretLines(key: string): readonly string[] {
  return key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))
}
