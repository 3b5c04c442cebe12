import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'

/** What visitors get: status and text of a page, asked from outside over a connection of its own. */
export async function page(server: Server, path = '/', timeoutMs = 10_000): Promise<string> {
  try {
    const answer = await fetch(`http://${server.address}${path}`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await answer.text()
    return answer.status === 200 ? text : `${answer.status} ${text}`
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return `no answer: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

/** Visitors who come again and again until `answers` is asked for. */
export interface Visitors {
  /** Ends the visits. Every different answer that was seen, in the order of its first sight. */
  readonly answers: () => Promise<readonly string[]>
}

/** Visits a page every few ms from now on. */
export function visitors(server: Server, path = '/'): Visitors {
  const seen = new Set<string>()
  let over = false
  const visits = (async () => {
    while (!over) {
      seen.add(await page(server, path))
      await sleep(30)
    }
  })()
  return {
    answers: async () => {
      over = true
      await visits
      return [...seen]
    },
  }
}

/**
 * Everything that an app's releases are on the server, one line each: folders, env files, units on the disk, enabled and
 * known to systemd, sockets, the links, the state. Equal texts: nothing was left behind, nothing is missing.
 */
export async function traces(server: Server, name = 'hello'): Promise<string> {
  return await server.must(`
    exec 2>/dev/null
    cd /srv/web-${name} || exit 0
    find . -maxdepth 2 -printf '%p %l\\n' | sort
    sed '/^generation/d' state
    find /etc/web-${name} /etc/systemd/system /run/web-${name} /etc/nginx -path '*web-${name}*' | sort
    systemctl list-units --all --plain --no-legend 'web-${name}-*' | awk '{ print $1, $2, $3 }' | sort
    find /var/lib/flask-deploy/incoming -name '${name}-*'
    systemctl list-units --plain --no-legend 'flask-deploy-${name}-*' | awk '{ print $1 }'
  `)
}

/**
 * The traces as soon as they are the wanted ones, else what they are after 30 s: a release that visitors have left
 * finishes what it has when the run is over.
 */
export async function tracesOnceDrained(server: Server, wanted: string): Promise<string> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const now = await traces(server)
    if (now === wanted || performance.now() > deadline) return now
    await sleep(200)
  }
}

/** Whether nobody holds the app's lock. */
export async function lockIsFree(server: Server, name = 'hello'): Promise<boolean> {
  const { status } = await server.run(
    `[ ! -e /run/flask-deploy/${name}/lock ] || flock -n /run/flask-deploy/${name}/lock true`,
  )
  return status === 0
}

/** Polls until a condition holds. @throws Error after the time */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
    await sleep(100)
  }
}
