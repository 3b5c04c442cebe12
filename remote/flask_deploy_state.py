"""Which paths of a release the app writes: those that outlive it, and those that belong to it alone.

Part of adopt.py, which has the rules of what may be believed. Python 3.6 and newer, standard library.
"""

import os
import re
import stat

MOST_PATHS = 40
MOST_ENTRIES = 200000
# Names that a release keeps for itself, at its top.
RESERVED = {".venv", ".site", ".public", ".previous", ".deploy", ".sock"}
KEEP_FILES = {".gitkeep", ".gitignore", ".keep", ".placeholder", ".empty"}
# Folders that are empty today and hold code tomorrow.
CODE_FOLDERS = {"migrations", "versions", "alembic", "templates", "translations", "locale", "tests", "test", "docs", "src"}
UPLOADS = re.compile(r"^(uploads?|uploaded|media|avatars?|attachments?|files|user[-_]?(content|files|uploads))$", re.I)
CODE = re.compile(r"\.(pyc?|so|html?|jinja2?|j2|css|m?js|ts|mo|sh|toml|cfg|ini|ya?ml|md|lock)$", re.I)
# A folder in which one of these lies is not handed to nginx.
SECRET = re.compile(
    r"(\.pyc?|\.pem|\.key|\.p12|\.pfx|\.sqlite3?|\.db3?|\.sql|\.ini|\.cfg|\.bak)$|^(\.env.*|\.git|\.ht.*|id_(rsa|dsa|ecdsa|ed25519))$", re.I
)
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
SQLITE_ENDINGS = ("-journal", "-wal", "-shm")


def speak(*words):
    print("\t".join(words))


def is_plain(path):
    """Can it be a path within a release, in one line of ours?"""
    if not isinstance(path, str) or not 0 < len(path) <= 300:
        return False
    try:
        path.encode("utf-8")
    except UnicodeError:
        return False
    parts = path.split("/")
    return all(part not in ("", ".", "..") for part in parts) and not re.search(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]", path)


def texts(value):
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def records(value):
    return [one for one in value if isinstance(one, dict)][:200] if isinstance(value, list) else []


def danger(folder, own=()):
    """Why nginx must not serve a folder; None where it may. What leads to the app's own folders is not served anyway."""
    count = 0
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            count += 1
            if count > MOST_ENTRIES:
                return "it holds too many files"
            if SECRET.search(name) or (name == "templates" and name in folders):
                return "%s lies in it" % name if is_plain(name) else "what is not public lies in it"
            path = os.path.join(place, name)
            if os.path.islink(path) and not os.path.realpath(path).startswith((folder + "/",) + own):
                return "a link leads out of it"
    return None


class Release:
    """The real release, which is root's."""

    def __init__(self, root, settings, recorded):
        self.root = root
        self.settings = settings
        self.kept = [(one["path"], "folder") for one in settings["persist"]] + recorded
        self.holes = []
        self.links = []
        self.doubts = []

    def own(self, path):
        """An absolute path as one within the release; None where it is none of the project's."""
        if not isinstance(path, str) or not path.startswith(self.root + "/"):
            return None
        rest = path[len(self.root) + 1 :].rstrip("/")
        if not is_plain(rest) or rest.split("/")[0] in RESERVED - {".site"}:
            return None
        # The folders on the way are the release's own: none of them is a link.
        parent = os.path.dirname(self.root + "/" + rest)
        return rest if os.path.realpath(parent) == parent else None

    def is_kept(self, path):
        return any(path == kept or path.startswith(kept + "/") for kept, _ in self.kept + self.links)

    def keep(self, path, kind):
        """Persists a path: of what the bundle does not have, the topmost folder."""
        parts = path.split("/")
        for count in range(1, len(parts)):
            if not os.path.lexists(os.path.join(self.root, *parts[:count])):
                path, kind = "/".join(parts[:count]), "folder"
                break
        if self.is_kept(path) or len(self.kept) >= MOST_PATHS:
            return
        real = os.path.join(self.root, path)
        if os.path.islink(real) or os.path.lexists(real) and os.path.isdir(real) != (kind == "folder"):
            return
        # What lies below it is kept with it.
        self.kept = [(kept, what) for kept, what in self.kept if not kept.startswith(path + "/")]
        self.kept.append((path, kind))


def recorded_paths(state_file):
    """What earlier deploys made persistent, from root's own file."""
    found = []
    try:
        with open(state_file, encoding="utf-8") as file:
            for line in file:
                key, _, path = line.rstrip("\n").partition(" ")
                if key in ("persist", "persist-file") and is_plain(path):
                    found.append((path, "file" if key == "persist-file" else "folder"))
    except FileNotFoundError:
        pass
    return found


