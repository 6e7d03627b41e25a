"""`quern bench neighbours`: jobs that arrive at random beside a batch framework that takes whatever it is offered; that one alone;
and both in a static partition: half of the cores for each, of which the jobs have theirs one after the other."""
import contextlib
import dataclasses
import random
import statistics
import time

from suite import bench, workloads
from suite.bench import Case
from suite.cluster import INTERVAL_MS
from suite.errors import BenchError
from suite.neighbour import LOAD_GENERATOR, LoadGenerator, Neighbour, framework_of_mesos, has_own_executor
from suite.run import Job, Measured, rounded, until_ended

ALONE, STATIC = "alone", "static"
LEAST_SLOTS = 4
EXECUTORS = 9        # of an embedded agent: less than what a task takes
# Coarse jobs ask for half, and begin with what they have after a while: several that want everything, and have some of it each,
# wait for each other, and the batch framework has nothing left to give back.
BEGIN = "--min-registered-ratio=0", "--max-registered-wait=10s"
SPARE_S = 2
SETTLE_S = 10       # that the batch framework has for taking all that there is
COMMAND_MS = 3000   # of tasks that are commands, at least: one takes a second to start
# Jobs, mean time between two arrivals, and length of the batch framework's tasks.
QUICK, FULL = (5, 1.5, 500), (12, 4.0, 1000)


@dataclasses.dataclass(frozen=True)
class Arrival:
    at_s: float
    kind: str
    arguments: tuple    # of bench/jobs/sleep.c


def kinds(slots):
    """Jobs of several sizes: the stages of each, for bench/jobs/sleep.c, and how many core-seconds of sleep that is, roughly."""
    return {"small": ((f"{slots}:300",), 0.3 * slots), "tail": ((f"{4 * slots}~150",), 1 * slots + 1.5),
            "waist": ((f"{3 * slots}:100", "2:1000", f"{3 * slots}:100"), 0.6 * slots + 2)}


