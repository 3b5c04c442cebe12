"""Asks a new release's app what only the app can say: it is imported as its web process would import it.

Run as the app's user, with the release's own environment, in a scratch copy that nobody keeps. What it writes is the
app's word and nothing more: adopt.py judges it. Python 3.6 and newer, standard library.
    probe.py SETTINGS REPORT OUTPUT SECONDS
"""

import faulthandler
import inspect
import json
import os
import socket
import sys
import threading
import time
import traceback

import flask_deploy_ask

# More than an honest app does.
MOST_ATTEMPTS = 200


class Attempts:
    """Every path that is opened for writing, made or connected to."""

    def __init__(self):
        self.paths = []
        self.seen = set()
        if hasattr(sys, "addaudithook"):
            sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if event == "open":
            path, mode, flags = arguments
            writing = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writing and not (isinstance(mode, str) and set(mode) & set("wax+")):
                return
        elif event in ("os.mkdir", "sqlite3.connect"):
            path = arguments[0]
        else:
            return
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or path in self.seen or len(self.paths) >= MOST_ATTEMPTS:
            return
        self.seen.add(path)
        if path and not path.startswith(":") and not path.startswith("file:"):
            self.paths.append(os.path.abspath(path))


class OwnServer(threading.Thread):
    """Ends a probe whose import waits for visitors of its own, which it would do for ever.

    It listens on a port and does nothing else for some seconds: whoever opens one beside (for figures, say) goes on.
    """

    IDLE_SECONDS = 4

    def __init__(self, report, report_path):
        super().__init__(daemon=True)
        self.report, self.report_path, self.port, self.over = report, report_path, None, False
        if hasattr(sys, "addaudithook"):
            sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if event != "socket.bind" or self.port is not None:
            return
        bound, address = arguments
        if bound.type == socket.SOCK_STREAM and isinstance(address, tuple) and len(address) > 1 and address[1]:
            self.port = address[1]
            self.start()

    def run(self):
        since, used = time.monotonic(), time.process_time()
        while not self.over:
            time.sleep(0.2)
            if time.process_time() - used > 0.05:
                since, used = time.monotonic(), time.process_time()
            if time.monotonic() - since >= self.IDLE_SECONDS and not self.over:
                self.tell()

    def tell(self):
        frame = sys._current_frames().get(threading.main_thread().ident)
        # As faulthandler writes it.
        os.write(2, b"Current thread 0x0000000000000000 (most recent call first):\n")
        for place in reversed(traceback.extract_stack(frame)):
            os.write(2, ('  File "%s", line %d in %s\n' % (place[0], place[1], place[2])).encode("utf-8", "replace"))
        save(dict(self.report, outcome="serves", port=self.port), self.report_path)
        os._exit(0)


def save(report, path):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(report, file)
    os.rename(path + ".new", path)


def attempt(candidate, report):
    """Loads one candidate. Returns the app, or None where it is none; raises what importing raises."""
    entry = {"__name__": "flask_deploy_probe"}
    exec(compile(candidate["entry"], "flask_deploy_entry", "exec"), entry)
    module, attribute, expression = entry["TARGET"]
    entry["imported"](module)
    try:
        found = entry["find"](module, attribute)
    except AttributeError:
        return passed(report, candidate, "the module has no such name")
    wanted = entry["arguments"](expression)
    if wanted is not None:
        given, named = wanted
        try:
            inspect.signature(found).bind(*given, **named)
        except TypeError:
            return passed(report, candidate, "it cannot be called like that")
        except ValueError:
            pass  # A builtin without a signature.
        found = found(*given, **named)
    if not callable(found):
        return passed(report, candidate, "it is no WSGI app but %s" % type(found).__name__)
    if inspect.isclass(found):
        return passed(report, candidate, "it is no WSGI app but a class")
    if wanted is None and inspect.isfunction(found) and not takes_two(found):
        return passed(report, candidate, "it is a function, and no WSGI app")
    return entry["ready"](found)


def takes_two(function):
    try:
        inspect.signature(function).bind({}, None)
    except TypeError:
        return False
    return True


def passed(report, candidate, why):
    report["passed"].append([candidate["name"], why])


def last_lines(text):
    """As many as there is room for; none is cut: a part of a secret would not be known as one."""
    found, room = [], 60000
    for line in reversed(text.rstrip("\n").split("\n")):
        room -= len(line) + 1
        if room < 0:
            break
        found.append(line)
    return found[::-1]


def failure(error):
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "kinds": [one.__name__ for one in type(error).__mro__],
        "name": str(getattr(error, "name", None) or ""),
        "text": str(error)[:2000],
        "lines": last_lines("".join(lines)),
    }


def main(settings_path, report_path, output_path, seconds):
    output = os.open(output_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.dump_traceback_later(float(seconds), exit=True)
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    os.unlink(settings_path)
    report = {"outcome": "none", "passed": []}
    attempts = Attempts()
    server = OwnServer(report, report_path)
    # As gunicorn has it: its own folder first, then what it was told to change to.
    sys.path.insert(0, os.getcwd())
    del sys.argv[1:]
    for index, candidate in enumerate(settings["candidates"]):
        report["candidate"] = index
        try:
            app = attempt(candidate, report)
            server.over = True
            if app is None:
                continue
            report["outcome"] = "app"
            flask_deploy_ask.describe(app, settings, report)
        except SystemExit as end:
            passed(report, candidate, "it ends the process when it is imported")
            report["outcome"] = "ended"
            continue
        except BaseException as error:
            report["outcome"] = "raised"
            report["error"] = failure(error)
        break
    report["attempts"] = list(attempts.paths)
    save(report, report_path)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stdout.flush()
    # Whatever the app started is over with it.
    os._exit(0)
