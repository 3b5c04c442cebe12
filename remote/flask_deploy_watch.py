"""The watch over a release in its settle time: do its processes live, and does it answer?

Of http.py; standard library, Python 3.6 and newer.
"""

import threading
import time

from flask_deploy_processes import alive, children, unit_states

# So many deaths of worker processes, or of one process beside them, within so many seconds are a crash loop; fewer are
# accidents, which gunicorn and systemd mend. The web process as a whole ends only once.
DEATHS = 3
WINDOW = 60
# One question every so many seconds, and so many bad answers in a row.
ASK_EVERY = 5
BAD_ANSWERS = 3
# A page that comes drop by drop is none.
HANGS_AFTER = 40


class Judge:
    """What was seen of a release, and what follows from it. It knows no clock and no server: times are seconds."""

    def __init__(self, counts_workers):
        self.counts_workers = counts_workers
        self.master, self.present = None, set()
        self.restarts, self.deaths = {}, {}
        self.bad, self.answers, self.good_since = 0, 0, None

    def begins(self, web):
        """The web process has never died so far."""
        self.restarts[web] = 0

    def died(self, what, now):
        """Whether that makes a loop. Those that end within one second have one cause: a reload, the end of all."""
        recent = [at for at in self.deaths.get(what, []) if now - at < WINDOW]
        if not recent or now - recent[-1] >= 1:
            recent.append(now)
        self.deaths[what] = recent
        return len(recent) >= DEATHS

    def unit(self, unit, state, now, is_web):
        """What systemd says of a unit: a code, or None."""
        restarts = int(state.get("NRestarts") or 0)
        more = restarts - self.restarts.setdefault(unit, restarts)
        self.restarts[unit] = restarts
        # Started anew by hand, it counts from nothing.
        loops = more > 0 and self.died(unit, now)
        if is_web:
            return "app-exited" if more > 0 or state.get("ActiveState") == "failed" else None
        return "process-died %s" % unit if loops or state.get("ActiveState") == "failed" else None

    def workers(self, master, pids, now):
        """The processes that serve: a code, or None."""
        gone = self.present - pids if master == self.master else set()
        self.master, self.present = master, set(pids)
        if not gone or not self.counts_workers or not self.died("workers", now):
            return None
        return "worker-restarted %d" % len(self.deaths["workers"])

    def answer(self, asked, code):
        """An answer over its own socket, with what is wrong with it (None: nothing): a code, or None."""
        self.answers += 1
        self.bad = self.bad + 1 if code else 0
        self.good_since = None if code else asked
        return code if self.bad >= BAD_ANSWERS else None

    def well(self, time_over):
        """Was it asked when the time was over, and did it answer well?"""
        return self.good_since is not None and self.good_since >= time_over


class Asker(threading.Thread):
    """Asks again and again, so that a hanging answer does not blind us to a dying process."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask, self.found, self.began = ask, [], time.monotonic()

    def run(self):
        while True:
            self.began = time.monotonic()
            self.found.append((self.began, self.ask()))
            time.sleep(max(0.0, self.began + ASK_EVERY - time.monotonic()))

    def hangs(self, now):
        return now - self.began > HANGS_AFTER


def recycles(master):
    """gunicorn was told to replace its workers now and then: their end says nothing."""
    try:
        with open("/proc/%s/environ" % master, "rb") as file:
            return b"max-requests" in file.read()
    except OSError:
        return False


def comes_alive(ask, seconds):
    """Asks until the answer is good, or the time is over: "ok" or "fail CODE DETAIL"."""
    deadline = time.monotonic() + seconds
    while True:
        code = ask()
        if code is None:
            return "ok"
        if time.monotonic() >= deadline:
            return "fail %s" % code
        time.sleep(0.5)


def watch(ask, unit, beside, seconds, grace, named):
    """Watches until the time is over and the last answer was good, or until the release turns out to be dying.

    ask() gives a code or None; grace: seconds in which, after a boot, a release may come up as it can; named: its processes
    are gunicorn's. Returns "well ANSWERS" or "fail CODE DETAIL".
    """
    began = now = time.monotonic()
    state = unit_states([unit])[unit]
    judge = Judge(named and not recycles(state.get("MainPID", "0")))
    if grace == 0:
        judge.begins(unit)
    else:
        while time.monotonic() < began + grace and ask() is not None:
            time.sleep(1)
        began = time.monotonic()
    asker = Asker(ask)
    asker.start()
    shown = 0.0
    # One that has just died ends no watch well: it is told in a moment.
    while not judge.well(began + seconds) or not alive(judge.master):
        code = None
        if now >= shown + 2 or not alive(judge.master):
            shown = now
            states = unit_states([unit] + list(beside))
            for one, properties in states.items():
                code = code or judge.unit(one, properties, now, one == unit)
            master = states[unit].get("MainPID", "0")
        code = code or judge.workers(master, {pid for pid in children(master) if alive(pid)}, now)
        while asker.found and code is None:
            code = judge.answer(*asker.found.pop(0))
        if code is None and asker.hangs(now):
            code = "health-timeout"
        if code is not None:
            return "fail %s" % code
        time.sleep(0.25)
        now = time.monotonic()
    return "well %d" % judge.answers