def written(scratch, root):
    """What is in the scratch copy and not in the release, or other than there: (path, and `folder`, `file` or, if new, `link`)."""
    found = []
    count = 0
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(os.path.join(scratch, folder)) as entries:
            for entry in entries:
                count += 1
                if count > MOST_ENTRIES or len(found) > 1000:
                    return found
                path = os.path.join(folder, entry.name)
                if folder == "" and entry.name in RESERVED:
                    continue
                if entry.name == "__pycache__" or entry.name.endswith((".pyc", ".pyc.tmp")) or not is_plain(path):
                    continue
                about = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(about.st_mode)
                if stat.S_ISLNK(about.st_mode) and not os.path.lexists(os.path.join(root, path)):
                    found.append((path, "link"))
                if not is_folder and not stat.S_ISREG(about.st_mode):
                    continue
                try:
                    real = os.lstat(os.path.join(root, path))
                except FileNotFoundError:
                    found.append((path, "folder" if is_folder else "file"))
                    continue
                if is_folder and stat.S_ISDIR(real.st_mode):
                    waiting.append(path)
                elif not is_folder and stat.S_ISREG(real.st_mode):
                    if (about.st_size, about.st_mtime_ns) != (real.st_size, real.st_mtime_ns):
                        found.append((path, "file"))
    return found


def placeholders(root):
    """Folders that the bundle brings empty but for a file that makes git keep them."""
    found = []
    count = 0
    for place, folders, names in os.walk(root):
        count += 1
        if count > 20000:
            break
        if place == root:
            folders[:] = [one for one in folders if one not in RESERVED]
        folders[:] = [one for one in folders if one not in CODE_FOLDERS and one != "node_modules"]
        if names and not folders and set(names) <= KEEP_FILES and place != root:
            found.append(os.path.relpath(place, root))
    return found


def keep_state(release, report, scratch, statics):
    """Which paths outlive releases, and which belong to this one alone."""
    root, settings = release.root, release.settings
    state = settings["state"]
    automatic = settings["keeps"]

    instance = report.get("instance")
    if isinstance(instance, str):
        path = release.own(instance)
        venv = re.match(r"^\.venv/var/[\w.+-]{1,100}-instance$", instance[len(root) + 1 :])
        if path is None and instance.startswith(root + "/") and venv:
            path = venv.group(0)
        if path is not None and os.path.islink(os.path.join(root, path)):
            path = None
        if path is not None and any(one["target"] == "instance" for one in settings["persist"]):
            if not release.is_kept(path):
                release.links.append((path, "instance"))

    def below_static(path):
        return next((folder for _, folder in statics if path == folder or path.startswith(folder + "/")), None)

    changed = written(scratch, root)
    for path, kind in sorted(changed):
        bare = next((path[: -len(end)] for end in SQLITE_ENDINGS if path.endswith(end)), path)
        if bare != path or release.is_kept(path):
            continue
        folder = below_static(path)
        if kind == "link" and folder is None:
            continue
        if kind == "file" and folder is None and CODE.search(path):
            # Code that changes with the project is not to be hidden by what an old release made of it.
            release.holes.append(path)
        elif folder is None and automatic:
            release.keep(path, kind)
        if folder is None:
            continue
        whole = path if kind == "folder" else os.path.dirname(path)
        if any(UPLOADS.match(part) for part in path.split("/")) and whole != folder:
            if automatic:
                release.keep(whole, "folder")
        elif not any(whole == hole or whole.startswith(hole + "/") for hole in release.holes):
            release.holes = [hole for hole in release.holes if not hole.startswith(whole + "/")] + [whole]

    for one in records(report.get("databases")):
        path, setting = one.get("path"), one.get("setting")
        if not isinstance(path, str) or not isinstance(setting, str) or not re.match(r"^\w{1,80}$", setting):
            continue
        own = release.own(path)
        if own is None and path.startswith(tuple(folder + "/" for folder in TEMPORARY)):
            speak("doubt", "database-temporary", "%s names a file below /%s" % (setting, path.split("/")[1]))
        if own is None or own.startswith(".site/"):
            continue
        if automatic:
            release.keep(own, "file")
        elif not release.is_kept(own):
            speak("doubt", "database-in-release", "%s %s" % (setting, own))

    if automatic:
        for one in records(report.get("uploads")):
            own = release.own(one.get("path"))
            if own is None:
                continue
            if any(own == folder or folder.startswith(own + "/") for _, folder in statics):
                speak("doubt", "uploads-in-static", own)
            else:
                release.keep(own, "folder")
        for path in placeholders(root):
            static = any(path == folder for _, folder in statics)
            # Written as the app starts, below what nginx serves: made anew with each release.
            hole = any(path == one or path.startswith(one + "/") for one in release.holes)
            if not static and not hole and is_plain(path) and release.own(os.path.join(root, path)) == path:
                release.keep(path, "folder")

    told = [one for one in texts(report.get("attempts")) if is_plain(one[1:]) and one.startswith("/")]
    inside = (root + "/", state + "/", settings["cache"] + "/", settings["log"] + "/", "/dev/", "/proc/", "/run/")
    outside = [one for one in told if not one.startswith(inside + tuple(folder + "/" for folder in TEMPORARY))]
    # The environment's own files are never written: Python tries to, for its bytecode.
    for path in [one for one in outside if one not in (root, state)][:3]:
        speak("doubt", "writes-outside", path)
