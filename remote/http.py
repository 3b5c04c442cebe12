"""The program's HTTP client: the health check over a release's own socket, and one request through nginx.

Run by root with /usr/bin/python3 -I: nothing of the project's is imported. Python 3.6 and newer, standard library.
    http.py health SETTINGS RELEASE SOCKET UNIT    prints "ok STATUS MS ANSWERS" or "fail CODE DETAIL"
    http.py smoke SETTINGS RELEASE SECONDS         prints "ok STATUS MS RELEASE" or "fail CODE STATUS RELEASE"
    http.py look SETTINGS RELEASE SOCKET           the same, asked once over a release's own socket
    http.py alive SETTINGS RELEASE SOCKET SECONDS  prints "ok", once it answers well, or "fail CODE DETAIL"
    http.py watch SETTINGS RELEASE SOCKET UNIT SECONDS fresh|booted BESIDE...  prints "well ANSWERS" or "fail CODE DETAIL"
    http.py probe TOKEN CONTENT NAME...            prints "go", or the first name that does not lead here
    http.py reach URL                              prints "ok" where an ACME directory answers there
SETTINGS is a file (secrets are no arguments): JSON with host, scheme, path, smoke {host, path, secure, verify}, explicit,
statuses, text, timeout (s), nonces {release: nonce}.
"""

import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time
import urllib.request

# Isolated Python does not look beside its script; this folder is root's alone.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flask_deploy_processes import OwnServer, alive, ask_where, children, unit_states  # noqa: E402

GOOD_ANSWERS = 3
SAME_BAD_ANSWERS = 3
BODY_LIMIT = 1 << 20
ASK_AT_MOST = 10  # seconds, of a release that is watched


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class SecureConnection(http.client.HTTPSConnection):
    """To this machine, whatever the name that is asked for leads to."""

    def __init__(self, name, timeout, verify):
        context = ssl.create_default_context()
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        super().__init__("127.0.0.1", 443, timeout=timeout, context=context)
        self.context, self.name = context, name

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", 443), self.timeout)
        self.sock = self.context.wrap_socket(plain, server_hostname=self.name)


class Answer:
    def __init__(self, status, release, worker, body, seconds):
        self.status, self.release, self.worker = status, release, worker
        self.body, self.ms = body, int(seconds * 1000)


def anonymous(settings, release):
    """A command of the project's own serves it, which cannot say what release it is."""
    return release not in settings["nonces"]


def proof(settings, release):
    return {} if anonymous(settings, release) else {"X-Flask-Deploy-Nonce": settings["nonces"][release]}


def ask(connection, settings, release):
    """One GET as a visitor or, on a release's socket, nginx would send it; the nonce makes the release give its name."""
    began = time.monotonic()
    local = isinstance(connection, UnixConnection)
    page = settings if local else settings["smoke"]
    headers = {
        "Host": page["host"],
        "User-Agent": "flask-deploy-action",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **proof(settings, release),
        "Connection": "close",
    }
    if local:
        headers["X-Forwarded-Proto"] = settings["scheme"]
        headers["X-Forwarded-Host"] = settings["host"]
        headers["X-Forwarded-For"] = "127.0.0.1"
    connection.request("GET", page["path"], headers=headers)
    response = connection.getresponse()
    body = response.read(BODY_LIMIT)
    connection.close()
    return Answer(
        response.status,
        response.getheader("X-Flask-Deploy-Release", ""),
        response.getheader("X-Flask-Deploy-Worker", ""),
        body,
        time.monotonic() - began,
    )


def fault(settings, answer, text=""):
    """What is wrong with an answer: a code, or None."""
    ranges = settings["statuses"]
    if ranges:
        good = any(low <= answer.status <= high for low, high in ranges)
    elif settings["explicit"]:
        good = 200 <= answer.status < 400
    else:
        good = answer.status < 500
    if not good:
        return "health-status"
    if text and text.encode() not in answer.body:
        return "health-text"
    return None


class Asker(threading.Thread):
    """Asks until told to stop, so that a hanging answer does not blind us to a dying process."""

    def __init__(self, settings, release, path):
        super().__init__(daemon=True)
        self.settings, self.release, self.path = settings, release, path
        self.good, self.bad, self.last, self.code, self.workers = 0, 0, None, None, set()

    def run(self):
        while self.good < GOOD_ANSWERS:
            try:
                answer = ask(UnixConnection(self.path, self.settings["timeout"]), self.settings, self.release)
            except (OSError, http.client.HTTPException):
                self.good = 0
                time.sleep(0.1)
                continue
            code = fault(self.settings, answer)
            if answer.worker:
                self.workers.add(answer.worker)
            if code is None:
                self.code, self.last, self.bad = None, answer, 0
                self.good += 1
                time.sleep(0.02)
            else:
                self.good = 0
                # 502 to 504 are what a program says that is still warming up.
                self.bad = 0 if 502 <= answer.status <= 504 else self.bad + 1
                self.code, self.last = code, answer
                time.sleep(0.3)


