"""A master whose every word is written here: what the driver says to one that is slow to answer, or that refuses a call."""
import contextlib
import queue
import socket
import sys
import threading

import quern

SUBSCRIBE, TEARDOWN, DECLINE = 1, 2, 4
NO = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 10\r\n\r\nunheard of"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def varint(data, at):
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """Of a protobuf message, as (number, value)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at) if key & 7 in (0, 2) else (None, at + 8)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def field(number, value):
    return bytes([number << 3 | 2, len(value)]) + value


class Master:
    """Every call of every connection, in the order in which they come: its type, and where it came from."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.calls = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.read, args=[self.listener.accept()[0]], daemon=True).start()

    def read(self, connection):
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while line := stream.readline():
                length = 0
                while line.strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    line = stream.readline()
                self.calls.put((dict(fields(stream.read(length))).get(2), connection))

    def next(self, wanted):
        """The connection of the next call of that type; others are accepted."""
        while True:
            kind, connection = self.calls.get(timeout=quern.TIMEOUT)
            if kind == wanted:
                return connection
            connection.sendall(ACCEPTED)


def event(connection, kind, number, body):
    message = b"\x08" + bytes([kind]) + field(number, body)
    record = b"%d\n%s" % (len(message), message)
    connection.sendall(b"%x\r\n%s\r\n" % (len(record), record))


def subscribed(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nMesos-Stream-Id: 1\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n")
    event(connection, 1, 2, field(1, field(1, b"framework-1")))


def offer_nothing(connection):
    an_id = field(1, b"x")
    event(connection, 2, 3, field(1, field(1, an_id) + field(2, an_id) + field(3, an_id) + field(4, b"h1")))


def taken_down(master, stream):
    """TEARDOWN comes; it is the end of the stream."""
    master.next(TEARDOWN).sendall(ACCEPTED)
    stream.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def scripted():
    with quern.scratch() as d:
        master = Master()
        yield d, master
        master.listener.close()


@quern.embedded("a master that is none")
def test_a_job_that_ends_before_the_master_answers_leaves_nothing():
    with scripted() as (d, master):
        job = quern.start(d, "run", "--master", master.address, quern.EXAMPLES / "wordcount.c")
        stream = master.next(SUBSCRIBE)
        quern.wait_for("the job has ended", lambda: not quern.descendants(job.pid))
        subscribed(stream)
        taken_down(master, stream)
        result = quern.finish(job)
        assert result.returncode == 1 and b"usage" in result.stderr.lower(), result
        assert b"quern: " not in result.stderr, result


@quern.embedded("a master that is none")
def test_a_call_that_is_refused_is_followed_by_a_new_subscription():
    with scripted() as (d, master):
        (d / "in.txt").write_bytes(b"a b\n")
        job = quern.start(d, "run", "--master", master.address, quern.EXAMPLES / "wordcount.c", d / "in.txt", d / "out")
        stream = master.next(SUBSCRIBE)
        subscribed(stream)
        offer_nothing(stream)
        master.next(DECLINE).sendall(NO)  # the offer would be ours until it times out
        stream = master.next(SUBSCRIBE)
        subscribed(stream)
        job.terminate()
        taken_down(master, stream)
        result = quern.finish(job)
        assert result.returncode == 130, result
        assert b"refused with status 501: unheard of; tasks that run go on" in result.stderr, result


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
