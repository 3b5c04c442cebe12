"""Which paths of a release the app could not write, by its own log.

Part of adopt.py; or run by root with /usr/bin/python3 -I in /, for a release that does not come up:
    flask_deploy_log.py SETTINGS RELEASE STATE LOG
Prints `keep-file PATH` and `keep-folder PATH`. The log is the app's word, and what visitors sent may stand in it: so only
what cannot be code is ever handed to the app. Python 3.6 and newer, standard library.
"""

import json
import os
import re
import sys

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_state import (  # noqa: E402
    CODE,
    CODE_FOLDERS,
    RESERVED,
    UPLOADS,
    Release,
    is_plain,
    recorded_paths,
    speak,
)

LOG_LIMIT = 1 << 20
# The line that a traceback ends with, and those before it, which tell whether it was a folder that was to be made.
REFUSED = re.compile(r"((?:^.*\n){0,4})^(?:OSError|PermissionError): \[Errno (?:13|30)\] [^:\n]{1,60}: '([^'\n]{1,500})'", re.M)
MAKING = re.compile(r"\bmk(?:dir|dirs)\b|\bmakedirs\b")
DATABASE = re.compile(r"attempt to write a readonly database|unable to open database file")
DATABASE_NAMES = re.compile(r"\.(db3?|sqlite3?)$", re.I)
# Folders whose names say that they hold no code.
DATA = re.compile(r"^(data|database|db|storage|store|var|tmp|temp|cache|logs?|output|exports?|downloads?|(flask_)?sessions?)$", re.I)


def holds_code(folder):
    count = 0
    for _, folders, names in os.walk(folder):
        count += len(names) + len(folders)
        if count > 20000 or any(CODE.search(name) for name in names):
            return True
    return False


def within(release, path):
    """A path of a log as one in this release; the log may be of the release before."""
    home = os.path.dirname(os.path.dirname(release.root))
    found = re.match(re.escape(home) + r"/(?:releases/[^/]+|current)/(.+)$", path)
    if found:
        path = found.group(1)
    elif path.startswith("/"):
        return None
    path = path.rstrip("/")
    if not is_plain(path) or path.split("/")[0] in RESERVED:
        return None
    return release.own(os.path.join(release.root, path))


def written_by_log(release, text):
    """Persists what an error with the number 13 or 30 names, and the databases where SQLite could not write."""
    for before, path in REFUSED.findall(text):
        kind = "folder" if MAKING.search(before) else "file"
        own = within(release, path)
        if own is None or any(part in CODE_FOLDERS for part in own.split("/")) or CODE.search(own):
            continue
        real = os.path.join(release.root, own)
        # The uppermost folder on the way whose name says that it is for data, and that holds nothing else.
        parts = own.split("/")
        for count in range(1, len(parts) + 1):
            above = "/".join(parts[:count])
            full = os.path.join(release.root, above)
            named = UPLOADS.match(parts[count - 1]) or DATA.match(parts[count - 1])
            if named and os.path.isdir(full) and not os.path.islink(full) and not holds_code(full):
                release.keep(above, "folder")
                break
        else:
            if os.path.isdir(real):
                if not os.path.islink(real) and not holds_code(real):
                    release.keep(own, "folder")
            else:
                release.keep(own, kind)
    if DATABASE.search(text):
        for place, folders, names in os.walk(release.root):
            if place == release.root:
                folders[:] = [one for one in folders if one not in RESERVED]
            folders[:] = [one for one in folders if one not in CODE_FOLDERS and one != "node_modules"]
            for name in names:
                full = os.path.join(place, name)
                own = os.path.relpath(full, release.root)
                if DATABASE_NAMES.search(name) and not os.path.islink(full) and is_plain(own):
                    release.keep(own, "file")


def read_log(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(LOG_LIMIT)
    except FileNotFoundError:
        return ""


def main(settings_path, root, state_file, log):
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    if not settings["keeps"]:
        return
    release = Release(root, settings, recorded_paths(state_file))
    before = list(release.kept)
    written_by_log(release, read_log(log))
    for path, kind in release.kept:
        if (path, kind) not in before:
            speak("keep-" + kind, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
