import type { Explanation } from '../errors.ts'

/** What `remote/space.sh` measured, in kB: word -> how a sentence calls it. */
const caches = [
  ['releases', 'older releases'],
  ['build-cache', "uv's cache of this app"],
  ['apt-cache', "apt's cache"],
  ['journal', 'the journal'],
] as const

/** `FOLDER FREE` and `WORD:KB` each. */
function read(detail: string) {
  const [folder = '', free = '', ...words] = detail.split(' ')
  const sizes = new Map(
    words.flatMap((word): readonly (readonly [string, number])[] => {
      const [, what, kilobytes] = /^([a-z-]+):([0-9]{1,12})$/.exec(word) ?? []
      return what === undefined ? [] : [[what, Math.ceil(Number(kilobytes) / 1024)]]
    }),
  )
  const number = /^[0-9]{1,12}$/.test(free) ? Number(free) : undefined
  return { folder: /^\/[\w./-]*$/.test(folder) ? folder : undefined, free: number, sizes }
}

/**
 * The server's disk got full in the middle of a deploy.
 * @param detail of the event, '' where nothing was measured
 * @param when as the end of a sentence
 */
export function explainDisk(detail: string, when: string): Explanation {
  const { folder, free, sizes } = read(detail)
  const where = folder === undefined ? '' : ` in ${folder}`
  const needs = sizes.get('needs')
  const left = free === undefined ? '' : `: ${Math.floor(free / 1024)} MB are left`
  if (folder === '/run') {
    return {
      cause: `The server's /run is full${left}; it is a small file system in the server's memory, in which each run has its program.`,
      cure: 'See with `du -xh /run | sort -h | tail` on the server what fills it (its journal, where that is kept in memory: `journalctl --vacuum-size=10M`), remove that or reboot the server, and run the job again.',
      input: 'host',
    }
  }
  const wanted = needs === undefined ? '' : `, and a release takes ${needs} MB`
  const large = caches.filter(([word]) => (sizes.get(word) ?? 0) > 0)
  const going = large.map(([word, what]) => `${what}: ${sizes.get(word)} MB`).join(', ')
  return {
    cause: `The server's disk got full${where} ${when}${left}${wanted}.`,
    cure: `Free some space on the server${going === '' ? '' : ` (${going})`}: \`df -h\` shows where, \`apt-get clean\` and \`journalctl --vacuum-size=100M\` help; or set \`keep-releases\` lower.`,
    input: 'keep-releases',
  }
}

/** It has space, but can hold no more files. */
export function explainInodes(detail: string): Explanation {
  const { folder = '/srv' } = read(detail)
  if (folder === '/run') {
    return {
      cause: "The server's /run, a small file system in its memory, can hold no more files.",
      cure: 'See with `du --inodes -xS /run | sort -n | tail` on the server what has so many, remove that or reboot the server, and run the job again.',
      input: 'host',
    }
  }
  return {
    cause: `The server's disk can hold no more files in ${folder}: its inodes are used up, whatever space is free.`,
    cure: `Remove what has many small files: \`du --inodes -xS / | sort -n | tail\` on the server shows where they are (sessions and caches are the usual ones), or set \`keep-releases\` lower.`,
    input: 'keep-releases',
  }
}

/** A file system that was writable at the beginning is not any more. */
export function explainReadOnly(detail: string): Explanation | undefined {
  const { folder } = read(detail)
  if (folder === undefined) return undefined
  return {
    cause: `The server's disk became read-only during the deploy: nothing can be written to ${folder} any more.`,
    cure: 'See with `dmesg | tail` on the server why (a failing disk is the usual reason), mount it anew or reboot, and run the job again: it repairs what is left.',
    input: 'host',
  }
}

/** `LEFT FIRST TOTAL`, in MB: not even the first process has room beside what runs. */
export function explainMemory(detail: string): Explanation {
  const [left = '?', first = '?', total = '?'] = detail.split(' ')
  return {
    cause: `The server has ${left} MB of memory left (of ${total}), and the first process of the new release takes about ${first} MB beside the release that serves: it was not started.`,
    cure: 'Set `workers` to a smaller number and deploy when there is more room, give the server swap (`fallocate -l 1G /swapfile`, `chmod 600`, `mkswap` and `swapon` it), or more memory.',
    input: 'workers',
  }
}

/** `COUNT TOTAL WHAT`: the kernel ended processes while something ran that failed then. */
export function explainOutOfMemory(detail: string): Explanation {
  const [count = '1', total = '?', what = ''] = detail.split(' ')
  const [, part] = /^flask-deploy-.*-[0-9a-f]+-([a-z-]+)$/.exec(what) ?? []
  const during =
    part === 'build' || part === 'site'
      ? 'while packages were built'
      : part === 'probe'
        ? 'while the app was imported'
        : part === undefined
          ? 'while the new release was made ready'
          : `during the ${part.replaceAll('-command', ' command')}`
  return {
    cause: `The server's memory (${total} MB) ran out ${during}, and the kernel ended ${count === '1' ? 'a process' : `${count} processes`} of it; the release that serves was spared.`,
    cure: 'Give the server swap (`fallocate -l 1G /swapfile`, `chmod 600`, `mkswap` and `swapon` it) or more memory, or let it need less: fewer `workers`, packages that come as wheels.',
    input: 'workers',
  }
}
