"""`quern bench sim`: clusters in virtual time. scale: what a decision costs as the cluster grows; ideas: options held against each other
over seeds; calibration: the same small experiment in virtual time and on an embedded cluster."""
import dataclasses
import json
import statistics

from suite import bench, report, workloads
from suite.bench import Case
from suite.cluster import AGENTS, CORES, INTERVAL_MS, Embedded, some
from suite.errors import USAGE, BenchError
from suite.report import calibration as agreement, ideas as held_against
from suite.report.calibration import REAL, SIMULATED
from suite.run import Job, Process, measure, until_ended

PARTS = "calibration", "ideas", "scale"
PROGRAM = "quern-bench-sim"

# Scale: agents of four cores, tasks for each agent of 0.5 to 1.5 s, up to a million; and what it comes to at most (bench/RESULTS.md, S1
# and S2).
SIZES = {workloads.FULL: (100, 1000, 10000, 50000), workloads.QUICK: (100, 1000, 10000)}
PER_AGENT = {workloads.FULL: 100, workloads.QUICK: 20}
MOST_TASKS = 1000000
LENGTHS = "500-1500"
CPU_US, AGENTS_OF_CPU, GROWTH = 20, 10000, 1.5
TASK_BYTES, AGENT_BYTES = 512, 2048

# Ideas: what is changed, in which mode, how many slots a framework may have for each agent, and to what; the first is what there is now.
# Jobs of several frameworks, with tails and a waist, that want more than there is; but a choice of places is one where some are free.
IDEAS = {
    "lease-idle": ("adaptive", 2, ("100ms", "0s", "20ms", "500ms", "2s")),
    "lease-max": ("adaptive", 2, ("5s", "500ms", "1s", "20s", "1h")),
    "revive-interval": ("fine", 2, ("20ms", "0s", "5ms", "100ms", "500ms")),
    "revive-burst": ("fine", 2, ("50", "1", "5", "500")),
    "placement": ("fine", 0.6, ("offered", "pack", "spread")),
}
CROWD = {workloads.FULL: (50, 4, "400~300", "20~1000", "400~300"), workloads.QUICK: (20, 3, "150~300", "8~1000", "150~300")}
WITHIN = "4s"
SEEDS = {workloads.FULL: 20, workloads.QUICK: 8}

# Calibration: what is run in both ways (what must agree is suite.report.calibration's).
EXPERIMENTS = ("sweep", "192:100"), ("tail", "96~200"), ("waist", "96:100", "2:1000", "96:100")


@dataclasses.dataclass
class Virtual:
    """Stands for the cluster where there is none; the embedded one of the calibration is started when it is asked for. As
    suite.cluster's are."""
    quern: object
    agents: int = AGENTS
    cores: int = CORES
    given = False
    kind = "simulated"
    allocation_interval_ms: int = INTERVAL_MS
    embedded: object = None

    @property
    def slots(self):
        return self.agents * self.cores

    @property
    def free(self):
        return self.slots

    def real(self):
        if self.embedded is None:
            self.embedded = Embedded(self.quern, self.agents, self.cores, self.allocation_interval_ms)
        return self.embedded

    @property
    def address(self):
        return self.real().address

    @property
    def master(self):
        return self.real().master

    def metrics(self):
        return self.real().metrics()

    def cpu_s(self):
        return self.real().cpu_s()

    def ensure(self):
        return self.embedded.ensure() if self.embedded is not None else None

    def __exit__(self, *_):
        if self.embedded is not None:
            self.embedded.stop()
        self.embedded = None


class Virtuals:
    """In place of suite.cluster.Clusters."""

    def __init__(self, quern):
        self.now = Virtual(quern)

    def use(self, interval_ms):
        if self.now.allocation_interval_ms != interval_ms:
            self.stop()
            self.now = Virtual(self.now.quern, allocation_interval_ms=interval_ms)
        return self.now

    def stop(self):
        self.now.__exit__()


