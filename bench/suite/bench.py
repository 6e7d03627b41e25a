"""What all commands share that measure on a cluster: cases, which are run in turns; results, which are kept as they come; the
report; and the ways in which this ends."""
import dataclasses
import os
import pathlib
import platform
import shlex
import signal
import sys
import tempfile
import time
import typing

from suite import options, report, timed
from suite.cluster import AGENTS, CORES, INTERVAL_MS, Clusters, check_slots
from suite.errors import FAILED, INTERRUPTED, BenchError, sentence
from suite.progress import Progress
from suite.run import Job, Process, until_ended
from suite.store import Store

TURNS, QUICK_TURNS = 7, 3
TRIES = 3       # of a run that something else on this machine disturbs
GIVE_UP = 2     # failures of a case one after the other
TASK_MEMORY = "64m"


@dataclasses.dataclass
class Case:
    """A cell of the report: `go(turn)` measures it once and gives its part of a run's line (suite/run.py). `about`: what is the
    same of all its runs. `seconds`: that a run takes, roughly."""
    workload: str
    case: str
    mode: str
    seconds: float
    go: typing.Callable
    about: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self):
        return f"{self.workload}, {self.case}, {self.mode}" if self.case else f"{self.workload}, {self.mode}"


class Bench:
    """The command's options, the cluster and the folders, for `with`. least_slots: cores without which what
    is measured makes no sense; task_memory: of its jobs; shape: agents of a cluster of its own, and cores of each;
    executors: that one of its agents has at a time."""

    def __init__(self, o, least_slots=1, intervals_ms=(INTERVAL_MS,), task_memory=TASK_MEMORY, shape=(AGENTS, CORES),
                 executors=1):
        self.o, self.least_slots, self.intervals_ms = o, least_slots, intervals_ms
        self.quern, self.folder = pathlib.Path(os.environ["QUERN"]), pathlib.Path(os.environ["QUERN_BENCH"])
        self.shape, self.executors = shape, executors
        self.turns = o.turns or (QUICK_TURNS if o.quick else TURNS)
        self.output = pathlib.Path(o.output or time.strftime("quern-bench-%Y%m%d-%H%M%S"))
        self.run_options = [f"--task-memory={task_memory}", "--cflags=-lm", *(f"--{s}" for s in o.option)]
        self.clusters = self.store = self.cluster = self.slots = self.interval_ms = self.progress = None
        self.failed = 0

    def __enter__(self):
        timed.adopt()
        self._tmp = tempfile.TemporaryDirectory(prefix="quern-bench-")
        self.tmp = pathlib.Path(self._tmp.name)
        try:
            self.clusters = self.make_clusters()
        except BaseException:
            self._tmp.cleanup()
            raise
        return self

    def __exit__(self, *_):
        if self.store is not None:
            self.store.__exit__()
        self.clusters.stop()
        self._tmp.cleanup()

    def make_clusters(self):
        return Clusters(self.o, self.quern, self.shape, self.executors)

    def use(self, interval_ms):
        self.interval_ms = interval_ms
        self.cluster = self.clusters.use(interval_ms)
        self.slots = check_slots(self.o.slots, self.cluster, self.least_slots)

    def program(self, name):
        return self.folder / name

    def job(self, name):
        return self.folder / "jobs" / name

    def header(self):
        o = self.o
        return {"bench": o.command, "version": version_of(self.quern), "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "seed": o.seed, "quick": o.quick, "machine": machine(), "cluster": self.cluster.kind, "agents": self.cluster.agents,
                "slots": self.slots, **interval_of(self.cluster), "options": dict(split(s) for s in o.option),
                "turns": self.turns, "command": shlex.join(["quern", "bench", *o.argv]), "arguments": options.arguments(o)}

    def warm(self, job, *args):
        """What is not to be a run's: the job is compiled. BenchError: it does not even run."""
        process = Job(self, "coarse", job, *args).start()
        until_ended([process])
        if process.problem():
            raise BenchError(f"{pathlib.Path(job).name}: {process.problem()}")

    # Turns

    def turn(self, case, turn):
        """A run of the case, again if it is disturbed."""
        left = 1 if self.o.quick or self.o.noisy else TRIES
        while True:
            changed = self.cluster.ensure()
            if changed:
                self.progress.say(f"{case.name}: {changed}")
            run = case.go(turn)
            # An agent that is lost in the middle of a run is that run's as well as the next one's.
            lost = self.cluster.left() if self.cluster.given and not changed else None
            notes = [note for note in (changed, lost, run.get("note")) if note]
            if notes:
                run["note"] = "; ".join(notes)
            left -= 1
            if not run.get("disturbed") or left == 0:
                return run
            self.progress.say(f"{case.name}: again, as something else used {run['others_cores']:.2f} cores")

    def add(self, case, turn, run):
        self.store.add({"workload": case.workload, "case": case.case, "mode": case.mode, "turn": turn, "seed": self.o.seed,
                        "agents": self.cluster.agents, "slots": self.slots, **interval_of(self.cluster), **case.about, **run})

    def run_all(self, cases):
        """Each of them once in a turn, those of the same workload and case next to each other."""
        failures = {case.name: 0 for case in cases}
        for turn in range(1, self.turns + 1):
            for case in cases:
                if failures[case.name] >= GIVE_UP or self.store.has(case.workload, case.case, case.mode, turn):
                    continue
                self.progress.begin(case, turn)
                began = time.monotonic()
                run = self.turn(case, turn)
                run["took_s"] = round(time.monotonic() - began, 3)
                failures[case.name] = failures[case.name] + 1 if run["status"] else 0
                self.add(case, turn, run)
                self.progress.end(case, run)
                self.failed += run["status"] != 0

    def open_store(self, parts):
        """parts: in how many the cases come, see Progress."""
        self.store = Store(self.output, self.header())
        self.progress = Progress(self.output, parts)
        missing = report.no_plots()
        if missing:  # to be known before the runs, which may take hours
            self.progress.say(f"No plots: {missing}")

    def lines(self):
        """What is to be said beside the report."""
        return []

    def measure(self, cases_of):
        """All of what cases_of(self) says there is to be run on self.cluster. BenchError: it cannot go on; what has been measured
        is kept."""
        for interval_ms in self.intervals_ms:
            self.use(interval_ms)
            if self.store is None:
                self.open_store(len(self.intervals_ms))
            cases = cases_of(self)
            self.progress.plan(cases, self.turns, self.store)
            self.run_all(cases)


