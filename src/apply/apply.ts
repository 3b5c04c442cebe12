import type { DeployError } from '../errors.ts'
import type { Plan } from '../plan/operation.ts'
import type { WheelFile } from '../plan/wheels.ts'
import type { Bundle } from '../project/project.ts'
import type { Facts } from '../server/facts.ts'
import type { Answer, ServerEvent } from './event.ts'
import { contradiction, EventOrder } from './event-order.ts'
import { type Learned, learn } from './learned.ts'
import { nobody } from './line.ts'
import { Mailbox } from './mailbox.ts'
import { type RunSettings, renderProgram, wheelsToken } from './program.ts'
import { Outcome, type ProgramEnd } from './program-end.ts'
import { programFiles } from './program-files.ts'
import type { SteadyTalk } from './steady.ts'
import { stopOn } from './stop.ts'
import { PhaseClock, UploadClock, type WorkLimits } from './time-limits.ts'

/** ms that a connection's end may be told after a write to it failed. */
const LOST_MS = 250

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
  readonly limits: WorkLimits
  /** undefined for a rollback, which sends nothing. */
  readonly bundle: Bundle | undefined
  /** Those of the plan's wheels that the server lacks. */
  readonly wheels: readonly WheelFile[]
  /**
   * Smoke-tests a release that was just switched to.
   * @param answered what the server's own request through nginx found; comes a little later
   */
  readonly test: (release: string, answered: Promise<Answer>) => Promise<Tested>
  /** Says whether each name that a certificate is asked for leads to this server. */
  readonly preflight: (token: string, content: string) => Promise<boolean>
  /**
   * Tests the site with the HTTPS that it has just got.
   * @param leaf the certificate, base64 of DER
   */
  readonly testSecured: (leaf: string, answered: Promise<Answer>) => Promise<Tested>
  readonly onEvent: (event: ServerEvent) => void
  /** Bytes of the bundle that are on their way so far. */
  readonly onUpload: (sent: number, of: number) => void
}

/** How the program ended; `done`: the release serves and is kept. */
export interface Applied extends ProgramEnd {
  /** Why the smoke test of the new release failed, though it may have stayed. */
  readonly smokeFault: Tested | undefined
  /** The smoke test that the old release failed too, so that the new one stayed. */
  readonly oldFault: Tested | undefined
  /** The server did not tell it, but was restarted: it was read from its facts. */
  readonly learned: boolean
  /** Visitors had the new release, for a while at least. */
  readonly flipped: boolean
}

/** What apply needs of the conversation. */
export type Talk = Pick<
  SteadyTalk,
  'listen' | 'sendFiles' | 'startProgram' | 'sendBundle' | 'sendWheels' | 'say' | 'cancel'
>

type Message =
  | { readonly event: ServerEvent }
  | { readonly lost: unknown }
  /** The server was restarted. */
  | { readonly vanished: Facts }
  /** A limit of time ran out. */
  | { readonly late: DeployError }

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
  const lose = (lost: unknown) => loseLater(mail, lost)
  const { limits } = settings
  const stop = stopOn(signal, conversation, settings.run.run, limits.cancelMs, {
    silent: (reason) => mail.put({ lost: reason }),
    unsaid: lose,
  })
  const late = (error: DeployError) => {
    mail.put({ late: error })
    stop.now(error)
  }
  const clock = new PhaseClock(limits, late)
  const upload = new UploadClock(limits.uploadMs, late)
  conversation.listen({
    event: (event) => mail.put({ event }),
    lost: (lost) => mail.put({ lost }),
    vanished: (vanished) => mail.put({ vanished }),
    standing: (yes) => (yes ? upload.took() : upload.pause()),
  })
  try {
    const send = async () => {
      await conversation.sendFiles(
        new Map([...programFiles(plan), ['program', renderProgram(plan, settings.run)]]),
      )
      await conversation.startProgram()
      // One server needs no barrier between prepare and cutover.
      await conversation.say('cutover', 'go')
      const { bundle, wheels } = settings
      const onProgress = (of: number) => (sent: number) => {
        upload.took()
        clock.took()
        settings.onUpload(sent, of)
      }
      const store = plan.operations.find((operation) => operation.kind === 'store-wheels')
      if (store !== undefined) {
        const bytes = wheels.reduce((sum, wheel) => sum + wheel.bytes, 0)
        await conversation.sendWheels(wheels, wheelsToken(store), onProgress(bytes), signal)
      }
      if (bundle !== undefined) await conversation.sendBundle(bundle, onProgress(bundle.bytes), signal)
      upload.stop()
    }
    void send().catch(lose)
    return await follow(conversation, plan, settings, { mail, clock }, signal)
  } finally {
    clock.stop()
    upload.stop()
    stop.over()
    // Whatever is still said is of no use, and nobody takes it out of the mailbox.
    conversation.listen(nobody)
  }
}