def simulate(b, turn, *arguments):
    """A run in virtual time, its part of a run's line; another seed each turn."""
    seed = b.o.seed + turn - 1
    process = Process([b.program(PROGRAM), f"--seed={seed}", f"--allocation-interval={b.interval_ms}ms", *arguments])
    until_ended([process])
    if process.problem():
        return {"status": 1, "seed": seed, "error": process.problem()}
    run = json.loads(process.out)
    return {name: run[name] for name in ("status", "seed", "figures", "timeline")}


def setting(b):
    """What the options have changed, behind the name of a case."""
    return (f", {100 * b.o.failures:g} % fail" if b.o.failures else "") + interval_text(b)


def interval_text(b):
    return f", allocation interval {workloads.time_text(b.interval_ms)}" if b.interval_ms != INTERVAL_MS else ""


def crowd(b, frameworks):
    """Arguments of quern-bench-sim; and what is the same of all runs with them."""
    failures = b.o.failures or 0
    return [f"--frameworks={frameworks}", f"--failures={failures}"], {"frameworks": frameworks, "failures": failures}


def scale(b, size):
    frameworks = b.o.frameworks or 1
    arguments, about = crowd(b, frameworks)
    many = f", {frameworks} frameworks" if frameworks > 1 else ""
    for agents in SIZES[size]:
        tasks = min(agents * PER_AGENT[size], MOST_TASKS)
        for mode in b.o.modes:
            words = [f"--agents={agents}", f"--mode={mode}", f"--slots={agents * 4 // frameworks}", *arguments, f"{tasks}:{LENGTHS}"]
            yield Case("sim", f"{agents} agents, {tasks} tasks of 0.5 to 1.5 s{many}{setting(b)}", mode, tasks * frameworks * 1e-4,
                       lambda turn, words=words: simulate(b, turn, *words),
                       {"agents": agents, "slots": agents * 4, "task_s": 1.0, **about})


def idea_name(option, value):
    return f"--{option}={value}"


def ideas(b, size):
    agents, usual, *stages = CROWD[size]
    frameworks = b.o.frameworks or usual
    more, about = crowd(b, frameworks)
    for option, (mode, each, values) in IDEAS.items():
        slots = round(agents * each)
        case = f"{option} in {mode} mode, {some(frameworks, 'framework')} of {slots} slots{setting(b)}"
        for value in values:
            words = [f"--agents={agents}", f"--within={WITHIN}", f"--mode={mode}", f"--slots={slots}", *more, f"--{option}={value}", *stages]
            yield Case("sim", case, idea_name(option, value), 1, lambda turn, words=words: simulate(b, turn, *words),
                       {"agents": agents, "slots": agents * 4, **about})


def calibration(b):
    seed = b.o.seed
    b.warm(b.job("sleep.c"), 1, "1:1")
    for name, *stages in EXPERIMENTS:
        for mode in b.o.modes:
            case = f"{name} {' '.join(stages)}, {mode}{interval_text(b)}"
            yield Case("calibration", case, REAL, 5, lambda _, mode=mode, stages=stages:
                       measure(Job(b, mode, b.job("sleep.c"), seed, *stages), seed))
            yield Case("calibration", case, SIMULATED, 0.1, lambda _, mode=mode, stages=stages: simulate(
                b, 1, f"--agents={AGENTS}", f"--cores={CORES}", f"--mode={mode}", *stages))


def size_of(o):
    return workloads.QUICK if o.quick else workloads.FULL


def parts_of(o):
    return [part for part in PARTS if part in (o.words or PARTS)]


