import { randomBytes } from 'node:crypto'
import { Conversation } from './apply/conversation.ts'
import { orAborted } from './apply/or-aborted.ts'
import { connectTo } from './connect.ts'
import { parseInputs } from './inputs/parse.ts'
import { appName } from './project/name.ts'
import type { Surroundings } from './run.ts'
import { redactor, secretsToMask } from './secrets.ts'
import type { Connection } from './server/connection.ts'

/**
 * After main: where main was killed while a program ran on the server, the program is stopped, so that it goes back to
 * the release that served and frees the lock. It would do so by itself too, only later. Fails nothing.
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
    const { conversation } = await Conversation.start(
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
    const told = new Promise<string>((resolve, reject) => {
      let serving = 'unknown'
      let failure = ''
      conversation.listen(
        (event) => {
          if (event.kind === 'serving') serving = event.release
          if (event.kind === 'fail') failure = event.code
          // After this one the run had another program.
          if (event.kind === 'end' && failure === 'facts-changed') failure = ''
          else if (event.kind === 'end' || event.kind === 'gone') resolve(serving)
        },
        (error) => reject(error),
      )
    })
    const stop = async () => {
      await conversation.cancel(run)
      await conversation.attach(run, 0)
      return await told
    }
    const serving = await orAborted(Promise.race([stop(), told]), signal)
    log.info(`The deploy that was cut off has been stopped; visitors get release ${serving || 'none'}.`)
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
