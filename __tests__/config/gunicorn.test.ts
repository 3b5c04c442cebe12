import { describe, expect, test } from 'vitest'
import { renderGunicorn } from '../../src/config/gunicorn.ts'
import { hasPython, python, releaseOf } from './sample.ts'

test('the whole file', () => {
  expect(renderGunicorn(releaseOf())).toBe(`import json
import os
import signal
import sys

# What the app is may decide: Socket.IO's sessions live in one process (remote/adopt.py wrote it).
try:
    with open("/srv/web-shop/releases/20261122184800-abc1234/.deploy/shape.json") as file:
        shape = json.load(file)
except FileNotFoundError:
    shape = {}

full = shape.get("workers", 3)


# A release's first start is one process: what it does at import (tables, keys) happens once. Where memory is short, the
# mark of it holds how many there may be until the old release is gone.
def allowed():
    try:
        with open("/run/web-shop/20261122184800-abc1234.first") as mark:
            return min(int(mark.read() or 1), full)
    except FileNotFoundError:
        return full


workers = allowed()


# The signal TTIN, once or several times, brings all the others. gunicorn itself would add one for each that it notices,
# and signals that follow each other closely are noticed as one.
def nworkers_changed(server, now, before):
    wanted = allowed()
    if before is not None and before < now != wanted:
        server.num_workers = wanted


# Until a worker has set its own, it has its master's handlers of signals: one to end that came in between would be lost, and
# the master would wait for that worker until graceful_timeout is over. So it waits, and ends the worker.
master = os.getpid()
ends = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}


def hold_signals():
    if os.getpid() == master:
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)


def take_signals():
    if os.getpid() == master:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)


def begin_worker():
    # Not what a worker forks.
    if os.getppid() == master:
        for one in ends:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)


os.register_at_fork(before=hold_signals, after_in_parent=take_signals, after_in_child=begin_worker)


threads = max(shape.get("threads", 1), 4)
worker_class = shape.get("worker", "gthread")
chdir = "/srv/web-shop/releases/20261122184800-abc1234"

# A request may take this many seconds, also while the worker is on its way out. Then event streams and websockets, which
# have no end of their own, are ended (flask_deploy_entry.py) before the worker is killed.
timeout = 60
graceful_timeout = timeout + 5


def post_worker_init(worker):
    sys.modules["flask_deploy_entry"].watch(worker)


keepalive = 5

# Heartbeats are file times: in memory, so that a busy disk does not look like a dead worker.
worker_tmp_dir = "/dev/shm"
# As long as nginx lets a request line be; gunicorn's own 4094 would answer 400 first.
limit_request_line = 8190
# Names with underscores, which nginx drops, cannot stand in for headers of the proxy's (22.0 and newer).
forwarder_headers = ""
# The control socket of 25.1 and newer wants a folder that the sandbox does not give.
control_socket_disable = True
errorlog = "-"
`)
})

test.runIf(hasPython)('an odd source folder arrives as it is', () => {
  const source = `it's/"odd" \\ $(x)\n%s {a} é😀`
  const program = renderGunicorn(releaseOf({ source }))
  expect(python(`import sys\n${program}\nsys.stdout.write(chdir)`)).toBe(
    `/srv/web-shop/releases/20261122184800-abc1234/${source}`,
  )
})

describe.runIf(hasPython)('a worker that the master forks', () => {
  /** A master with handlers of its own, as gunicorn's has. */
  const master = `${renderGunicorn(releaseOf())}
import time

heard = []
for one in ends:
    signal.signal(one, lambda number, frame: heard.append(number))

`

  test('is ended by a signal that comes before it has set its own handlers', () => {
    const ended = python(`${master}
for turn in range(40):
    pid = os.fork()
    if pid == 0:
        time.sleep(3)
        os._exit(9)
    os.kill(pid, signal.SIGTERM)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
print(heard, signal.pthread_sigmask(signal.SIG_BLOCK, []))`)
    expect(ended.trim().split('\n')).toEqual([...Array.from({ length: 40 }, () => '15'), '[] set()'])
  })

  test('keeps its handlers in what it forks itself', () => {
    const kept = python(`${master}
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))
    below = os.fork()
    if below == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(3)
        os._exit(9)
    os._exit(os.WEXITSTATUS(os.waitpid(below, 0)[1]))
print(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))`)
    expect(kept.trim()).toBe('7')
  })
})

describe('refused', () => {
  test.each([{ workers: 0 }, { threads: 1.5 }, { timeoutSeconds: Number.NaN }, { source: '../x' }])(
    '%j',
    (change) => {
      expect(() => renderGunicorn(releaseOf(change))).toThrow(RangeError)
    },
  )
})