class SimBench(bench.Bench):
    """Each part with as many turns as it takes."""

    def make_clusters(self):
        return Virtuals(self.quern)

    def lines(self):
        """With the verdict on the calibration last."""
        runs = self.store.latest()
        summary = report.summarize(runs, self.store.header)
        calibrated = summary.get("calibration")
        parts = scale_lines(runs), held_against.table(summary["ideas"]), \
            [*agreement.table(calibrated), agreement.verdict(calibrated)] if calibrated else []
        return [line for part in parts if part for line in (*part, "")][:-1]

    def measure(self, _cases_of):
        parts, size = parts_of(self.o), size_of(self.o)
        for interval_ms in self.intervals_ms:
            self.use(interval_ms)
            if self.store is None:
                self.open_store(len(parts) * len(self.intervals_ms))
            for part in parts:
                self.measure_part(part, size)

    def measure_part(self, part, size):
        o = self.o
        cases = list(calibration(self) if part == "calibration" else {"ideas": ideas, "scale": scale}[part](self, size))
        self.turns = o.turns or (SEEDS[size] if part == "ideas" else 1 if part == "scale" and o.quick else 3)
        self.progress.plan(cases, self.turns, self.store)
        self.run_all(cases)


# What is said of it, beside the report

def interval_of(run):
    return run.get("allocation_interval_ms", INTERVAL_MS)


def cost_of(runs, figure, mode=None):
    """{agents: median} of the parts of scale."""
    found = {}
    for run in runs:
        if run["workload"] == "sim" and not run["mode"].startswith("--") and run["status"] == 0 and mode in (None, run["mode"]):
            if figure in run["figures"]:
                found.setdefault(run["agents"], []).append(run["figures"][figure])
    return {agents: statistics.median(values) for agents, values in sorted(found.items())}


def verdict(good):
    return "met" if good else "missed"


def scale_lines(runs):
    """Of each allocation interval by itself, which are told apart if there are several."""
    intervals = dict.fromkeys(map(interval_of, runs))
    return [line if len(intervals) == 1 else f"{line} (allocation interval {workloads.time_text(ms)})" for ms in intervals for line in
            cost_lines([run for run in runs if interval_of(run) == ms])]


def cost_lines(runs):
    lines = []
    modes = dict.fromkeys(run["mode"] for run in runs if run["workload"] == "sim" and not run["mode"].startswith("--"))
    for mode in modes:
        cost = cost_of(runs, "cpu_per_task_us", mode)
        if not cost:
            continue
        text = ", ".join(f"{us:.1f} us at {agents}" for agents, us in cost.items())
        if AGENTS_OF_CPU in cost and min(cost) < AGENTS_OF_CPU:
            growth = cost[AGENTS_OF_CPU] / cost[min(cost)]
            text += (f"; at {AGENTS_OF_CPU} at most {CPU_US}: {verdict(cost[AGENTS_OF_CPU] <= CPU_US)}; {growth:.2f} times that at "
                     f"{min(cost)}, at most {GROWTH}: {verdict(growth <= GROWTH)}")
        lines.append(f"S1, scheduler's CPU for a task, {mode}: {text}")
    for figure, most, what in (("bytes_per_task", TASK_BYTES, "a pending task"), ("bytes_per_agent", AGENT_BYTES, "an idle agent")):
        cost = cost_of(runs, figure)
        if cost:
            lines.append(f"S2, memory for {what}: {max(cost.values()):.0f} bytes at most, {most} allowed: {verdict(max(cost.values()) <= most)}")
    return lines


def main(o):
    unknown = [word for word in o.words if word not in PARTS]
    if unknown:
        raise BenchError(f"there is no part '{unknown[0]}'; there are {', '.join(PARTS)}", USAGE)
    given = [name for name in ("frameworks", "failures") if getattr(o, name) is not None]
    if given and parts_of(o) == ["calibration"]:
        raise BenchError(f"--{given[0]} is of scale and ideas: what is measured for calibration is one job in which nothing fails", USAGE)
    o.option, o.slots = [], None  # it has no such options
    return bench.main(o, None, kind=SimBench, intervals_ms=o.allocation_interval or [INTERVAL_MS])
