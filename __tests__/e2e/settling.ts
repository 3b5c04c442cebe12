import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'
import { page, until } from './traces.ts'

/** `/boom` ends the process that answers it; and after so many seconds the web process as a whole ends by itself. */
export function dies(seconds?: number): string {
  const later =
    seconds === undefined
      ? ''
      : `
def end():
    time.sleep(${seconds})
    print("I have had enough", flush=True)
    os.kill(os.getppid(), signal.SIGTERM)

threading.Thread(target=end, daemon=True).start()
`
  return `
import os
import signal
import threading
import time

@app.route("/boom")
def boom():
    os._exit(7)
${later}`
}

/** Some seconds after its start it does not answer any more. */
export function hangs(seconds: number): string {
  return `
import time
began = time.monotonic()

@app.before_request
def hang():
    if time.monotonic() > began + ${seconds}:
        time.sleep(10)
`
}

/** It is not well while a file is there that all releases see. */
export function wellUnless(file: string): string {
  return `
import os

@app.before_request
def look():
    if os.path.exists("/var/lib/web-hello/${file}"):
        return "broken", 503
`
}

/** `/slow` takes until a file is there that all releases see. */
export function slowUntil(file: string): string {
  return `
import os
import time

@app.route("/slow")
def slow():
    while not os.path.exists("/var/lib/web-hello/${file}"):
        time.sleep(0.1)
    return "at last"
`
}

/** Waits until nothing settles any more, and until the watch has ended. */
export async function untilSettled(server: Server): Promise<void> {
  await until(
    'it is settled',
    async () =>
      !(await server.readFile('/srv/web-hello/state')).includes('settling') &&
      (await server.run('systemctl is-active --quiet web-hello.watch.service')).status !== 0,
  )
}

/** What there is of a release (or of the watch) on the server, but for its log. */
export async function left(server: Server, what: string): Promise<string> {
  return await server.must(`
    find /srv/web-hello /etc/web-hello /etc/systemd/system /run/web-hello -maxdepth 3 -name '*${what}*'
    systemctl list-units --all --plain --no-legend 'web-hello*' | grep -F -- '${what}' || :`)
}

/** Visits that each end the process that answers: one more than three, as the watch may just be beginning. */
export async function booms(server: Server): Promise<void> {
  for (let count = 0; count < 4; count += 1) {
    await page(server, '/boom')
    await sleep(1500)
  }
}
