"""What a mode gains and what it costs: C1, C2, C5, C7, on a real Mesos (--mesos HOME) or the embedded cluster."""
import dataclasses
import os
import pathlib
import statistics
import sys
import tempfile
import typing

from measuring import spark
from measuring.cluster import cluster, where
from measuring.results import note
from measuring.run import ROOT, Run, agree, checksum, column, compare, head, show, show_noise, turns
import suite.run
from suite.answers import parts
from suite.run import measure

AGENTS, CORES = 2, 4
SLOTS = AGENTS * CORES
MODES = "coarse", "fine", "adaptive"


@dataclasses.dataclass
class On:
    """What the suite wants to know of where a job runs."""
    quern: pathlib.Path
    cluster: typing.Any
    tmp: pathlib.Path
    slots: int = SLOTS
    run_options: tuple = ("--task-memory=64m", "--cflags=-lm")


class Job:
    """A run of bench/jobs/sleep.c, or another one, as the suite of `quern bench` measures it."""

    def __init__(self, o, c, mode, job, *args, options=()):
        with tempfile.TemporaryDirectory(prefix="quern-bench-log-") as tmp:
            run = measure(suite.run.Job(On(o.build / "cli/quern", c, pathlib.Path(tmp)), mode, job, *args, options=options), 1)
        if run["status"]:
            sys.exit(f"{job}: {run['error']}")
        f = run["figures"]
        self.wall, self.held, self.used, self.utilization = (f[n] for n in ("wall_s", "held_core_s", "used_core_s", "utilization"))
        self.gap_p50, self.gap_p99 = f.get("gap_p50_ms", 0), f.get("gap_p99_ms", 0)
        self.waste, self.allocations = self.held - self.used, f.get("allocation_runs", 0)
        self.allocation_ms = f.get("allocation_p50_ms", 0)  # of one of them
        self.master_held = f.get("master_held_core_s", 0)
        self.others, self.is_disturbed = run["others_cores"], run["disturbed"]

    def disturbed(self):
        return self.is_disturbed


def sleep_job(o, c, mode, *stages, options=()):
    return Job(o, c, mode, ROOT / "bench/jobs/sleep.c", 1, *stages, options=options)


def some(o, tasks):
    """So many, or the least that shows that all works."""
    return SLOTS if o.quick else tasks


def all_modes(o, c, *stages, modes=MODES):
    """Interleaved runs of the same tasks in each mode; what was asked for first is what all others are held against."""
    sleep_job(o, c, modes[0], "1:1")  # warm: the job is compiled
    return turns(o, **{mode: (lambda mode=mode: sleep_job(o, c, mode, *stages)) for mode in modes})


def table(runs, *, base="coarse"):
    for mode, rs in runs.items():
        wall = statistics.median(r.wall for r in rs)
        price = wall / statistics.median(r.wall for r in runs[base])
        print(f"  {mode:9} wall {wall:7.3f} s (min {min(r.wall for r in rs):.3f})  price {price:5.3f}  held "
              f"{statistics.median(r.held for r in rs):7.1f}  used {statistics.median(r.used for r in rs):7.1f} core-s  utilization "
              f"{statistics.median(r.utilization for r in rs):.3f}  gaps p50 {statistics.median(r.gap_p50 for r in rs):g}"
              f" p99 {statistics.median(r.gap_p99 for r in rs):g} ms  allocations {statistics.median(r.allocations for r in rs):g} of "
              f"{statistics.median(r.allocation_ms for r in rs):.2g} ms  held, the master says, "
              f"{statistics.median(r.master_held for r in rs):.1f} core-s",
              flush=True)


def removed(runs, mode="adaptive"):
    """The share of coarse's waste that a mode does not have."""
    return 1 - statistics.median(r.waste for r in runs[mode]) / statistics.median(r.waste for r in runs["coarse"])


def spark_modes(o, tmp, c, tasks, ms):
    """The same tasks by Spark in its two modes on that Mesos, each warm: one mode after the other, for the coarse one holds the
    cluster as long as it is there."""
    runs = {}
    for mode in "coarse", "fine":
        with spark.on_mesos(o, tmp, c.address, mode, AGENTS, CORES) as session:
            session.warm(o, "Sleep", tasks, ms)
            runs.update(turns(o, **{f"Spark {mode}": lambda session=session: session.run("Sleep", tasks, ms)}))
    compare(runs, "Spark fine", "Spark coarse", "wall")
    note(o, f"c1.{ms}.spark", column(runs, "Spark fine", "wall"), column(runs, "Spark coarse", "wall"), f"Spark {spark.version(o)}")


