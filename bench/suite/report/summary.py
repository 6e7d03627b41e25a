"""What the runs of a bench say: medians, minima, spread; price, gain, what is not wasted; the ledger against the master.

Everything here is a function of the runs (dictionaries as in results.jsonl) and of nothing else."""
import math
import statistics

from .text import plain, seconds

MODES = "coarse", "adaptive", "fine"  # in the order in which they are shown; others as they come
BASE = "coarse"


def summarize(runs, header=None):
    """What is written to summary.json: plain dictionaries and lists.

    `groups` are what may be compared: the runs of one workload, case and cluster, by mode; `name` is for sentences, `label` for
    plots. In a mode: `figures` have `median`, `min`, `max`, `spread` ((max - min) / median) and `n`; `notes` are what is to be said of single
    runs; beside coarse `price` (its time over coarse's), `gain` (what coarse holds over what it holds), `saved` (1 - 1 / gain), the
    least and the most of `price` and `saved` in one turn (`_low`, `_high`), and `waste_removed`, the share of what coarse holds and
    does not use. `ledger_off` is what the scheduler's ledger says to be held over what the master said meanwhile, less 1. What cannot be said is absent."""
    header = header or {}
    groups = [dict(key, modes=_modes(key.get("workload"), members)) for key, members in grouped(runs, header)]
    for group in groups:
        _compare(group)
    for workload in dict.fromkeys(group.get("workload") for group in groups):
        _name([group for group in groups if group.get("workload") == workload])
    return {"header": header, "groups": groups, "load": _load(runs)}


def grouped(runs, header):
    """[(what the runs of a group have in common, {mode: Members})], groups as they come, modes in their order."""
    groups = {}
    for run in _latest(runs):
        key = {name: run.get(name, header.get(name)) for name in ("workload", "case", "agents", "slots", "allocation_interval_ms")}
        by_mode = groups.setdefault(tuple(map(str, key.values())), (key, {}))[1]
        by_mode.setdefault(str(run.get("mode", "")), Members()).add(run)
    for key, by_mode in groups.values():
        task_s = [run["task_s"] for m in by_mode.values() for run in m.whole if is_number(run.get("task_s"))]
        key["task_s"] = task_s[0] if task_s else None
    return [({name: value for name, value in key.items() if value is not None},
             {mode: by_mode[mode] for mode in sorted(by_mode, key=_rank)}) for key, by_mode in groups.values()]


