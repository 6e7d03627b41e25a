"""The workloads of `quern bench modes`: what is run, from the options alone. All of it are sleeping tasks, so that it does not
matter how many cores the machine has: the cluster's cores are what modes deal with."""
import dataclasses

LENGTHS_MS = 0, 10, 50, 100, 250, 500, 1000, 2000, 10000
QUICK_LENGTHS_MS = 10, 100, 1000
NAMES = "sweep", "tail", "waist", "think"
QUICK, FULL = "quick", "full"

# Tasks of the sweep for each slot: enough that its start is not all that is seen, and no more than is waited for.
PER_SLOT = {QUICK: ((10, 40), (100, 12), (500, 4), (1e9, 2)),
            FULL: ((0, 50), (10, 100), (50, 40), (100, 24), (250, 12), (500, 8), (1000, 6), (2000, 4), (1e9, 2))}
# Tasks for each slot, and the median of their lengths.
TAIL = {QUICK: (8, 100), FULL: (12, 200)}
STRAGGLER = 10  # times the median, see bench/jobs/sleep.c
# Tasks for each slot before and after the waist and their length; how many of how long are within it.
WAIST = {QUICK: (6, 50, 2, 1000), FULL: (12, 100, 2, 2000)}
# Queries, mean think time before one, tasks for each slot of one and their length.
THINK = {QUICK: (8, 500, 1, 100), FULL: (30, 2000, 1, 200)}


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    case: str           # for people: what distinguishes it from others of the name
    job: str            # of bench/jobs
    arguments: tuple
    seconds: float      # that it takes at least
    task_s: float       # length of its tasks, or their median


def time_text(ms):
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def sweep(size, slots, seed, lengths_ms):
    for ms in lengths_ms:
        tasks = slots * next(n for most, n in PER_SLOT[size] if ms <= most)
        yield Workload("sweep", f"{tasks} tasks of {time_text(ms)}", "sleep.c", (seed, f"{tasks}:{ms:g}"),
                       tasks / slots * ms / 1000, ms / 1000)


def tail(size, slots, seed):
    per_slot, ms = TAIL[size]
    tasks = per_slot * slots
    yield Workload("tail", f"{tasks} tasks, median {time_text(ms)}, one of {time_text(STRAGGLER * ms)}", "sleep.c",
                   (seed, f"{tasks}~{ms}"), (per_slot * 1.6 + STRAGGLER / 2) * ms / 1000, ms / 1000)


def waist(size, slots, seed):
    per_slot, ms, few, long_ms = WAIST[size]
    tasks = per_slot * slots
    many = time_text(ms)
    yield Workload("waist", f"{tasks} tasks of {many}, {few} of {time_text(long_ms)}, {tasks} of {many}", "sleep.c",
                   (seed, f"{tasks}:{ms}", f"{few}:{long_ms}", f"{tasks}:{ms}"), (2 * per_slot * ms + long_ms) / 1000, ms / 1000)


def think(size, slots, seed):
    queries, mean_ms, per_slot, ms = THINK[size]
    tasks = per_slot * slots
    yield Workload("think", f"{queries} queries of {tasks} tasks of {time_text(ms)}, {time_text(mean_ms)} of thought before each",
                   "think.c", (seed, queries, mean_ms, f"{tasks}:{ms}"), queries * (mean_ms + per_slot * ms) / 1000, ms / 1000)


def workloads(names, size, slots, seed, lengths_ms=None):
    """Those of these names (NAMES), for a job that gets so many cores."""
    lengths_ms = lengths_ms or (LENGTHS_MS if size == FULL else QUICK_LENGTHS_MS)
    makers = {"sweep": lambda: sweep(size, slots, seed, lengths_ms), "tail": lambda: tail(size, slots, seed),
              "waist": lambda: waist(size, slots, seed), "think": lambda: think(size, slots, seed)}
    return [w for name in NAMES if name in names for w in makers[name]()]
