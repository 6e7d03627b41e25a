"""`quern bench sim`: clusters in virtual time. scale: what a decision costs as the cluster grows; ideas: options held against each other
over seeds; calibration: the same small experiment in virtual time and on an embedded cluster."""
import dataclasses
import json
import statistics

from suite import bench, workloads
from suite.bench import Case
from suite.cluster import AGENTS, CORES, INTERVAL_MS, Embedded
from suite.errors import USAGE, BenchError
from suite.report.ideas import interval
from suite.run import Job, Process, measure, until_ended

PARTS = "calibration", "ideas", "scale"
PROGRAM = "quern-bench-sim"

# Scale: agents of four cores, tasks for each agent of 0.5 to 1.5 s, and what it comes to at most (bench/RESULTS.md, S1 and S2).
SIZES = {workloads.FULL: (100, 1000, 10000, 50000), workloads.QUICK: (100, 1000, 10000)}
PER_AGENT = {workloads.FULL: 100, workloads.QUICK: 20}
LENGTHS = "500-1500"
CPU_US, AGENTS_OF_CPU, GROWTH = 20, 10000, 1.5
TASK_BYTES, AGENT_BYTES = 512, 2048

# Ideas: what is changed, and to what; the first is what there is now. Jobs of several frameworks, with tails and a waist.
IDEAS = {
    "lease-idle": ("adaptive", ("100ms", "0s", "20ms", "500ms", "2s")),
    "lease-max": ("adaptive", ("5s", "500ms", "1s", "20s", "1h")),
    "revive-interval": ("fine", ("20ms", "0s", "5ms", "100ms", "500ms")),
}
CROWD = {workloads.FULL: (50, 4, "400~300", "20~1000", "400~300"), workloads.QUICK: (20, 3, "150~300", "8~1000", "150~300")}
WITHIN = "4s"
SEEDS = {workloads.FULL: 20, workloads.QUICK: 8}

# Calibration: what must agree, and to what part.
AGREE = 0.1
COMPARED = ("wall_s", "wall"), ("held_core_s", "held"), ("used_core_s", "used")
EXPERIMENTS = ("sweep", "192:100"), ("tail", "96~200"), ("waist", "96:100", "2:1000", "96:100")
REAL, SIMULATED = "real", "simulated"


@dataclasses.dataclass
class Virtual:
    """Stands for the cluster where there is none; the embedded one of the calibration is started when it is asked for. As
    suite.cluster's are."""
    quern: object
    agents: int = AGENTS
    cores: int = CORES
    given = False
    kind = "simulated"
    allocation_interval_ms = INTERVAL_MS
    embedded: object = None

    @property
    def slots(self):
        return self.agents * self.cores

    @property
    def free(self):
        return self.slots

    def real(self):
        if self.embedded is None:
            self.embedded = Embedded(self.quern, self.agents, self.cores)
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

    def use(self, _interval_ms):
        return self.now

    def stop(self):
        self.now.__exit__()


def simulate(b, turn, *arguments):
    """A run in virtual time, its part of a run's line; another seed each turn."""
    seed = b.o.seed + turn - 1
    process = Process([b.program(PROGRAM), f"--seed={seed}", *arguments])
    until_ended([process])
    if process.problem():
        return {"status": 1, "seed": seed, "error": process.problem()}
    run = json.loads(process.out)
    return {name: run[name] for name in ("status", "seed", "figures", "timeline")}


def scale(b, size):
    for agents in SIZES[size]:
        tasks = agents * PER_AGENT[size]
        stage = f"{tasks}:{LENGTHS}"
        for mode in b.o.modes:
            yield Case("sim", f"{agents} agents, {tasks} tasks of 0.5 to 1.5 s", mode, tasks * 1e-4,
                       lambda turn, agents=agents, mode=mode, stage=stage:
                       simulate(b, turn, f"--agents={agents}", f"--mode={mode}", stage),
                       {"agents": agents, "slots": agents * 4, "task_s": 1.0})


def idea_name(option, value):
    return f"--{option}={value}"


def ideas(b, size):
    agents, frameworks, *stages = CROWD[size]
    for option, (mode, values) in IDEAS.items():
        for value in values:
            arguments = [f"--agents={agents}", f"--frameworks={frameworks}", f"--within={WITHIN}", f"--mode={mode}",
                         f"--slots={agents * 2}", f"--{option}={value}", *stages]
            yield Case("sim", f"{option} in {mode} mode, {frameworks} frameworks on {agents} agents", idea_name(option, value), 1,
                       lambda turn, arguments=arguments: simulate(b, turn, *arguments), {"agents": agents, "slots": agents * 4})