class Members:
    """The runs of one mode in a group: `counted` are those that figures are made of. Disturbed ones count when there is no other."""

    def __init__(self):
        self.whole, self.failed = [], []

    def add(self, run):
        (self.failed if run.get("status") else self.whole).append(run)

    @property
    def counted(self):
        return [run for run in self.whole if not run.get("disturbed")] or self.whole

    def values(self, name):
        """{turn: value} of a figure."""
        figures = {turn_of(run): run.get("figures", {}).get(name) for run in self.counted}
        return {turn: value for turn, value in figures.items() if is_number(value)}

    def median_run(self, wanted):
        """The counted run in the middle by wall time, of those that have `wanted`; None if there is none."""
        runs = sorted((run for run in self.counted if run.get(wanted)), key=lambda run: run.get("figures", {}).get("wall_s", 0))
        return runs[(len(runs) - 1) // 2] if runs else None


def turn_of(run):
    """What runs of several modes have in common that belong together: their turn, in a simulation their seed."""
    return str(run.get("turn", run.get("seed")))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def stats(values):
    values = list(values)
    median = statistics.median(values)
    found = {"median": median, "min": min(values), "max": max(values), "n": len(values)}
    if median:
        found["spread"] = (found["max"] - found["min"]) / abs(median)
    return found


def median_of(mode, figure):
    """Of a mode of a group; None when it was not measured."""
    return mode["figures"].get(figure, {}).get("median")


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def _load(runs):
    """What else went on: load average before the runs, cores that something else used meanwhile."""
    found = {name: [run[name] for run in runs if is_number(run.get(name))] for name in ("load_before", "others_cores")}
    return {name: stats(values) for name, values in found.items() if values}


def _latest(runs):
    """A run that was made again replaces the one before, unless that was whole and this one is not."""
    kept = {}
    for run in runs:
        key = turn_of(run), *(str(run.get(name)) for name in ("workload", "case", "mode", "agents", "slots", "allocation_interval_ms"))
        if key not in kept or kept[key].get("status") or not run.get("status"):
            kept[key] = run
    return list(kept.values())


def _rank(mode):
    """Coarse, adaptive, fine; those that are no mode of ours behind, as they come."""
    return MODES.index(mode) if mode in MODES else -1 if mode == "alone" else len(MODES)


def _modes(workload, members):
    return {mode: _mode(workload, m) for mode, m in members.items()}


def _mode(workload, m):
    names = dict.fromkeys(name for run in m.counted for name, value in run.get("figures", {}).items() if is_number(value))
    disturbed = sum(1 for run in m.whole if run.get("disturbed"))
    found = {"runs": len(m.counted), "failed": len(m.failed), "disturbed": disturbed,
             "all_disturbed": 0 < disturbed == len(m.whole),
             "errors": sorted({str(run.get("error", "no reason was given")) for run in m.failed}),
             "figures": {name: stats(m.values(name).values()) for name in names},
             "notes": [plain(run["note"]) for run in m.counted if run.get("note")],
             "turns": {"time": _times(workload, m), "held": {} if workload == "dispatch" else m.values("held_core_s")}}
    off = [value / master - 1 for value, master in _pairs(m.values("held_core_s"), m.values("master_held_core_s")) if master > 0]
    if off:
        found["ledger_off"] = statistics.median(off)
    return found


def _times(workload, m):
    """{turn: seconds}, what a price is made of: the job's wall time. Beside neighbours that of a job in the mean, as how long all of it
    takes is a matter of when jobs arrive; in dispatch that of a task, as modes have different numbers of them."""
    if workload == "dispatch":
        return {turn: 1 / rate for turn, rate in m.values("tasks_per_s").items() if rate > 0}
    return m.values("job_mean_s") if workload == "neighbours" and m.values("job_mean_s") else m.values("wall_s")


def _pairs(a, b):
    """The values of the turns that both have."""
    return [(a[turn], b[turn]) for turn in a if turn in b]


def _compare(group):
    """Holds each mode against coarse: of the same turns, where there are some, as these ran one after the other."""
    base = group["modes"].get(BASE)
    alone = group["modes"].get("alone")
    for name, mode in group["modes"].items():
        if base and name != "alone":
            _against(mode, base)
        if alone and name != "alone" and work_of(alone) and work_of(mode) is not None:
            mode["neighbour_share"] = work_of(mode) / work_of(alone)
    for mode in group["modes"].values():
        mode.pop("turns")


def work_of(mode):
    """What the neighbour gets done: core-seconds a second, if it was measured for how long, as the time is not the same in each mode."""
    rate = median_of(mode, "neighbour_cores")
    return median_of(mode, "neighbour_core_s") if rate is None else rate


def _against(mode, base):
    time, base_time = _median(mode, "time"), _median(base, "time")
    held, base_held = _median(mode, "held"), _median(base, "held")
    if time and base_time:
        mode["price"] = time / base_time
        _range(mode, "price", [a / b for a, b in _turns(mode, base, "time")])
    if held and base_held:
        mode["gain"] = base_held / held
        mode["saved"] = 1 - held / base_held
        _range(mode, "saved", [1 - a / b for a, b in _turns(mode, base, "held")])
        used, base_used = median_of(mode, "used_core_s"), median_of(base, "used_core_s")
        if used is not None and base_used is not None and base_held > base_used:
            mode["waste_removed"] = 1 - (held - used) / (base_held - base_used)


def _median(mode, what):
    return statistics.median(mode["turns"][what].values()) if mode["turns"][what] else None


def _turns(mode, base, what):
    return [(a, b) for a, b in _pairs(mode["turns"][what], base["turns"][what]) if b > 0]


def _range(mode, name, values):
    if values:
        mode[name + "_low"], mode[name + "_high"] = min(values), max(values)


def _name(cases):
    """Names the cases of one workload, as shortly as they can be told apart."""
    intervals = len({group.get("allocation_interval_ms") for group in cases}) > 1
    lengths = cases[0].get("workload") == "sweep" and all(group.get("task_s") is not None for group in cases)
    for group in cases:
        workload, case = plain(group.get("workload", "")), plain(group.get("case", ""))
        if len(cases) == 1:
            name = label = workload
        elif lengths:
            label, name = seconds(group["task_s"]), f"{workload} of {seconds(group['task_s'])} tasks"
        else:
            label, name = case, f"{workload}, {case}" if case else workload
        if intervals and lengths and group.get("allocation_interval_ms"):
            interval = f", {seconds(group['allocation_interval_ms'] / 1000)} interval"
            label, name = label + interval, name + interval
        group["name"], group["label"] = name, label
    if len({group["name"] for group in cases}) < len(cases):
        for group in cases:
            group["label"] = plain(group.get("case", ""))
            group["name"] = f"{group['name']} ({group['label']})"
