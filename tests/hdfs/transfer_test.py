#!/usr/bin/env python3
"""Bytes in and out of a real HDFS by hdfs_client/ (drive.c), compared with what Hadoop's own client puts and gets."""
import errno
import os
import random
import re
import subprocess
import sys

import quern
from hadoop import Hadoop, need

DRIVE = os.environ["QUERN_HDFS_DRIVE"]
BLOCK = 1 << 20
SEED = int(os.environ.get("QUERN_TEST_SEED", random.randrange(1 << 32)))


def drive(cluster, what, path, *args, data=b"", options=(), status=0):
    """What it writes; its sentence where it is to fail with an errno."""
    hosts = [word for pair in cluster.host_map.split(",") for word in ("-a", pair)]
    r = subprocess.run([DRIVE, *hosts, *options, what, cluster.url + path, *map(str, args)], input=data,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert r.returncode == status, f"{what} {path} {args}: {r.returncode}, not {status}: {r.stderr.decode()} (seed {SEED})"
    return r.stdout if status == 0 else r.stderr.decode()


def literal(path):
    """As Hadoop's client wants a path that is no pattern."""
    return re.sub(r"([][{}*?\\])", r"\\\1", path)


def put(cluster, path, data):
    local = cluster.dir / "local"
    local.write_bytes(data)
    cluster.fsshell("-put", "-f", local, literal(path))


def get(cluster, path):
    local = cluster.dir / "got"
    cluster.fsshell("-get", "-f", literal(path), local)
    return local.read_bytes()


def sizes(random):
    """Around the borders of blocks and of buffers, and anywhere."""
    yield from (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1, 3 * BLOCK, 3 * BLOCK + 1)
    for _ in range(4):
        yield random.randrange(7 * BLOCK)


def same(a, b, what):
    assert a == b, f"{what}: {len(a)} bytes, not the {len(b)} that were expected, or others (seed {SEED})"


NAMES = ("plain", "a b", "50%", "a%20b", "x#y", "q?r&s=t", "a+b", "ä€", "semi;colon", "[x]", "{y}", "c,d", "it's")


def test_whole_files():
    r = random.Random(SEED)
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK) as c:
        for n, name in zip(sizes(r), NAMES):
            data, path = r.randbytes(n), "/out/" + name
            put(c, "/in", data)
            # 384 KiB are pieces of 128 KiB: many at a time, in little memory.
            for options in ("-m", "393216"), ():
                same(drive(c, "cat", "/in", 0, 1 << 40, r.choice((1000, 65536, 1 << 20)), options=options), data, n)
            drive(c, "put", path, r.choice((1000, 65536, 8 << 20)), data=data)
            same(get(c, path), data, path)
            same(drive(c, "cat", path), data, path)
        ls = c.fsshell("-ls", "-C", "/out").out
        assert sorted(ls.splitlines()) == sorted("/out/" + name for name in NAMES[:12]), ls


def test_ranges():
    r = random.Random(SEED)
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK) as c:
        data = r.randbytes(5 * BLOCK + 4321)
        put(c, "/in", data)
        for _ in range(5):
            a, b = sorted((r.randrange(len(data)), r.randrange(len(data))))
            same(drive(c, "cat", "/in", a, b, options=("-m", "393216")), data[a:b], (a, b))
        ranges = [(r.randrange(len(data)), r.choice((1, 100, 300000))) for _ in range(20)]
        ranges += [(i, 10000) for i in range(BLOCK - 15000, BLOCK + 20000, 10000)]  # one after the other
        text = "".join(f"{a} {n}\n" for a, n in ranges).encode()
        same(drive(c, "pread", "/in", data=text), b"".join(data[a:a + n] for a, n in ranges), ranges)


def test_append_and_refusals():
    r = random.Random(SEED)
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK) as c:
        first, second = r.randbytes(BLOCK + 17), r.randbytes(2 * BLOCK)
        drive(c, "put", "/x", data=first)
        drive(c, "append", "/x", data=second)
        same(get(c, "/x"), first + second, "/x")
        words = drive(c, "put", "/x", data=b"more", status=errno.EEXIST)
        assert words == f"{c.url}/x: it exists already\n", words
        same(get(c, "/x"), first + second, "/x")
        assert "/nowhere" in drive(c, "cat", "/nowhere", status=errno.ENOENT)
        assert "/nowhere" in drive(c, "append", "/nowhere", status=errno.ENOENT)
        assert "folder" in drive(c, "cat", "/", status=errno.EISDIR)
        assert "/x/y" in drive(c, "cat", "/x/y", status=errno.ENOENT)


def test_a_datanode_that_is_dead():
    """The NameNode goes on naming it for 12 s."""
    r = random.Random(SEED)
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK) as c:
        data = r.randbytes(6 * BLOCK)
        put(c, "/in", data)
        c.kill_datanode(1)
        same(drive(c, "cat", "/in"), data, "/in")
        for i in range(4):
            drive(c, "put", f"/out{i}", data=data)
            same(get(c, f"/out{i}"), data, "/out")


def test_globs():
    with Hadoop(datanodes=1, replication=1) as c:
        for path in "/g/a1/x", "/g/a1/y", "/g/a2/x", "/g/b1/z", "/g/.h/x", "/g/a[1]/x", "/g/ä/x", "/g/f":
            c.fsshell("-mkdir", "-p", literal(path.rsplit("/", 1)[0]))
            c.fsshell("-touchz", literal(path))
        for pattern in ("/g/*", "/g/a?/x", "/g/{a1,b1}/*", "/g/{a1/x,b?/z}", "/g/[ab]1/[^y]", "/*/a*/x", "/g/?/x", "/g/*/x",
                        "/g/a\\[1\\]/*", "/g/none*", "/g/a*/none", "/g/f/*", "/{g,g/a*}", "/g/a1/x"):
            want = c.fsshell("-ls", "-d", "-C", pattern, check=False).out.splitlines()
            got = drive(c, "glob", pattern).decode().splitlines()
            assert got == sorted(set(want), key=os.fsencode), (pattern, got, want)
        assert drive(c, "glob", "/g/a[1]/x") == b"/g/a[1]/x\n"  # it exists
        assert "'{' is not closed" in drive(c, "glob", "/g/{a", status=errno.EINVAL)


if __name__ == "__main__":
    need()
    quern.main(sys.modules[__name__])
