#!/usr/bin/env python3
"""Measures quern as a whole: wall and CPU seconds of commands, both sides of a ratio in one run, in turns.

    bench/measure.py BUILD d1 --data DIR   word count of DIR/text against a single-purpose program (bench/limit/)
    bench/measure.py BUILD d2 --data DIR   the same of DIR/source, with millions of distinct words
    bench/measure.py BUILD d3 --data DIR   sort of DIR/text and DIR/records against GNU sort and a single-purpose program
    bench/measure.py BUILD d4 --data DIR   d1 to d3 with task memory of 64 MiB against 2 GiB; peak memory of workers
    bench/measure.py BUILD d6 --data DIR   a map file written and read, against zstd alone
    bench/measure.py BUILD d7              a file read from HDFS, against curl of a DataNode
    bench/measure.py BUILD d8 --data DIR   iterations over DIR/points, persisted or read again
    bench/measure.py BUILD c1 --mesos HOME fine against coarse, tasks of 1 s and 100 ms
    bench/measure.py BUILD c2 --mesos HOME adaptive and fine against coarse: a sweep of lengths, a heavy tail, a waist
    bench/measure.py BUILD c3              null tasks a second, coarse
    bench/measure.py BUILD c4              null tasks a second, fine, against a framework that only launches
    bench/measure.py BUILD c5 --mesos HOME gaps of slots in fine mode, with REVIVE and without
    bench/measure.py BUILD c6              a job of one task, from the command to its exit
    bench/measure.py BUILD c7 --mesos HOME --data DIR
                                           word count of DIR/text on a cluster, against the command's own
    bench/measure.py BUILD c9 --mesos HOME jobs beside a batch framework, against half of the cores for each
    bench/measure.py BUILD s1              CPU of the scheduler for a task, on 10,000 simulated agents and on 100
    bench/measure.py BUILD s2              its memory for a task that waits and an agent with nothing on it
    bench/measure.py BUILD r1 --data DIR   word count of DIR/text, one of four executors killed in the middle
    bench/measure.py BUILD d5 --data DIR --spark HOME
                                           word count, sorts, PageRank of DIR/links, k-means of DIR/points, against Spark

Several at once are measured one after the other. The input: bench/data text DIR/text source DIR/source records
DIR/records points DIR/points links DIR/links; or --quick, which makes a little of each and measures once: to see that
all works. With --spark HOME (a Spark installation or pyspark's package folder; java, javac and jar in PATH) d8, c3 and
c6 also run bench/peers/ on Spark's local modes, in turns with quern; bench/peers/spark gets one by itself. With --mesos HOME
(bin, sbin and libexec of an installed Apache Mesos) c1, c2, c4, c5, c7 and c9 are on that, without on `quern local`; with both, c1 has
Spark's two modes there as well.

Prints medians, minima and maxima, and the load before. Answers are compared before a time counts. A run during which
something else used more than a tenth of a core is dropped and repeated. --record bench/results.json keeps the figures, of which
bench/results.py makes the table of bench/RESULTS.md. Files of up to 4 GB are made in $TMPDIR."""
import argparse
import pathlib
import tempfile

from measuring import beside, data, faults, hdfs, iterate, little, modes, peers, tasks, virtual
from suite import timed

MEASURES = {name: getattr(module, name) for module, names in (
    (data, ("d1", "d2", "d3", "d4", "d6")), (hdfs, ("d7",)), (iterate, ("d8",)), (peers, ("d5",)), (faults, ("r1",)),
    (modes, ("c1", "c2", "c5", "c7")), (beside, ("c9",)), (tasks, ("c3", "c4", "c6")), (virtual, ("s1", "s2"))) for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("what", choices=MEASURES, nargs="+")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("."), help="folder of the input")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--slots", type=int, default=2, help="cores for either side")
    parser.add_argument("--tasks", type=int, help="of c3 (20000) and c4 (500)")
    parser.add_argument("--noisy", action="store_true", help="keep disturbed runs, and say so")
    parser.add_argument("--mesos", type=pathlib.Path, metavar="HOME")
    parser.add_argument("--spark", type=pathlib.Path, metavar="HOME")
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE", help="keep the figures: bench/results.json")
    parser.add_argument("--quick", action="store_true", help="little input, one run, --noisy")
    o = parser.parse_args()
    o.build = o.build.resolve()
    timed.adopt()
    with tempfile.TemporaryDirectory(prefix="quern-bench-data-") as folder:
        if o.quick:
            o.data, o.runs, o.tasks, o.noisy = little.make(o, pathlib.Path(folder)), 1, o.tasks or 10, True
        for name in o.what:
            with tempfile.TemporaryDirectory(prefix="quern-bench-") as tmp:
                MEASURES[name](o, pathlib.Path(tmp))


main()
