"""What a task and a job cost in themselves: C3, C4, C6."""
import contextlib
import json

from measuring import spark
from measuring.cluster import cluster, where
from measuring.results import note
from measuring.run import ROOT, Run, column, head, show, show_noise, turns


class Rate:
    """Of a job of `few` tasks and one of `many`: what the many take longer. Tasks a second, CPU microseconds of one."""

    def __init__(self, few, many, more):
        self.runs = few, many
        self.others = max(r.others for r in self.runs)
        self.rate = more / (many.wall - few.wall)
        self.cpu_us = (many.cpu - few.cpu) / more * 1e6

    def disturbed(self):
        return any(r.disturbed() for r in self.runs)


def null_job(o, tmp, tasks, *more):
    return Run(o.build / "cli/quern", "run", "--quiet", *more, ROOT / "bench/jobs/null.c", tmp / "empty", tasks)


def c3(o, tmp):
    (tmp / "empty").touch()
    few, many = 100, 100 + (o.tasks or 20000)
    head(o, f"C3: null tasks, coarse, {o.slots} slots; what {many} tasks take longer than {few}")

    def ours():
        a, b = (null_job(o, tmp, n, "--master", f"local[{o.slots}]", "--mode", "coarse") for n in (few, many))
        return Rate(a, b, many - few)

    ours()  # warm: the job is compiled
    with contextlib.ExitStack() as stack:
        more = {}
        if o.spark is not None:
            session = stack.enter_context(spark.Session(o, tmp, f"local-cluster[1,{o.slots},1024]"))

            def theirs():
                run = session.run("NullTasks", o.tasks or 20000)
                run.rate = float(run.out)  # its own clock's
                return run

            theirs()  # warm
            more["Spark"] = theirs
        runs = turns(o, quern=ours, **more)
    a = show("tasks a second", column(runs, "quern", "rate"), "/s")
    show("CPU of a task, all processes", column(runs, "quern", "cpu_us"), "us")
    note(o, "c3.rate", column(runs, "quern", "rate"))
    note(o, "c3.cpu", column(runs, "quern", "cpu_us"))
    if more:
        b = show("Spark local-cluster, tasks a second", column(runs, "Spark", "rate"), "/s")
        note(o, "c3.spark", column(runs, "quern", "rate"), column(runs, "Spark", "rate"), f"Spark {spark.version(o)}")
        print(f"  quern / Spark: {a / b:.1f}")
    show_noise(o)


def c4(o, tmp):
    (tmp / "empty").touch()
    few, many = 20, 20 + (o.tasks or 500)
    head(o, f"C4: null tasks, fine, {o.slots} slots, {where(o)}; what {many} tasks take longer than {few}")
    with cluster(o, tmp, 1, o.slots) as c:
        c4_on(o, tmp, c.address, few, many)
    show_noise(o)


def c4_on(o, tmp, endpoint, few, many):
    def ours():
        a, b = (null_job(o, tmp, n, "--master", endpoint, "--mode", "fine", "--task-memory", "64m") for n in (few, many))
        return Rate(a, b, many - few)

    def bare():
        a, b = (Run(o.build / "bench/quern-bench-neighbour", endpoint, "--own-executor", "--task-ms=0", f"--tasks={n}")
                for n in (few, many))
        for run in a, b:
            run.wall = json.loads(run.out.splitlines()[-1])["elapsed_s"]  # its own clock: subscription and the end do not count
        return Rate(a, b, many - few)

    ours()  # warm: the job is compiled
    runs = turns(o, quern=ours, bare=bare)
    a, b = (show(f"{name}, tasks a second", column(runs, name, "rate"), "/s") for name in ("quern", "bare"))
    note(o, "c4", column(runs, "quern", "rate"), column(runs, "bare", "rate"), where(o))
    print(f"  quern / bare: {a / b:.3f}")


def c6(o, tmp):
    (tmp / "text").write_text("one line of words\n")
    head(o, "C6: one small job, command to exit, the cluster started by it")
    n = iter(range(1 << 30))

    def ours(mode):
        return Run(o.build / "cli/quern", "run", "--quiet", "--master", f"local[{o.slots}]", "--mode", mode,
                   ROOT / "examples/wordcount.c", tmp / "text", tmp / f"{mode}{next(n)}")

    ours("coarse")  # warm: the job is compiled
    more = {"Spark": lambda: spark.cold(o, tmp, "WordCountCold", tmp / "text", tmp / "spark-out")} if o.spark is not None else {}
    runs = turns(o, coarse=lambda: ours("coarse"), fine=lambda: ours("fine"), **more)
    for name, r in runs.items():
        show(f"{name}, wall", [x.wall * 1000 for x in r], "ms")
        show(f"{name}, cpu", [x.cpu * 1000 for x in r], "ms")
    walls = {name: [1000 * wall for wall in column(runs, name, "wall")] for name in runs}
    note(o, "c6.wall", walls["coarse"])
    if more:
        note(o, "c6.spark", walls["coarse"], walls["Spark"], f"Spark {spark.version(o)}")
    show_noise(o)
