import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { fingerprintOf } from '../../../src/server/public-key.ts'
import { keyPair } from '../../server-side/ssh-server.ts'
import { type Attack, forever } from './attack.ts'
import { hostKey, type Liar, type Talk } from './liar.ts'

/** Another host key that the user has pinned beside the first. */
const other = keyPair('ed25519')

/** One connection, and five that are made again. */
const MOST_CONNECTIONS = 6

/** A release that a server claims to have kept. */
const CLAIMED = '20251101000000-0000001'

/** Honest up to a phase; then the line is cut. */
function cutIn(phase: string): (talk: Talk) => Promise<void> {
  return async (talk) => {
    await talk.facts()
    await talk.until('upload')
    await talk.event(`phase ${phase}`)
    talk.socket.destroy()
  }
}

const bounded = (_met: unknown, { connections }: Liar) =>
  expect(connections()).toBeLessThanOrEqual(MOST_CONNECTIONS)

/** Says, after `attach`, what an honest helper says that has all that was sent. */
async function held(talk: Talk, starts: number): Promise<void> {
  await talk.frames.until('attach')
  await talk.say(`held starts ${starts}\nheld bundle taken\nheld-end`)
}

/** A first connection that is cut, and another talk on those that follow. */
function then(later: (talk: Talk) => Promise<void>): (talk: Talk) => Promise<void> {
  let first = true
  return async (talk) => {
    if (first) {
      first = false
      await cutIn('packages')(talk)
      return
    }
    await talk.facts()
    await later(talk)
  }
}

/** What a server may do with a runner that connects again. */
export const reconnect: readonly Attack[] = [
  {
    name: 'cuts the line before the program begins, every time',
    lies: {
      talk: async (talk) => {
        await talk.facts()
        talk.socket.destroy()
      },
    },
    end: { code: 'connection-lost' },
    also: bounded,
  },
  {
    name: 'lets it go on, and cuts the line, every time',
    lies: {
      talk: then(async (talk) => {
        await held(talk, 1)
        talk.socket.destroy()
      }),
    },
    end: { code: 'connection-lost' },
    also: bounded,
  },
  {
    name: 'says that nothing of the program came, and cuts the line, every time',
    lies: {
      talk: async (talk) => {
        await talk.facts()
        void held(talk, 0)
        await talk.frames.until('start')
        talk.socket.destroy()
      },
    },
    end: { code: 'connection-lost' },
    also: bounded,
  },
  {
    name: 'does not say what it has',
    lies: { talk: then(forever) },
    end: { code: 'connection-lost' },
    also: bounded,
  },
  {
    name: 'tells again what it told before',
    lies: {
      talk: then(async (talk) => {
        await held(talk, 1)
        for (const one of ['phase upload', 'phase packages', 'phase upload']) await talk.event(one)
        await forever()
      }),
    },
    end: { code: 'server-contradicts' },
  },
  {
    name: 'is another one when it is called again, though pinned as well',
    inputs: { 'host-fingerprint': `${fingerprintOf(hostKey.blob)}\n${fingerprintOf(other.blob)}` },
    lies: { laterKey: other.secret, talk: cutIn('packages') },
    end: { code: 'other-server' },
  },
  {
    name: 'is another one when it is called again, and not pinned',
    lies: { laterKey: other.secret, talk: cutIn('packages') },
    end: { code: 'host-key-changed' },
  },
  {
    name: 'was restarted, and says that it has kept a release that nobody judged',
    lies: { talk: claiming() },
    end: { code: 'server-restarted', serving: CLAIMED },
  },
]

/** Knows nothing of the run, and has its release as the current one. */
function claiming(): (talk: Talk) => Promise<void> {
  let first = true
  return async (talk) => {
    if (first) {
      first = false
      await talk.facts()
      await talk.until('upload')
      await talk.event('phase packages')
      // A runner that is writing at the cut hears nothing of what came before it, and would begin from the start.
      await sleep(1000)
      talk.socket.destroy()
      return
    }
    await talk.facts(['state generation 1', `state current ${CLAIMED}`, `link ${CLAIMED}`])
    await held(talk, 0)
    await forever()
  }
}
