"""The columns of the tables, on the terminal and on the page: one list, of which a table takes what there are figures for."""
from .summary import median_of
from .text import digits3, number, percent1, ratio


class Column:
    """`head` is short, for the terminal; `title` (unit included) and `what` are for the page. `cell(mode)` is None without a figure."""

    def __init__(self, head, title, what, cell):
        self.head, self.title, self.what, self._cell = head, title, what, cell

    def cell(self, mode):
        try:
            return self._cell(mode)
        except (KeyError, TypeError):
            return None


def figure(name, head, title, what, write=digits3, part="median"):
    return Column(head, title, what, lambda mode: write(mode["figures"][name][part]))


def _runs(mode):
    extra = f"+{mode['failed']}f" if mode["failed"] else ""
    return f"{mode['runs']}{'!' if mode['all_disturbed'] else ''}{extra}"


def _between(mode):
    return None if mode["price"] == 1 else f"{ratio(mode['price_low'])} to {ratio(mode['price_high'])}"


def _two(a, b):
    return lambda mode: f"{number(median_of(mode, a))}/{number(median_of(mode, b))}"


COLUMNS = [
    figure("wall_s", "wall s", "wall, s", "median, from the command's first byte to its exit"),
    Column("price", "price", "the job's time over that in coarse mode; beside neighbours a job's in the mean, of dispatch a task's",
           lambda mode: f"{mode['price']:.3f}"),
    figure("held_core_s", "held", "held, core-s", "core-seconds that Mesos had allocated to the job, by the scheduler's ledger"),
    Column("gain", "gain", "coarse's held over this mode's", lambda mode: ratio(mode["gain"])),
    figure("utilization", "util", "utilization", "used / held", percent1),
    figure("neighbour_core_s", "", "neighbour, core-s", "core-seconds of work that the neighbour got done"),
    Column("of it", "neighbour / alone", "the same over what it gets done alone", lambda mode: percent1(mode["neighbour_share"])),
    Column("unwaste", "waste removed", "the share of what coarse holds and does not use that this mode does not waste",
           lambda mode: percent1(mode["waste_removed"])),
    Column("gaps ms", "gaps p50/p99, ms", "a slot's task ends -> the next one starts in it, while tasks wait",
           _two("gap_p50_ms", "gap_p99_ms")),
    Column("runs", "runs", "runs that count; ! all of them disturbed, f failed", _runs),
    figure("wall_s", "min", "least, s", "the fastest run", part="min"),
    figure("wall_s", "spread", "spread", "(slowest - fastest) / median", percent1, part="spread"),
    Column("", "price over turns", "the least and the most in one turn", _between),
    figure("used_core_s", "", "used, core-s", "core-seconds in which tasks ran"),
    Column("", "waits p50/p99, ms", "a task can run -> it starts", _two("wait_p50_ms", "wait_p99_ms")),
    Column("master", "ledger / master", "held by the scheduler's ledger, beyond what the master's metrics say",
           lambda mode: f"{100 * mode['ledger_off']:+.1f} %"),
    Column("alloc", "allocations", "allocation runs of the master", lambda mode: digits3(median_of(mode, "allocation_runs"))),
    figure("allocation_p50_ms", "", "an allocation, ms", "what one of those takes the master, the median"),
    figure("cpu_scheduler_s", "", "scheduler CPU, s", "of quern's scheduler"),
    figure("cpu_executors_s", "", "executors CPU, s", "of executors and their workers"),
    figure("cpu_cluster_s", "", "cluster CPU, s", "of master and agents"),
]
KNOWN = {"wall_s", "held_core_s", "used_core_s", "utilization", "gap_p50_ms", "gap_p99_ms", "wait_p50_ms", "wait_p99_ms",
         "master_held_core_s", "neighbour_core_s", "allocation_runs", "allocation_p50_ms", "cpu_scheduler_s", "cpu_executors_s",
         "cpu_cluster_s"}
# Figures that are what a bench is about: they stand behind the first columns, others that are not known come last.
FIRST = 5
OWN = {"tasks_per_s": "tasks/s", "cpu_per_task_us": "us/task", "cpu_per_task_scheduler_us": "sched us",
       "cpu_per_task_executors_us": "exec us", "bytes_per_task": "B/task", "bytes_per_agent": "B/agent", "neighbour_cores": "nb",
       "throughput_cores": "all", "job_mean_s": "job s", "small_job_mean_s": "small s", "query_p50_ms": "query ms"}
UNITS = {"_core_s": "core-s", "_per_s": "a second", "_cores": "cores", "_bytes": "bytes", "_ms": "ms", "_us": "us", "_s": "s"}


def columns_of(modes):
    """What to show of these modes: the known columns that have a figure, and one for each other figure."""
    there = dict.fromkeys(name for mode in modes for name in mode["figures"] if name not in KNOWN)
    own, others = ([figure(name, _head(name), _title(name), "") for name in names]
                   for names in ([name for name in OWN if name in there], [name for name in there if name not in OWN]))
    every = COLUMNS[:FIRST] + own + COLUMNS[FIRST:] + others
    return [column for column in every if any(column.cell(mode) is not None for mode in modes)]


def unit_of(name):
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _words(name):
    end = next((end for end in UNITS if name.endswith(end)), "")
    return name[:len(name) - len(end)].replace("_", " ") or name


def _title(name):
    return f"{_words(name)}, {unit_of(name)}" if unit_of(name) else _words(name)


def _head(name):
    return OWN.get(name) or f"{_words(name)} {unit_of(name)}".strip()
