import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { quote } from '../../src/quote.ts'
import { remoteFile } from '../../src/remote.ts'

const unit = 'web-shop-20261122201017-0400bbb.service'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-'))
  for (const name of ['systemctl', 'journalctl', 'systemd-run']) program(name, '')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program of the server's, as a stand-in. */
function program(name: string, text: string): void {
  put(`bin/${name}`, `#!/bin/sh\n${text}\n`)
  chmodSync(join(folder, 'bin', name), 0o755)
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** What the library says to these calls; the kernel's files are the test's own. */
function said(calls: string): readonly string[] {
  const library = ['events.sh', 'memory-limit.sh', 'memory.sh'].map(remoteFile).join('\n')
  const script = `set -eu; PATH=${quote(join(folder, 'bin'))}:$PATH dir=${quote(folder)}
name=shop run=abc release=20261122201017-0400bbb exact='' child=''
${library.replaceAll('/sys/fs/cgroup', join(folder, 'cgroup')).replaceAll('/proc/vmstat', join(folder, 'vmstat'))}
emit() { printf '%s\\n' "$*"; }
foreign() { cat >/dev/null; }
look_at_disk() { exact=''; }
unit_of() { printf 'web-%s-%s' "$name" "$1"; }
kills() { printf 'nr_free_pages 1\\noom_kill %s\\n' "$1" >${quote(join(folder, 'vmstat'))}; }
kills 3
${calls}`
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.split('\n').slice(0, -1)
}

/** A unit's command that ends with a status while the machine's counter rises. */
const ends = (status: number, kills: number) =>
  program('systemd-run', `printf 'oom_kill ${kills}\\n' >${quote(join(folder, 'vmstat'))}; exit ${status}`)
const build = 'in_unit build -- make || echo "ended $?"'

describe('a command in a unit', () => {
  test('is a matter of memory where it was ended by a SIGKILL and the kernel has ended something', () => {
    ends(137, 4)
    expect(said(build)).toEqual([
      expect.stringMatching(/^fail out-of-memory 1 [0-9]+ flask-deploy-shop-abc-build$/),
    ])
  })

  test('that fails by itself is not to blame for the end of a neighbour', () => {
    ends(1, 4)
    expect(said(build)).toEqual(['ended 1'])
  })

  test('that was killed while the kernel ended nothing is none of memory', () => {
    ends(137, 3)
    expect(said(build)).toEqual(['ended 137'])
  })

  test('goes on where the counter cannot be read', () => {
    ends(1, 4)
    expect(said(`rm ${quote(join(folder, 'vmstat'))}; ${build}`)).toEqual(['ended 1'])
  })
})

describe('the first command of a unit', () => {
  /** Its status where the unit's own counter says so; `group`: the line of /proc/self/cgroup. */
  function status(command: string, group: string, counter?: string, kills = 0): number | null {
    if (counter !== undefined) put(counter, `oom_kill_disable 0\noom_kill ${kills}\n`)
    put('self', `9:pids:/unit\n${group}\n`)
    const within = execFileSync('sh', ['-c', `${remoteFile('events.sh')}\nprintf %s "$within"`], {
      encoding: 'utf8',
    })
    const text = within
      .replaceAll('/sys/fs/cgroup', join(folder, 'cgroup'))
      .replaceAll('/proc/self/cgroup', join(folder, 'self'))
    return spawnSync('sh', ['-c', text, 'sh', 'sh', '-c', command]).status
  }

  test('says SIGKILL where the kernel ended a process within, whatever came of that', () => {
    expect(status('exit 2', '0::/unit', 'cgroup/unit/memory.events', 1)).toBe(137)
    expect(status('exit 2', '4:memory:/unit', 'cgroup/memory/unit/memory.oom_control', 1)).toBe(137)
  })

  test('hands on every status where it did not, or nobody counts', () => {
    expect(status('exit 2', '0::/unit', 'cgroup/unit/memory.events', 0)).toBe(2)
    expect(status('kill -9 $$', '4:memory:/other')).toBe(137)
    expect(status('kill -11 $$', '0::/')).toBe(139)
    expect(status('exit 0', '0::/unit', 'cgroup/unit/memory.events', 1)).toBe(0)
  })
})

describe('a failure is told as one of memory', () => {
  const judged = (words: string, more = '') =>
    said(`count_kills; ${more} kills 5; (fail ${words}) || :`).at(-1)
  const memory = (word: string) => expect.stringMatching(new RegExp(`^fail out-of-memory 2 [0-9]+ ${word}$`))
  const counts = (kills: number) =>
    put(`cgroup/system.slice/${unit}/memory.events`, `low 0\noom 9\noom_kill ${kills}\n`)

  test('where a command of the program, or apt, was killed', () => {
    expect(judged('internal 137')).toEqual(memory('internal'))
    expect(judged('internal 1')).toBe('fail internal 1')
    expect(judged('packages nginx', 'apt_status=137;')).toEqual(memory('packages'))
    expect(judged('packages nginx', 'apt_status=1;')).toBe('fail packages nginx')
  })

  test('never where nothing of ours was ended', () => {
    for (const words of [
      'health-status 500',
      'dependencies r.txt',
      'stopped',
      'smoke',
      'no-verdict',
      'unpack',
    ])
      expect(judged(words)).toBe(`fail ${words}`)
  })

  test('where a process of the release was: its unit has its own count', () => {
    counts(1)
    expect(judged('worker-restarted 0')).toEqual(memory('worker-restarted'))
    counts(0)
    expect(judged('worker-restarted 0')).toBe('fail worker-restarted 0')
  })

  test('where nobody counts for units, a worker that died beside a kill of the kernel counts', () => {
    expect(judged('worker-restarted 0')).toEqual(memory('worker-restarted'))
    expect(judged('app-exited 0')).toBe('fail app-exited 0')
  })

  test("where systemd's journal has it that the main process was killed", () => {
    counts(0)
    program('journalctl', `case "$*" in *UNIT=${unit}\\ EXIT_CODE=killed\\ EXIT_STATUS=9*) echo x ;; esac`)
    expect(judged('app-exited 0')).toEqual(memory('app-exited'))
    expect(judged(`start ${unit}`)).toEqual(memory('start'))
    expect(judged('process-died worker')).toBe('fail process-died worker')
  })

  test('only where the kernel ended something since the work began', () => {
    counts(1)
    expect(said('kills 5; count_kills; (fail worker-restarted 0) || :')).toEqual(['fail worker-restarted 0'])
  })
})
