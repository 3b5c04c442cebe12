import { LIVE_GRACE_SECONDS } from './live.ts'
import { ENTRY_MODULE, releasePaths, sourceFolder } from './paths.ts'
import { pythonString } from './python.ts'
import type { ReleaseSettings } from './settings.ts'

/**
 * Renders a release's `gunicorn.conf.py`. Settings that an older gunicorn does not know are passed over by it.
 *
 * Not set: `bind` (systemd hands the socket over), `accesslog` (nginx logs requests), `preload_app` (connections and
 * threads made at import would be shared by forked workers), `forwarded_allow_ips` (gunicorn trusts whoever speaks over
 * a unix socket: http/message.py, 20.1 to 27.0; only nginx's group can open this one).
 */
export function renderGunicorn(settings: ReleaseSettings): string {
  const release = releasePaths(settings.name, settings.release)
  const workers = whole('workers', settings.workers)
  return `import json
import os
import signal
import sys

# What the app is may decide: Socket.IO's sessions live in one process (remote/adopt.py wrote it).
try:
    with open(${pythonString(release.shape)}) as file:
        shape = json.load(file)
except FileNotFoundError:
    shape = {}

full = shape.get("workers", ${workers})


# A release's first start is one process: what it does at import (tables, keys) happens once. Where memory is short, the
# mark of it holds how many there may be until the old release is gone.
def allowed():
    try:
        with open(${pythonString(release.firstStart)}) as mark:
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


threads = max(shape.get("threads", 1), ${whole('threads', settings.threads)})
worker_class = shape.get("worker", "gthread")
chdir = ${pythonString(sourceFolder(release.root, settings.source))}

# A request may take this many seconds, also while the worker is on its way out. Then event streams and websockets, which
# have no end of their own, are ended (${ENTRY_MODULE}.py) before the worker is killed.
timeout = ${whole('timeoutSeconds', settings.timeoutSeconds)}
graceful_timeout = timeout + ${LIVE_GRACE_SECONDS}


def post_worker_init(worker):
    sys.modules["${ENTRY_MODULE}"].watch(worker)


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
`
}

/** @throws RangeError for what is no count: inputs are judged long before */
function whole(what: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${what} has to be a whole number above 0`)
  return value
}
