"""Runs on a test server: has remote/http.py ask a server that writes down what it was asked, once for each case.

Standard input: JSON [[settings, body]], the settings as text, as check.json is. First argument: http.py. Standard output:
JSON with [smoke's answer, what was asked; what was asked over a unix socket] for each case.
"""

import importlib.util
import io
import json
import os
import socket
import sys
import threading

spec = importlib.util.spec_from_file_location("http_py", sys.argv[1])
http_py = importlib.util.module_from_spec(spec)
spec.loader.exec_module(http_py)
cases = json.loads(sys.stdin.buffer.read().decode("utf-8"))
seen = []
body = b""


def serve(listener):
    while True:
        connection, _ = listener.accept()
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(1 << 16)
        lines = text.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        headers = [line.split(": ", 1) for line in lines[1:]]
        hosts = [value for name, value in headers if name in ("Host", "X-Forwarded-Host")]
        seen.append([lines[0], *hosts])
        head = "HTTP/1.1 200 OK\r\nX-Flask-Deploy-Release: r\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        connection.sendall(head.encode() + body)
        connection.close()


def listen(family, address):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(64)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    return listener


listen(socket.AF_INET, ("127.0.0.1", 80))
if os.path.exists("/run/odd.sock"):
    os.unlink("/run/odd.sock")
listen(socket.AF_UNIX, "/run/odd.sock")


def smoke():
    shown, sys.stdout = sys.stdout, io.StringIO()
    try:
        http_py.main(["smoke", "/run/odd.json", "r", "0"])
        return sys.stdout.getvalue().split(" ")[0:2]
    except Exception as error:
        return ["crash", "%s: %s" % (type(error).__name__, error)]
    finally:
        sys.stdout = shown


def over_socket():
    try:
        with open("/run/odd.json", encoding="utf-8") as file:
            settings = json.load(file)
        http_py.ask(http_py.UnixConnection("/run/odd.sock", 5), settings, "r")
    except Exception as error:
        seen.append(["crash", "%s: %s" % (type(error).__name__, error)])


found = []
for settings, text in cases:
    body = text.encode("utf-8")
    with open("/run/odd.json", "wb") as file:
        file.write(settings.encode("utf-8"))
    del seen[:]
    told = smoke()
    over_socket()
    found.append([told, seen[:]])
json.dump(found, sys.stdout)
sys.stdout.flush()
os._exit(0)
