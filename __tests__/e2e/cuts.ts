import type { Server } from '../server/boot.ts'

/** What is cut at a moment: see rounds.ts. `program`: whatever works on the server. */
export type CutKind = 'program' | 'power' | 'runner' | 'line'

/** Whose commands are counted: those of a run's program with the end of its unit, or those of the watch over a release that settles. */
export type Counted = 'program' | 'watch'

/** Commands of the program that a cut may come before. */
const commands = [
  ...[
    'chmod',
    'chown',
    'cmp',
    'cp',
    'find',
    'flock',
    'install',
    'journalctl',
    'ln',
    'mkdir',
    'mv',
    'nginx',
    'rm',
    'rmdir',
  ],
  ...['sha256sum', 'sleep', 'stat', 'sync', 'systemctl', 'systemd-run', 'tail', 'tar', 'timeout', 'useradd'],
]

/**
 * Stands before a program of the server's in PATH: counts the deploy's own commands, those of a recovery at boot, and those
 * of the watch, and at the one that was chosen kills the unit, or says so and waits. The product knows nothing of it.
 */
const shim = `#!/bin/sh
real=REAL
unit=
while IFS= read -r line; do case $line in 0::*) unit=$line ;; esac; done </proc/self/cgroup
unit=\${unit##*/}
case $unit in
  flask-deploy-hello-*-*) exec "$real" "$@" ;;
  flask-deploy-hello-*) count=program ;;
  web-hello.recovery.service) count=boot ;;
  web-hello.watch.service) if [ -e /run/cuts/armed ]; then count=watch; else count=later; fi ;;
  *) exec "$real" "$@" ;;
esac
[ -e /var/cuts/at ] || exec "$real" "$@"
# Who waits looks as often as it takes, so those are not counted.
case $* in 0.05 | 'show -p Id,MainPID'*) exec "$real" "$@" ;; esac
/usr/bin/mkdir -p /run/cuts
echo "\${0##*/} $*" | /usr/bin/tr '\\n' ' ' >>"/run/cuts/$count"
echo >>"/run/cuts/$count"
number=$(/usr/bin/wc -l <"/run/cuts/$count")
case " $(/usr/bin/cat /var/cuts/at) " in
  *" $count-$number "*)
    read -r kind </var/cuts/kind
    if [ "$kind" = program ]; then
      : >/run/cuts/done
      /usr/bin/systemctl kill -s KILL "$unit"
      /usr/bin/sleep 60
    fi
    : >/run/cuts/now
    while [ -e /run/cuts/now ]; do /usr/bin/sleep 0.02; done
    ;;
esac
exec "$real" "$@"
`

/** Puts the counters in front of the server's programs; they stay for good. */
export async function installCounters(server: Server): Promise<void> {
  await server.must(`mkdir -p /usr/local/sbin /var/cuts
cat >/var/cuts/shim <<'SHIM'
${shim}SHIM
for one in ${commands.join(' ')}; do
  real=
  for folder in /usr/sbin /usr/bin /sbin /bin; do [ -n "$real" ] || [ ! -x "$folder/$one" ] || real=$folder/$one; done
  [ -n "$real" ] || real=/usr/sbin/$one
  sed "s,REAL,$real," /var/cuts/shim >"/usr/local/sbin/$one"
  chmod 0755 "/usr/local/sbin/$one"
done
sync`)
}

/**
 * Chooses the moments of the next run.
 * @param at `program-12`: before its 12th command; `boot-3`: before the third of a recovery at boot; `watch-4`: before the
 *   watch's fourth; `later-4`: the same after a boot
 */
export async function arm(server: Server, kind: CutKind, at: readonly string[]): Promise<void> {
  await server.must(
    `rm -rf /run/cuts; mkdir /run/cuts; : >/run/cuts/armed; echo ${kind} >/var/cuts/kind; echo '${at.join(' ')}' >/var/cuts/at; sync`,
  )
}

/** No more cuts, and nobody waits for one. @returns the commands of those who are counted since `arm`, or since the boot */
export async function disarm(server: Server, counted: Counted = 'program'): Promise<readonly string[]> {
  const text = await server.must(
    `rm -f /var/cuts/at /run/cuts/now; cat /run/cuts/${counted} 2>/dev/null || :; rm -rf /run/cuts`,
  )
  return text.split('\n').filter((line) => line !== '')
}

/** Whether a chosen moment has come and is waited at. */
export async function atMoment(server: Server): Promise<boolean> {
  return (await server.run('[ -e /run/cuts/now ]')).status === 0
}

/** Whether a chosen moment has come, and what worked was killed at it. */
export async function wasKilled(server: Server): Promise<boolean> {
  return (await server.run('[ -e /run/cuts/done ]')).status === 0
}

/** Lets the program go on. */
export async function goOn(server: Server): Promise<void> {
  await server.run('rm -f /run/cuts/now')
}
