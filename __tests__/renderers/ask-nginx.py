"""Runs on a test server: puts files where nginx reads them, starts it, and says what it answers.

Standard input: JSON with files [[path, text]], links [[path, target]], ask [[host, target]], closed [host],
sizes [[host, bytes]], secure [host]. Standard output: JSON with test (what `nginx -t` says), and for each
  ask: the body, or a line that begins with "status", or "closed"
  closed: as `ask`, for the target /
  sizes: the status that nginx gives to the announcement of a body of that length
  secure: the header Strict-Transport-Security over TLS
"""

import json
import os
import socket
import ssl
import subprocess
import sys

given = json.load(sys.stdin)
for path, text in given["files"]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
for path, target in given["links"]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def request(host, target, *more):
    lines = ["GET %s HTTP/1.1" % target, "Host: %s" % host, *more, "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass")


def everything(connection):
    parts = []
    while True:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def exchange(text):
    with socket.create_connection(("127.0.0.1", 80), timeout=20) as connection:
        connection.sendall(text)
        return everything(connection)


def answers(text):
    found = []
    while text:
        head, _, rest = text.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", "0"))
        status = lines[0].split(" ")[1]
        body = rest[:length].decode("utf-8", "replace")
        found.append(body if status == "200" else "status " + status)
        text = rest[length:]
    return found


def ask_one(host, target):
    return (answers(exchange(request(host, target, "Connection: close"))) or ["closed"])[0]


def ask_all(pairs):
    """Many in one connection; where one of them ends it, each by itself."""
    found = []
    for at in range(0, len(pairs), 50):
        part = pairs[at : at + 50]
        last = len(part) - 1
        text = b"".join(
            request(host, target, *(["Connection: close"] if index == last else []))
            for index, (host, target) in enumerate(part)
        )
        got = answers(exchange(text))
        found += got if len(got) == len(part) else [ask_one(host, target) for host, target in part]
    return found


def announce(host, length):
    head = "POST /none HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % (host, length)
    with socket.create_connection(("127.0.0.1", 80), timeout=20) as connection:
        connection.sendall(head.encode())
        return connection.recv(1 << 12).decode("latin-1").split(" ")[1]


def strict(host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", 443), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=host) as connection:
            connection.sendall(request(host, "/who", "Connection: close"))
            head = everything(connection).partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = [line for line in head.split("\r\n") if line.lower().startswith("strict-transport-security: ")]
    return "|".join(line.split(": ", 1)[1] for line in lines)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode("utf-8", "replace")


test = run("nginx", "-t")
test += run("sh", "-c", "systemctl reset-failed nginx; systemctl restart nginx")
json.dump(
    {
        "test": test,
        "ask": ask_all(given["ask"]),
        "closed": [ask_one(host, "/") for host in given["closed"]],
        "sizes": [announce(host, length) for host, length in given["sizes"]],
        "secure": [strict(host) for host in given["secure"]],
    },
    sys.stdout,
)
