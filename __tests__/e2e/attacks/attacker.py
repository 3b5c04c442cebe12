"""An attacker on a shared server: tries everything it can think of against one app of this action, as whoever it is.

    attacker.py VICTIM HOST FOLDER OPEN

goes on until FOLDER/stop is there, at least once; then FOLDER/outcomes.json holds {"rounds": N, "outcomes": {attack:
[outcome, ...]}}, each different outcome once: `done`, the name of the error (EACCES), or a word about what a program said.

Attacks that begin with `open:` are the same deeds against things of its own, or which the test left open in OPEN: they have
to succeed, else the attacker proves nothing. Those that begin with `harmless:` anybody may do; they must have no effect.
"""

import ctypes
import errno
import fcntl
import glob
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

VICTIM, HOST, FOLDER, OPEN = sys.argv[1:]
HOME = f"/srv/web-{VICTIM}"
SHARED = ("/tmp", "/var/tmp", "/run/lock", "/dev/shm")
libc = ctypes.CDLL(None, use_errno=True)
# What is held to the end: path or name -> descriptor.
held = {}


class Refused(Exception):
    """Not done, and there is no error number to say so."""


# The deeds.


def read(path):
    with open(path, "rb") as file:
        # A process that has ended has empty files.
        if file.read(1) == b"":
            raise Refused("empty")


def write(path):
    with open(path, "ab"):
        pass


def create(folder):
    path = f"{folder}/planted"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)


def plant(folder):
    path = f"{folder}/link"
    os.symlink("/etc/passwd", path)
    os.unlink(path)


def move(path):
    os.rename(path, f"{path}-moved")
    os.rename(f"{path}-moved", path)


def hard_link(path):
    own = f"{FOLDER}/linked"
    os.link(path, own)
    os.unlink(own)


def connect(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)


