"""What a neighbour gets done, what decisions cost in a simulation, and what ideas are worth."""
from .chart import Axis, Canvas, linear, logarithmic
from .figure import Figure, is_wide, roles
from .ideas import CONFIDENCE
from .summary import MODES, is_number, median_of
from .text import listed, number, percent, short

ROW = 44  # pixels for a bar
NAMES = {"alone": "neighbour alone", "static": "static partition"}
AGENTS = "agents"


def figures(summary, members):
    """Those of these plots for which there is something to show."""
    del members
    neighbours = [figure for i, group in enumerate(summary["groups"]) for figure in _neighbours(group, i)]
    return neighbours + [*_cost(summary["groups"]), *(figure for i, of in enumerate(summary["ideas"]) for figure in _ideas(of, i))]


# --- neighbours

def _neighbours(group, index):
    rated = any("neighbour_cores" in mode["figures"] for mode in group["modes"].values())
    figure = "neighbour_cores" if rated else "neighbour_core_s"
    work = {name: mode["figures"][figure] for name, mode in group["modes"].items() if figure in mode["figures"]}
    if len(work) > 1:
        shares = {name: group["modes"][name].get("neighbour_share") for name in work}
        more = "" if group["name"] == group.get("workload") else f": {group['name']}"
        yield Figure(f"neighbours-{index + 1}", f"What a neighbour gets done{more}", _neighbours_caption(group["modes"], shares),
                     lambda width, height: _draw_neighbours(work, shares, rated, width, height), height=76 + ROW * len(work))


def _neighbours_caption(modes, shares):
    together = [f"{number(median_of(mode, 'throughput_cores'))} {_beside(name)}" for name, mode in modes.items()
                if median_of(mode, "throughput_cores") is not None]
    said = [f"{percent(share)} {_beside(name)}" for name, share in shares.items() if share is not None]
    return ("A batch framework that takes whatever it is offered, beside the jobs in each mode. Longer bars are better: what a mode gives back "
            "is work for somebody else. Strokes are the least and the most of the runs, shares those of "
            "what it does alone."
            + (f" Here it does {listed(said)}." if said else "")
            + (f" Cores at work for jobs and neighbour together: {listed(together)}." if together else ""))


def _beside(name):
    return "with a static partition" if name == "static" else f"in {name} mode"


def _draw_neighbours(work, shares, rated, width, height):
    canvas = Canvas(width, height)
    left, most = 140, max(of["max"] for of in work.values())
    x = linear("work of the neighbour, core-seconds" + (" a second" if rated else ""), [0, most], 7 if is_wide(width) else 5)
    x.high = most * 1.02
    x.ticks = [tick for tick in x.ticks if tick[0] <= x.high]
    count = len(work)
    chart = canvas.chart(left, 14, 20 if is_wide(width) else 14, 56, x, Axis("", 0, count, []))
    for i, (name, of) in enumerate(work.items()):
        middle, role = count - i - 0.62, roles([name])[name]
        chart.bars(name, role, [(of["median"], middle, 0.2)])
        chart.add(f"{name}, runs", "ink", [(of["min"], middle, of["max"] - of["min"])], "using 1:2:3:(0) with vectors nohead lw 1.5 {lc}")
        y = chart.at(0, middle)[1]
        canvas.text(left - 8, y, short(NAMES.get(name, name), 16), role, "right", bold=True)
        share = "" if shares.get(name) is None or name == "alone" else f", {percent(shares[name])}"
        canvas.text(left + 2, chart.at(0, middle + 0.38)[1], f"{number(of['median'])} {'cores' if rated else 'core-s'}{share}", "ink")
    return canvas


# --- sim: what a decision costs

def _cost(groups):
    lines = {}
    for group in groups:
        if group.get("workload") == "sim" and is_number(group.get("agents")):
            for name, mode in group["modes"].items():
                cost = mode["figures"].get("cpu_per_task_us")
                if cost and name in MODES:
                    lines.setdefault(name, {})[group["agents"]] = cost
    lines = {name: sorted(of.items()) for name, of in lines.items() if len(of) > 1}
    if lines:
        yield Figure("cost", "What a task costs the scheduler, over the size of the cluster", _cost_caption(lines),
                     lambda width, height: _draw_cost(lines, width, height))


def _cost_caption(lines):
    said = [f"{name} {number(of[0][1]['median'])} us at {number(of[0][0])} agents, {number(of[-1][1]['median'])} us at "
            f"{number(of[-1][0])}" for name, of in lines.items()]
    return ("CPU time of the scheduler for each task, in a simulation of the cluster around the real scheduler. A flat line is what one wants: "
            f"more agents do not make a decision dearer. Here {'; '.join(said)}.")


def _draw_cost(lines, width, height):
    canvas = Canvas(width, height)
    costs = [of[part] for rows in lines.values() for _, of in rows for part in ("min", "max")]
    chart = canvas.chart(48, 48, 24, 50,
                         logarithmic(AGENTS, [agents for rows in lines.values() for agents, _ in rows], 9 if is_wide(width) else 5),
                         linear("scheduler's CPU time for a task, us", [0, *costs], 6))
    for name, rows in lines.items():
        chart.line(name, name, [(agents, of["median"]) for agents, of in rows])
        chart.whiskers(f"{name}, seeds", name, [(agents, of["min"], of["max"]) for agents, of in rows])
    for name, rows in lines.items():
        chart.name_line(name, name, [(agents, of["median"]) for agents, of in reversed(rows)])
    return canvas


# --- sim: ideas

def _ideas(of, index):
    for figure, what in of["figures"].items():
        having = [(idea, found[figure]) for idea, found in of["ideas"].items() if figure in found]
        yield Figure(f"ideas-{index + 1}-{figure}", f"Ideas against {of['base']}: {what}", _ideas_caption(what, having),
                     lambda width, height, having=having, what=what: _draw_ideas(what, having, width, height),
                     row=f"ideas-{index + 1}", height=84 + ROW * len(having))


def _ideas_caption(what, having):
    less, more = ([idea for idea, found in having if test(found)] for test in (lambda f: f["high"] < 0, lambda f: f["low"] > 0))
    said = [f"{word}: {listed(ideas)}" for ideas, word in ((less, "less"), (more, "more")) if ideas]
    return (f"The change of {what} by an idea, same seeds with and without: mean and {100 * CONFIDENCE:.0f} % confidence interval. Pale where "
            f"it reaches the dashed line, no change. {_capital('; '.join(said)) or 'No difference is certain'}.")


def _capital(text):
    return text[:1].upper() + text[1:]


def _draw_ideas(what, having, width, height):
    canvas = Canvas(width, height)
    ends = [100 * found[end] for _, found in having for end in ("low", "high")]
    x = linear(f"change of {what}, %", [0, *ends], 5, lambda value: f"{value:+g}" if value else "0")
    count = len(having)
    chart = canvas.chart(16, 14, 20, 56, x, Axis("", 0, count, []))
    x0 = chart.at(0, 0)[0]
    chart.rule(x0, chart.top, x0, chart.bottom)
    for i, (idea, found) in enumerate(having):
        middle = count - i - 0.68
        role = "muted" if found["low"] <= 0 <= found["high"] else "ink"
        chart.add(f"{idea}, interval", role, [(100 * found["low"], middle, 100 * (found["high"] - found["low"]))],
                  "using 1:2:3:(0) with vectors nohead lw 4 {lc}")
        chart.points(idea, role, [(100 * found["mean"], middle)], 1.2)
        canvas.text(chart.left, chart.at(0, middle + 0.4)[1], short(idea, 40), role, bold=True)
    return canvas