def arrivals(seed, n, mean_s, slots):
    """The same for the same seed: each kind about as often as another, in any order, at the times of a Poisson process."""
    draw = random.Random(seed)
    of = kinds(slots)
    names = [name for _ in range(n // len(of) + 1) for name in draw.sample(sorted(of), len(of))][:n]
    at, found = 0.0, []
    for i, name in enumerate(names):
        found.append(Arrival(at, name, (seed + i, *of[name][0])))
        at += draw.expovariate(1 / mean_s)
    return found


def horizon_s(coming, slots):
    """How long to look: long enough for the jobs to be done on half of the cores, one after the other. Who is done sooner leaves
    the cores to the batch framework."""
    return coming[-1].at_s + SPARE_S + sum(kinds(slots)[a.kind][1] for a in coming) / (slots // 2)


def settled(neighbour, tasks):
    """Waits until it has so many tasks, or for as long as that may take."""
    until = time.monotonic() + SETTLE_S
    while neighbour.ask()["running"] < tasks and time.monotonic() < until:
        time.sleep(0.02)


class Experiment:
    """neighbour(limit) gives the other framework, for `with`; it may have so many tasks, or any number (None)."""

    def __init__(self, b, mode, coming, neighbour):
        self.b, self.mode, self.coming, self.neighbour = b, mode, coming, neighbour
        self.half = b.slots // 2
        self.begin = self.end = None
        self.jobs = []  # (arrival, when it arrived, Job, its process)

    def start_job(self, arrival, when):
        mode = "coarse" if self.mode == STATIC else self.mode
        slots = self.half if mode == "coarse" else self.b.slots
        job = Job(self.b, mode, self.b.job("sleep.c"), *arrival.arguments, slots=slots, options=BEGIN if mode == "coarse" else ())
        process = job.start()
        self.jobs.append((arrival, when, job, process))
        return process

    def window(self, m, neighbour):
        """Lets the jobs arrive and end: what the neighbour said before that and afterwards."""
        before = neighbour.ask()
        begin = self.begin = time.monotonic()
        due = [(begin + a.at_s, lambda a=a: self.start_job(a, begin + a.at_s)) for a in self.coming] if self.mode != ALONE else []
        until_ended([], m.sampler, arrivals=due, most=1 if self.mode == STATIC else None,
                    until=begin + horizon_s(self.coming, self.b.slots))
        self.end = time.monotonic()
        return before, neighbour.ask()

    def measure(self):
        run = {}
        try:
            limit = self.half if self.mode == STATIC else self.b.slots if self.b.cluster.given else None
            with contextlib.ExitStack() as stack:
                neighbour = stack.enter_context(self.neighbour(limit))
                if neighbour.works:
                    settled(neighbour, limit or self.b.cluster.slots)
                m = stack.enter_context(Measured(self.b.cluster))
                before, after = self.window(m, neighbour)
            run = m.about()
            if after.get("lost", 0) > before.get("lost", 0):
                run["note"] = f"{after['lost'] - before['lost']} tasks of the batch framework were lost"
            return {**run, "status": 0, **self.result(m, neighbour, before, after)}
        except BenchError as e:
            return {**run, "status": 1, "error": str(e)}

    def of_neighbour(self, m, neighbour, before, after):
        window = after["t_s"] - before["t_s"]
        if not neighbour.works:
            return {"window_s": window, "neighbour_asks_per_s": (after["asked"] - before["asked"]) / window}
        work = after["work_core_s"] - before["work_core_s"]
        found = {"window_s": window, "neighbour_core_s": work, "neighbour_cores": work / window}
        held = m.sampler.held_core_s(lambda name: name == neighbour.name, self.begin, self.end)
        return found if held is None else {**found, "neighbour_held_core_s": held}

    def result(self, m, neighbour, before, after):
        figures = {**self.of_neighbour(m, neighbour, before, after), **m.allocations}
        if self.mode == ALONE:
            return {"figures": rounded(figures)}
        of_jobs, jobs = self.jobs_figures()
        figures.update(of_jobs)
        figures["wall_s"] = max(process.ended for _, _, _, process in self.jobs) - self.begin
        names = {job.name for _, _, job, _ in self.jobs}
        held = m.sampler.held_core_s(lambda name: name in names, self.begin, self.end)
        if held is not None:
            figures["master_held_core_s"] = held
        if neighbour.works:
            figures["throughput_cores"] = (figures["neighbour_core_s"] + figures["used_core_s"]) / figures["window_s"]
        figures["cpu_scheduler_s"] = sum(process.cpu for _, _, _, process in self.jobs)
        return {"figures": rounded(figures), "jobs": jobs}

    def jobs_figures(self):
        """Of all jobs together, and what each took from its arrival to its end."""
        found, jobs = [], []
        for arrival, when, job, process in self.jobs:
            figures, _ = job.figures(process, self.b.o.seed)
            found.append(figures)
            jobs.append({"kind": arrival.kind, "at_s": round(arrival.at_s, 3), "wall_s": round(process.ended - when, 3)})
        sums = {name: sum(f[name] for f in found) for name in ("held_core_s", "used_core_s", "tasks")}
        walls = [j["wall_s"] for j in jobs]
        small = [j["wall_s"] for j in jobs if j["kind"] == "small"]
        return {**sums, "utilization": sums["used_core_s"] / sums["held_core_s"], "jobs": len(jobs),
                "job_mean_s": statistics.mean(walls), "job_max_s": max(walls), "small_job_mean_s": statistics.mean(small)}, jobs


def cases(b):
    n, mean_s, task_ms = QUICK if b.o.quick else FULL
    if not has_own_executor(b.cluster):
        task_ms = max(task_ms, COMMAND_MS)
    coming = arrivals(b.o.seed, n, mean_s, b.slots)
    b.warm(b.job("sleep.c"), 1, "1:1")
    jobs = f"{n} jobs, one every {mean_s:g} s"

    def case(name, mode, neighbour):
        return Case("neighbours", name, mode, horizon_s(coming, b.slots) + 2,
                    lambda _turn: Experiment(b, mode, coming, neighbour).measure())

    found = [case(f"{jobs}, beside tasks of {workloads.time_text(task_ms)}", mode, lambda limit: Neighbour(b, task_ms, limit))
             for mode in (ALONE, STATIC, *b.o.modes)]
    if has_load_generator(b):
        found += [case(f"{jobs}, beside {LOAD_GENERATOR}", mode, lambda _limit: LoadGenerator(b)) for mode in (ALONE, *b.o.modes)]
    return found


def has_load_generator(b):
    """Whether there is one that works here; says why not, if there is one."""
    if b.cluster.kind == "embedded" or framework_of_mesos(LOAD_GENERATOR) is None:
        return False
    try:
        with LoadGenerator(b):
            return True
    except BenchError as e:
        b.progress.say(f"{e}: nothing is measured beside it")
        return False


def main(o):
    return bench.main(o, cases, executors=EXECUTORS, least_slots=LEAST_SLOTS, intervals_ms=o.allocation_interval or [INTERVAL_MS])
