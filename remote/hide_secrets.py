"""Copies its input and puts `***` in the place of an app's secrets.

Run by root with /usr/bin/python3 -I: hide_secrets.py FILE..., env files (as systemd reads them) and folders of secret files.
Python 3.6 and newer, standard library.
"""

import os
import re
import sys

LEAST = 8
LONGEST = 1 << 16
PLAIN = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?|true|false|none|null|production|development", re.I)
# What the action itself tells an app of its services is no secret.
OWN = re.compile(r"/run/web-|host=/var/run/postgresql")


def values(text):
    """The values of an env file, whose quotes and backslashes mean what they do to a shell."""
    at = 0
    while at < len(text):
        end = text.find("=", at)
        if end < 0:
            return
        value, at = [], end + 1
        while at < len(text) and text[at] != "\n":
            if text[at] in "'\"":
                closing = text.find(text[at], at + 1)
                closing = len(text) if closing < 0 else closing
                value.append(text[at + 1 : closing])
                at = closing + 1
            elif text[at] == "\\":
                value.append(text[at + 1 : at + 2])
                at += 2
            else:
                value.append(text[at])
                at += 1
        at += 1
        yield "".join(value)


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def secrets(paths):
    for path in paths:
        if os.path.isdir(path):
            for name in os.listdir(path):
                yield read(os.path.join(path, name))
        elif os.path.isfile(path):
            yield from values(read(path))


def needles(texts):
    found = set()
    for text in texts:
        for part in [text] + text.splitlines():
            part = part.strip()
            if OWN.search(part) or PLAIN.fullmatch(part) or re.match(r"-----(BEGIN|END) [A-Z0-9 ]+-----$", part):
                continue
            raw = part.encode("utf-8", "surrogateescape")
            if len(raw) >= LEAST and b"\n" not in raw:
                found.add(raw)
    return sorted(found, key=len, reverse=True)


def main(paths):
    hidden = needles(secrets(paths))
    out = sys.stdout.buffer
    while True:
        line = sys.stdin.buffer.readline(LONGEST)
        if not line:
            return
        for one in hidden:
            line = line.replace(one, b"***")
        out.write(line)
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
