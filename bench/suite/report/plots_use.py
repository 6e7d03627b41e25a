"""What happens over time: cores held and used, and the gaps of slots."""
import bisect

from .chart import Axis, Canvas, linear, logarithmic
from .figure import Figure, is_wide
from .summary import MODES, is_number
from .text import listed, number, plural

WORKLOADS = "tail", "waist", "think", "job"  # of which cores over time are shown
CURVE = 160        # points of a distribution's line
LEAST_GAP_MS = 0.1  # what is less is as good as none


def figures(summary, members):
    """Those of these plots for which there is something to show."""
    shown = []
    for group, (_, by_mode) in zip(summary["groups"], members):
        if group.get("workload") in WORKLOADS:
            shown += _cores(group, by_mode, len(shown))
    return shown + [figure for figure in (_gaps(members),) if figure]


# --- cores held and used over time

def _cores(group, by_mode, number_of):
    runs = {name: by_mode[name].median_run("timeline") for name in by_mode}
    timelines = {name: _steps(run["timeline"]) for name, run in runs.items() if run}
    timelines = {name: steps for name, steps in timelines.items() if len(steps) > 1}
    if timelines:
        yield Figure(f"cores-{number_of + 1}-{_file_name(group)}", f"Cores over time: {group['name']}",
                     _cores_caption(group, timelines), lambda width, height: _draw_cores(timelines, width, height), row="cores",
                     height=62 + 118 * len(timelines))


def _file_name(group):
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in str(group.get("workload")))


def _steps(timeline):
    """Rows of three numbers that come in order; others are left out."""
    rows = [row for row in timeline if isinstance(row, list) and len(row) == 3 and all(map(is_number, row))]
    return sorted(rows, key=lambda row: row[0])


def _sums(steps):
    """Core-seconds held and used, of a timeline."""
    return [sum((after[0] - row[0]) * row[i] for row, after in zip(steps, steps[1:])) for i in (1, 2)]


def _cores_caption(group, timelines):
    idle = {name: held - used for name, (held, used) in ((name, _sums(steps)) for name, steps in timelines.items())}
    what = {"tail": "A few long tasks are left at the end", "waist": "A few tasks run alone between two wide stages",
            "think": "Queries come with pauses for thought between them"}.get(group.get("workload"), "One run")
    return (f"{what}. Pale is what was held, full colour what worked; pale alone was of use to nobody: "
            f"{listed(f'{number(max(0, value))} core-seconds in {name} mode' for name, value in idle.items())}.")


def _draw_cores(timelines, width, height):
    canvas = Canvas(width, height)
    end = max(steps[-1][0] for steps in timelines.values())
    most = max(max(row[1], row[2]) for steps in timelines.values() for row in steps)
    names = [name for name in MODES if name in timelines] + [name for name in timelines if name not in MODES]
    for i, name in enumerate(names):
        last = i == len(names) - 1
        x = linear("time, s" if last else "", [0, end], 6)
        x = Axis(x.title, 0, end, [tick for tick in x.ticks if tick[0] <= end] if last else [], False)
        top = 54 + 118 * i
        held, used = _sums(timelines[name])
        y = linear("", [0, most], 4)
        y.high = max(most, y.ticks[-2][0])
        y.ticks = [tick for tick in y.ticks if tick[0] <= y.high]
        chart = canvas.chart(34, top, 14, height - top - 78, x, y)
        canvas.mark(7, top - 17, name)
        canvas.text(17, top - 17, name, name, bold=True)
        canvas.text(96, top - 17, f"held {number(held)}, used {number(used)} core-s", "muted")
        chart.area(f"{name}, held", name, [(row[0], row[1]) for row in timelines[name]], 0.28)
        chart.area(f"{name}, used", name, [(row[0], row[2]) for row in timelines[name]], 0.95)
    canvas.text(2, 12, "cores: pale is held, full is used", "muted")
    return canvas


# --- gaps of slots

def _gaps(members):
    gaps = {}
    for _, by_mode in members:
        for name, of in by_mode.items():
            for run in of.counted:
                gaps.setdefault(name, []).extend(value for value in run.get("gaps_ms", []) if is_number(value) and value >= 0)
    gaps = {name: sorted(values) for name, values in gaps.items() if values and name in MODES}
    if not gaps:
        return None
    said = [f"{name}'s are up to {number(_quantile(values, 0.5))} ms for half of them and up to {number(_quantile(values, 0.99))} ms for 99 %"
            for name, values in gaps.items()]
    return Figure("gaps", "How long a slot waits for its next task",
                  "A slot's task has ended and others wait: how long until the next one starts in it, over all workloads and runs. Further to the "
                  f"left is better. Here {'; '.join(said)} ({plural(sum(map(len, gaps.values())), 'gap')} seen).",
                  lambda width, height: _draw_gaps(gaps, width, height))


def _quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


def _distribution(values):
    """(gap, share of the gaps that are not longer, in %)."""
    shares = [i / CURVE for i in range(1, CURVE + 1)]
    at = [max(LEAST_GAP_MS, values[min(len(values) - 1, max(0, round(share * len(values)) - 1))]) for share in shares]
    rows = [(at[0], 0.0)] + [(x, 100 * bisect.bisect_right(values, x) / len(values)) for x in at]
    return list(dict.fromkeys(rows))


def _draw_gaps(gaps, width, height):
    canvas = Canvas(width, height)
    lines = {name: _distribution(values) for name, values in gaps.items()}
    values = [row[0] for rows in lines.values() for row in rows]
    x = logarithmic("gap of a slot, ms", values, 9 if is_wide(width) else 5)
    x.ticks = [(value, f"<= {text}" if value <= LEAST_GAP_MS else text) for value, text in x.ticks]
    chart = canvas.chart(48, 48, 20, 50, x, linear("gaps up to that length, %", [0, 100], 6))
    for i, (name, rows) in enumerate(lines.items()):
        chart.line(name, name, rows + [(x.high, 100.0)], i + 1, marks=False)
    for name, rows in lines.items():
        chart.name_line(name, name, sorted(rows, key=lambda row: abs(row[1] - 60)))
    return canvas
