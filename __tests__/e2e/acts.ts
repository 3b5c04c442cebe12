import type { Server } from '../server/boot.ts'
import type { Counted, CutKind } from './cuts.ts'

/** What a run that is cut does. */
export type ActName = 'redeploy' | 'rollback' | 'way-back' | 'first' | 'settling' | 'watch' | 'https'

type Inputs = Readonly<Record<string, string>>

/** Where an act is done: rounds.ts. */
export interface Stage {
  readonly server: Server
  /** A change of the project; `more` is code after the page's. */
  readonly commit: (more?: string) => void
  /** The page of the newest commit. */
  readonly text: () => string
  /** The page that visitors get now. */
  readonly look: () => Promise<string>
  /** An undisturbed run. @throws Error where its job fails */
  readonly run: (inputs: Inputs) => Promise<void>
}

/** The run that is to be cut, ready to begin. */
export interface Scene {
  readonly inputs: Inputs
  /** The page of before; '' where there is no site. */
  readonly old: string
  /** The page of what the run brings. */
  readonly fresh: string
}

export interface Act {
  readonly counted: Counted
  /** What can be cut of it. */
  readonly kinds: readonly CutKind[]
  /** Brings the server to where the run begins. */
  readonly ready: (stage: Stage) => Promise<Scene>
}

/** What the run that is cut changes beside the code: nginx's file. */
const change = { 'max-body-size': '11m' }

const everything: readonly CutKind[] = ['program', 'power', 'runner', 'line']

/** Lives for some seconds, and then no longer than somebody wants it to. */
const mortal = `
import os
import signal
import threading
import time

def end():
    time.sleep(3)
    while not os.path.exists("/var/lib/web-hello/enough"):
        time.sleep(0.2)
    os.kill(os.getppid(), signal.SIGTERM)

threading.Thread(target=end, daemon=True).start()
`

/** From now on a release that is mortal dies, again and again. */
export async function letDie(server: Server): Promise<void> {
  await server.must('touch /var/lib/web-hello/enough; sync')
}

/** The page of the release that a rollback goes to. */
async function previousPage(server: Server): Promise<string> {
  const previous = await server.must("sed -n 's/^previous //p' /srv/web-hello/state")
  const code = await server.readFile(`/srv/web-hello/releases/${previous.trim()}/app.py`)
  return /version \d+/.exec(code)?.[0] ?? ''
}

async function redeploy(stage: Stage, inputs: Inputs = change, more = ''): Promise<Scene> {
  const old = await stage.look()
  stage.commit(more)
  return { inputs, old, fresh: stage.text() }
}

export const acts: Readonly<Record<ActName, Act>> = {
  redeploy: { counted: 'program', kinds: everything, ready: (stage) => redeploy(stage) },
  rollback: {
    counted: 'program',
    kinds: everything,
    ready: async (stage) => ({
      inputs: { command: 'rollback' },
      old: await stage.look(),
      fresh: await previousPage(stage.server),
    }),
  },
  // The smoke test of the new release fails, and the old one passes it.
  'way-back': {
    counted: 'program',
    kinds: everything,
    ready: async (stage) => {
      const scene = await redeploy(stage)
      return { ...scene, inputs: { ...change, 'expect-text': scene.old } }
    },
  },
  first: {
    counted: 'program',
    kinds: everything,
    ready: async (stage) => {
      await stage.run({ command: 'destroy', 'destroy-data': 'hello' })
      stage.commit()
      return { inputs: change, old: '', fresh: stage.text() }
    },
  },
  // An earlier release still settles, so three are there.
  settling: {
    counted: 'program',
    kinds: everything,
    ready: async (stage) => {
      stage.commit()
      await stage.run({ 'settle-time': '60s' })
      return await redeploy(stage, { ...change, 'settle-time': '60s' })
    },
  },
  // Not the run is cut, but what goes back after it.
  watch: {
    counted: 'watch',
    kinds: ['program', 'power'],
    ready: (stage) => redeploy(stage, { ...change, 'settle-time': '20s', 'health-timeout': '5s' }, mortal),
  },
  // From a site without it, and with a certificate that has to be had.
  https: {
    counted: 'program',
    kinds: everything,
    ready: async (stage) => {
      stage.commit()
      await stage.run({ tls: 'off' })
      await stage.server.must('rm -rf /etc/letsencrypt /var/log/letsencrypt; sync')
      return await redeploy(stage, {})
    },
  },
}
