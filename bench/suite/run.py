"""One run of a job, measured: how long it took, what it held and used, by its own account (the event log) and by the master's, what
the CPUs did meanwhile; and what else was going on."""
import os
import random
import selectors
import signal
import subprocess
import tempfile
import time

from suite import eventlog, timed
from suite.errors import BenchError
from suite.master import Sampler

GAPS = 500        # values that are kept of a run
END_S = 60        # until a job that was told to end is killed
ALLOCATIONS = "allocator/mesos/allocation_runs"
ALLOCATION_MS = "allocator/mesos/allocation_run_ms/p50"


class Process:
    """A command that runs, and how it has ended: `status`, `out`, `err`, CPU seconds `cpu`, when (`begun`, `ended`)."""

    def __init__(self, argv, *, stdin=subprocess.DEVNULL, env=None):
        self.argv = [str(a) for a in argv]
        self._out = tempfile.TemporaryFile()
        self._err = os.fdopen(os.memfd_create("stderr"), "w+b")  # a full disk is to be heard of
        self.status = self.cpu = self.ended = None
        self.begun = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdin=stdin, stdout=self._out, stderr=self._err, env=env, start_new_session=True)
        timed.waited_for.add(self.process.pid)
        self.pidfd = os.pidfd_open(self.process.pid)

    def wait(self):
        """Until it has ended."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.ended = time.monotonic()
        self.process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        timed.waited_for.discard(self.process.pid)
        os.close(self.pidfd)
        self.out, self.err = self._text(self._out), self._text(self._err)

    @staticmethod
    def _text(file):
        file.seek(0)
        with file:
            return file.read().decode(errors="replace")

    def signal(self, what):
        if self.status is None:
            self.process.send_signal(what)

    def interrupt(self):
        """Ends it as Ctrl-C does, and waits until it has cleaned up."""
        if self.status is not None:
            return
        self.signal(signal.SIGINT)
        with selectors.DefaultSelector() as s:
            s.register(self.pidfd, selectors.EVENT_READ)
            if not s.select(END_S):
                self.signal(signal.SIGKILL)
        self.wait()

    def problem(self):
        """A line on what went wrong, or None."""
        if self.status == 0:
            return None
        said = [line for line in self.err.splitlines() if line.strip()]
        how = f"status {self.status}" if self.status > 0 else f"signal {-self.status}"
        return f"{said[-1] if said else 'it said nothing'} ({how})"


def until_ended(processes, sampler=None, *, arrivals=(), most=None, until=0):
    """Waits until all of them have ended, and at least until that time (of time.monotonic()), and samples meanwhile. arrivals:
    (when, start) in order: start() gives one more at that time, or later if there are `most` of them already. If this is
    interrupted, so are they."""
    running, coming = list(processes), list(arrivals)
    try:
        while running or coming or time.monotonic() < until:
            free = most is None or len(running) < most
            times = [coming[0][0] if coming and free else None, sampler.due() if sampler else None,
                     None if running or coming else until]
            for p in ready(running, sampler, min((t for t in times if t is not None), default=None)):
                p.wait()
                running.remove(p)
            while coming and coming[0][0] <= time.monotonic() and (most is None or len(running) < most):
                running.append(coming.pop(0)[1]())
            if sampler is not None:
                sampler.go()
    except BaseException:
        for p in running:
            p.interrupt()
        raise
    finally:
        if sampler is not None:
            sampler.stop()


def ready(processes, sampler, time_out):
    """Those that have ended; waits for one, or for the sampler's answer, or until that time."""
    with selectors.DefaultSelector() as s:
        for p in processes:
            s.register(p.pidfd, selectors.EVENT_READ, p)
        if sampler is not None and sampler.fileno() is not None:
            s.register(sampler.fileno(), selectors.EVENT_READ)
        found = s.select(None if time_out is None else max(0.0, time_out - time.monotonic()))
    return [key.data for key, _ in found if key.data is not None]


def sample(values, most, seed):
    """At most so many of them, in their order."""
    if len(values) <= most:
        return list(values)
    return [values[i] for i in sorted(random.Random(seed).sample(range(len(values)), most))]


def metrics_of(cluster):
    """The master's, or {}: it may refuse them, or be gone."""
    try:
        return cluster.metrics()
    except BenchError:
        return {}


