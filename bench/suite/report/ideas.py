"""Ideas held against each other over seeds: the mean of the difference, with its confidence interval."""
import math
import statistics

from .summary import MODES

CONFIDENCE = 0.95
# What is compared, where it was measured.
FIGURES = {"job_mean_s": "a job's time", "held_core_s": "core-seconds held", "cpu_per_task_us": "CPU for a task", "gap_p99_ms": "p99 of gaps"}
# What an idea is judged by, if it changes that by so much at least: with less of one and more of none it is better.
JUDGED, LEAST = ("job_mean_s", "held_core_s", "cpu_per_task_us"), 0.005
LEGEND = (f"  Means over the same seeds, in brackets the {100 * CONFIDENCE:.0f} % confidence interval. better: less of one figure,",
          f"  with that confidence and by {100 * LEAST:g} % at least, and more of none; worse: the reverse; mixed: both.")
# Student's t at 97.5 % by degrees of freedom; from 30 on the normal one is near enough.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101,
     2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045]


def compare(summary, members):
    """Adds `ideas`: for each group of a simulation whose modes are ideas and not modes, the first of them is the base, {idea: {figure:
    {"mean", "low", "high", "n"}}} is the relative difference to it in the runs of the same seed, and "verdicts" {idea: a word or two}."""
    summary["ideas"] = [found for group, (_, by_mode) in zip(summary["groups"], members) for found in _of(group, by_mode)]


def _of(group, by_mode):
    names = list(by_mode)
    if group.get("workload") != "sim" or len(names) < 2 or any(name in MODES for name in names):
        return
    base, ideas, figures = names[0], {}, {}
    for name in names[1:]:
        for figure in FIGURES:
            found = interval(_differences(by_mode[name].values(figure), by_mode[base].values(figure)))
            if found:
                ideas.setdefault(name, {})[figure] = found
                figures[figure] = FIGURES[figure]
    for figure in list(figures):  # a figure that no idea changes in any run has nothing to show
        if all(found[figure]["low"] == found[figure]["high"] == 0 for found in ideas.values() if figure in found):
            del figures[figure]
    if figures:
        yield {"where": group.get("case", ""), "base": base, "ideas": ideas, "figures": figures,
               "verdicts": {idea: _verdict(found) for idea, found in ideas.items()}}


def _verdict(found):
    judged = [found[figure] for figure in JUDGED if figure in found and abs(found[figure]["mean"]) >= LEAST]
    less, more = any(f["high"] < 0 for f in judged), any(f["low"] > 0 for f in judged)
    return "mixed" if less and more else "better" if less else "worse" if more else "no difference"


def _differences(idea, base):
    return [idea[seed] / base[seed] - 1 for seed in idea if base.get(seed, 0) > 0]


def interval(values):
    """None of fewer than two values."""
    if len(values) < 2:
        return None
    mean, half = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    half *= T[len(values) - 2] if len(values) - 2 < len(T) else 1.96
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": len(values)}


def table(found):
    """Lines for a terminal of summary["ideas"]; none if it is empty."""
    lines = []
    for of in found:
        names = {idea: idea.partition("=")[2] or idea for idea in of["ideas"]}
        width = max(map(len, names.values())) + 2
        lines += [f"Ideas, {of['where']}: change against {of['base']}, %",
                  "  " + " " * width + "".join(f"{FIGURES[figure]:24}" for figure in JUDGED).rstrip()]
        lines += [f"  {names[idea]:{width}}" + "".join(f"{_change(figures.get(figure)):24}" for figure in JUDGED) + of["verdicts"][idea]
                  for idea, figures in of["ideas"].items()] + [""]
    return [*lines, *LEGEND] if lines else []


def _change(found):
    return f"{100 * found['mean']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]" if found else "not known"