/** Where the connection ended, `listen` tells it as well, and knows why: that comes first. */
function loseLater(mail: Mailbox<Message>, lost: unknown): void {
  setTimeout(() => mail.put({ lost }), LOST_MS)
}

async function follow(
  conversation: Talk,
  plan: Plan,
  settings: ApplySettings,
  { mail, clock }: { readonly mail: Mailbox<Message>; readonly clock: PhaseClock },
  signal: AbortSignal,
): Promise<Applied> {
  const order = new EventOrder(plan)
  const outcome = new Outcome()
  let late: DeployError | undefined
  let turn = 0
  let smokeFault: Tested | undefined
  let oldFault: Tested | undefined
  let answered: PromiseWithResolvers<Answer> | undefined
  let leaf = ''
  let saidKeep = false
  let flipped = false

  /** What is to be said to the waiting program, once it is known. */
  const reply = (words: Promise<void>) => {
    void words.catch((lost: unknown) => {
      // What the cancel broke off says nothing; the server is about to say what it took back.
      if (!signal.aborted) loseLater(mail, lost)
    })
  }

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
    order.said(word)
    saidKeep ||= word === 'keep'
    await conversation.say(`verdict-${turn}`, word)
  }

  const end = (how: Applied['end'], lost?: unknown, learned?: Learned): Applied => ({
    ...outcome.end(how, lost),
    smokeFault,
    oldFault,
    learned: learned !== undefined,
    flipped,
    ...learned,
  })
  for (;;) {
    const message = await mail.take()
    if ('lost' in message) return end('lost', message.lost)
    if ('vanished' in message)
      return end('failed', late, learn(message.vanished, plan, { saidKeep, flipped }))
    if ('late' in message) {
      late ??= message.late
      continue
    }
    const { event } = message
    const wrong = order.next(event)
    if (wrong !== undefined) {
      outcome.distrust()
      return end('lost', contradiction(wrong))
    }
    settings.onEvent(event)
    clock.hear(event)
    switch (event.kind) {
      case 'flipped':
        flipped ||= event.release === plan.release
        answered = Promise.withResolvers<Answer>()
        reply(judge(event.release, answered.promise))
        break
      case 'preflight':
        reply(
          settings
            .preflight(event.token, event.content)
            .then((good) => conversation.say('preflight', good ? 'go' : 'stop')),
        )
        break
      case 'certificate':
        if (event.how === 'leaf') leaf = event.detail
        break
      case 'secured':
        answered = Promise.withResolvers<Answer>()
        reply(
          settings
            .testSecured(leaf, answered.promise)
            .then(({ ok }) => conversation.say('secured', ok ? 'keep' : 'revert')),
        )
        break
      case 'answered':
        answered?.resolve(event.answer)
        break
      default:
        break
    }
    const how = outcome.take(event)
    if (how !== undefined) return end(how, how === 'failed' ? late : undefined)
  }
}
