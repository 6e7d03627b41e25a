#!/usr/bin/env python3
"""Measures quern as a whole: wall and CPU seconds of commands, both sides of a ratio in one run, in turns.

    bench/measure.py BUILD d1 TEXT    word count of TEXT against a single-purpose program, on 2 cores
    bench/measure.py BUILD c3         null tasks a second, coarse
    bench/measure.py BUILD c4         null tasks a second, fine, against a framework that only launches
    bench/measure.py BUILD c6         a job of one task, from the command to its exit

With --spark HOME (a Spark installation or pyspark's package folder; javac and jar in PATH) d1 and c6 also run
bench/spark/WordCount.java on Spark's local mode, in turns with quern.

Prints medians, the minimum beside, and the load before. Answers are compared before a time counts."""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Run:
    """Of a command: wall and CPU seconds, those of every process that it waited for included."""

    def __init__(self, *argv):
        begun = time.monotonic()
        process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        text = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        self.wall = time.monotonic() - begun
        self.cpu = usage.ru_utime + usage.ru_stime
        if status != 0:
            sys.exit(f"{argv}: status {status}\n{text.decode(errors='replace')}")


def show(name, values, unit="s"):
    print(f"  {name:42} median {statistics.median(values):9.3f} {unit}   min {min(values):9.3f}   ({len(values)} runs)")
    return statistics.median(values)


def head(text):
    load = os.getloadavg()[0]
    print(f"{text}\n  {os.cpu_count()} cores, load {load:.2f} before")


def same_answer(tmp, ours, theirs):
    """The lines of our parts, sorted, are those of their file."""
    for name, files in ("a", sorted(ours.glob("part-*"))), ("b", [theirs]):
        with open(tmp / name, "wb") as f:
            subprocess.run(["sort", *files], check=True, stdout=f, env=dict(os.environ, LC_ALL="C"))
    subprocess.run(["cmp", tmp / "a", tmp / "b"], check=True)


def spark_jar(o, tmp):
    """bench/spark compiled; None without Spark."""
    if o.spark is None:
        return None
    subprocess.run(["javac", "-cp", o.spark / "jars/*", "-d", tmp / "classes", ROOT / "bench/spark/WordCount.java"],
                   check=True)
    subprocess.run(["jar", "cf", tmp / "spark.jar", "-C", tmp / "classes", "."], check=True)
    return tmp / "spark.jar"


def spark(o, tmp, jar, text):
    shutil.rmtree(tmp / "spark-out", ignore_errors=True)
    return Run(o.spark / "bin/spark-submit", "--master", "local[2]", "--driver-memory", "4g", "--conf",
               "spark.ui.enabled=false", "--class", "WordCount", jar, text, tmp / "spark-out")


def d1(o, tmp):
    quern, limit = o.build / "cli/quern", o.build / "bench/limit-wordcount"
    head(f"D1: word count of {o.text} ({o.text.stat().st_size / 1e9:.2f} GB), 2 cores, task memory 2g")
    ours, theirs, sparks, jar = [], [], [], spark_jar(o, tmp)
    for _ in range(o.runs):
        shutil.rmtree(tmp / "out", ignore_errors=True)
        ours.append(Run(quern, "run", "--quiet", "--master", "local[2]", "--task-memory", "2g",
                        ROOT / "examples/wordcount.c", o.text, tmp / "out"))
        theirs.append(Run(limit, 2, o.text, tmp / "counts"))
        if jar is not None:
            sparks.append(spark(o, tmp, jar, o.text))
    same_answer(tmp, tmp / "out", tmp / "counts")
    for what in "cpu", "wall":
        a = show(f"quern, {what}", [getattr(r, what) for r in ours])
        b = show(f"single-purpose program, {what}", [getattr(r, what) for r in theirs])
        print(f"  ratio {a / b:.2f}")
        if sparks:
            c = show(f"Spark local[2], JVM start included, {what}", [getattr(r, what) for r in sparks])
            print(f"  Spark / quern {c / a:.1f}")