def split(setting):
    name, _, value = setting.partition("=")
    return f"--{name}", value


def interval_of(cluster):
    ms = cluster.allocation_interval_ms
    return {} if ms is None else {"allocation_interval_ms": ms}


def version_of(quern):
    process = Process([quern, "--version"])
    until_ended([process])
    return process.out.strip().rpartition(" ")[2]


def machine():
    cpu = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {"cores": os.cpu_count(), "cpu": cpu, "memory_gib": round(memory, 1), "kernel": platform.release()}


def publish(store, folder, lines=()):
    """The report, into the folder and onto the terminal, there with these lines and at last where the page is. BenchError: it could
    not be written."""
    runs = store.latest()
    if not any(run["status"] == 0 for run in runs):
        raise BenchError(f"nothing was measured, so there is no report; {store.path} says why" if runs else
                         "nothing was measured, so there is no report")
    print(report.terminal(report.summarize(runs, store.header)), *lines, sep="\n", flush=True)
    try:
        report.write(folder, store.header, runs)
    except OSError as e:
        raise BenchError(f"{e.filename or folder}: {e.strerror}; results.jsonl is whole") from None
    print(f"Report: {folder / report.PAGE} (a page: open it in a browser)", flush=True)


def finish(bench, status):
    """The report of what there is, also if it was interrupted; the exit status."""
    if bench.store is None or (status and not bench.store.runs):
        return status
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    bench.progress.clear()
    try:
        publish(bench.store, bench.output, bench.lines())
    except BenchError as e:
        print(f"quern bench: {e}", file=sys.stderr)
        return status or FAILED
    if bench.failed:
        print(f"quern bench: {bench.failed} runs failed; {bench.store.path} says why", file=sys.stderr)
    return status or (FAILED if bench.failed else 0)


def main(o, cases_of, kind=Bench, **more):
    """Measures the cases and reports; the exit status."""
    with kind(o, **more) as bench:
        try:
            bench.measure(cases_of)
            status = 0
        except (BenchError, OSError) as e:
            if bench.progress is None:
                raise
            bench.progress.clear()
            print(f"quern bench: {sentence(e)}", file=sys.stderr)
            status = getattr(e, "status", FAILED)
        except KeyboardInterrupt:
            status = INTERRUPTED
        if status == INTERRUPTED and bench.store is not None:
            bench.progress.clear()
            print("quern bench: interrupted; what was measured is kept, and the same command with "
                  f"-o {shlex.quote(str(bench.output))} goes on", file=sys.stderr)
        bench.clusters.stop()
        return finish(bench, status)
