import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '../server/boot.ts'

/**
 * Everything that an app is on a server, one line each: trees with owners and modes, the content of its units and of
 * nginx's files, links, the state, units that systemd knows, processes, what is left of runs. IDs, nonces and times are named
 * by what they are, so the texts of two servers in the same state are equal.
 */
export async function snapshot(server: Server, name = 'hello'): Promise<string> {
  const text = await server.must(`
    exec 2>/dev/null
    find /srv/web-${name} /etc/web-${name} /run/web-${name} /var/lib/web-${name} /var/cache/web-${name} /var/log/web-${name} \\
      /var/lib/flask-deploy \\( -name .venv -o -name __pycache__ \\) -prune -printf 'tree %y %m %u:%g %p\\n' -o \\
      -printf 'tree %y %m %u:%g %p %l\\n'
    find /etc/nginx /etc/systemd/system /opt/flask-deploy -maxdepth 2 -printf 'tree %y %m %u:%g %p %l\\n'
    sed 's/^\\(release [^ ]*\\) .*/\\1/; /^generation/d; s/^/state /' /srv/web-${name}/state
    for file in /etc/systemd/system/web-${name}[-.]* /etc/nginx/sites-enabled/*; do sed "s,^,content $file: ," "$file"; done
    for file in /etc/web-${name}/*.env; do sed "s/^FLASK_DEPLOY_NONCE=.*/FLASK_DEPLOY_NONCE=N/; s,^,content $file: ," "$file"; done
    systemctl list-units --all --plain --no-legend 'web-${name}[-.]*' | awk '{ print "unit", $1, $2, $3 }'
    systemctl list-units --all --plain --no-legend 'flask-deploy-${name}-*' | awk '{ print "unit", $1, $2, $3 }'
    systemctl list-jobs --plain --no-legend | awk '{ print "job", $2, $3 }'
    ps -eo user:32,args | awk '$1 ~ /^web-${name}/ { $1 = $1; print "process", $0 }'
    find /run/flask-deploy/${name} -name program -o -name '*.json' -o -name 'library.sh' -o -name build.env | sed 's/^/left /'
  `)
  return normalised(text)
}

/** The same of an app that came anew, with a key of its own; what is done once in its life was done by whichever release. */
export async function snapshotOfNew(server: Server): Promise<string> {
  return (await snapshot(server))
    .replaceAll(/(SECRET_KEY=)k[0-9a-f]{64}/g, '$1KEY')
    .replaceAll(/^tree .*\/first-deploy-command \n/gm, '')
}

function normalised(text: string): string {
  const of = (key: string) => new RegExp(`^state ${key} (\\S+)$`, 'm').exec(text)?.[1]
  let plain = text
  for (const [id, role] of [
    [of('current'), 'CURRENT'],
    [of('previous'), 'PREVIOUS'],
  ] as const) {
    if (id !== undefined) plain = plain.replaceAll(id, role)
  }
  return (
    plain
      // It leads to one that was pruned since, or there is none.
      .replaceAll(/^tree .*\/PREVIOUS\/\.previous \.\.\/[0-9]\S+\n/gm, '')
      .replaceAll(/\/run\/flask-deploy\/(\w+)\/[0-9a-f]{16}/g, '/run/flask-deploy/$1/RUN')
      .split('\n')
      // (what a boot has started is remembered by systemd until it reads its units anew, though its file is gone)
      .filter(
        (line) =>
          line !== '' && !/^content \S*PREVIOUS|^unit \S*\.recovery\.service loaded inactive/.test(line),
      )
      .toSorted()
      .join('\n')
  )
}

/**
 * The difference between the snapshot and the wanted one, as soon as there is none, else after some time: what visitors
 * have left finishes when the run is over. '' where there is none.
 * @param taken how a snapshot is taken
 */
export async function differenceOnceQuiet(
  server: Server,
  wanted: string,
  taken: (server: Server) => Promise<string> = snapshot,
  timeoutMs = 20_000,
): Promise<string> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const now = await taken(server)
    if (now === wanted) return ''
    if (performance.now() > deadline) return difference(wanted, now)
    await sleep(200)
  }
}

function difference(wanted: string, now: string): string {
  const before = wanted.split('\n')
  const after = now.split('\n')
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ...(before.length === after.length ? [] : [`(${before.length} lines, now ${after.length})`]),
  ].join('\n')
}
