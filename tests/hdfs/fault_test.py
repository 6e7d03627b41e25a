#!/usr/bin/env python3
"""Something goes wrong in HDFS in the middle of reading and writing: the right answer, or one clear line and nothing
half-written."""
import os
import random
import subprocess
import sys

import quern
from beside import SEED, Command, datanodes_of, fs, get, put, same, wait_datanode_of, wait_log
from hadoop import Hadoop, need

DRIVE = os.environ["QUERN_HDFS_DRIVE"]
BLOCK = 1 << 20
SMALL = 393216  # memory for reading ahead: pieces of 128 KiB
RANDOM = random.Random(SEED)
DATA = RANDOM.randbytes(12 * BLOCK + 12345)
LARGE = DATA * 5  # in blocks, and so ranges, that take their time
LARGE_BLOCK = 16 * BLOCK


class Drive:
    """drive.c at work: cat is read from, put is written to, as far as the test wants."""

    def __init__(self, cluster, what, path, *options):
        hosts = [word for pair in cluster.host_map.split(",") for word in ("-a", pair)]
        self.process = subprocess.Popen([DRIVE, *hosts, *options, what, cluster.url + path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def write(self, data):
        """All of it has left this process on return. It may be that the other has ended: finish() says."""
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def finish(self, status=0):
        """What is left of its output; with another status, its sentence."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdin = None
        out, err = self.process.communicate(timeout=quern.TIMEOUT)
        err = err.decode()
        failed = self.process.returncode != 0
        assert failed == (status != 0), f"status {self.process.returncode}: {err} (seed {SEED})"
        if not failed:
            return out
        assert err.count("\n") == 1, f"not one clear line: {err}"
        return err.rstrip("\n")


def read_with(cluster, fault, *options, at=BLOCK):
    """Reads LARGE. After at least `at` bytes, as soon as it gets more of them: fault(the DataNode that sends them)."""
    with Drive(cluster, "cat", "/large", "-m", str(3 * LARGE_BLOCK // 2), *options) as d:
        first = d.process.stdout.read(at)
        while not (senders := datanodes_of(cluster, d.process.pid)):
            more = d.process.stdout.read1(1 << 16)
            assert more, "it ended before"
            first += more
        fault(senders[0])
        same(first + d.finish(), LARGE, "what was read")


def write_with(cluster, path, fault, *options, at=5 * BLOCK):
    """Writes DATA, with fault(the DataNode that takes it) once `at` bytes were sent: the process."""
    d = Drive(cluster, "put", path, *options)
    d.write(DATA[:at])
    fault(wait_datanode_of(cluster, d.process))
    d.write(DATA[at:])
    return d


def back(cluster, *datanodes):
    for i in datanodes:
        cluster.start_datanode(i)
    cluster.wait_ready()


# ---- DataNodes ----

def test_datanode_killed_in_mid_read():
    for at in BLOCK // 2, 30 * BLOCK:
        killed = []

        def kill(i):
            killed.append(i)
            C.kill_datanode(i)
        read_with(C, kill, at=at)
        back(C, *killed)


def test_datanode_hangs_in_mid_read():
    hung = []

    def stop(i):
        hung.append(i)
        C.stop_datanode(i)
    try:
        read_with(C, stop, "-p", "8000")  # it is left after a quarter of that
    finally:
        for i in hung:
            C.cont_datanode(i)


def test_datanode_killed_in_mid_write():
    # One that has a replica: HDFS goes on with the others.
    other = []

    def kill_another(i):
        other.append(i % 3 + 1)
        C.kill_datanode(other[0])
    with write_with(C, "/killed1", kill_another) as d:
        d.finish()
    same(get(C, "/killed1"), DATA, "/killed1")
    back(C, *other)

    # The one that takes the bytes: they are gone, which is said.
    taker = []

    def kill_taker(i):
        taker.append(i)
        C.kill_datanode(i)
    with write_with(C, "/killed2", kill_taker) as d:
        words = d.finish(status=1)
    assert f"/killed2: " in words and C.host(taker[0]) in words, words
    back(C, *taker)


def test_datanode_hangs_in_mid_write():
    other = []

    def stop_another(i):
        other.append(i % 3 + 1)
        C.stop_datanode(other[0])
    try:
        with write_with(C, "/hung1", stop_another) as d:
            d.finish()
    finally:
        for i in other:
            C.cont_datanode(i)
    same(get(C, "/hung1"), DATA, "/hung1")

    taker = []

    def stop_taker(i):
        taker.append(i)
        C.stop_datanode(i)
    try:
        with write_with(C, "/hung2", stop_taker, "-p", "3000") as d:
            words = d.finish(status=1)
    finally:
        for i in taker:
            C.cont_datanode(i)
    assert "/hung2: " in words and C.host(taker[0]) in words, words


def test_full_datanodes():
    with Hadoop(datanodes=2, replication=1, block_size=BLOCK, conf={"dfs.client.block.write.locateFollowingBlock.retries": 1},
                datanode_conf=lambda i: {"dfs.datanode.du.reserved": 1 << 50} if i == 1 else {}) as c:
        for i in range(3):  # one of two is full
            with Drive(c, "put", f"/x{i}") as d:
                d.write(DATA)
                d.finish()
            same(get(c, f"/x{i}"), DATA)
        c.kill_datanode(2)
        c.wait_live(1)
        with Drive(c, "put", "/y") as d:
            d.write(DATA)
            words = d.finish(status=1)
        assert "/y: " in words and "no DataNode" in words, words


# ---- Files ----

def test_deleted_while_it_is_read():
    put(C, "/going", DATA)
    with Drive(C, "cat", "/going", "-m", str(SMALL)) as d:
        d.process.stdout.read(BLOCK)
        C.fsshell("-rm", "-skipTrash", "/going")
        words = d.finish(status=1)
    assert words.endswith("/going: it was deleted while it was read"), words


def test_overwritten_while_it_is_read():
    for other, word in (RANDOM.randbytes(len(DATA)), "another file"), (DATA[:BLOCK], "bytes"):
        put(C, "/changing", DATA)
        with Drive(C, "cat", "/changing", "-m", str(SMALL)) as d:
            d.process.stdout.read(BLOCK)
            put(C, "/changing", other)
            words = d.finish(status=1)
        assert "/changing: " in words and word in words, words


# ---- Who may, and how much ----

def nothing_at(path):
    """Neither the file nor one that is on its way to it."""
    left = C.fsshell("-ls", "-C", os.path.dirname(path)).out
    assert os.path.basename(path) not in left and "_COPYING_" not in left, left


def test_quotas():
    C.fsshell("-mkdir", "/names", "/space")
    C.set_quota("/names", names=3)
    C.set_quota("/space", space=3 * 4 * BLOCK)
    fs(C, "mkdir", C.url + "/names/a")
    fs(C, "put", "-", C.url + "/names/b", data=b"x")
    for words in (fs(C, "mkdir", C.url + "/names/c", status=1),
                  fs(C, "put", "-", C.url + "/names/c", data=b"x", status=1)):
        assert "/names/c" in words and "quota" in words, words
    nothing_at("/names/c")
    fs(C, "put", "-", C.url + "/space/small", data=DATA[:2 * BLOCK])
    words = fs(C, "put", "-", C.url + "/space/large", data=DATA, status=1)
    assert "/space/large" in words and "quota" in words, words
    nothing_at("/space/large")


def test_permissions():
    C.fsshell("-mkdir", "/closed")
    put(C, "/closed/x", b"secret")
    C.fsshell("-chmod", "700", "/closed")
    for command, *args in (("cat", "/closed/x"), ("ls", "/closed"), ("put", "-", "/closed/y"), ("mkdir", "/closed/z"),
                           ("rm", "/closed/x"), ("mv", "/closed/x", "/closed/y")):
        words = fs(C, command, *(a if a == "-" else C.url + a for a in args), user="alice", data=b"x", status=1)
        assert "/closed" in words and "ermission" in words and "alice" in words, words
    assert C.fsshell("-ls", "-C", "/closed").out == "/closed/x\n"


def test_safe_mode():
    C.safe_mode("enter")
    try:
        assert fs(C, "cat", C.url + "/data") == DATA  # reading goes on
        words = fs(C, "mkdir", C.url + "/safe1", patience="1s", status=1)
        assert "/safe1: " in words and "safe mode" in words, words
        with Command(C, "fs mkdir", C.url + "/safe2") as c:
            wait_log(C, 1, "/safe2?op=MKDIRS", " 403 ", n=2)
            C.safe_mode("leave")
            r = c.finish()
        assert r.returncode == 0, r
    finally:
        C.safe_mode("leave")
    C.fsshell("-test", "-d", "/safe2")


# ---- Two NameNodes ----

def test_failover():
    with Hadoop(datanodes=2, replication=2, block_size=BLOCK, ha=True) as c:
        put(c, "/large", LARGE, block_size=LARGE_BLOCK)
        active = 1

        def fail_over(*_):
            nonlocal active
            c.kill_namenode(active)
            active = 3 - active
            c.transition_to_active(active)

        def again():
            c.start_namenode(3 - active)
            c.wait_ready()

        read_with(c, fail_over)
        again()
        with write_with(c, "/written", fail_over) as d:
            d.finish()
        same(get(c, "/written"), DATA, "/written")
        again()

        # Nobody is active for a while.
        c.transition_to_standby(active)
        words = fs(c, "ls", c.url + "/", patience="1s", status=1)
        assert "/: " in words and "standby" in words, words
        with Command(c, "fs mkdir", c.url + "/waited") as command:
            wait_log(c, active, "/waited?op=")
            line = command.process.stderr.readline().decode()  # after ten seconds
            assert "/waited: " in line and "standby" in line and "--hdfs-patience" in line, line
            c.transition_to_active(active)
            r = command.finish()
        assert (r.returncode, r.stderr) == (0, b""), r
        c.fsshell("-test", "-d", "/waited")

        # Nobody is there.
        c.kill_namenode(1)
        c.kill_namenode(2)
        words = fs(c, "ls", c.url + "/", patience="1s", status=1)
        assert all(n in words for n in c.namenodes), words


if __name__ == "__main__":
    need()
    print(f"# seed {SEED}", flush=True)
    # The shared cluster. Its own writers leave a DataNode that hangs after seconds, not after a minute. A busy machine may keep
    # another one from answering for as long: then they go on with the last, for there is no fourth to take.
    with Hadoop(datanodes=3, replication=3, block_size=BLOCK, conf={
            "dfs.client.socket-timeout": 2000, "dfs.datanode.socket.write.timeout": 2000,
            "dfs.client.block.write.replace-datanode-on-failure.policy": "NEVER",
            "dfs.datanode.socket.reuse.keepalive": 1000}) as C:
        put(C, "/data", DATA)
        put(C, "/large", LARGE, block_size=LARGE_BLOCK)
        quern.main(sys.modules[__name__])
