"""What a release's processes are at, as the health check sees it from outside: /proc and systemd alone are asked.

Of http.py; standard library, Python 3.6 and newer.
"""

import os
import signal
import subprocess
import time


def unit_states(units):
    """unit -> its properties; systemctl leaves an empty line between two units."""
    shown = subprocess.run(
        ["systemctl", "show", "-p", "Id,MainPID,NRestarts,ActiveState"] + units,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    ).stdout
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in shown.split("\n\n")]
    found = {block["Id"]: block for block in blocks if "Id" in block}
    return {unit: found.get(unit, {}) for unit in units}


def children(pid):
    """The worker processes of gunicorn's master."""
    try:
        with open("/proc/%s/task/%s/children" % (pid, pid)) as file:
            return set(file.read().split())
    except FileNotFoundError:
        return set()


def alive(pid):
    try:
        with open("/proc/%s/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid):
    found, waiting = set(), children(pid)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting |= children(one)
    return found


def sockets(pid):
    """The inodes of a process's sockets."""
    folder, found = "/proc/%s/fd" % pid, set()
    try:
        for name in os.listdir(folder):
            target = os.readlink(os.path.join(folder, name))
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass
    return found


def listening():
    """Inode -> port of every TCP socket that listens (proc(5), /proc/net/tcp; state 0A)."""
    found = {}
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            if len(row) > 9 and row[3] == "0A":
                found[row[9]] = int(row[1].rsplit(":", 1)[1], 16)
    return found


def busy(pid):
    """The processor time of a process so far, in ticks."""
    try:
        with open("/proc/%s/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


class OwnServer:
    """Tells a worker that never comes out of its import, because it waits there for visitors of its own.

    It listens on a port that gunicorn's master does not have, and does nothing else, for some seconds. Where an app opens
    a port beside (for figures, say) and goes on importing, it works or answers soon.
    """

    IDLE_SECONDS = 4
    IDLE_TICKS = 5

    def __init__(self, master):
        self.master, self.looked, self.since, self.seen = master, 0, None, None

    def port(self):
        now = time.monotonic()
        if now - self.looked < 0.5:
            return None
        self.looked = now
        workers = descendants(self.master)
        inherited = sockets(self.master)
        ports = listening()
        own = [ports[one] for pid in workers for one in sockets(pid) - inherited if one in ports]
        ticks = sum(busy(pid) for pid in workers)
        if not own:
            self.since = None
            return None
        if self.since is None or self.seen[0] != workers or ticks - self.seen[1] > self.IDLE_TICKS:
            self.since, self.seen = now, (workers, ticks)
            return None
        return min(own) if now - self.since >= self.IDLE_SECONDS else None


def ask_where(master):
    """Has the workers print where each of their threads is: the entry module has prepared them for it."""
    for pid in children(master):
        try:
            os.kill(int(pid), signal.SIGUSR2)
        except OSError:
            pass
    time.sleep(0.3)
