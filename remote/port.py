"""Prints a port of 127.0.0.1 for a web command: free, and no other release's, serving or kept, of any app.

Run by root with /usr/bin/python3 -I; Python 3.6 and newer. Below the ports that the kernel gives to connections of its
own choice (32768 and up), above those that services are known by.
"""

import glob
import random
import socket
import sys


def taken():
    ports = set()
    for name in glob.glob("/srv/web-*/releases/*/.deploy/web.env"):
        try:
            with open(name, encoding="ascii") as file:
                line = file.read(100).strip()
        except (OSError, ValueError):
            continue
        if line.startswith("PORT=") and line[5:].isdigit():
            ports.add(int(line[5:]))
    return ports


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


others = taken()
for port in random.sample(range(20000, 30000), 10000):
    if port not in others and is_free(port):
        print(port)
        sys.exit(0)
sys.exit(1)
