#!/usr/bin/env python3
"""Jobs that read a real HDFS. Hadoop's own client puts the files there; what comes out is compared with what Python
reads of the same bytes."""
import argparse
import functools
import gzip
import itertools
import os
import random
import re
import struct
import subprocess
import sys

import quern
from hadoop import Hadoop, need

BLOCK = 1 << 20
FILES = quern.JOBS / "files.c"
WORDCOUNT = quern.EXAMPLES / "wordcount.c"
CLUSTERS = itertools.cycle([("coarse", "local[2]"), ("fine", "local[2x1]"), ("adaptive", "local[2]")])
SEED = int(os.environ.get("QUERN_TEST_SEED", random.randrange(1 << 32)))


def run(d, cluster, job, *args, status=0, options=()):
    mode, master = next(CLUSTERS)
    result = quern.run(d, "run", "--master", master, "--mode", mode, "--hdfs-host-map", cluster.host_map, *options, job, *args)
    quern.check(d, result, status)
    return result


def literal(path):
    """As Hadoop's client wants a path that is no pattern."""
    return re.sub(r"([][{}*?\\])", r"\\\1", path)


def put(cluster, d, path, data):
    (d / "put").write_bytes(data)
    cluster.fsshell("-mkdir", "-p", literal(os.path.dirname(path)))
    cluster.fsshell("-put", "-f", d / "put", literal(path))


def lines(data):
    return data.split(b"\n")[:-1] if data.endswith(b"\n") or not data else data.split(b"\n")


def read(d, cluster, source, steps="-", options=(), out=None):
    """The records of a source as lines, sorted."""
    out = out or d / f"out-{len(list(d.iterdir()))}"
    run(d, cluster, FILES, source, steps, "text", out, options=options)
    return quern.output(out)


def same(got, wanted, what):
    try:
        quern.same(got, sorted(wanted))
    except AssertionError as e:
        raise AssertionError(f"{what} (seed {SEED}): {e}") from None


def text(r, size):
    """Lines of all lengths, some with a border of blocks in them, right before and right behind them."""
    data = bytearray()
    borders = {BLOCK: 0, 2 * BLOCK: 1, 3 * BLOCK: -1}
    while len(data) < size:
        line = b"%d %s\n" % (r.randrange(1000), bytes(r.choices(b"abcdefg \r\xff", k=r.choice((0, 5, 80, 300, 5000)))))
        for border, beside in borders.items():
            at = border + beside
            if len(data) < at < len(data) + len(line) + 1 and at - len(data) > 1:
                line = line[:-1].ljust(at - len(data) - 1, b"x")[:at - len(data) - 1] + b"\n"
                break
        data += line
    return bytes(data[:size])


def splits(d, cluster, path, options=()):
    """Into how many splits a text is cut."""
    result = quern.run(d, "run", "--explain", "--master", "local[2]", "--hdfs-host-map", cluster.host_map, *options, FILES,
                       f"text:{path}", "-", "text", d / "none")
    quern.check(d, result)
    return int(re.search(rb"in (\d+) split", result.stdout)[1])


