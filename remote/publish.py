"""Makes what nginx serves of a release: a tree of links from URL path to folder, and small copies of what is text.

Run by root with /usr/bin/python3 -I in /. Everything it works on is root's own; it follows no link within a folder.
Python 3.6 and newer, standard library.
    publish.py RELEASE ADOPTED OWN...
ADOPTED is what adopt.py said; OWN are the folders that the app may write: what leads there is never published. Says which
URLs are left to the app, and why.
"""

import gzip
import os
import stat
import sys
import time

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_state import danger, speak  # noqa: E402

TEXT = {"css", "csv", "htm", "html", "js", "json", "map", "md", "mjs", "svg", "txt", "wasm", "webmanifest", "xml"}
SMALLEST, LARGEST = 1024, 8 << 20
# Seconds and bytes of one deploy: what is left over, nginx packs itself when it is asked.
MOST_SECONDS, MOST_BYTES = 5, 32 << 20


def leads_out(path, own):
    return os.path.islink(path) and os.path.realpath(path).startswith(own)


def has_holes(folder, own):
    return any(
        leads_out(os.path.join(place, name), own)
        for place, folders, names in os.walk(folder)
        for name in folders + names
    )


def link(folder, target, own):
    """The folder under this name, as one link, or without what the app may write."""
    if not has_holes(folder, own):
        os.symlink(folder, target)
        return
    if not os.path.isdir(target):
        os.mkdir(target, 0o755)
    entries(folder, target, own)


def entries(folder, target, own):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith(".") or leads_out(path, own) or os.path.lexists(os.path.join(target, name)):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            link(path, os.path.join(target, name), own)
        else:
            os.symlink(path, os.path.join(target, name))


def publish(root, url, folder, own):
    """Returns False where something else has the place."""
    place = os.path.join(root, ".public")
    parts = [part for part in url.split("/") if part]
    for part in parts[:-1]:
        place = os.path.join(place, part)
        if os.path.islink(place):
            return False
        if not os.path.isdir(place):
            os.mkdir(place, 0o755)
    if not parts:
        entries(folder, place, own)
    elif os.path.lexists(os.path.join(place, parts[-1])):
        return False
    else:
        link(folder, os.path.join(place, parts[-1]), own)
    return True


def let_in(root, folder):
    """Everybody may read these files, and pass through the folders on the way."""
    above = folder
    while above != root:
        above = os.path.dirname(above)
        os.chmod(above, stat.S_IMODE(os.lstat(above).st_mode) | 0o001)
    for place, folders, names in os.walk(folder):
        os.chmod(place, stat.S_IMODE(os.lstat(place).st_mode) | 0o005)
        for name in names:
            path = os.path.join(place, name)
            about = os.lstat(path)
            if stat.S_ISREG(about.st_mode):
                os.chmod(path, stat.S_IMODE(about.st_mode) | 0o004)


def pack(path, about):
    with open(path, "rb") as file:
        content = file.read()
    small = gzip.compress(content, 9)
    if len(small) > len(content) * 0.95:
        return
    # The time in a gzip's head would make other bytes of the same file at each deploy.
    small = small[:4] + b"\0\0\0\0" + small[8:]
    with open(os.open(path + ".gz", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(small)
        os.fchmod(file.fileno(), 0o644)
    os.utime(path + ".gz", ns=(about.st_mtime_ns, about.st_mtime_ns))


def pack_all(root):
    """Beside each text that is published: what nginx sends to those who take it packed."""
    public = os.path.join(root, ".public")
    deadline = time.monotonic() + MOST_SECONDS
    room = MOST_BYTES
    seen = set()
    for place, folders, names in os.walk(public):
        for name in folders + names:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                continue
            real = os.path.realpath(path)
            if not real.startswith(root + "/") or real in seen:
                continue
            seen.add(real)
            below = os.walk(real) if os.path.isdir(real) else [(os.path.dirname(real), [], [os.path.basename(real)])]
            for inner, _, own in below:
                for one in own:
                    full = os.path.join(inner, one)
                    about = os.lstat(full)
                    if one.rpartition(".")[2].lower() not in TEXT or not stat.S_ISREG(about.st_mode):
                        continue
                    if not SMALLEST <= about.st_size <= min(LARGEST, room) or os.path.lexists(full + ".gz"):
                        continue
                    room -= about.st_size
                    if time.monotonic() > deadline:
                        return
                    pack(full, about)


def main(root, adopted, *writable):
    own = tuple(folder + "/" for folder in writable)
    with open(adopted, encoding="utf-8") as file:
        wished = [line.rstrip("\n").split("\t")[1:3] for line in file if line.startswith("publish\t")]
    for url, folder in sorted(wished):
        full = os.path.join(root, folder)
        if not os.path.isdir(full) or os.path.realpath(full) != full:
            continue
        # Once more: the project's commands may have made something since.
        why = danger(full, own) or ("something else is there" if not publish(root, url, full, own) else None)
        if why is None:
            let_in(root, full)
        else:
            speak("found", "static-by-app", "%s: %s" % (url, why))
    pack_all(root)


if __name__ == "__main__":
    main(*sys.argv[1:])