def calibration(b):
    seed = b.o.seed
    b.warm(b.job("sleep.c"), 1, "1:1")
    for name, *stages in EXPERIMENTS:
        for mode in b.o.modes:
            case = f"{name} {' '.join(stages)}, {mode}"
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
        runs = self.store.latest()
        return [*scale_lines(runs), *idea_lines(runs), *calibration_lines(runs)]

    def measure(self, _cases_of):
        o, size = self.o, size_of(self.o)
        self.use(INTERVAL_MS)
        self.open_store(len(parts_of(o)))
        for part in parts_of(o):
            cases = list(calibration(self) if part == "calibration" else {"ideas": ideas, "scale": scale}[part](self, size))
            self.turns = o.turns or (SEEDS[size] if part == "ideas" else 1 if part == "scale" and o.quick else 3)
            self.progress.plan(cases, self.turns, self.store)
            self.run_all(cases)


# What is said of it, beside the report

def median_of(runs, workload, case, mode, figure):
    values = [run["figures"][figure] for run in runs if (run["workload"], run["case"], run["mode"]) == (workload, case, mode) and
              run["status"] == 0 and figure in run["figures"]]
    return statistics.median(values) if values else None


def calibration_rows(runs):
    """[(case, figure, real, simulated, difference over real)]."""
    cases = dict.fromkeys(run["case"] for run in runs if run["workload"] == "calibration")
    for case in cases:
        for figure, name in COMPARED:
            real, simulated = (median_of(runs, "calibration", case, mode, figure) for mode in (REAL, SIMULATED))
            if real and simulated is not None:
                yield case, name, real, simulated, simulated / real - 1


def calibration_lines(runs):
    rows = list(calibration_rows(runs))
    if not rows:
        return []
    lines = ["Calibration: the same experiment on an embedded cluster and in virtual time (medians; s and core-s)",
             f"  {'':44} {'':6} {'real':>9} {'simulated':>10} {'difference':>11}"]
    for case, name, real, simulated, off in rows:
        lines.append(f"  {case:44} {name:6} {real:9.3f} {simulated:10.3f} {100 * off:+10.1f}%"
                     f"{'  more than a tenth' if abs(off) > AGREE else ''}")
    return lines


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
    for figure, most, what in (("bytes_per_task", TASK_BYTES, "pending task"), ("bytes_per_agent", AGENT_BYTES, "idle agent")):
        cost = cost_of(runs, figure)
        if cost:
            lines.append(f"S2, memory for a {what}: {max(cost.values()):.0f} bytes at most, {most} allowed: {verdict(max(cost.values()) <= most)}")
    return lines


def changes(runs, case, idea, base, figure):
    """The interval of an idea's relative differences to the base, of the same seeds; None: too few."""
    by_seed = [{run["seed"]: run["figures"][figure] for run in runs if run["workload"] == "sim" and run["status"] == 0 and
                (run["case"], run["mode"]) == (case, mode) and figure in run["figures"]} for mode in (idea, base)]
    return interval([value / by_seed[1][seed] - 1 for seed, value in by_seed[0].items() if by_seed[1].get(seed, 0) > 0])


def change_text(found):
    if found is None:
        return "not known"
    text = f"{100 * found['mean']:+.1f} % [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"
    return text if found["low"] > 0 or found["high"] < 0 else f"{text}: no difference shown"


def idea_lines(runs):
    groups = {}
    for run in runs:
        if run["workload"] == "sim" and run["mode"].startswith("--"):
            groups.setdefault(run["case"], {})[run["mode"]] = True
    lines = []
    for case, modes in groups.items():
        base, *others = modes
        lines.append(f"Ideas, {case}: against {base}, 95 % confidence")
        for idea in others:
            lines += [f"  {idea:24} {name:24} {change_text(changes(runs, case, idea, base, figure))}" for figure, name in
                      (("job_mean_s", "job's time, mean"), ("held_core_s", "held"), ("cpu_per_task_us", "scheduler's CPU"))]
    return lines


def main(o):
    unknown = [word for word in o.words if word not in PARTS]
    if unknown:
        raise BenchError(f"there is no part '{unknown[0]}'; there are {', '.join(PARTS)}", USAGE)
    o.option, o.slots = [], None  # it has no such options
    return bench.main(o, None, kind=SimBench)
