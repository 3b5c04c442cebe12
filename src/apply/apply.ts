import type { Plan } from '../plan/operation.ts'
import type { Bundle } from '../project/project.ts'
import type { Conversation } from './conversation.ts'
import type { Answer, ServerEvent } from './event.ts'
import { Mailbox } from './mailbox.ts'
import { programFiles, type RunSettings, renderProgram } from './program.ts'

/** How long a cancelled run waits for the server to take back what it did: the runner gives 7.5 s in all. */
const CANCEL_MS = 6_000

/** What a smoke test of one release found. */
export interface Tested {
  readonly ok: boolean
  /** smoke.ts's or http.py's word for what is wrong; '' where nothing is. */
  readonly code: string
  /** One sentence. */
  readonly detail: string
}

/** What apply needs of the rest. */
export interface ApplySettings {
  readonly run: RunSettings
  /** undefined for a rollback, which sends nothing. */
  readonly bundle: Bundle | undefined
  /**
   * Smoke-tests a release that was just switched to.
   * @param answered what the server's own request through nginx found; comes a little later
   */
  readonly test: (release: string, answered: Promise<Answer>) => Promise<Tested>
  readonly onEvent: (event: ServerEvent) => void
  /** Bytes of the bundle that are on their way so far. */
  readonly onUpload: (sent: number, of: number) => void
}

/** How the program ended. */
export interface Applied {
  /**
   * `done`: the release serves and is kept; `failed`: the program said why; `lost`: nobody knows (the connection broke,
   * or the program was killed).
   */
  readonly end: 'done' | 'failed' | 'lost'
  readonly failure: { readonly code: string; readonly detail: string } | undefined
  /** The release that visitors get: '' where none, `unknown` where the server did not say. */
  readonly serving: string
  /** Why the smoke test of the new release failed, though it may have stayed. */
  readonly smokeFault: Tested | undefined
  /** The smoke test that the old release failed too, so that the new one stayed. */
  readonly oldFault: Tested | undefined
  /** Why the connection was lost. */
  readonly lost: unknown
}

/** What apply needs of the conversation. */
export type Talk = Pick<
  Conversation,
  'listen' | 'sendFiles' | 'startProgram' | 'sendBundle' | 'say' | 'cancel'
>

type Message = { readonly event: ServerEvent } | { readonly lost: unknown }

/**
 * Sends the plan's program and has it run, answers its question (the verdict), and returns how it ended. Throws nothing
 * of the server's: how it ended is data.
 * @param signal aborted: the program is stopped, and takes back what it did
 */
export async function apply(
  conversation: Talk,
  plan: Plan,
  settings: ApplySettings,
  signal: AbortSignal,
): Promise<Applied> {
  const mail = new Mailbox<Message>()
  conversation.listen(
    (event) => mail.put({ event }),
    (lost) => mail.put({ lost }),
  )
  const cancel = () => {
    setTimeout(() => mail.put({ lost: signal.reason }), CANCEL_MS).unref()
    conversation.cancel(settings.run.run).catch((lost: unknown) => mail.put({ lost }))
  }
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    const send = async () => {
      await conversation.sendFiles(
        new Map([...programFiles(plan), ['program', renderProgram(plan, settings.run)]]),
      )
      await conversation.startProgram()
      // One server needs no barrier between prepare and cutover.
      await conversation.say('cutover', 'go')
      const { bundle } = settings
      if (bundle !== undefined) {
        await conversation.sendBundle(bundle, (sent) => settings.onUpload(sent, bundle.bytes), signal)
      }
    }
    void send().catch((lost: unknown) => mail.put({ lost }))
    return await follow(conversation, plan, settings, mail, signal)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

async function follow(
  conversation: Talk,
  plan: Plan,
  settings: ApplySettings,
  mail: Mailbox<Message>,
  signal: AbortSignal,
): Promise<Applied> {
  let failure: Applied['failure']
  let serving = 'unknown'
  let turn = 0
  let smokeFault: Tested | undefined
  let oldFault: Tested | undefined
  let answered: PromiseWithResolvers<Answer> | undefined

  /** The verdict on what was just switched to. */
  const judge = async (release: string, answer: Promise<Answer>) => {
    const tested = await settings.test(release, answer)
    turn += 1
    let word: 'keep' | 'try-old' | 'revert'
    if (release === plan.release) {
      if (!tested.ok) smokeFault = tested
      word = tested.ok || plan.from === undefined || plan.from === plan.release ? 'keep' : 'try-old'
    } else {
      if (!tested.ok) oldFault = tested
      // The old release fails the same test: it is not the new one's fault, and going back would help nobody.
      word = tested.ok ? 'revert' : 'keep'
    }
    await conversation.say(`verdict-${turn}`, word)
  }

  const end = (how: Applied['end'], lost?: unknown): Applied => ({
    end: how,
    failure,
    serving,
    smokeFault,
    oldFault,
    lost,
  })
  for (;;) {
    const message = await mail.take()
    if ('lost' in message) return end('lost', message.lost)
    const { event } = message
    settings.onEvent(event)
    switch (event.kind) {
      case 'flipped':
        answered = Promise.withResolvers<Answer>()
        void judge(event.release, answered.promise).catch((lost: unknown) => {
          // A test that the cancel broke off says nothing; the server is about to say what it took back.
          if (!signal.aborted) mail.put({ lost })
        })
        break
      case 'answered':
        answered?.resolve(event.answer)
        break
      case 'fail':
        failure ??= { code: event.code, detail: event.detail }
        break
      case 'serving':
        serving = event.release
        break
      case 'end':
        return end(event.status === 0 ? 'done' : 'failed')
      case 'gone':
        failure ??= { code: 'program-killed', detail: String(event.status) }
        return end('lost')
      default:
        break
    }
  }
}
