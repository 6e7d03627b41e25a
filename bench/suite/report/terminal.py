"""The table on the terminal: no line longer than 100 columns."""
import textwrap

from .advice import ALONE
from .columns import columns_of
from .text import listed, number, percent, plain, seconds, short

WIDTH = 100
MODE = 9  # the least that the column of modes takes
NAMES = 28  # the most
LEGEND = ("price: time over coarse's; held: core-seconds; gain: coarse's held over the mode's; util: used / held; unwaste: of what coarse "
          "holds and does not use, what is not wasted; gaps ms: of slots, p50/p99; spread: (max - min) / median; master: the ledger's "
          "held beyond the master's; alloc: allocation runs of the master; nb: the neighbour's cores at work; runs: ! disturbed, f failed")
CELL = 6  # the least that another takes, so that tables are below each other alike


def terminal(summary):
    """The text, with a line feed at its end."""
    lines = list(_head(summary["header"]))
    for group in summary["groups"]:
        lines += ["", *_group(group)]
    if summary["groups"]:
        lines += ["", *_wrapped(LEGEND)]
    if summary.get("advice"):
        lines += ["", *_advice(summary["advice"])]
    for warning in summary["warnings"]:
        lines += _wrapped("warning: " + warning)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def setting(group):
    """Agents, slots, task length, allocation interval: what a figure is not to be read without."""
    said = []
    if group.get("slots") is not None and group.get("agents") is not None:
        said.append(f"{number(group['slots'])} slots on {number(group['agents'])} agents")
    elif group.get("agents") is not None:
        said.append(f"{number(group['agents'])} agents")
    if group.get("task_s") is not None:
        said.append(f"tasks of {seconds(group['task_s'])}")
    if group.get("allocation_interval_ms"):
        interval = group["allocation_interval_ms"] / 1000
        said.append(f"allocation interval {seconds(interval)}")
        if group.get("task_s"):
            said.append(f"task/interval {number(group['task_s'] / interval)}")
    return ", ".join(said)


def _head(header):
    machine = header.get("machine", {})
    title = f"quern bench {header.get('bench', '')}".strip()
    yield from _wrapped(", ".join(filter(None, [
        title, f"version {plain(header['version'])}" if header.get("version") else "", plain(header.get("date", "")),
        f"on {plain(header['cluster'])}" if header.get("cluster") else "",
        f"{number(machine['cores'])} cores" if machine.get("cores") else ""])))
    if header.get("options"):
        yield from _wrapped("options: " + " ".join(f"{plain(k)} {plain(v)}" for k, v in header["options"].items()))


def _title(group):
    """The workload, and its case where that is more; and the setting."""
    workload, case = plain(group.get("workload", "")), plain(group.get("case", ""))
    return ": ".join(filter(None, [f"{workload}, {case}" if case not in ("", workload) else workload, setting(group)]))


def _group(group):
    yield from _wrapped(_title(group))
    modes = group["modes"]
    if all(not mode["runs"] for mode in modes.values()):
        yield "  no run came to its end"
        return
    yield from _table(modes)
    if group.get("advice"):
        advice = group["advice"]
        yield from _wrapped(f"-> {'' if advice['sure'] else 'perhaps '}{advice['mode']}: {advice['text']}", "  ", "     ")


def _table(modes):
    names = [short(name, NAMES) for name in modes]
    first = max(MODE, *map(len, names))
    rows = [["", *names]]
    room = WIDTH - 2 - first
    for column in columns_of(modes.values()):
        cells = [column.head, *(column.cell(mode) or "-" for mode in modes.values())]
        width = max(CELL, *map(len, cells))
        if column.head and width + 1 <= room:
            room -= width + 1
            rows.append([cell.rjust(width) for cell in cells])
    rows[0] = [cell.ljust(first) for cell in rows[0]]
    for line in zip(*rows):
        yield "  " + " ".join(line)


def _advice(advice):
    yield from _wrapped(f"{'Take' if advice['sure'] else 'Perhaps take'} {advice['mode']}. {advice['text']}")
    for mode, where in advice["otherwise"].items():
        yield from _wrapped(f"but {mode} for {listed(where)}", "  ", "    ")
    if advice["doubts"]:
        yield from _wrapped(f"not sure: {'; '.join(advice['doubts'])}", "  ", "    ")
    yield from _wrapped(ALONE)


def _wrapped(text, indent="", later="  "):
    return textwrap.wrap(plain(text), WIDTH, initial_indent=indent, subsequent_indent=later) or [""]
