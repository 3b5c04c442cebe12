"""The record of how files of ours were written, and copies of what somebody made of them, before a deploy replaces them.

Run by root with /usr/bin/python3 -I; Python 3.6 and newer, standard library.
    edited.py record NAME RELEASE       takes down a release as it is now, once; later ones are compared with it. What reads the
                                        record lies beside it, so that the facts need not bring it along
    edited.py keep NAME NUMBER PATH...  copies files into /srv/web-NAME/edited/NUMBER ('' takes the next), and prints the number
    edited.py mend NAME NUMBER          keeps a copy of all that the next release replaces, prints the number ('' for none), and
                                        puts back owners and modes of what outlives releases
"""

import grp
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys

# Isolated Python does not look beside its script; this folder is root's alone.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from flask_deploy_drift import find  # noqa: E402
from flask_deploy_look import App, beside, content, has_text, holds, look, standing, text_of, tree, variables  # noqa: E402

# A file that is larger is not copied.
MOST_COPIED, MOST_COPIES = 1 << 20, 10
READERS = ("flask_deploy_look.py", "flask_deploy_drift.py")


def write(path, data):
    """Whole or not at all."""
    handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def folder(path):
    if not os.path.isdir(path):
        os.mkdir(path, 0o700)
    return path


def record(app, release):
    folder(app.written)
    for reader in READERS:
        text, path = text_of(HERE + "/" + reader), app.written + "/" + reader
        if text_of(path) != text:
            write(path, text.encode())
    path = "%s/%s.json" % (app.written, release)
    # A rollback's release is compared with how it was made.
    if not os.path.exists(path):
        root = "%s/releases/%s" % (app.home, release)
        entries = tree(root, True)
        for one, entry in entries.items():
            if not one.startswith(root + "/.venv/"):
                entry.append(holds(one, entry))
        others = beside(app, release)
        for one, entry in others.items():
            entry.append(holds(one, entry))
        entries.update(others)
        texts = {one: text_of(one) for one, entry in entries.items() if entry[0] == "file" and has_text(one)}
        env = text_of("%s/%s.env" % (app.etc, release))
        known = {"entries": entries, "texts": texts, "variables": variables(env or "")}
        write(path, json.dumps(known).encode())
    made = text_of(app.etc + "/generated.env")
    shared = {
        "generated": None if made is None else variables(made),
        "look": None if made is None else look(app.etc + "/generated.env"),
        "redis": text_of(app.redis),
    }
    write(app.written + "/shared.json", json.dumps(shared).encode())


def keep(app, number, paths):
    """Copies, under their own paths below edited/N; the last ten of these are kept. Numbers, for clocks are wrong."""
    base = folder(app.edited)
    if not number:
        there = sorted(int(one) for one in os.listdir(base) if one.isdigit())
        number = str(there[-1] + 1 if there else 1)
        for old in there[: max(0, len(there) + 1 - MOST_COPIES)]:
            shutil.rmtree("%s/%d" % (base, old))
    to = folder("%s/%s" % (base, number))
    for path in paths:
        try:
            found = os.lstat(path)
            target = to + path
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            if stat.S_ISLNK(found.st_mode):
                os.symlink(os.readlink(path), target)
            elif stat.S_ISREG(found.st_mode) and found.st_size <= MOST_COPIED:
                write(target, content(path))
        except OSError as error:
            print("%s: %s" % (path, error.strerror), file=sys.stderr)
    return number


def mend(app, number):
    items = find(app).items
    copies = [
        path
        for fate, how, _, path, _ in items
        # nginx's files have their copy made by what overwrites them.
        if fate == "replaced" and how in ("edited", "added", "link", "variables") and not path.startswith("/etc/nginx/")
    ]
    for path, (mode, owner) in standing(app).items():
        user, group = owner.split(":")
        try:
            if not os.path.islink(path) and os.path.exists(path) and look(path)[1:3] != [mode, owner]:
                os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid)
                os.chmod(path, int(mode, 8))
        except (OSError, KeyError) as error:
            print("%s: %s" % (path, error), file=sys.stderr)
    for _, how, _, user, _ in items:
        if how == "shell":
            subprocess.call(["usermod", "--shell", "/usr/sbin/nologin", user], stdin=subprocess.DEVNULL)
    return keep(app, number, copies) if copies else number


def main(words):
    os.umask(0o077)
    app = App(words[1])
    if words[0] == "record":
        record(app, words[2])
    elif words[0] == "keep":
        print(keep(app, words[2], words[3:]))
    elif words[0] == "mend":
        print(mend(app, words[2]))


main(sys.argv[1:])
