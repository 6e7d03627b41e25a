#!/usr/bin/env python3
"""Tasks run where their data is: a real HDFS whose DataNodes and the agents of a cluster are on the same hosts,
by name. Each block is on one host alone."""
import argparse
import functools
import re

import quern
from hadoop import Hadoop, need

BLOCK = 1 << 20
BLOCKS = 30
WORDCOUNT = quern.EXAMPLES / "wordcount.c"
LOCALITY = re.compile(rb"^quern: locality: (\d+) % of ([\d,]+) tasks ran where their data is$", re.MULTILINE)


@functools.cache
def wanted(path):
    return quern.word_counts(path)


def count(d, cluster, master, mode, *options):
    """Percent of tasks that were local, and how many tasks; None: nothing is said of that."""
    out = d / f"out-{len(list(d.iterdir()))}"
    result = quern.run(d, "run", "--master", master, "--mode", mode, "--verbose", "--hdfs-host-map", cluster.host_map, *options,
                       WORDCOUNT, cluster.url + "/words", out)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    quern.same(quern.output(out), wanted(d / "words"))
    said = LOCALITY.search(result.stderr)
    return said and (int(said[1]), int(said[2].replace(b",", b"")))


def test_tasks_run_where_their_block_is(d, c):
    # Other case and a dot at the end are the same names. Nobody has to hurry for them: the wait is never over.
    names = [c.host(i).upper() + "." if i == 2 else c.host(i) for i in (1, 2, 3)]
    with quern.named_agents(d, names) as master:
        for mode in quern.MODES:
            local, tasks = count(d, c, master, mode, "--total-executor-cores=3", "--locality-wait=1h")
            assert tasks == BLOCKS, (mode, tasks)
            assert local == 100, f"{mode}: {local} % of {tasks} tasks are local"
            local, tasks = count(d, c, master, mode, "--total-executor-cores=3")
            assert tasks == BLOCKS, (mode, tasks)
            assert local >= 90, f"{mode}: {local} % of {tasks} tasks are local"


def test_data_on_other_hosts_than_the_agents(d, c):
    with quern.named_agents(d, ["a.quern.test", "b.quern.test", "c.quern.test"]) as master:
        for mode in quern.MODES:
            # Who waited for a host that has no agent would wait for an hour.
            assert count(d, c, master, mode, "--total-executor-cores=3", "--locality-wait=1h") == (0, BLOCKS)


if __name__ == "__main__":
    need()
    with Hadoop(datanodes=3, replication=1, block_size=BLOCK) as cluster, quern.scratch() as scratch:
        lines = b"".join(b"word%d and others of line %d\n" % (i % 997, i) for i in range(BLOCKS * BLOCK // 24))
        (scratch / "words").write_bytes(lines[:BLOCKS * BLOCK])
        cluster.fsshell("-put", scratch / "words", "/words")
        tests = {k: f for k, f in globals().items() if k.startswith("test_")}
        quern.main(argparse.Namespace(**{k: functools.partial(f, scratch, cluster) for k, f in tests.items()}))
