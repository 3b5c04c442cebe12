"""Looks for texts on a server, as root: in its processes while something runs, and in all that it keeps.

`search.py sample STOP` looks at processes until the file STOP exists; `search.py search SINCE USER...` looks at the rest:
at every file that was made or changed since the second SINCE. What to look for comes as JSON (spelling -> hex digits) from
standard input, so that it is in no argument and in no file; what was seen goes as JSON to standard output.
"""

import grp
import json
import os
import pwd
import stat
import subprocess
import sys
import time
import zlib

SPELLINGS = {name: bytes.fromhex(digits) for name, digits in json.load(sys.stdin).items()}
NOT_KEPT = {"proc", "sysfs", "cgroup", "cgroup2", "bpf", "tracefs", "debugfs", "securityfs", "devpts", "mqueue"}


def spellings_in(data):
    return [name for name, spelling in SPELLINGS.items() if spelling in data]


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def processes():
    return [name for name in os.listdir("/proc") if name.isdigit()]


def as_user(name, work):
    """What a function returns to this user: in a process of that user's, with its groups."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        user = pwd.getpwnam(name)
        os.setgroups(os.getgrouplist(name, user.pw_gid))
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        with os.fdopen(writing, "w") as out:
            json.dump(work(), out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        result = json.load(answer)
    os.waitpid(child, 0)
    return result


def sample(stop):
    """Arguments of all processes as everybody sees them, and the variables of those that the user nobody may see."""
    arguments, variables, rounds = set(), set(), 0
    while not os.path.exists(stop):
        rounds += 1
        for pid in processes():
            arguments.add(read("/proc/%s/cmdline" % pid))
            variables.add(read("/proc/%s/environ" % pid))
        time.sleep(0.005)
    return {
        "rounds": rounds,
        "arguments": len(arguments),
        "environments": len(variables),
        "hits": [hit("argv", text.replace(b"\0", b" ").decode(errors="replace")[:80], text) for text in arguments]
        + [hit("variables that everybody sees", "", text) for text in variables],
    }


def hit(place, where, data, **more):
    return {"place": place, "where": where, "spellings": spellings_in(data), **more}


def roots():
    """Every place where files are, those that only one service sees included: ("/proc/PID/root" + folder)."""
    found, namespaces = ["/"], {os.stat("/proc/self/ns/mnt").st_ino}
    for pid in processes():
        try:
            namespace = os.stat("/proc/%s/ns/mnt" % pid).st_ino
        except OSError:
            continue
        if namespace not in namespaces:
            namespaces.add(namespace)
            found += ["/proc/%s/root%s" % (pid, folder) for folder in ("/tmp", "/var/tmp", "/dev", "/run")]
    return found


def files(top, seen):
    kept = {line.split()[4] for line in read("/proc/self/mountinfo").decode().splitlines()
            if line.split(" - ")[1].split()[0] in NOT_KEPT}
    waiting = [top]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            if stat.S_ISDIR(about.st_mode):
                if entry.path not in kept and not entry.path.endswith("/proc"):
                    waiting.append(entry.path)
            else:
                yield entry.path, about


def unpacked(data):
    """The data, and what is in it where it is gzip's (RFC 1952)."""
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return data + zlib.decompressobj(31).decompress(data)
    except zlib.error:
        return data


def changed_files(since):
    seen, all_files, looked, size, hits, cores = set(), 0, 0, 0, [], []
    for top in roots():
        for path, about in files(top, seen):
            all_files += 1
            # Nothing sets the time of the last change of anything but the clock.
            if about.st_ctime < since:
                continue
            looked += 1
            data = os.fsencode(path)
            if stat.S_ISLNK(about.st_mode):
                data += os.fsencode(os.readlink(path))
            elif stat.S_ISREG(about.st_mode):
                content = read(path)
                size += len(content)
                # e_type 4 of elf(5)
                if content[:4] == b"\x7fELF" and content[16:18] == b"\x04\0":
                    cores.append(path)
                data += unpacked(content)
            hits.append(hit("files", path, data, **owned(about)))
    return {"files": all_files, "changed": looked, "bytes": size, "cores": cores, "hits": hits}


def owned(about):
    def name(of, number, field):
        try:
            return getattr(of(number), field)
        except KeyError:
            return str(number)

    return {
        "mode": "%04o" % stat.S_IMODE(about.st_mode),
        "owner": "%s:%s" % (name(pwd.getpwuid, about.st_uid, "pw_name"), name(grp.getgrgid, about.st_gid, "gr_name")),
    }


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def units():
    everything = output("systemctl", "show", "--all", "*") + output("systemctl", "show", "--all")
    return {"bytes": len(everything), "hits": [hit("systemctl show", "", everything)]}


def journal():
    subprocess.run(["journalctl", "--sync"])
    entries = output("journalctl", "--all", "-o", "json").splitlines()
    hits = []
    for entry in entries:
        fields = json.loads(entry)
        # Bytes that are no text come as numbers.
        texts = [bytes(one) if isinstance(one, list) and all(isinstance(n, int) for n in one) else str(one).encode()
                 for one in fields.values()]
        where = "%s of %s" % (fields.get("_TRANSPORT"), fields.get("_SYSTEMD_UNIT") or fields.get("UNIT"))
        hits.append(hit("journal", where, b"\n".join(texts)))
    return {"entries": len(entries), "hits": hits}


def running():
    """The variables of every process, whoever may see them."""
    found = []
    for pid in processes():
        path = "/proc/%s/environ" % pid
        try:
            found.append(hit("variables", path, read(path), **owned(os.stat(path))))
        except OSError:
            continue
    return {"processes": len(found), "hits": found}


def search(since, users):
    # What everybody may ask is asked as nobody.
    found = {"files": changed_files(since), "units": as_user("nobody", units), "journal": journal(), "processes": running()}
    hits = [one for part in found.values() for one in part.pop("hits") if one["spellings"]]
    paths = [one["where"] for one in hits if one["where"].startswith("/")]
    for user in users:
        can = as_user(user, lambda: [path for path in paths if read(path)])
        for one in hits:
            one.setdefault("readers", [])
            if one["where"] in can:
                one["readers"].append(user)
    return {**found, "hits": hits}


if __name__ == "__main__":
    if sys.argv[1] == "sample":
        by_all = as_user("nobody", lambda: sample(sys.argv[2]))
        by_all["hits"] = [one for one in by_all["hits"] if one["spellings"]]
        print(json.dumps(by_all))
    else:
        print(json.dumps(search(float(sys.argv[2]), sys.argv[3:])))