def test_lines_across_borders_of_blocks(c):
    r = random.Random(SEED)
    with quern.scratch() as d:
        for size in 0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + r.randrange(BLOCK):
            data = text(r, size)
            put(c, d, f"/text/{size}", data)
            same(read(d, c, f"text:{c.url}/text/{size}"), lines(data), f"{size} bytes")
        # A line that is longer than a block, and none at all.
        data = b"first\n" + b"long " * (BLOCK // 2) + b"\nlast"
        put(c, d, "/text/long", data)
        same(read(d, c, f"text:{c.url}/text/long"), lines(data), "a long line")
        put(c, d, "/text/none", b"z" * (2 * BLOCK + 5))
        same(read(d, c, f"text:{c.url}/text/none"), [b"z" * (2 * BLOCK + 5)], "one line")


def test_a_split_is_a_block(c):
    with quern.scratch() as d:
        put(c, d, "/splits", b"line\n" * (7 * BLOCK // 5))
        assert splits(d, c, f"{c.url}/splits") == 7
        put(c, d, "/tail", b"line\n" * ((7 * BLOCK + BLOCK // 20) // 5))
        assert splits(d, c, f"{c.url}/tail") == 7
        put(c, d, "/half", b"line\n" * ((7 * BLOCK + BLOCK // 2) // 5))
        assert splits(d, c, f"{c.url}/half") == 8
        assert splits(d, c, f"{c.url}/half", ["--total-executor-cores", "32"]) >= 24


def test_counts_of_words(c):
    """Beside sort and uniq, in both modes."""
    r = random.Random(SEED + 1)
    with quern.scratch() as d:
        words = [bytes(r.choices(b"abcdefgh", k=r.randrange(1, 9))) for _ in range(2000)]
        (d / "text").write_bytes(b"".join(b" ".join(r.choices(words, k=12)) + b"\n" for _ in range(60000)))
        c.fsshell("-put", d / "text", "/words")
        wanted = quern.word_counts(d / "text")
        for mode in quern.MODES:
            run(d, c, WORDCOUNT, c.url + "/words", d / mode, options=["--mode", mode])
            quern.same(quern.output(d / mode), wanted)


def test_compressed_files(c):
    r = random.Random(SEED + 2)
    with quern.scratch() as d:
        data = b"".join(r.randbytes(40).hex().encode() + b"\n" for _ in range(50000))
        put(c, d, "/coded/a.gz", gzip.compress(data, 1))
        same(read(d, c, f"text:{c.url}/coded/a.gz"), lines(data), "gzip")
        assert splits(d, c, f"{c.url}/coded/a.gz") == 1
        parts = [data[i:i + 300000] for i in range(0, len(data), 300000)]
        framed = b"".join(subprocess.run(["zstd", "-q", "-c"], input=p, stdout=subprocess.PIPE, check=True).stdout for p in parts)
        put(c, d, "/coded/b.zst", framed)
        same(read(d, c, f"text:{c.url}/coded/b.zst"), lines(data), "zstd")
        cores = ["--total-executor-cores", "8"]
        assert splits(d, c, f"{c.url}/coded/b.zst", cores) > 4
        same(read(d, c, f"text:{c.url}/coded/b.zst", options=cores), lines(data), "zstd in parts")


def test_other_formats(c):
    r = random.Random(SEED + 3)
    with quern.scratch() as d:
        # Records of a width that no block is a multiple of.
        data = bytes(r.choices(b"0123456789", k=7 * (3 * BLOCK // 7 + 10)))
        put(c, d, "/fixed", data)
        same(read(d, c, f"fixed:7:{c.url}/fixed"), [data[i:i + 7] for i in range(0, len(data), 7)], "fixed")
        # Pairs.
        put(c, d, "/pairs", b"".join(b"k%d::%d\n" % (i % 100, i) for i in range(150000)))
        same(read(d, c, f"pairs::::{c.url}/pairs", "shown"),
             [b"key%d:k%d=%d" % (len(b"k%d" % (i % 100)), i % 100, i) for i in range(150000)], "pairs")
        # Whole files: the key is the URL.
        files = {f"/whole/{n}": bytes(r.choices(b"abc", k=size)) for n, size in (("a", 10), ("b", 0), ("c", BLOCK + 100))}
        for path, content in files.items():
            put(c, d, path, content)
        same(read(d, c, f"whole:{c.url}/whole", "shown"),
             [b"key%d:%s=%s" % (len(c.url + p), (c.url + p).encode(), content) for p, content in files.items()], "whole")
        # Files of records, which quern writes.
        values = [b"%d %s" % (i, r.randbytes(100).hex().encode()) for i in range(20000)]
        (d / "values").write_bytes(b"".join(v + b"\n" for v in values))
        run(d, c, FILES, f"text:{d / 'values'}", "pieces=1", "seq", d / "seq")
        c.fsshell("-put", d / "seq", "/seq")
        same(read(d, c, f"seq:{c.url}/seq"), values, "seq")
        assert read(d, c, f"seq:{c.url}/seq", "pieces=30") == sorted(values)


def test_folders_and_globs(c):
    with quern.scratch() as d:
        files = {"/tree/b": b"b\n", "/tree/a": b"a\n", "/tree/.hidden": b"no\n", "/tree/_logs": b"no\n", "/tree/empty": b""}
        for path, data in files.items():
            put(c, d, path, data)
        tree = f"{c.url}/tree"
        assert read(d, c, f"text:{tree}") == [b"a", b"b"]
        assert read(d, c, f"text:{tree}/") == [b"a", b"b"]
        assert read(d, c, f"text:{tree}/[ab]") == [b"a", b"b"]
        assert read(d, c, f"text:{tree}/{{a,x}}") == [b"a"]
        assert read(d, c, f"text:{tree}/*") == [b"a", b"b"]
        assert read(d, c, f"text:{tree}/.hidden") == [b"no"]
        for path, data in {"/tree/deep/c": b"c\n", "/tree/deep/er/d": b"d\n", "/tree/_tmp/e": b"no\n"}.items():
            put(c, d, path, data)
        refused = run(d, c, FILES, f"text:{tree}", "-", "text", d / "none", status=1)
        assert b"--recursive" in refused.stderr and b"/tree/deep" in refused.stderr, refused.stderr
        assert read(d, c, f"text:{tree}", options=["--recursive"]) == [b"a", b"b", b"c", b"d"]
        assert read(d, c, f"text:{tree}", options=["--conf", "quern.recursive=true"]) == [b"a", b"b", b"c", b"d"]
        # In the order of their names: tasks of one file each.
        run(d, c, FILES, f"text:{tree}", "pieces=100", "text", d / "order", options=["--recursive"])
        assert quern.parts(d / "order").splitlines() == [b"a", b"b", b"c", b"d"]


NAMES = ("a b", "50%", "a%20b", "x#y", "q?r&s=t", "a+b", "ä€", "semi;colon", "[x]", "{y}", "c,d", "it's", "back\\slash")


def test_names(c):
    with quern.scratch() as d:
        for i, name in enumerate(NAMES):
            put(c, d, f"/names/{name}", b"%d\n" % i)
            if name != "back\\slash":  # which is a pattern for something else
                assert read(d, c, f"text:{c.url}/names/{name}") == [b"%d" % i], name
        assert read(d, c, f"text:{c.url}/names") == sorted(b"%d" % i for i in range(len(NAMES)))


def test_many_small_files(c):
    with quern.scratch() as d:
        folder = d / "many"
        folder.mkdir()
        for i in range(300):
            (folder / f"{i:04}").write_bytes(b"%d\n" % i)
        c.fsshell("-put", folder, "/many")
        assert read(d, c, f"text:{c.url}/many") == sorted(b"%d" % i for i in range(300))
        assert splits(d, c, f"{c.url}/many") < 60


def test_tasks_run_where_their_blocks_are(c):
    """On agents that are called as the DataNodes are."""
    with quern.scratch() as d:
        put(c, d, "/local", b"some words\n" * (12 * BLOCK // 11))
        wanted = [b"some\t%d" % (12 * BLOCK // 11), b"words\t%d" % (12 * BLOCK // 11)]
        with quern.named_agents(d, [c.host(i) for i in (1, 2, 3)]) as master:
            for mode in quern.MODES:
                result = quern.run(d, "run", "--master", master, "--mode", mode, "--total-executor-cores", "3",
                                   "--locality-wait", "60s", "--verbose",
                                   "--hdfs-host-map", c.host_map, WORDCOUNT, c.url + "/local", d / mode)
                assert result.returncode == 0, result.stderr.decode()
                assert quern.output(d / mode) == wanted
                found = re.search(rb"locality: (\d+) % of (\d+) tasks", result.stderr)
                assert found and int(found[1]) >= 90 and int(found[2]) == 12, result.stderr.decode()


def test_what_cannot_be_read(c):
    with quern.scratch() as d:
        put(c, d, "/there/file", b"x\n")
        put(c, d, "/secret/file", b"x\n")
        c.fsshell("-chmod", "600", "/secret/file")
        c.fsshell("-chmod", "777", "/")
        for path, options, words in (
                ("/nothing", (), ["/nothing"]), ("/there/x*", (), ["/there/x*", "No such file"]),
                ("/secret/file", ("--hdfs-user=stranger",), ["/secret/file", "ermission denied"])):
            result = run(d, c, WORDCOUNT, c.url + path, d / "none", status=1, options=options)
            quern.one_line(result, *words)
            assert not (d / "none").exists()


if __name__ == "__main__":
    need()
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK) as cluster:
        tests = {k: f for k, f in globals().items() if k.startswith("test_")}
        quern.main(argparse.Namespace(**{k: functools.partial(f, cluster) for k, f in tests.items()}))
