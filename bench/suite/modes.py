"""`quern bench modes`: sleeping tasks in every mode."""
from suite import bench, workloads
from suite.bench import Case
from suite.cluster import INTERVAL_MS
from suite.errors import USAGE, BenchError
from suite.run import Job, measure

INTERVALS_MS = INTERVAL_MS, 100  # of a full run; at the second one the sweep alone


def query_times(process):
    """The figures of think: milliseconds of each of its queries, of which it prints one a line."""
    times = sorted(float(line) for line in process.out.splitlines())
    return {"query_p50_ms": times[len(times) // 2], "query_max_ms": times[-1]}


def case_of(b, w, mode):
    name = w.case
    if b.interval_ms != b.intervals_ms[0]:
        name += f", allocation interval {workloads.time_text(b.interval_ms)}"

    def go(_turn):
        return measure(Job(b, mode, b.job(w.job), *w.arguments), b.o.seed, query_times if w.name == "think" else lambda _: {})

    return Case(w.name, name, mode, w.seconds, go, {"task_s": w.task_s})


def cases(b):
    names = b.o.words or workloads.NAMES
    if b.interval_ms != b.intervals_ms[0] and not b.o.allocation_interval:
        names = [name for name in names if name == "sweep"]
    found = workloads.workloads(names, workloads.QUICK if b.o.quick else workloads.FULL, b.slots, b.o.seed, b.o.lengths)
    for job in {w.job: w for w in found}:
        b.warm(b.job(job), 1, *{"sleep.c": ("1:1",), "think.c": (1, 1, "1:1")}[job])
    return [case_of(b, w, mode) for w in found for mode in b.o.modes]


def main(o):
    unknown = [name for name in o.words if name not in workloads.NAMES]
    if unknown:
        raise BenchError(f"there is no workload '{unknown[0]}'; there are {', '.join(workloads.NAMES)}", USAGE)
    intervals = o.allocation_interval or ([INTERVAL_MS] if o.quick or o.master else list(INTERVALS_MS))
    least = 2 if not o.words or "waist" in o.words else 1
    return bench.main(o, cases, least_slots=least, intervals_ms=intervals)
