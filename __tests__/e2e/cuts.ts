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
if [ "$count" = "$(/usr/bin/cat /var/cuts/counted)" ] && [ -s /var/cuts/pattern ] &&
  /usr/bin/tail -n 1 "/run/cuts/$count" | /usr/bin/grep -qEf /var/cuts/pattern 2>/dev/null; then
  echo >>/run/cuts/found
  read -r nth after again </var/cuts/step
  [ "$(/usr/bin/wc -l </run/cuts/found)" != "$nth" ] ||
    echo " $count-$((number + after)) $count-$((number + after + again))" >>/var/cuts/at
fi
case " $(/usr/bin/tr '\\n' ' ' </var/cuts/at) " in
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

/** A moment by what is done then. */
export interface Step {
  /** The command as `grep -E` finds it. */
  readonly pattern: string
  /** Which of those, counted from 1. */
  readonly nth: number
  /** Commands after it. */
  readonly after: number
}

/** The moments of a run. */
export interface Moments {
  readonly kind: CutKind
  readonly counted: Counted
  /** Before its 12th command; 0: never. */
  readonly at: number | Step
  /** A second one: so many commands later, or after a boot the number of a command of what repairs then. */
  readonly again: number | undefined
}

/** Chooses the moments of the next run. */
export async function arm(server: Server, { kind, counted, at, again = 0 }: Moments): Promise<void> {
  const later = kind === 'power' ? 0 : again
  const { pattern, nth, after } = typeof at === 'number' ? { pattern: '', nth: 0, after: 0 } : at
  const first = typeof at === 'number' ? `${counted}-${at} ${counted}-${at + later}` : ''
  const booted = kind === 'power' && again > 0 ? `${counted === 'watch' ? 'later' : 'boot'}-${again}` : ''
  await server.must(
    `rm -rf /run/cuts /var/cuts/pattern; mkdir /run/cuts; : >/run/cuts/armed
    cd /var/cuts
    [ -z '${pattern}' ] || printf '%s\\n' '${pattern}' >pattern
    echo ${kind} >kind; echo ${counted} >counted; echo ${nth} ${after} ${later} >step; echo '${first} ${booted}' >at
    sync`,
  )
}

/** No more cuts, and nobody waits for one. @returns the commands of those who are counted since `arm`, or since the boot */
export async function disarm(server: Server, counted: Counted = 'program'): Promise<readonly string[]> {
  const text = await server.must(
    `rm -f /var/cuts/at /var/cuts/pattern /run/cuts/now; cat /run/cuts/${counted} 2>/dev/null || :; rm -rf /run/cuts`,
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
