"""Which databases the project's own commands made in a release.

Run by root with /usr/bin/python3 -I in /, once the commands' processes are gone and the release is root's again:
    flask_deploy_made.py SETTINGS RELEASE STATE
Prints `keep-file PATH` for each SQLite file that is not as the bundle brought it. Nothing is followed, and of a file only its
first bytes are read. Python 3.6 and newer, standard library.
"""

import json
import os
import stat
import sys

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_state import RESERVED, Release, is_plain, recorded_paths, speak  # noqa: E402

# What each of its files begins with (sqlite.org, "Database File Format", 1.3.1).
MAGIC = b"SQLite format 3\0"
MOST_FILES = 200000
# The date of every file of a bundle (src/project/bundle.ts). No other is compared: clocks jump.
BROUGHT = 0


def is_database(path):
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def made(root):
    count = 0
    for place, folders, names in os.walk(root):
        if place == root:
            folders[:] = [one for one in folders if one not in RESERVED]
        folders[:] = [one for one in folders if one != "node_modules"]
        for name in names:
            count += 1
            if count > MOST_FILES:
                return
            full = os.path.join(place, name)
            about = os.lstat(full)
            if stat.S_ISREG(about.st_mode) and about.st_mtime_ns != BROUGHT and is_database(full):
                yield os.path.relpath(full, root)


def main(settings_path, root, state_file):
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    if not settings["keeps"]:
        return
    release = Release(root, settings, recorded_paths(state_file))
    for path in sorted(made(root)):
        if is_plain(path) and not release.is_kept(path):
            speak("keep-file", path)


if __name__ == "__main__":
    main(*sys.argv[1:])
