"""Judges what the probe brought, and says what the program is to do about it.

Run by root with /usr/bin/python3 -I in /: nothing of the project's is imported. Python 3.6 and newer, standard library.
The report and all of the scratch copy were the app's to write, so no link is followed there, nothing of it is read
without a bound, and no name of it is believed that is none of the release's own.
    adopt.py SETTINGS SCRATCH RELEASE STATE BUILT LOG
LOG is what the release that serves said of files that it could not write.
Prints lines of words and tabs; see `speak`.
"""

import itertools
import json
import os
import re
import stat
import sys

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_log import read_log, written_by_log  # noqa: E402
from flask_deploy_state import (  # noqa: E402
    RESERVED,
    Release,
    danger,
    is_plain,
    keep_state,
    recorded_paths,
    records,
    speak,
    texts,
)

REPORT_LIMIT = 1 << 20
OUTPUT_LIMIT = 60000
WORKERS = {"gevent", "eventlet", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"}


def read_own(folder, name, limit):
    """A file that lies in a folder of the app's: a regular one, at most so long; None for anything else."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    except OSError:
        return None
    finally:
        os.close(place)
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
        os.close(file)
        return None
    with os.fdopen(file, "rb") as opened:
        return opened.read(limit + 1)


def read_report(folder):
    content = read_own(folder, "report.json", REPORT_LIMIT)
    if content is None or len(content) > REPORT_LIMIT:
        return {}
    try:
        report = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return report if isinstance(report, dict) else {}


def whole_lines(output):
    """Its lines; the last one not where the limit cut it."""
    lines = output.decode("utf-8", "replace").split("\n")
    return lines[:-1] if len(output) > OUTPUT_LIMIT or not lines[-1] else lines


def static_folders(release, report):
    """What the app said about static files, as (URL, folder in the release); the rest is said and left to the app."""
    found = []
    for one in records(report.get("static")):
        url, folder = one.get("url"), one.get("folder")
        if not isinstance(url, str) or not isinstance(folder, str) or len(url) > 200:
            continue
        if url and not (url.startswith("/") and is_plain(url[1:])):
            continue
        # A backslash or a star has a meaning of its own for one of the programs on the way.
        if any(part.startswith(".") for part in url.split("/")) or re.search(r"[^\w/ ~!$&'()+,;=:@%.-]", url):
            continue
        if one.get("proven") is not True or (url == "" and one.get("whole") is not True):
            speak("found", "static-by-app", "%s: the app does not give its files to everybody as they are" % (url or "/"))
            continue
        real = os.path.realpath(folder) if is_plain(folder[1:]) else ""
        path = release.own(real)
        if path is None or not os.path.isdir(real):
            speak("found", "static-by-app", "%s: its folder is not within the project" % (url or "/"))
            continue
        found.append((url, path))
    return found


def shape(release, report):
    """How many processes, threads, and of which kind: from words of ours."""
    settings = release.settings
    found = {}
    worker = report.get("worker")
    if isinstance(worker, str) and worker in WORKERS:
        found["worker"] = worker
    mode = report.get("socketio")
    if isinstance(mode, str):
        found.update(workers=1, threads=100)
        if settings["workersGiven"]:
            speak("doubt", "one-worker", "Socket.IO")
        if mode in ("eventlet", "gevent") and "worker" not in found:
            speak("doubt", "worker-missing", mode)
        speak("found", "socketio", found.get("worker", "threads"))
    elif "worker" in found:
        speak("found", "worker-class", found["worker"])
    return found


def write(path, content, group):
    new = path + ".new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640), "w", encoding="utf-8") as file:
        file.write(content)
        os.fchown(file.fileno(), 0, group)
        os.fchmod(file.fileno(), 0o640)
    os.rename(new, path)


def state_has_code(settings, release):
    """Does the app import something that lies in its own folder on the server, which the scratch copy has not?"""
    targets = [one["target"] for one in settings["persist"]] + [path for path, _ in release.kept]
    for target in targets:
        path = os.path.join(settings["state"], target)
        if path.endswith(".py") and os.path.isfile(path):
            return True
        for _, folders, names in itertools.islice(os.walk(path), 2000):
            if any(name.endswith(".py") for name in names):
                return True
    return False


def is_module(root, name):
    """Is there a module or a package of this name among the project's files?"""
    count = 0
    for place, folders, names in os.walk(root):
        if place == root:
            folders[:] = [one for one in folders if one not in RESERVED]
        if name in folders or name + ".py" in names:
            return True
        count += len(folders)
        if count > 5000 or place.count("/") - root.count("/") > 3:
            folders[:] = []
    return False


def wants_build(release, error, candidate):
    """Can building the project itself help? Says how: its metadata are missing, or its modules."""
    kinds = texts(error.get("kinds"))
    if "PackageNotFoundError" in kinds or "DistributionNotFound" in kinds:
        return "after"
    top = error.get("name", "").split(".")[0] if isinstance(error.get("name"), str) else ""
    if "ImportError" in kinds and re.match(r"^\w{1,100}$", top):
        if top == candidate["module"].split(".")[0] or is_module(release.root, top):
            return "first"
    return None


def main(settings_path, scratch, root, state_file, built, log):
    with open(settings_path, encoding="utf-8") as file:
        settings = json.load(file)
    own_folder = os.path.join(scratch, ".deploy")
    report = read_report(own_folder)
    output = read_own(own_folder, "output", OUTPUT_LIMIT) or b""
    candidates = settings["candidates"]
    index = report.get("candidate")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(candidates):
        index = 0
    outcome = report.get("outcome")
    error = report.get("error") if isinstance(report.get("error"), dict) else {}
    lines = texts(error.get("lines")) if outcome == "raised" else whole_lines(output)
    with open(os.path.join(os.path.dirname(settings_path), "app.log"), "w", encoding="utf-8", errors="replace") as file:
        # Every character stays as it is: a secret that was changed, or cut, would not be known as one.
        file.writelines(line.replace("\n", "?") + "\n" for line in lines[-150:])

    release = Release(root, settings, recorded_paths(state_file))
    kinds = texts(error.get("kinds"))
    if outcome == "raised":
        how = wants_build(release, error, candidates[index]) if settings["buildable"] else None
        if how is not None and built in ("no", "after") and how != built:
            speak("build", how)
            return
        tolerated = settings["ownServer"] or state_has_code(settings, release)
        if set(kinds) & {"ImportError", "SyntaxError"} and not tolerated:
            speak("fail", "app-import")
            return
        speak("raised")
    elif outcome == "serves" and not settings["ownServer"]:
        port = report.get("port")
        speak("fail", "own-server", str(port) if isinstance(port, int) and 0 < port < 65536 else "")
        return
    elif outcome == "none" and not settings["ownServer"]:
        whys = [one for one in report.get("passed", []) if isinstance(one, list) and len(one) == 2]
        speak("fail", "app-unproven", "; ".join("%s: %s" % tuple(one) for one in whys if texts(one) == one)[:600])
        return
    elif outcome != "app":
        index = 0
        if outcome is None:
            speak("doubt", "probe-unfinished", "")

    chosen = candidates[index]
    if index > 0:
        speak("found", "app", chosen["name"])
    group = os.stat(root).st_gid
    first = os.path.exists(os.path.join(root, ".deploy", "site-first"))
    write(os.path.join(root, ".deploy", "flask_deploy_entry.py"), chosen["entry"], group)
    write(os.path.join(root, ".deploy", "target.env"), chosen["siteFirst" if first else "environment"], group)

    described = outcome == "app" and report.get("described") is True
    statics = static_folders(release, report) if described else []
    keep_state(release, report if described else {}, scratch, statics)
    if settings["keeps"]:
        written_by_log(release, read_log(log))
    found = shape(release, report) if described else {}
    if found:
        write(os.path.join(root, ".deploy", "shape.json"), json.dumps(found), group)
    if described and report.get("weak") is True:
        speak("doubt", "secret-key-weak", "")

    explicit = {one["path"] for one in settings["persist"]}
    automatic = [(path, kind) for path, kind in release.kept if path not in explicit]
    for path, kind in automatic:
        speak("keep-" + kind, path)
    for path, target in release.links:
        speak("link", path, target)
    for path in release.holes:
        speak("hole", path)
    if automatic:
        every = sorted(one["target"] for one in settings["persist"]) + sorted(path for path, _ in automatic)
        speak("found", "persist", ", ".join(sorted(path for path, _ in automatic)) + " / " + ", ".join(every))
    if not settings["publishes"]:
        return
    if not described:
        statics = [(one["url"], one["folder"]) for one in settings["fallback"]]
    closed = [path for path, _ in release.kept] + release.holes
    for url, path in statics:
        if url in settings["given"]:
            continue
        if any(path == one or path.startswith(one + "/") for one in closed):
            why = "the app writes there"
        else:
            why = danger(os.path.join(root, path)) if described else None
        if why is not None:
            speak("found", "static-by-app", "%s: %s" % (url or "/", why))
            continue
        speak("found", "static", "%s from %s" % (url or "/", path))
        speak("publish", url or "/", path)


if __name__ == "__main__":
    main(*sys.argv[1:])
