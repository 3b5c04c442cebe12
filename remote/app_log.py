"""An app's log for people.

Run by root with /usr/bin/python3 -I; Python 3.6 and newer, standard library.
    app_log.py journal PREFIX    reads `journalctl -o json`, prints "TIME UNIT MESSAGE" and where another release begins
    app_log.py file PATH LINES   prints the last lines of a plain file
"""

import json
import os
import re
import sys
import time

MOST_BYTES = 4 << 20


def text(message):
    """The journal has bytes that are no UTF-8, and control characters, as a list of numbers."""
    if isinstance(message, list):
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode("utf-8", "replace")
    return message if isinstance(message, str) else ""


def short(unit, prefix):
    """(release, `web`, `worker` or `cron.tidy`) of web-NAME-ID.worker.service."""
    found = re.match(re.escape(prefix) + r"-([0-9]{14}-[0-9a-f]{7})\.(?:(.+)\.)?(service|socket|timer)$", unit)
    if not found:
        return "", unit
    kind = found.group(3)
    name = found.group(2) or "web"
    return found.group(1), name if kind == "service" else "%s %s" % (name, kind)


def journal(prefix):
    last = None
    for line in sys.stdin.buffer:
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
            seconds, rest = divmod(int(entry.get("__REALTIME_TIMESTAMP", 0)), 1000000)
        except ValueError:
            continue
        unit = entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""
        release, name = short(unit if isinstance(unit, str) else "", prefix)
        if release != last:
            print("release %s" % release)
            last = release
        stamp = "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)), rest // 1000)
        for part in text(entry.get("MESSAGE")).split("\n"):
            print("%s %s: %s" % (stamp, name, part))


def tail(path, lines):
    try:
        # nginx's folder of logs may be another user's.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    with os.fdopen(number, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - MOST_BYTES))
        for line in file.read(MOST_BYTES).splitlines()[-lines:]:
            print(line.decode("utf-8", "replace"))


def main(arguments):
    if arguments[0] == "journal":
        journal(arguments[1])
    else:
        tail(arguments[1], int(arguments[2]))


if __name__ == "__main__":
    # Python 3.6 takes ASCII for the encoding of LC_ALL=C.
    sys.stdout = open(sys.stdout.fileno(), "w", encoding="utf-8", errors="replace", closefd=False)
    main(sys.argv[1:])
    sys.stdout.flush()