def null_job(o, tmp, mode, tasks):
    return Run(o.build / "cli/quern", "run", "--quiet", "--master", f"local[{o.slots}]", "--mode", mode,
               ROOT / "bench/jobs/null.c", tmp / "empty", tasks)


def null_rate(o, tmp, mode, few, many):
    """Tasks a second and CPU microseconds of one, of all processes: what `many` tasks cost more than `few`."""
    a, b = null_job(o, tmp, mode, few), null_job(o, tmp, mode, many)
    return (many - few) / (b.wall - a.wall), (b.cpu - a.cpu) / (many - few) * 1e6


def c3(o, tmp):
    (tmp / "empty").touch()
    head(f"C3: null tasks, coarse, {o.slots} slots")
    rates = [null_rate(o, tmp, "coarse", 100, 20100) for _ in range(o.runs)]
    show("tasks a second", [r[0] for r in rates], "/s")
    show("CPU of a task, all processes", [r[1] for r in rates], "us")


def bare(o, endpoint, tasks):
    out = subprocess.run([o.build / "bench/bare-scheduler", endpoint, o.build / "bench/bare-executor", str(tasks)],
                         check=True, stdout=subprocess.PIPE).stdout
    return float(out)


def on_cluster(o, tmp, endpoint, tasks):
    return Run(o.build / "cli/quern", "run", "--quiet", "--master", endpoint, "--mode", "fine", "--task-memory", "64m",
               ROOT / "bench/jobs/null.c", tmp / "empty", tasks).wall


def c4(o, tmp):
    (tmp / "empty").touch()
    head(f"C4: null tasks, fine, {o.slots} slots, on one `quern local`")
    few, many = 20, 520
    read, write = os.pipe()
    cluster = subprocess.Popen([o.build / "cli/quern", "local", f"--cores={o.slots + 0.1}", "--port=0",
                                f"--ready-fd={write}"], pass_fds=[write])
    os.close(write)
    with os.fdopen(read) as ready:
        endpoint = ready.readline().strip()
    ours, theirs = [], []
    try:
        for _ in range(o.runs):
            ours.append((many - few) / (on_cluster(o, tmp, endpoint, many) - on_cluster(o, tmp, endpoint, few)))
            theirs.append((many - few) / (bare(o, endpoint, many) - bare(o, endpoint, few)))
    finally:
        cluster.terminate()
        cluster.wait()
    a, b = show("quern, tasks a second", ours, "/s"), show("bare framework, tasks a second", theirs, "/s")
    print(f"  ratio {a / b:.2f}")


def c6(o, tmp):
    (tmp / "text").write_text("one line of words\n")
    head("C6: one small job, command to exit, the cluster started by it")
    jar, runs = spark_jar(o, tmp), {"coarse": [], "fine": [], "Spark local[2]": []}
    for i in range(o.runs):
        for mode in "coarse", "fine":
            runs[mode].append(Run(o.build / "cli/quern", "run", "--quiet", "--master", "local[2]", "--mode", mode,
                                  ROOT / "examples/wordcount.c", tmp / "text", tmp / f"{mode}{i}"))
        if jar is not None:
            runs["Spark local[2]"].append(spark(o, tmp, jar, tmp / "text"))
    for name, r in runs.items():
        if r:
            show(f"{name}, wall", [x.wall * 1000 for x in r], "ms")
            show(f"{name}, cpu", [x.cpu * 1000 for x in r], "ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("what", choices=["d1", "c3", "c4", "c6"])
    parser.add_argument("text", type=pathlib.Path, nargs="?")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--spark", type=pathlib.Path)
    parser.add_argument("--slots", type=int, default=2)
    o = parser.parse_args()
    o.build = o.build.resolve()
    if o.what == "d1" and o.text is None:
        parser.error("d1 needs a text: bench/data text FILE")
    with tempfile.TemporaryDirectory(prefix="quern-bench-") as tmp:
        globals()[o.what](o, pathlib.Path(tmp))


main()