def allocations(before, after):
    """What the master did for all of its frameworks meanwhile, as far as it counts."""
    found = {}
    if ALLOCATIONS in before and ALLOCATIONS in after:
        found["allocation_runs"] = after[ALLOCATIONS] - before[ALLOCATIONS]
    if ALLOCATION_MS in after:
        found["allocation_p50_ms"] = after[ALLOCATION_MS]
    return found


def from_log(path, seed):
    """What a run's event log says: figures, and what of it is no single number."""
    log = eventlog.read(path)
    problems = eventlog.check(log)
    if problems:
        raise eventlog.LogError(f"the event log does not add up: {problems[0]}"
                                f"{f' (and {len(problems) - 1} more)' if len(problems) > 1 else ''}")
    found = eventlog.figures(log)
    del found["wall_s"]  # of the scheduler alone
    more = {"timeline": found.pop("timeline"), "gaps_ms": sample(found.pop("gaps_ms"), GAPS, seed)}
    return found, more


class Job:
    """What to run: `job` and its arguments, by `quern run`. `options`: more of that."""
    numbers = iter(range(1 << 62))

    def __init__(self, bench, mode, job, *args, slots=None, options=()):
        self.bench, self.mode = bench, mode
        self.name = f"quern-bench-{os.getpid()}-{next(self.numbers)}"
        self.log = bench.tmp / f"{self.name}.jsonl"
        self.argv = [bench.quern, "run", "--quiet", "--master", bench.cluster.address, "--name", self.name, "--mode", mode,
                     "--total-executor-cores", slots or bench.slots, "--event-log", self.log, *bench.run_options, *options,
                     job, *args]

    def start(self):
        return Process(self.argv)

    def figures(self, process, seed):
        """Of its run: (figures, more), or BenchError."""
        problem = process.problem()
        try:
            if problem:
                raise BenchError(problem)
            found, more = from_log(self.log, seed)
        except eventlog.LogError as e:
            raise BenchError(str(e)) from None
        finally:
            self.log.unlink(missing_ok=True)
        return {"wall_s": process.ended - process.begun, **found, "cpu_scheduler_s": process.cpu}, more


class Measured:
    """What was seen around one run: for `with`; then load(), disturbed and the rest are known."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.sampler = Sampler(cluster.master)
        self.timed = timed.Timed()

    def __enter__(self):
        self.before = metrics_of(self.cluster)
        self.timed.__enter__()
        self.cpu_before = self.cluster.cpu_s()
        return self

    def __exit__(self, *_):
        cpu = self.cluster.cpu_s()
        self.cluster_cpu = cpu - self.cpu_before if cpu is not None else None
        self.timed.__exit__()
        self.allocations = allocations(self.before, metrics_of(self.cluster))

    def about(self):
        """Of the run: what else was going on."""
        return {"load_before": round(self.timed.load, 2), "others_cores": round(self.timed.others, 3),
                "disturbed": self.timed.disturbed()}

    def cpu_figures(self, scheduler_s, others_s=0.0):
        """CPU seconds of the cluster and of executors, where they are on this machine. others_s: of what is neither."""
        if self.cluster_cpu is None:
            return {}
        executors = self.timed.cpu - scheduler_s - self.cluster_cpu - others_s
        return {"cpu_cluster_s": self.cluster_cpu, "cpu_executors_s": max(0.0, executors)}


def rounded(figures):
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in figures.items()}


def measure(job, seed, and_then=lambda process: {}):
    """Runs a job and gives its part of a run's line of results. and_then(process): more figures, once it has ended; BenchError
    from it is a failure of the run."""
    run = {}
    try:
        with Measured(job.bench.cluster) as m:
            process = job.start()
            until_ended([process], m.sampler)
        run = m.about()
        figures, more = job.figures(process, seed)
        held = m.sampler.held_core_s(lambda name: name == job.name, process.begun, process.ended)
        if held is not None:
            figures["master_held_core_s"] = held
        figures.update(m.allocations)
        figures.update(m.cpu_figures(process.cpu))
        figures.update(and_then(process))
        return {**run, "status": 0, "figures": rounded(figures), **more}
    except BenchError as e:
        return {**run, "status": 1, "error": str(e)}