def c1(o, tmp):
    with cluster(o, tmp, AGENTS, CORES) as c:
        for ms, tasks in ((1000, some(o, 8 * SLOTS)), (100, some(o, 24 * SLOTS))):
            head(o, f"C1: {tasks} tasks of {ms} ms, {SLOTS} slots on {AGENTS} agents, {where(o)}, allocation interval 1 s")
            runs = all_modes(o, c, f"{tasks}:{ms}", modes=("coarse", "fine"))
            table(runs)
            note(o, f"c1.{ms}", column(runs, "fine", "wall"), column(runs, "coarse", "wall"), where(o))
            if o.spark is not None and o.mesos is not None:
                spark_modes(o, tmp, c, tasks, ms)
            show_noise(o)


def keep(o, name, runs):
    """C2's figures of a workload; and C8's, which are of the two that leave slots without work."""
    note(o, f"c2.{name}", column(runs, "adaptive", "wall"), column(runs, "coarse", "wall"), where(o))
    if name in ("tail", "waist"):
        note(o, f"c2.{name}.waste", column(runs, "adaptive", "waste"), column(runs, "coarse", "waste"), where(o))
        for mode in "fine", "adaptive":
            note(o, f"c8.{name}.{mode}", column(runs, mode, "utilization"), column(runs, "coarse", "utilization"), where(o))


def c2(o, tmp):
    workloads = [("sweep, 10 ms", [f"{some(o, 100 * SLOTS)}:10"]), ("sweep, 100 ms", [f"{some(o, 24 * SLOTS)}:100"]),
                 ("sweep, 1 s", [f"{some(o, 6 * SLOTS)}:1000"]), ("tail", [f"{some(o, 12 * SLOTS)}~200"]),
                 ("waist", [f"{some(o, 96)}:100", "2:2000", f"{some(o, 96)}:100"])]
    with cluster(o, tmp, AGENTS, CORES) as c:
        for name, stages in workloads:
            head(o, f"C2, {name}: {' '.join(stages)} (tasks:ms), {SLOTS} slots on {AGENTS} agents, {where(o)}")
            runs = all_modes(o, c, *stages)
            table(runs)
            print(f"  adaptive removes {100 * removed(runs):.0f} % of what coarse holds and does not use, fine "
                  f"{100 * removed(runs, 'fine'):.0f} %", flush=True)
            keep(o, name.removeprefix("sweep, ").replace(" ", ""), runs)
            show_noise(o)


def c5(o, tmp):
    sides = []
    with cluster(o, tmp, AGENTS, CORES) as c:
        for options, text in (((), "REVIVE as by default"), (("--revive-interval", "0"), "without REVIVE")):
            head(o, f"C5: gaps of slots in fine mode with tasks pending, {some(o, 24 * SLOTS)} tasks of 100 ms, {where(o)}, {text}")
            sleep_job(o, c, "fine", "1:1")
            runs = turns(o, fine=lambda: sleep_job(o, c, "fine", f"{some(o, 24 * SLOTS)}:100", options=options))
            table(runs, base="fine")
            show_noise(o)
            sides.append(runs)
    for p in "p50", "p99":
        note(o, f"c5.{p}", *(column(runs, "fine", f"gap_{p}") for runs in sides), where(o))


def c7(o, tmp):
    """The text many times over, for what is started once is not what is looked at. Compressed on both sides: as it comes only a
    cluster does that."""
    (tmp / "in").mkdir()
    for i in range(1 if o.quick else 12):
        os.symlink((o.data / "text").resolve(), tmp / f"in/text{i}")
    n = iter(range(1 << 30))

    def ours(*where_to):
        out = tmp / f"out{next(n)}"
        run = Run(o.build / "cli/quern", "run", "--quiet", *where_to, "--task-memory", "512m", "--shuffle-compression", "1",
                  ROOT / "examples/wordcount.c", tmp / "in", out)
        run.answer = checksum(parts(out))
        return run

    with cluster(o, tmp, 1, o.slots) as c:
        head(o, f"C7: word count of 12 times a gigabyte, coarse, {o.slots} slots, {where(o)} and the embedded cluster of a command")
        runs = turns(o, cluster=lambda: ours("--master", c.address, "--total-executor-cores", o.slots),
                     embedded=lambda: ours("--master", f"local[{o.slots}]"))
    for r in runs["cluster"] + runs["embedded"]:
        agree("c7", r.answer, runs["embedded"][0].answer)
    a, b = (show(f"{name}, wall", [r.wall for r in rs]) for name, rs in runs.items())
    print(f"  cluster / embedded: {a / b:.3f}")
    note(o, "c7", column(runs, "cluster", "wall"), column(runs, "embedded", "wall"), where(o))
    show_noise(o)
