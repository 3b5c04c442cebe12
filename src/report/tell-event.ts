import type { ServerEvent } from '../apply/event.ts'
import { doubtWarning, foundRow } from './found.ts'
import type { Recorder } from './recorder.ts'

/**
 * An event that any program tells, in log and report: what it is busy with, what it found and changed, what other programs
 * printed. Events of one kind of program are told beside it.
 */
export function tellEvent(recorder: Recorder, event: ServerEvent): void {
  switch (event.kind) {
    case 'phase':
      recorder.phase(event.phase)
      break
    case 'log':
    case 'stderr':
      recorder.toolLine(event.line)
      break
    case 'running':
      recorder.running(event.what)
      break
    case 'waiting':
      recorder.running(`Waiting for ${event.holder}, which holds the lock.`)
      break
    case 'changed':
      recorder.change(event.what, event.detail)
      recorder.say(`changed: ${event.what} ${event.detail}`)
      break
    case 'found': {
      const { what, detail } = foundRow(event.what, event.detail)
      recorder.find(what, detail)
      break
    }
    case 'doubt':
      recorder.warn(doubtWarning(event.what, event.detail))
      break
    default:
      break
  }
}
