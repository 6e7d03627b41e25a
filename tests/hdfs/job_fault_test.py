#!/usr/bin/env python3
"""Something goes wrong in HDFS in the middle of a job that reads there: the right answer, or one clear line and no
output."""
import contextlib
import pathlib
import sys

import quern
from beside import put
from hadoop import Hadoop, need

BLOCK = 1 << 20
TEXT = b"".join(b"line %d of the text that is counted, word%d\n" % (i, i % 977) for i in range(150000))


@contextlib.contextmanager
def job(cluster, path):
    """A word count of which the first tasks have begun, and wait."""
    with quern.scratch() as d:
        gate = quern.Gate(d / "gate")
        process = quern.start(d, "run", "--master", "local[2]", "--hdfs-host-map", cluster.host_map, quern.JOBS / "gate.c",
                              cluster.url + path, d / "out", gate.folder)
        try:
            gate.at(process)

            def finish(status=0):
                gate.open()
                result = quern.finish(process)
                quern.check(d, result, status)
                if status == 0:
                    text = pathlib.Path(d / "text")
                    text.write_bytes(TEXT)
                    quern.same(quern.output(d / "out"), quern.word_counts(text))
                else:
                    assert not (d / "out").exists(), sorted(p.name for p in (d / "out").rglob("*"))
                return result.stderr.decode(errors="replace")
            yield finish
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            gate.close()


def test_failover_in_mid_job():
    put(C, "/text", TEXT)
    for active in 1, 2:
        with job(C, "/text") as finish:
            C.kill_namenode(active)
            C.transition_to_active(3 - active)
            finish()
        C.start_namenode(active)
        C.wait_ready()


def test_datanode_killed_in_mid_job():
    put(C, "/text", TEXT)
    with job(C, "/text") as finish:
        C.kill_datanode(1)
        finish()
    C.start_datanode(1)
    C.wait_ready()


def test_deleted_in_mid_job():
    put(C, "/gone", TEXT)
    with job(C, "/gone") as finish:
        C.fsshell("-rm", "-skipTrash", "/gone")
        words = finish(status=1)
    assert "/gone: " in words, words


if __name__ == "__main__":
    need()
    with Hadoop(datanodes=3, replication=2, block_size=BLOCK, ha=True) as C:
        quern.main(sys.modules[__name__])
