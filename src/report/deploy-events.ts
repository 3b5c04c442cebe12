import type { ServerEvent } from '../apply/event.ts'
import type { Plan } from '../plan/operation.ts'
import { pageAbsent } from './found.ts'
import type { Recorder } from './recorder.ts'
import { settlingAfter, tellSettling } from './settling.ts'
import { tellEvent } from './tell-event.ts'

/** An event of a deploy's or a rollback's program, in log and report. */
export function tellDeploy(recorder: Recorder, event: ServerEvent, plan: Plan): void {
  switch (event.kind) {
    case 'app':
      recorder.appLine(event.line)
      break
    case 'environment':
      recorder.change(
        'environment',
        event.how === 'linked' ? `unchanged, shared with ${event.detail}` : `built from ${event.detail}`,
      )
      recorder.say(
        event.how === 'linked'
          ? `Dependencies are unchanged: the environment of ${event.detail} is shared.`
          : `Built the environment from ${event.detail}.`,
      )
      break
    case 'unpublished':
      recorder.say(`The app serves ${event.folder} itself: it is no plain folder, or a link leads out of it.`)
      break
    case 'found':
      tellEvent(recorder, event)
      // What was missing is installed by then.
      if (event.what === 'system-packages') recorder.forgetLines()
      break
    case 'repaired':
      recorder.change('repaired', event.detail)
      recorder.say(`An earlier deploy was cut off; repaired: ${event.detail}`)
      break
    case 'health':
      recorder.say(
        `Health check: ${event.answers} good answers in a row, status ${event.status}, ${event.ms} ms.`,
      )
      recorder.note({
        health: {
          ok: true,
          path: plan.check.path,
          status: event.status,
          ms: event.ms,
          answers: event.answers,
        },
      })
      if (event.status === 404 && !plan.check.explicit) recorder.warn(pageAbsent(plan.check.path))
      break
    case 'flipped':
      // The smoke test begins with the flip.
      recorder.phase('smoke')
      recorder.say(`Visitors get release ${event.release}.`)
      break
    case 'reverted':
      recorder.change('reverted', event.release)
      recorder.say(`Visitors get release ${event.release} again.`)
      break
    case 'kept':
      recorder.say(`Release ${event.release} is kept.`)
      break
    case 'settling':
    case 'settled':
    case 'fail': {
      const settling = settlingAfter(event, recorder.report().settling)
      if (settling === undefined) break
      recorder.note({ settling })
      recorder.say(tellSettling(settling))
      break
    }
    default:
      tellEvent(recorder, event)
      break
  }
}
