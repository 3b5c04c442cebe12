import type { Explanation } from '../errors.ts'
import type { Failure, Situation } from './failure.ts'
import { hangingFrame } from './traceback.ts'

/** A worker of gunicorn's waits within the import of the app, for visitors of its own; the check had it print where. */
export function explainOwnServer({ detail, lines }: Failure, { name, module }: Situation): Explanation {
  const frame = hangingFrame(lines, name)
  const place = frame === undefined ? '' : `, in ${frame.file}, line ${frame.line}`
  const port = /^[0-9]{1,5}$/.test(detail) ? ` on port ${detail}` : ''
  return {
    cause: `The module \`${module}\` starts a server of its own when it is imported${port}${place}, so gunicorn never gets the app.`,
    cure: 'Put that call below `if __name__ == "__main__":`, set `app` to a module that only makes the app, or `web-command` to what starts the project\'s own server.',
    input: 'web-command',
    ...frame,
  }
}
