"""Ports that are free, for tests that run side by side."""
import random
import socket

RANGE = range(10000, 31000)  # none that the kernel gives to connections, nor that an agent offers
_taken = []  # for as long as this program lives, lest another test finds them free before somebody listens there


def _take(port, address):
    """Whether nobody listens at the port, and no other test has taken it."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0quern-test-port-{port}")
        with socket.socket() as s:
            s.bind((address, port))
    except OSError:
        lock.close()
        return False
    _taken.append(lock)
    return True


def free_ports(n, address="127.0.0.1"):
    found = []
    while len(found) < n:
        port = random.choice(RANGE)
        if _take(port, address):
            found.append(port)
    return found


def free_port():
    return free_ports(1)[0]
