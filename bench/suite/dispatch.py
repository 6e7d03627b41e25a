"""`quern bench dispatch`: tasks that do nothing, to see what one costs in itself. What many of them take longer than few: the start
and the end of a job do not count. Beside fine mode, a framework that launches and acknowledges and does nothing else ("bare")."""
import json

from suite import bench
from suite.bench import Case
from suite.cluster import INTERVAL_MS
from suite.errors import BenchError
from suite.neighbour import PROGRAM
from suite.run import Job, Measured, Process, rounded, until_ended

BARE = "bare"
FEW = {"fine": 20}     # tasks, of which the others are counted; by default
FEW_OTHERS = 100
# Tasks beyond the few: of modes in which one is a Mesos task, and of others.
QUICK, FULL = (200, 5000), (500, 20000)
TRIES = 5              # of a run whose start took longer than its tasks


class InTheWay(BenchError):
    """Nothing can be said of that run."""


def tried(once):
    """once() gives a run; again, if something was in the way."""
    for _ in range(TRIES):
        try:
            return once()
        except InTheWay as e:
            problem = e
        except BenchError as e:
            return {"status": 1, "error": str(e)}
    return {"status": 1, "error": str(problem)}


def few_and_many(b, mode):
    one, other = QUICK if b.o.quick else FULL
    few = FEW.get(mode, FEW_OTHERS)
    return few, few + (one if mode in ("fine", BARE) else other)


def figures_of(few_s, many_s, more):
    """Of `more` tasks that took from few_s to many_s seconds."""
    if many_s <= few_s:
        raise InTheWay("many tasks took no longer than few: something else was in the way")
    return {"wall_s": many_s, "tasks": more, "tasks_per_s": more / (many_s - few_s)}


def cpu_of(m, scheduler_s):
    """CPU seconds around a run, by the name of the figure that is made of them: of the scheduler; of executors with their
    workers, and of all together, cluster included, where those are on this machine."""
    found = {"cpu_per_task_scheduler_us": scheduler_s}
    parts = m.cpu_figures(scheduler_s)
    if parts:
        found.update(cpu_per_task_us=m.timed.cpu, cpu_per_task_executors_us=parts["cpu_executors_s"])
    return found


def cpu_per_task(few, many, more):
    """What `more` tasks took of that, for one of them."""
    return {name: max(0.0, many[name] - few[name]) / more * 1e6 for name in many}


def null_job(b, mode, tasks):
    """A run of so many null tasks: (what was measured around it, its process, its figures)."""
    job = Job(b, mode, b.job("null.c"), b.tmp / "empty", tasks)
    with Measured(b.cluster) as m:
        process = job.start()
        until_ended([process])
    return m, process, job.figures(process, b.o.seed)[0]


def of_mode(b, mode):
    few, many = few_and_many(b, mode)
    (m1, p1, f1), (m2, p2, f2) = (null_job(b, mode, n) for n in (few, many))
    more = many - few
    found = {**figures_of(f1["wall_s"], f2["wall_s"], more), **cpu_per_task(cpu_of(m1, p1.cpu), cpu_of(m2, p2.cpu), more)}
    found.update({name: f2[name] for name in ("held_core_s", "used_core_s", "gap_p50_ms", "gap_p99_ms") if name in f2})
    return {**m2.about(), "disturbed": m1.timed.disturbed() or m2.timed.disturbed(), "status": 0, "figures": rounded(found)}


def bare_run(b, tasks):
    argv = [b.program(PROGRAM), b.cluster.master.address, "--own-executor", "--task-ms=0", f"--tasks={tasks}", f"--limit={b.slots}"]
    with Measured(b.cluster) as m:
        process = Process(argv)
        until_ended([process])
    if process.problem():
        raise BenchError(process.problem())
    return m, process, json.loads(process.out.splitlines()[-1])["elapsed_s"]


def of_bare(b):
    few, many = few_and_many(b, BARE)
    (m1, p1, few_s), (m2, p2, many_s) = (bare_run(b, n) for n in (few, many))
    more = many - few
    found = {**figures_of(few_s, many_s, more), **cpu_per_task(cpu_of(m1, p1.cpu), cpu_of(m2, p2.cpu), more)}
    return {**m2.about(), "disturbed": m1.timed.disturbed() or m2.timed.disturbed(), "status": 0, "figures": rounded(found)}


def cases(b):
    (b.tmp / "empty").touch()
    b.warm(b.job("null.c"), b.tmp / "empty", 1)
    found = [Case("dispatch", "null tasks", mode, 10, lambda _turn, mode=mode: tried(lambda: of_mode(b, mode))) for mode in b.o.modes]
    if b.cluster.kind == "embedded" and "fine" in b.o.modes:  # its executor is this machine's
        found.append(Case("dispatch", "null tasks", BARE, 10, lambda _turn: tried(lambda: of_bare(b))))
    return found


def main(o):
    return bench.main(o, cases, intervals_ms=o.allocation_interval or [INTERVAL_MS])
