"""What somebody changed by hand: files of ours on the server, against root's own record of how they were written.

Run by root with /usr/bin/python3 -I, from beside the record; Python 3.6 and newer, standard library.
    flask_deploy_drift.py NAME    prints facts: "drift FATE HOW DETAIL PATH", each with "drift-line TEXT" below it
FATE is `replaced` by a deploy, or `stays`. HOW: edited, added, removed, mode, owner, link, variables, shell, groups.
Of env files only names of variables are ever told, of the project's files names alone. The record (edited.py makes it)
holds hashes, and the texts of units, nginx's files and gunicorn's settings, which hold no secret; it is root's alone.
"""

import grp
import json
import os
import pwd
import re
import sys

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_look import UNITS, App, beside, digest, holds, look, standing, text_of, tree, variables  # noqa: E402

# Where systemd looks for what somebody adds to a unit (systemd.unit(5); `.control` is `systemctl set-property`).
DROP_INS = (UNITS, "/etc/systemd/system.control", "/run/systemd/system", "/run/systemd/system.control")
SHARED = "/var/lib/flask-deploy/written"
DEFAULTS = ("00-flask-deploy-default.conf", "00-flask-deploy-default-tls.conf")
MOST_ITEMS, MOST_LINES, MOST_OF_ONE, LONGEST = 40, 200, 60, 200
# nginx's own `server_tokens off;` is none.
SECRET = re.compile(r"(?i)(secret|passw|token(?!s (?:on|off|build);)|api.?key|private|credential|auth|cookie|dsn)")


class Found:
    """What was found, bounded."""

    def __init__(self):
        self.items, self.lines, self.more = [], 0, 0

    def add(self, fate, how, detail, path, before=None, now=None):
        if len(self.items) == MOST_ITEMS:
            self.more += 1
            return
        lines = []
        if before is not None or now is not None:
            lines = compared(before or "", now or "")
            room = max(0, min(MOST_OF_ONE, MOST_LINES - self.lines))
            if len(lines) > room:
                lines = lines[:room] + ["... and %d more lines" % (len(lines) - room)]
            self.lines += len(lines)
        self.items.append((fate, how, detail, path, lines))


def compared(before, now):
    """A unified diff without its heads, and without what looks like a secret."""
    import difflib

    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="", n=2)
    return [hidden(line) for line in list(lines)[2:]]


def hidden(line):
    line = re.sub(r"(://[^/\s:@]*:)[^/\s@]*@", r"\1***@", line)
    variable = re.match(r"[-+ ]\s*(Environment|raw_env)\s*=[\s\"'\[]*\w*=?", line)
    if variable:
        return variable.group(0) + "***"
    match = SECRET.search(line)
    return line if match is None else line[: match.end()] + " ***"


def changed_variables(before, now):
    differ = {one for one in set(before) | set(now) if before.get(one) != now.get(one)}
    named = sorted(differ - {""})[:10]
    return ",".join(named or ["-"]) if differ else None


def compare(app, path, was, known, found):
    """One recorded path with what is there now."""
    try:
        now = look(path)
    except OSError:
        found.add("replaced", "removed", "-", path)
        return
    inside = path.startswith("%s/releases/%s/.venv/" % (app.home, known["release"]))
    if inside:
        try:
            now[4] = os.lstat(path).st_mtime_ns
        except OSError:
            return
    if now == was[:5]:
        return
    if now[0] != was[0]:
        found.add("replaced", "edited", "it-is-a-" + now[0], path)
        return
    if now[1] != was[1]:
        found.add("replaced", "mode", "%s,%s" % (was[1], now[1]), path)
    if now[2] != was[2]:
        found.add("replaced", "owner", "%s,%s" % (was[2], now[2]), path)
    try:
        if inside and now[4] != was[4]:
            found.add("replaced", "edited", "-", path)
        elif not inside and holds(path, now) != was[5]:
            if path == "%s/%s.env" % (app.etc, known["release"]):
                detail = changed_variables(known["variables"], variables(text_of(path) or ""))
                found.add("replaced", "variables", detail or "-", path)
            elif now[0] == "link":
                found.add("replaced", "link", "-", path)
            elif path in known["texts"]:
                found.add("replaced", "edited", "-", path, known["texts"][path], text_of(path))
            else:
                found.add("replaced", "edited", "-", path)
    except OSError:
        return