def listen(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


def take_port(family, address):
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(address)


def lock(path):
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(file)


def syscall(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def trace(pid):
    syscall(libc.ptrace(16, pid, None, None))
    os.waitpid(pid, 0)
    syscall(libc.ptrace(17, pid, None, None))


def run(*words, said=None):
    """@param said: what the output has to hold to count"""
    ran = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if ran.returncode != 0:
        raise Refused(f"status {ran.returncode}")
    if said is not None and said not in ran.stdout:
        raise Refused("nothing")


def ask(path, **headers):
    """Asks nginx as a visitor would; done means that the answer says which release it is of."""
    request = urllib.request.Request(f"http://127.0.0.1{path}", headers={"Host": HOST, **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            names = answer.headers
    except urllib.error.HTTPError as error:
        names = error.headers
    except OSError:
        raise Refused("no answer") from None
    if "X-Flask-Deploy-Release" not in names:
        raise Refused("not told")


def search_commands(secret):
    """Looks for a text among the words of all programs that run."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if secret in file.read():
                    return
        except OSError:
            pass
    raise Refused("not found")


def kill_deploy():
    words = ["systemctl", "list-units", "--plain", "--no-legend", f"flask-deploy-{VICTIM}-*.service"]
    units = subprocess.run(words, stdout=subprocess.PIPE).stdout.decode().split()
    if not units:
        raise Refused("none runs")
    run("systemctl", "kill", units[0])


# What may be done by anybody, and must have no effect.


def hold_locks():
    """Every lock that can be had on a file that all may read and that we, apt or useradd have to do with."""
    for pattern in (
        "/etc/systemd/system/web-*",
        "/etc/nginx/**/*",
        "/opt/flask-deploy/uv-*/bin/*",
        "/etc/passwd",
        "/etc/group",
        "/var/lib/dpkg/status",
        "/usr/bin/python3",
        "/run",
        "/srv",
    ):
        for path in glob.glob(pattern, recursive=True):
            if path in held:
                continue
            try:
                held[path] = os.open(path, os.O_RDONLY)
                fcntl.flock(held[path], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass


def lure():
    """Links with the names that we use, in every folder where anybody may make some; what they lead to is not there."""
    for folder in SHARED:
        for name in (
            "flask-deploy",
            f"flask-deploy-{VICTIM}",
            f"web-{VICTIM}",
            f"web-{VICTIM}.new",
            f"{VICTIM}.lock",
            "lock",
            "state.new",
            *releases(),
        ):
            try:
                os.symlink(f"{FOLDER}/lured", f"{folder}/{name}")
            except OSError:
                pass


def ours(uid):
    return uid == 0 or pwd.getpwuid(uid).pw_name.startswith(f"web-{VICTIM}")


def snatch():
    """Whatever root or the app makes where all may make files: to look into, move, remove or link it."""
    reasons = set()
    for folder in SHARED:
        try:
            found = [one for one in os.scandir(folder) if ours(one.stat(follow_symlinks=False).st_uid)]
        except OSError:
            continue
        for one in found:
            # The system's own, for everybody.
            if one.path == OPEN or one.name == "subsys" or one.name.endswith("-unix"):
                continue
            for deed in (os.listdir, read, move, os.rmdir, os.unlink, hard_link):
                try:
                    deed(one.path)
                    return
                except OSError as error:
                    reasons.add(errno.errorcode[error.errno])
    raise Refused(" ".join(sorted(reasons)) or "nothing there")


def fill_memory_files():
    """Uses up all that /dev/shm may hold."""
    folder = f"/dev/shm/full-{os.getuid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        for number in range(len(os.listdir(folder)), 3_000):
            write(f"{folder}/{number}")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def use_up_inotify():
    while (file := libc.inotify_init1(0)) >= 0:
        held[f"inotify {file}"] = file


def squat_names():
    """Sockets in the abstract name space, which has no owners."""
    for name in (f"web-{VICTIM}", "flask-deploy", *(f"/run/web-{VICTIM}/{one}.sock" for one in releases())):
        if f"\0{name}" not in held:
            one = socket.socket(socket.AF_UNIX)
            one.bind(f"\0{name}")
            held[f"\0{name}"] = one.detach()


def datagram(path, text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(text.encode(), path)


def forge_journal():
    unit = f"web-{VICTIM}-{release()}.service"
    datagram(
        "/run/systemd/journal/socket",
        f"MESSAGE=forged\nPRIORITY=3\nSYSLOG_IDENTIFIER=gunicorn\n_SYSTEMD_UNIT={unit}\nUNIT={unit}\n"
        f"OBJECT_SYSTEMD_UNIT={unit}\nCOREDUMP_UNIT={unit}\n_PID=1\n_UID=0\n",
    )


def user_units():
    """Units of the same names, in a service manager of one's own."""
    folder = os.path.expanduser("~/.config/systemd/user")
    os.makedirs(folder, exist_ok=True)
    unit = f"web-{VICTIM}-{release()}"
    if unit in held:
        return
    with open(f"{folder}/{unit}.service", "w") as file:
        file.write("[Service]\nExecStart=/bin/sleep 1000\n")
    with open(f"{folder}/{unit}.socket", "w") as file:
        file.write(f"[Socket]\nListenStream=%t/{unit}.sock\n")
    run("systemctl", "--user", "daemon-reload")
    run("systemctl", "--user", "restart", f"{unit}.socket", f"{unit}.service")
    run("systemd-run", "--user", f"--unit=flask-deploy-{VICTIM}-{len(held)}", "sleep", "1000")
    held[unit] = None


# Whom and what the deeds are done to.


def releases():
    """The IDs of releases whose sockets are there: their names are no secret."""
    try:
        return sorted(one[: -len(".sock")] for one in os.listdir(f"/run/web-{VICTIM}") if one.endswith(".sock"))
    except OSError:
        return []


def release():
    return (releases() or ["20260101000000-0000000"])[-1]


def process_of(unit):
    shown = subprocess.run(["systemctl", "show", "-p", "MainPID", "--value", unit], stdout=subprocess.PIPE).stdout
    return int(shown.split(b"\n")[0] or 0) or 999_999


def attacks(own_child):
    one = release()
    root = f"{HOME}/releases/{one}"
    service = f"web-{VICTIM}-{one}.service"
    pid = process_of(service)
    for name, path in (
        ("the code", f"{root}/app.py"),
        ("the code through current", f"{HOME}/current/app.py"),
        ("the entry module", f"{root}/.deploy/flask_deploy_entry.py"),
        ("gunicorn's settings", f"{root}/.deploy/gunicorn.conf.py"),
        ("the environment's packages", f"{root}/.venv/pyvenv.cfg"),
        ("the env file", f"/etc/web-{VICTIM}/{one}.env"),
        ("the state file", f"{HOME}/state"),
        ("what the app has stored", f"/var/lib/web-{VICTIM}/notes"),
        ("the access log", f"/var/log/nginx/web-{VICTIM}.access.log"),
        ("the error log", f"/var/log/nginx/web-{VICTIM}.error.log"),
    ):
        yield f"read {name}", lambda: read(path)
        yield f"write to {name}", lambda: write(path)
        yield f"hard-link {name}", lambda: hard_link(path)
    for name, path in (
        ("the app's folder", HOME),
        ("the releases", f"{HOME}/releases"),
        ("a release", root),
        ("our files in a release", f"{root}/.deploy"),
        ("what nginx serves", f"{root}/.public"),
        ("the env files", f"/etc/web-{VICTIM}"),
        ("the state folder", f"/var/lib/web-{VICTIM}"),
        ("the log folder", f"/var/log/web-{VICTIM}"),
        ("the cache", f"/var/cache/web-{VICTIM}"),
        ("the build cache", f"/var/cache/web-{VICTIM}-build"),
        ("the locks, programs and events", "/run/flask-deploy"),
        ("the programs of the app's deploys", f"/run/flask-deploy/{VICTIM}"),
        ("the bundles", "/var/lib/flask-deploy/incoming"),
        ("the credentials", f"/run/credentials/{service}"),
    ):
        yield f"list {name}", lambda: os.listdir(path)
        yield f"create a file in {name}", lambda: create(path)
    for name, path in (
        ("the sockets", f"/run/web-{VICTIM}"),
        ("/srv", "/srv"),
        ("/run", "/run"),
        ("/var/lib", "/var/lib"),
        ("/var/lib/flask-deploy", "/var/lib/flask-deploy"),
        ("/opt/flask-deploy", "/opt/flask-deploy"),
        ("nginx's sites", "/etc/nginx/sites-enabled"),
        ("nginx's logs", "/var/log/nginx"),
        ("the units", "/etc/systemd/system"),
    ):
        yield f"create a file in {name}", lambda: create(path)
        yield f"plant a link in {name}", lambda: plant(path)
    for name, path in (
        ("current", f"{HOME}/current"),
        ("the socket", f"/run/web-{VICTIM}/{one}.sock"),
        ("the unit", f"/etc/systemd/system/{service}"),
        ("nginx's file", f"/etc/nginx/sites-enabled/web-{VICTIM}.conf"),
    ):
        yield f"replace {name}", lambda: move(path)
        yield f"remove {name}", lambda: os.unlink(path)
        yield f"chmod {name}", lambda: os.chmod(path, 0o777)
        yield f"chown {name}", lambda: os.chown(path, os.getuid(), os.getgid(), follow_symlinks=False)
    for name, path in (
        ("the app's lock", f"/run/flask-deploy/{VICTIM}/lock"),
        ("the server's lock", "/run/flask-deploy/lock"),
        ("apt's lock", "/var/lib/apt/lists/lock"),
        ("dpkg's lock", "/var/lib/dpkg/lock-frontend"),
        ("useradd's lock", "/etc/.pwd.lock"),
    ):
        yield f"take {name}", lambda: lock(path)
    yield "connect to the socket", lambda: connect(f"/run/web-{VICTIM}/{one}.sock")
    yield "connect through current", lambda: connect(f"{HOME}/current/.sock")
    yield "connect to systemd's own socket", lambda: connect("/run/systemd/private")
    yield "listen beside the socket", lambda: listen(f"/run/web-{VICTIM}/mine.sock")
    yield "take port 80", lambda: take_port(socket.AF_INET, ("0.0.0.0", 80))
    yield "take port 80 of localhost", lambda: take_port(socket.AF_INET, ("127.0.0.1", 80))
    for name in ("environ", "maps", "mem"):
        yield f"read the app's /proc/PID/{name}", lambda: read(f"/proc/{pid}/{name}")
    yield "list the app's /proc/PID/fd", lambda: os.listdir(f"/proc/{pid}/fd")
    yield "follow the app's /proc/PID/cwd", lambda: os.readlink(f"/proc/{pid}/cwd")
    yield "follow the app's /proc/PID/root", lambda: os.listdir(f"/proc/{pid}/root/srv")
    yield "find the app's env among all programs' words", lambda: search_commands(b"q-the-secret-of-the-victim")
    yield "kill the app", lambda: os.kill(pid, signal.SIGKILL)
    yield "trace the app", lambda: trace(pid)
    yield "slow the app down", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)
    yield "read the app's journal", lambda: run("journalctl", "-q", "-o", "cat", "-u", service, said=b"said by the victim")
    yield "stop the app's unit", lambda: run("systemctl", "stop", service)
    yield "kill the deploy's unit", kill_deploy
    yield "limit the app's unit", lambda: run("systemctl", "set-property", "--runtime", service, "TasksMax=1")
    yield "restart nginx", lambda: run("systemctl", "restart", "nginx.service")
    yield "make a unit of our name", lambda: run("systemd-run", f"--unit=flask-deploy-{VICTIM}-x", "true")
    yield "be root by sudo", lambda: run("sudo", "-n", "true")
    yield "be root by setuid", lambda: os.setuid(0)
    yield "mount", lambda: syscall(libc.mount(b"/tmp", b"/srv", None, 4096, None))
    yield "make a device", lambda: os.mknod(f"{FOLDER}/disk", 0o60600, os.makedev(8, 0))
    yield "have a visitor's answer say which release it is", lambda: ask("/", **{"X-Flask-Deploy-Nonce": "guess"})
    yield "snatch what others make in shared folders", snatch

    yield "harmless: hold locks on what all may read", hold_locks
    yield "harmless: plant links in shared folders", lure
    yield "harmless: fill /dev/shm", fill_memory_files
    yield "harmless: use up inotify", use_up_inotify
    yield "harmless: squat on abstract sockets", squat_names
    yield "harmless: tell systemd that the app has ended", lambda: datagram("/run/systemd/notify", "STOPPING=1\nMAINPID=1\n")
    yield "harmless: forge the app's journal", forge_journal
    if os.environ.get("XDG_RUNTIME_DIR"):
        yield "harmless: units of our names in a manager of one's own", user_units

    yield "open: read", lambda: read(f"{OPEN}/file")
    yield "open: write", lambda: write(f"{OPEN}/file")
    yield "open: list", lambda: os.listdir(OPEN)
    yield "open: create", lambda: create(OPEN)
    yield "open: plant", lambda: plant(OPEN)
    yield "open: hard-link", lambda: hard_link(f"{FOLDER}/stays")
    yield "open: replace", lambda: move(f"{FOLDER}/stays")
    yield "open: lock", lambda: lock(f"{OPEN}/file")
    yield "open: connect", lambda: connect(f"{OPEN}/socket")
    yield "open: take a port", lambda: take_port(socket.AF_INET, ("0.0.0.0", 8080))
    yield "open: read environ", lambda: read(f"/proc/{own_child}/environ")
    yield "open: list fd", lambda: os.listdir(f"/proc/{own_child}/fd")
    yield "open: find a word among all programs' words", lambda: search_commands(b"q-open-secret")
    yield "open: trace", lambda: trace(own_child)
    yield "open: signal", lambda: os.kill(own_child, signal.SIGCONT)
    yield "open: run a program that says something", lambda: run("systemctl", "--version", said=b"systemd")


def siege():
    outcomes = {}
    os.makedirs(FOLDER, exist_ok=True)
    write(f"{FOLDER}/stays")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(10_000)", "q-open-secret"])
    rounds = 0
    while rounds == 0 or not os.path.exists(f"{FOLDER}/stop"):
        rounds += 1
        for name, deed in attacks(child.pid):
            try:
                deed()
                outcome = "done"
            except Refused as refusal:
                outcome = str(refusal)
            except OSError as error:
                outcome = errno.errorcode.get(error.errno, str(error))
            outcomes.setdefault(name, set()).add(outcome)
        time.sleep(0.2)
    child.kill()
    with open(f"{FOLDER}/outcomes.new", "w") as file:
        json.dump({"rounds": rounds, "outcomes": {name: sorted(seen) for name, seen in outcomes.items()}}, file)
    os.rename(f"{FOLDER}/outcomes.new", f"{FOLDER}/outcomes.json")


if __name__ == "__main__":
    siege()
