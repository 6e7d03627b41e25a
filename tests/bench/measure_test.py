#!/usr/bin/env python3
"""Runs every measurement of bench/measure.py once on little input, so that what it needs does not rot. Says nothing of the
figures: answers are compared, as always; times are not. What stands in for Spark is fake_spark.py.

    measure_test.py ROOT BUILD"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD = (pathlib.Path(arg).resolve() for arg in sys.argv[1:])
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "hdfs")]

import jars  # noqa: E402
from measuring import little, run  # noqa: E402

ROWS = {  # measurement: rows that it prints, at least one of each
    "d1": ["quern / limit, cpu", "quern / limit, wall"],
    "d2": ["quern / limit, cpu", "quern / limit, wall"],
    "d3": ["GNU / quern, wall", "quern / limit, wall"],
    "d4": ["small / large, wall", "small, at most: [0-9.]+ MiB"],
    "d6": ["quern / zstd"],
    "d8": ["an iteration, parsed / cached", "an iteration, Spark cached / cached"],
    "c1": ["coarse +wall .* price", "fine +wall .* utilization"],
    "c2": ["waist.*(?s:.*)adaptive +wall", "adaptive removes -?[0-9]+ %"],
    "c5": ["gaps p50 [0-9.]+ p99", "without REVIVE"],
    "c7": ["cluster / embedded"],
    "c3": ["tasks a second", "quern / Spark"],
    "c4": ["quern / bare"],
    "c6": ["coarse, wall", "fine, cpu", "Spark, wall"],
    "c9": ["adaptive, time of a small job: [0-9.]+ times as good as static", "fine, cores at work"],
    "s1": ["adaptive, 100 agents", "fine: [0-9.]+ times"],
    "s2": ["a task that waits +median", "an agent with nothing on it"],
    "r1": ["killed / undisturbed, wall"],
    "d5": [f"D5: {what}(?s:.*?)Spark / quern, wall(?s:.*?)Spark / quern, cpu" for what in
           ("word count", "sort, .* of text", "sort, .* of records", "PageRank, .* of links", "k-means, .* of points")],
}
HDFS_ROWS = ["curl / quern, wall", "curl / quern, cpu"]
# A program of Spark's: what is said when it gives a wrong answer.
WRONG = {"WordCount": "Spark: another answer", "Sort": "Spark: another answer", "PageRank": "Spark: another answer: ",
         "KMeans": "Spark: another answer: ", "Iterate": "Spark, parsed: another answer"}


def fake_spark(folder):
    """An installation whose spark-submit is fake_spark.py, and a javac and a jar that have nothing to do. Returns its folder and
    the environment in which they are found."""
    for name in "bin/spark-submit", "tools/javac", "tools/jar", "jars/spark-core_2.13-9.9.jar":
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n" if "submit" not in name else
                        f"#!/bin/sh\nexec {sys.executable} {ROOT}/tests/bench/fake_spark.py {BUILD} \"$@\"\n")
        path.chmod(0o755)
    return folder, dict(os.environ, PATH=f"{folder}/tools:{os.environ['PATH']}")


def measure(*args, env=os.environ):
    result = subprocess.run([sys.executable, ROOT / "bench/measure.py", BUILD, "--quick", *args], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout.decode()


def printed(what, status, said):
    print(said)
    missing = [row for row in what if not re.search(row, said)]
    assert status == 0 and not missing, f"status {status}; not printed: {missing}"


def test_every_measurement(spark, env):
    printed([row for rows in ROWS.values() for row in rows], *measure(*ROWS, "--spark", spark, env=env))


def test_without_spark():
    names = [name for name in ROWS if name in ("d8", "c3", "c6")]
    printed([row for name in names for row in ROWS[name] if "Spark" not in row], *measure(*names))
    status, said = measure("d5")
    assert status == 1 and "Spark is needed: --spark HOME" in said, said


def test_hdfs():
    try:
        jars.install()
    except jars.Missing as e:
        assert not os.environ.get("QUERN_REQUIRE_HDFS"), e
        print(f"d7 is left out: {e}")
        return
    printed(HDFS_ROWS, *measure("d7"))


def test_a_wrong_answer_has_no_time(spark, env):
    for program, expected in WRONG.items():
        status, said = measure("d8" if program == "Iterate" else "d5", "--spark", spark, env=dict(env, WRONG=program))
        assert status == 1 and expected in said, f"{program}: status {status}\n{said}"


def test_answers_are_near():
    reference = [["1", "0.5"], ["2", "1e9"]]
    run.near("near", [["1", "0.5000000001"], ["2", "1000000000.5"]], reference)
    for rows in ([["1", "0.500000001"], ["2", "1e9"]], [["1", "0.5"]], [*reference, ["3", "1"]], [["1"], ["2", "1e9"]],
                 [["1", "nan"], ["2", "1e9"]]):
        try:
            run.near("far", rows, reference)
        except SystemExit as end:
            assert "far: another answer" in str(end), end
        else:
            raise AssertionError(f"{rows} passed for {reference}")


def test_little_input(folder):
    class Options:
        build = BUILD

    little.make(Options, folder)
    lines = (folder / "records").read_bytes().splitlines()
    assert len(set(lines)) == len(lines) == 20000 and {len(line) for line in lines} == {99}, "these are no records"
    links = [tuple(map(int, line.split(b"\t"))) for line in (folder / "links").read_bytes().splitlines()]
    pages = {page for page, _ in links}
    assert pages == set(range(10000)) and {page for _, page in links} <= pages and links == sorted(links, key=lambda x: x[0])


def main():
    with tempfile.TemporaryDirectory(prefix="quern-bench-test-") as tmp:
        folder = pathlib.Path(tmp)
        test_answers_are_near()
        test_little_input(folder)
        spark, env = fake_spark(folder)
        test_every_measurement(spark, env)
        test_without_spark()
        test_hdfs()
        test_a_wrong_answer_has_no_time(spark, env)


main()
