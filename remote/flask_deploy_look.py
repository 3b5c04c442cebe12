"""Files of ours on the server, as they are: kinds, modes, owners, what they hold. Read by what looks for changes by hand.

Imported by root's own Python; Python 3.6 and newer, standard library.
"""

import grp
import os
import pwd
import re
import stat

UNITS = "/etc/systemd/system"
WANTS = ("multi-user", "sockets", "timers")
# A file that is larger is compared by its size and date.
MOST_HASHED = 50 << 20
VARIABLE = re.compile(r"^([A-Z_][A-Z0-9_]{0,63})=(.*)$", re.S)


class App:
    def __init__(self, name):
        self.name, self.user = name, "web-" + name
        self.home, self.etc = "/srv/" + self.user, "/etc/" + self.user
        self.written, self.edited = self.home + "/written", self.home + "/edited"
        sites = "/etc/nginx/sites-enabled"
        self.sites = sites if os.path.isdir(sites) else "/etc/nginx/conf.d"
        self.site = "%s/%s.conf" % (self.sites, self.user)
        self.redis = "%s/%s.redis.service" % (UNITS, self.user)


def content(path):
    """A regular file's bytes, and no link's."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST_HASHED + 1)


def text_of(path):
    try:
        return content(path).decode("utf-8", "replace")
    except OSError:
        return None


names = {}


def owner_of(found):
    key = (found.st_uid, found.st_gid)
    if key not in names:
        both = []
        for look, number in ((lambda one: pwd.getpwuid(one).pw_name, key[0]), (lambda one: grp.getgrgid(one).gr_name, key[1])):
            try:
                both.append(look(number))
            except KeyError:
                both.append(str(number))
        names[key] = ":".join(both)
    return names[key]


def look(path, found=None):
    """[kind, mode, owner, size, changed (ns), what it holds]; the last only where it is asked for: see `filled`."""
    found = found or os.lstat(path)
    kind = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}.get(stat.S_IFMT(found.st_mode), "other")
    # A folder's and a link's size says nothing, and a link has no mode.
    mode = "-" if kind == "link" else "%04o" % stat.S_IMODE(found.st_mode)
    return [kind, mode, owner_of(found), found.st_size if kind == "file" else 0, found.st_ctime_ns]


def digest(data):
    # Only where something seems to differ: to load it takes as long as all the rest.
    import hashlib

    return hashlib.sha256(data).hexdigest()


def holds(path, entry):
    """What stands for a path's content."""
    if entry[0] == "link":
        return os.readlink(path)
    if entry[0] != "file":
        return ""
    if entry[3] > MOST_HASHED:
        return "%d %d" % (entry[3], os.lstat(path).st_mtime_ns)
    return digest(content(path))


def is_within(path, top):
    return path == top or path.startswith(top + "/")


def tree(root, environment):
    """
    Every path of a release with its look, but for bytecode. Of its environment, whose files are shared by links with other
    releases', the folders down to each package's, with the time of the last change of their lists; only where that is asked.
    """
    found, todo = {root: look(root)}, [root]
    while todo:
        here = todo.pop()
        inside = is_within(here, root + "/.venv")
        for one in os.scandir(here):
            # `.previous` is made anew by each flip, the size taken down after the end.
            if one.path.startswith((root + "/.previous", root + "/.deploy/size")) or one.name == "__pycache__":
                continue
            is_folder = one.is_dir(follow_symlinks=False)
            if inside and not is_folder:
                continue
            status = one.stat(follow_symlinks=False)
            found[one.path] = look(one.path, status)
            if is_folder:
                if one.path == root + "/.venv" and not environment:
                    continue
                # .venv/lib/python3.11/site-packages/PACKAGE
                if not inside or one.path.count("/") < root.count("/") + 5:
                    todo.append(one.path)
                if inside:
                    found[one.path][4] = status.st_mtime_ns
    return found


def beside(app, release):
    """Units, env files, secret files, and the links that start it all at boot."""
    found = {}
    unit = "%s-%s." % (app.user, release)
    places = [(UNITS, unit), (app.etc, release + "."), (app.etc + "/" + release + ".files", "")]
    places += [("%s/%s.target.wants" % (UNITS, target), unit) for target in WANTS]
    for place, begin in places:
        try:
            inside = list(os.scandir(place))
        except OSError:
            continue
        for one in inside:
            # A drop-in's folder is told by itself; what a killed program was just writing is nobody's.
            if one.name.startswith(begin) and not one.name.endswith((".d", ".new")):
                found[one.path] = look(one.path)
    return found


def has_text(path):
    return path.startswith(UNITS + "/") or path.endswith(("/.deploy/gunicorn.conf.py", "/.deploy/flask_deploy_entry.py"))


def variables(text):
    """Name -> hash of its value; what is no plain line of one variable is counted together under ''."""
    found, rest = {}, []
    for line in text.split("\n"):
        match = VARIABLE.match(line)
        if match:
            found[match.group(1)] = digest(match.group(2).encode())
        else:
            rest.append(line)
    found[""] = digest("\n".join(rest).encode())
    return found


def standing(app):
    """What outlives releases, how it has to be: path -> (mode, owner)."""
    root, own = "root:root", "%s:%s" % (app.user, app.user)
    return {
        app.home: ("0751", root),
        app.home + "/releases": ("0751", root),
        app.home + "/state": ("0600", root),
        app.etc: ("0700", root),
        app.etc + "/generated.env": ("0600", root),
        "/var/lib/" + app.user: ("0750", own),
        "/var/cache/" + app.user: ("0750", own),
        "/var/log/" + app.user: ("0750", own),
    }
