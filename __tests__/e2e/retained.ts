import type { Server } from '../server/boot.ts'

/** Of each kind of file that a deploy leaves: how many there are, and their kilobytes. */
export type Kept = ReadonlyMap<string, { readonly count: number; readonly kilobytes: number }>

/** Everything of the app's, and of the action's own, on the disk and in /run. IDs are one word for all releases and runs. */
export async function keptOn(server: Server, name = 'hello'): Promise<Kept> {
  const listing = await server.must(`
    for folder in /srv/web-${name} /etc/web-${name} /var/lib/web-${name} /var/cache/web-${name} /var/log/web-${name} \
      /var/cache/web-${name}-build /var/lib/flask-deploy /opt/flask-deploy /run/web-${name} /run/flask-deploy /etc/nginx; do
      [ ! -e "$folder" ] || find "$folder" -printf '%y %k %p\\n'
    done
    find /etc/systemd/system /run/systemd -name '*web-${name}*' -printf '%y %k %p\\n'
    systemctl list-units --all --plain --no-legend 'web-${name}*' 'flask-deploy-${name}*' | awk '{ print "u 0", $1, $3 }'`)
  const kept = new Map<string, { count: number; kilobytes: number }>()
  for (const line of listing.trim().split('\n')) {
    const [kind = '', kilobytes = '0', ...path] = line.split(' ')
    const key = `${kind} ${plain(path.join(' '))}`
    const known = kept.get(key) ?? { count: 0, kilobytes: 0 }
    kept.set(key, { count: known.count + 1, kilobytes: known.kilobytes + Number(kilobytes) })
  }
  return kept
}

/** Without what is another each time: IDs of releases and runs, and names that are hashes. */
function plain(path: string): string {
  return path
    .replace(/\b[0-9]{14}-[0-9a-f]{7}\b/g, 'ID')
    .replace(/\/run\/flask-deploy\/[^/]+\/[0-9a-f]{16}.*/, '/run/RUN')
    .replace(/\/var\/cache\/web-[^/]+-build\/.*/, '/BUILD')
}

/** What there is more of, beside the folders of runs in /run, of which there may be forty. */
export function compareKept(few: Kept, many: Kept): readonly string[] {
  const runs = (kept: Kept) => [...kept].filter(([key]) => key.endsWith('/run/RUN'))
  return [
    ...[...many]
      .filter(([key]) => !key.endsWith('/run/RUN'))
      .flatMap(([key, now]) => {
        const before = few.get(key)
        if (before === undefined) return [`new: ${key}`]
        const grown = now.count > before.count || now.kilobytes > before.kilobytes + 8
        return grown
          ? [`${key}: ${before.count} (${before.kilobytes} kB), now ${now.count} (${now.kilobytes} kB)`]
          : []
      }),
    ...runs(many).flatMap(([key, { count }]) =>
      count > (key.startsWith('d') ? 40 : 40 * 40) ? [`${count} of ${key}`] : [],
    ),
  ]
}
