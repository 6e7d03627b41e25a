#!/usr/bin/env python3
"""`quern bench data --hdfs`: its input goes into HDFS and comes from there, answers go there, and nothing of it stays."""
import json
import signal
import socket
import subprocess
import sys

import quern
from hadoop import Hadoop, need

SMALL = "--quick", "--agents=1", "--cores=2", "--size=1m", "--modes=coarse,fine", "-o", "results"


def bench(d, url, *args):
    command = [quern.QUERN, "bench", "data", *SMALL, f"--hdfs={url}", "-O", f"hdfs-host-map={C.host_map}", *args]
    return quern.of_test(subprocess.Popen(list(map(str, command)), env=quern.environment(d), cwd=d, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True))


def runs(d):
    path = d / "results/results.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()][1:] if path.exists() else []


def left(folder):
    """What is in a folder of HDFS."""
    return C.fsshell("-ls", "-C", folder).out.split()


def activity():
    """Files that were created, and those of which somebody asked where their blocks are, since the NameNode's start."""
    bean = C.bean(1, "NameNodeActivity")
    return bean["FilesCreated"], bean["GetBlockLocations"]


def test_each_job():
    C.fsshell("-mkdir", "-p", "/of jobs")
    with quern.scratch() as d:
        before = activity()
        result = quern.finish(bench(d, C.url + "/of%20jobs", "--turns=1", "wordcount", "grep", "sort", "join", "pagerank", "kmeans"))
        quern.check(d, result, 0)
        made, asked = (now - then for now, then in zip(activity(), before))
        found = [(run["case"].split()[0], run["mode"], run["status"]) for run in runs(d)]
        assert found == [(name, mode, 0) for name in ("wordcount", "grep", "sort", "join", "pagerank", "kmeans")
                         for mode in ("coarse", "fine")], found
        assert all(run["case"].endswith("(HDFS)") for run in runs(d)), runs(d)
        # Four inputs, and three runs of each job that read one, five of which write as well.
        assert made >= 4 + 3 * 5 and asked >= 3 * 6, (made, asked)
        assert left("/of%20jobs") == [], left("/of%20jobs")
        assert "(HDFS)" in result.stdout.decode() and (d / "results/report.html").exists(), result


def test_interrupted():
    C.fsshell("-mkdir", "-p", "/interrupted")
    with quern.scratch() as d:
        process = bench(d, C.url + "/interrupted", "pagerank", "--turns=1000000")
        quern.wait_for("the first runs", lambda: len(runs(d)) >= 2)
        assert left("/interrupted"), "its folder is not in HDFS"
        process.send_signal(signal.SIGINT)
        result = quern.finish(process)
        quern.check(d, result, 130)
        assert left("/interrupted") == [], left("/interrupted")
        assert (d / "results/report.html").exists(), result


def test_no_hdfs():
    with quern.scratch() as d, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        result = quern.finish(bench(d, f"webhdfs://127.0.0.1:{taken.getsockname()[1]}/", "grep", "-O", "hdfs-patience=100ms"))
        quern.check(d, result, 1)
        said = result.stderr.decode().splitlines()[-1]
        assert said.startswith("quern bench: --hdfs: ") and "is that the HTTP address of a NameNode?" in said, result
        assert runs(d) == []


if __name__ == "__main__":
    need()
    with Hadoop(datanodes=2, replication=1) as C:
        quern.main(sys.modules[__name__])
