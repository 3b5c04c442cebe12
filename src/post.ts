import { randomBytes } from 'node:crypto'
import { Conversation } from './apply/conversation.ts'
import type { ServerEvent } from './apply/event.ts'
import { orAborted } from './apply/or-aborted.ts'
import { connectTo } from './connect.ts'
import { parseInputs } from './inputs/parse.ts'
import { appName } from './project/name.ts'
import { type CutOff, cutOff, restarted } from './report/cut-off.ts'
import type { Surroundings } from './run.ts'
import { redactor, secretsToMask } from './secrets.ts'
import type { Connection } from './server/connection.ts'

/**
 * After main: where main was killed while a program ran on the server, the program is stopped, so that it goes back to
 * the release that served and frees the lock. It would do so by itself too, only later. Says what became of it, whether it
 * was stopped now, or had come to its end before. Fails nothing.
 * @param run the ID that main remembered; '' where there is nothing to do
 */
export async function post(surroundings: Surroundings, run: string): Promise<void> {
  if (!/^[0-9a-f]+$/.test(run)) return
  const { log, input, environment } = surroundings
  log.mask(secretsToMask(input))
  log.redactWith(redactor(input))
  let connection: Connection | undefined
  try {
    const inputs = parseInputs(input)
    const signal = AbortSignal.any([surroundings.signal, AbortSignal.timeout(surroundings.limits.postMs)])
    connection = await connectTo(inputs, { ...surroundings, signal }, (text) => log.info(text))
    const { conversation, facts } = await Conversation.start(
      connection,
      {
        name: inputs.app.name ?? appName(environment['GITHUB_REPOSITORY'] || 'local/app'),
        run: randomBytes(8).toString('hex'),
        nonce: randomBytes(16).toString('hex'),
        packages: [],
        user: inputs.server.user,
        sudoPassword: inputs.server.sudoPassword,
        factsMs: surroundings.limits.phases.facts.ms,
      },
      signal,
    )
    const told = outcome(conversation)
    told.catch(() => undefined)
    await conversation.cancel(run)
    const { starts } = await conversation.attach(run, 0, signal)
    // A server that was restarted since has no traces of the run, but its state.
    log.info(starts === 0 ? restarted(facts) : cutOff(await orAborted(told, signal)))
    conversation.end()
  } catch (error) {
    log.info(
      `The deploy that was cut off could not be stopped from here: ${error instanceof Error ? error.message : String(error)}`,
    )
    log.info('It goes back by itself, and the next deploy cleans up what is left.')
  } finally {
    connection?.close()
  }
}

/** What the program says until it is over. */
function outcome(conversation: Conversation): Promise<CutOff> {
  return new Promise((resolve, reject) => {
    let so: CutOff = { kept: undefined, failure: '', serving: 'unknown' }
    const hear = (event: ServerEvent) => {
      if (event.kind === 'serving') so = { ...so, serving: event.release }
      if (event.kind === 'kept') so = { ...so, kept: event.release }
      if (event.kind === 'fail') so = { ...so, failure: event.code }
      // After these the run had another program.
      const again = so.failure === 'facts-changed' || so.failure === 'wheels-wanted'
      if (event.kind === 'end' && again) so = { ...so, failure: '' }
      else if (event.kind === 'end' || event.kind === 'gone') resolve(so)
    }
    conversation.listen(hear, reject)
  })
}