def drop_ins(app, release):
    """What was added to our units: (fate, path). A folder of the name's first part is for all releases to come."""
    own = ["%s-%s." % (app.user, release)]
    lasting = ["%s-.%s.d" % (app.user, kind) for kind in ("service", "socket", "timer")]
    for place in DROP_INS:
        try:
            inside = sorted(os.listdir(place))
        except OSError:
            continue
        for one in inside:
            if one.endswith(".d") and one.startswith(tuple(own)):
                fate = "replaced"
            elif one in lasting or one == app.user + ".redis.service.d":
                fate = "stays"
            else:
                continue
            try:
                files = sorted(os.listdir(place + "/" + one))
            except OSError:
                continue
            for file in files:
                if file.endswith(".conf"):
                    yield fate, "%s/%s/%s" % (place, one, file)


def find_standing(app, found):
    for path, (mode, owner) in standing(app).items():
        try:
            now = look(path)
        except OSError:
            continue
        if now[0] == "link":
            found.add("stays", "link", "-", path)
            continue
        if now[1] != mode:
            found.add("replaced", "mode", "%s,%s" % (mode, now[1]), path)
        if now[2] != owner:
            found.add("replaced", "owner", "%s,%s" % (owner, now[2]), path)
    for user in (app.user, app.user + "-build"):
        try:
            account = pwd.getpwnam(user)
        except KeyError:
            found.add("replaced", "removed", "-", user)
            continue
        if account.pw_shell != "/usr/sbin/nologin":
            found.add("replaced", "shell", account.pw_shell, user)
    for group in grp.getgrall():
        for member in group.gr_mem:
            if member in (app.user, app.user + "-build"):
                found.add("stays", "groups", group.gr_name, member)


def find_nginx(app, found):
    places = [(app.site, "%s/%s.conf" % (app.written, app.user))]
    places += [("%s/%s" % (app.sites, one), "%s/%s" % (SHARED, one)) for one in DEFAULTS]
    for path, original in places:
        before, now = text_of(original), text_of(path)
        if before is None or before == now:
            continue
        if now is None:
            found.add("replaced", "link" if os.path.islink(path) else "removed", "-", path)
        else:
            found.add("replaced", "edited", "-", path, before, now)


def find_shared(app, found):
    try:
        with open(app.written + "/shared.json", encoding="utf-8") as file:
            shared = json.load(file)
    except (OSError, ValueError):
        return
    made = text_of(app.etc + "/generated.env")
    if shared["generated"] is not None and (made is None or look(app.etc + "/generated.env") != shared["look"]):
        detail = changed_variables(shared["generated"], variables(made or ""))
        if detail is not None:
            found.add("stays", "variables" if made is not None else "removed", detail, app.etc + "/generated.env")
    if shared["redis"] is not None:
        now = text_of(app.redis)
        if now is None:
            found.add("replaced", "removed", "-", app.redis)
        elif now != shared["redis"]:
            found.add("replaced", "edited", "-", app.redis, shared["redis"], now)


def find(app):
    found = Found()
    with open(app.home + "/state", encoding="utf-8", errors="replace") as file:
        lines = [line.split() for line in file]
    release = next((line[1] for line in lines if line[:1] == ["current"]), "")
    if not re.match(r"^[0-9]{14}(-[0-9a-f]{1,40}){1,2}$", release):
        return found
    find_nginx(app, found)
    try:
        with open("%s/%s.json" % (app.written, release), encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        known = None
    if known is not None:
        known["release"] = release
        for path, was in sorted(known["entries"].items()):
            compare(app, path, was, known, found)
        root = "%s/releases/%s" % (app.home, release)
        here = tree(root, False) if os.path.isdir(root) else {}
        here.update(beside(app, release))
        for path in sorted(set(here) - set(known["entries"])):
            # What may run only once, and at set times, begins with the verdict.
            if path.startswith(UNITS) and ".wants/" in path:
                continue
            if os.path.dirname(path) not in here or os.path.dirname(path) in known["entries"]:
                found.add("replaced", "added", "-", path)
    for fate, path in drop_ins(app, release):
        found.add(fate, "added", "-", path, "", text_of(path))
    find_shared(app, found)
    find_standing(app, found)
    return found


def plain(text):
    """One line, and of a path no byte that is none."""
    return "".join(one if one.isprintable() else "?" for one in text.encode("utf-8", "replace").decode("utf-8"))


def tell(app):
    found, said = find(app), []
    for fate, how, detail, path, lines in found.items:
        said.append("drift %s %s %s %s\n" % (fate, how, plain(detail).replace(" ", "_") or "-", plain(path)))
        said += ["drift-line %s\n" % plain(line.replace("\t", "    "))[:LONGEST] for line in lines]
    if found.more:
        said.append("drift-more %d\n" % found.more)
    # Python 3.6 would write ASCII here.
    sys.stdout.buffer.write("".join(said).encode())


if __name__ == "__main__":
    tell(App(sys.argv[1]))
