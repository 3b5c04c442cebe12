import { finding, type Judge } from './finding.ts'
import { bytes } from './status.ts'

const MINUTE = 60_000

/** Of a disk, as a part of the whole and in bytes: with less than both it is low. */
const LEAST_PART = 0.1
const LEAST_FREE = 1024 ** 3

/** With less memory than this, and no swap, a build or a second release may find none. */
const SMALL_MEMORY = 1024 ** 3

/** What is wrong with the server, whatever app is on it. */
export const serverFindings: readonly Judge[] = [
  ({ nginx }, seen) => {
    if (nginx === undefined) return []
    if (seen.nginx === undefined) return []
    const { active, enabled, sound } = seen.nginx
    return [
      ...(sound
        ? []
        : finding(
            'nginx-unsound',
            "nginx's configuration is broken: it goes on with the old one, and would not start with this one.",
            'Mend what `nginx -t` names (it stands below) in that file on the server.',
          )),
      ...(active === 'active'
        ? []
        : finding(
            'nginx-down',
            `nginx does not run (it is ${active}).`,
            'See why with `journalctl -u nginx` on the server, and start it with `systemctl start nginx`.',
          )),
      ...(enabled === 'enabled'
        ? []
        : finding(
            'nginx-not-enabled',
            `nginx does not start at boot (it is ${enabled}).`,
            `Run \`${enabled.startsWith('masked') ? 'systemctl unmask nginx && ' : ''}systemctl enable nginx\` on the server.`,
          )),
    ]
  },
  ({ neighbours }) =>
    neighbours.listeners.flatMap(({ port, unit, command }) =>
      finding(
        'port-of-another',
        `Port ${port} belongs to another program than nginx: ${unit === '' ? command || 'it is not known which' : `the unit \`${unit}\``}.`,
        `Stop it on the server${unit === '' ? '' : ` (\`systemctl disable --now ${unit}\`)`}, or give it another port, and start nginx (\`systemctl restart nginx\`).`,
      ),
    ),
  ({ nginx, state }) =>
    nginx !== undefined || state?.current === undefined
      ? []
      : finding(
          'nginx-absent',
          'nginx is not installed any more.',
          'Deploy again: it is installed, and gets the site.',
        ),
  (_, { disks }) => {
    const seen = new Set<string>()
    return disks.flatMap(({ mount, bytes: size, free, inodes, inodesFree }) => {
      if (seen.has(mount)) return []
      seen.add(mount)
      return [
        ...(free < LEAST_FREE && free < size * LEAST_PART
          ? finding(
              'disk-low',
              `The disk at \`${mount}\` has ${bytes(free)} of ${bytes(size)} left.`,
              'Set `keep-releases` to a smaller number, and free some space on the server: `journalctl --vacuum-size=100M` and `apt-get clean` do.',
            )
          : []),
        ...(inodes > 0 && inodesFree < inodes * LEAST_PART
          ? finding(
              'inodes-low',
              `The disk at \`${mount}\` has room for ${inodesFree} more files, of ${inodes}.`,
              'Set `keep-releases` to a smaller number, and look for a folder with very many files: `du --inodes -x / | sort -n | tail`.',
            )
          : []),
      ]
    })
  },
  (_, { memory }) =>
    memory === undefined || memory.swap > 0 || memory.total >= SMALL_MEMORY
      ? []
      : finding(
          'no-swap',
          `The server has ${bytes(memory.total)} of memory and no swap: a deploy runs two releases for a moment, and the kernel may kill one.`,
          'Make some on the server (`fallocate -l 1G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile`, and a line in /etc/fstab), or set `workers` to a smaller number.',
        ),
  ({ readOnly }) =>
    readOnly.length === 0
      ? []
      : finding(
          'disk-read-only',
          `The disk is mounted read-only: nothing can be written to ${readOnly.join(', ')}.`,
          'See with `dmesg | tail` on the server why, and reboot it, or mount the disk anew.',
        ),
  ({ now }, _, around) => {
    const minutes = Math.round((now - around.now) / MINUTE)
    return Math.abs(minutes) < 3
      ? []
      : finding(
          'clock-wrong',
          `The server's clock is ${Math.abs(minutes)} minutes ${minutes < 0 ? 'behind' : 'ahead'}: certificates and package indexes may be refused.`,
          'Run `timedatectl set-ntp true` on the server, and look at it with `timedatectl`.',
        )
  },
  (_, { reboot }) =>
    reboot
      ? finding(
          'reboot-due',
          'An update of the system waits for a reboot.',
          'Reboot the server (`systemctl reboot`): the site comes back by itself.',
        )
      : [],
  (_, { journalLost }) =>
    journalLost
      ? finding(
          'journal-volatile',
          "The system's journal is in memory: what the app said is lost with each reboot.",
          'Run `mkdir -p /var/log/journal && systemctl restart systemd-journald` on the server.',
        )
      : [],
  (_, { units }) =>
    units.some(({ stale }) => stale)
      ? finding(
          'units-stale',
          `systemd goes by older files of ${units.filter(({ stale }) => stale).length} units than those on the disk.`,
          'Run `systemctl daemon-reload` on the server.',
        )
      : [],
]