def health(settings, release, path, unit):
    state = unit_states([unit])[unit]
    master = state.get("MainPID", "0")
    if master == "0" or state.get("NRestarts", "0") != "0":
        return "fail app-exited 0"
    asker = Asker(settings, release, path)
    asker.start()
    deadline = time.monotonic() + settings["timeout"]
    settled = None
    seen = set()
    # What processes such a program has, and when they end, is its own matter.
    unnamed = anonymous(settings, release)
    own_server = OwnServer(master)
    while time.monotonic() < deadline:
        if not alive(master):
            return "fail app-exited %s" % (asker.last.status if asker.last else 0)
        present = {pid for pid in children(master) if alive(pid)}
        if seen - present and not unnamed:
            return "fail worker-restarted %s" % (asker.last.status if asker.last else 0)
        seen |= present
        if asker.last is None and not unnamed:
            port = own_server.port()
            if port:
                ask_where(master)
                return "fail own-server %d" % port
        if asker.bad >= SAME_BAD_ANSWERS:
            return "fail %s %d" % (asker.code, asker.last.status)
        if asker.good >= GOOD_ANSWERS:
            settled = settled or time.monotonic() + 0.25
            if time.monotonic() >= settled:
                if len(asker.workers) > max(1, len(seen)):
                    return "fail worker-restarted %d" % asker.last.status
                if unnamed and unit_states([unit])[unit].get("NRestarts", "0") != "0":
                    return "fail app-exited %d" % asker.last.status
                if not unnamed and asker.last.release != release:
                    return "fail wrong-release %s" % (asker.last.release or "none")
                return "ok %d %d %d" % (asker.last.status, asker.last.ms, asker.good)
        time.sleep(0.03)
    if asker.last is not None:
        return "fail %s %d" % (asker.code or "health-timeout", asker.last.status)
    ask_where(master)
    return "fail health-timeout %d" % settings["timeout"]


def smoke(settings, release, seconds):
    deadline = time.monotonic() + seconds
    while True:
        try:
            page = settings["smoke"]
            if page["secure"]:
                connection = SecureConnection(page["host"], settings["timeout"], page["verify"])
            else:
                connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=settings["timeout"])
            answer = ask(connection, settings, release)
            other = answer.release != release and not anonymous(settings, release)
            code = "wrong-release" if other else fault(settings, answer, settings["text"])
            if code is None:
                return "ok %d %d %s" % (answer.status, answer.ms, answer.release)
            result = "fail %s %d %s" % (code, answer.status, answer.release or "none")
        except ssl.SSLError as error:
            result = "fail tls 0 %s" % type(error).__name__
        except (OSError, http.client.HTTPException) as error:
            result = "fail unreachable 0 %s" % type(error).__name__
        if time.monotonic() >= deadline:
            return result
        time.sleep(0.05)


def look(settings, release, path):
    try:
        answer = ask(UnixConnection(path, settings["timeout"]), settings, release)
    except (OSError, http.client.HTTPException) as error:
        return "fail unreachable 0 %s" % type(error).__name__
    other = answer.release != release and not anonymous(settings, release)
    code = "wrong-release" if other else fault(settings, answer)
    if code is None:
        return "ok %d %d %s" % (answer.status, answer.ms, answer.release)
    return "fail %s %d %s" % (code, answer.status, answer.release or "none")


def settle(what, settings, release, path, *more):
    import flask_deploy_watch as watching  # recovery's copies do without

    quickly = dict(settings, timeout=min(settings["timeout"], ASK_AT_MOST))

    def question():
        good, code, *details = look(quickly, release, path).split()
        if good == "ok":
            return None
        if code == "unreachable":
            return "health-timeout" if "timeout" in details[-1].lower() else "health-unreachable"
        return "%s %s" % (code, details[0])

    if what == "alive":
        return watching.comes_alive(question, float(more[0]))
    grace = 0 if more[2] == "fresh" else settings["timeout"]
    return watching.watch(question, more[0], more[3:], float(more[1]), grace, not anonymous(settings, release))


def probe(token, content, names):
    path = "/.well-known/acme-challenge/" + token
    for name in names:
        try:
            found = {entry[4][0] for entry in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)}
            for address in found:
                connection = http.client.HTTPConnection(address, 80, timeout=10)
                connection.request("GET", path, headers={"Host": name, "Connection": "close"})
                if connection.getresponse().read(200).decode("latin-1") != content:
                    return name
        except (OSError, http.client.HTTPException):
            return name
    return "go"


def reach(url):
    try:
        with urllib.request.urlopen(url, timeout=15) as answer:
            return "ok" if "newOrder" in json.loads(answer.read(BODY_LIMIT).decode()) else "fail"
    except (OSError, ValueError, http.client.HTTPException):
        return "fail"


def main(arguments):
    if arguments[0] == "probe":
        print(probe(arguments[1], arguments[2], arguments[3:]), flush=True)
        return
    if arguments[0] == "reach":
        print(reach(arguments[1]), flush=True)
        return
    # Python 3.6 takes ASCII for the encoding of LC_ALL=C.
    with open(arguments[1], encoding="utf-8") as file:
        settings = json.load(file)
    if arguments[0] == "health":
        print(health(settings, arguments[2], arguments[3], arguments[4]), flush=True)
    elif arguments[0] == "look":
        print(look(settings, arguments[2], arguments[3]), flush=True)
    elif arguments[0] in ("alive", "watch"):
        print(settle(arguments[0], settings, *arguments[2:]), flush=True)
    else:
        print(smoke(settings, arguments[2], float(arguments[3])), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
    # A request that still hangs must not hold up the program.
    sys.stdout.flush()
    os._exit(0)
