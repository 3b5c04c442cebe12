"""What the probe asks an app: which static files it serves, where its databases and uploads lie, how it is to be run.

Part of probe.py, and as little trusted. Python 3.6 and newer, standard library.
"""

import io
import os
import random
import sys
import traceback

# More than an honest app has.
MOST_RULES = 200
MOST_FILES = 120
MOST_BYTES = 1 << 20
# Extensions for names of settings and files that hold a database.
DATABASE_ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
UPLOAD_WORDS = ("UPLOAD", "MEDIA", "AVATAR", "ATTACHMENT")


def inner(app):
    """The Flask object within its middlewares, and all that was passed on the way."""
    way = []
    while app is not None and len(way) < 10 and all(app is not one for one in way):
        way.append(app)
        if hasattr(app, "url_map") and hasattr(app, "config"):
            return app, way
        below = getattr(app, "__self__", None)
        for name in ("app", "application", "wsgi_app"):
            below = below if below is not None else getattr(app, name, None)
        app = below
    return None, way


def ask(app, path, settings):
    """One GET. Returns status line and body."""
    secure = settings["scheme"] == "https"
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": settings["host"],
        "SERVER_PORT": "443" if secure else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": settings["host"],
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": settings["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    told = []
    pieces = []
    answer = app(environ, lambda status, headers, exc_info=None: told.append(status) or pieces.append)
    size = 0
    try:
        for piece in answer:
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                break
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return told[-1] if told else "", b"".join(pieces)


def files_below(folder):
    """Files that nginx could serve, as paths below the folder: of every sub-folder some, if there are too many."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        own = sorted(one for one in names if not one.startswith("."))
        found.append([os.path.relpath(os.path.join(place, one), folder) for one in own])
        if len(found) > 1000:
            break
    total = sum(len(own) for own in found)
    if total <= MOST_FILES:
        return [one for own in found for one in own], True
    picked = [random.choice(own) for own in found if own]
    return random.sample(picked, min(len(picked), MOST_FILES)), False


def proven(app, url, folder, settings):
    """Does the app itself serve these files there, to everybody?"""
    paths, whole = files_below(folder)
    checked = 0
    for path in paths:
        full = os.path.join(folder, path)
        if not os.path.isfile(full) or os.path.getsize(full) > MOST_BYTES:
            continue
        try:
            status, body = ask(app, url + "/" + path.replace(os.sep, "/"), settings)
        except Exception:
            return False, whole
        with open(full, "rb") as file:
            if not status.startswith("200") or body != file.read():
                return False, whole
        checked += 1
    return checked > 0, whole


def statics(app, flask, settings):
    found = []
    for rule in list(flask.url_map.iter_rules())[: MOST_RULES * 10]:
        endpoint = rule.endpoint
        if not isinstance(endpoint, str) or not (endpoint == "static" or endpoint.endswith(".static")):
            continue
        if set(rule.arguments) != {"filename"} or getattr(rule, "host", None) or getattr(rule, "subdomain", None):
            continue
        end = "/<path:filename>"
        if not rule.rule.endswith(end):
            continue
        owner = flask if endpoint == "static" else flask.blueprints.get(endpoint[: -len(".static")])
        folder = getattr(owner, "static_folder", None)
        if not folder or not os.path.isdir(folder):
            continue
        url = rule.rule[: -len(end)]
        if any(one["url"] == url for one in found):
            # Of two the first that matches answers, file by file: nobody but the app knows.
            found = [dict(one, proven=False) if one["url"] == url else one for one in found]
            continue
        good, whole = proven(app, url, str(folder), settings)
        found.append({"url": url, "folder": os.path.abspath(str(folder)), "proven": good, "whole": whole})
        if len(found) >= MOST_RULES:
            break
    return found


def sqlite_file(url):
    """The file of an SQLite URL, None where it has none."""
    if not url.startswith("sqlite") or ":///" not in url:
        return None
    path = url.split(":///", 1)[1].split("?", 1)[0]
    return None if path in ("", ":memory:") or path.startswith("file:") else path


def databases(flask):
    found = {}
    try:
        with flask.app_context():
            known = flask.extensions.get("sqlalchemy")
            known = getattr(known, "db", None) or known
            engines = getattr(known, "engines", None)
            if engines is None:
                engines = {None: known.engine}
            for key, engine in dict(engines).items():
                if engine.url.drivername.startswith("sqlite") and engine.url.database not in (None, "", ":memory:"):
                    setting = "SQLALCHEMY_DATABASE_URI" if key is None else "SQLALCHEMY_BINDS"
                    found[os.path.abspath(engine.url.database)] = setting
            read = True
    except Exception:
        read = False
    for key, value in list(flask.config.items()):
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(key, str) or not isinstance(value, str) or (read and key.startswith("SQLALCHEMY")):
            continue
        path = sqlite_file(value)
        if path is None and (value.endswith(DATABASE_ENDINGS) and "://" not in value):
            path = value
        if path is not None:
            found.setdefault(os.path.abspath(path), key)
    return [{"setting": setting, "path": path} for path, setting in found.items()]


def uploads(flask):
    found = []
    for key, value in list(flask.config.items()):
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(key, str) or not isinstance(value, str) or "://" in value or "\n" in value:
            continue
        named = any(word in key.upper() for word in UPLOAD_WORDS)
        if named and key.upper().endswith(("FOLDER", "DIR", "DIRECTORY", "DEST", "PATH", "ROOT")) and value:
            found.append({"setting": key, "path": os.path.abspath(value)})
    return found


def socketio(flask, way):
    """How Socket.IO is to be served (`threading`, `eventlet`, ...), None where the app has none."""
    known = getattr(flask, "extensions", {}).get("socketio")
    mode = getattr(getattr(known, "server", None), "async_mode", None)
    for one in way + [getattr(flask, "wsgi_app", None)]:
        if mode is None and type(one).__module__.split(".")[0] in ("socketio", "engineio"):
            mode = getattr(getattr(one, "engineio_app", None), "async_mode", None) or "threading"
    return mode if isinstance(mode, str) else None


def loadable(name):
    """Does gunicorn have this worker class, with what it needs?"""
    try:
        from gunicorn.util import load_class

        load_class(name)
    except (Exception, SystemExit):
        return False
    return True


def is_weak(flask):
    key = getattr(flask, "secret_key", None)
    return isinstance(key, (str, bytes)) and 0 < len(key) < 16


def describe(app, settings, report):
    flask, way = inner(app)
    if flask is None:
        return
    report["described"] = True
    for name, tell in (
        ("static", lambda: statics(app, flask, settings)),
        ("instance", lambda: str(getattr(flask, "instance_path", "") or "")),
        ("databases", lambda: databases(flask)),
        ("uploads", lambda: uploads(flask)),
        ("socketio", lambda: socketio(flask, way)),
        ("weak", lambda: is_weak(flask)),
    ):
        try:
            report[name] = tell()
        except BaseException:
            traceback.print_exc()
    wanted = report.get("socketio") or settings["workerClass"]
    if wanted and wanted != "threading":
        report["worker"] = wanted if loadable(wanted) else ""
