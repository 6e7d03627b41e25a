"""The latest of each figure: bench/results.json, a list of records, one for each row of bench/RESULTS.md.

A record: `key` (targets.py), `date`, `commit`, `where` (what it ran on, if that is not only this machine), `ours` and `theirs`
(median, min and max of their runs, and how many; theirs is absent where nothing is beside it), `figure`; and `because`, written by
hand, where a figure that became worse is known and accepted: it says why."""
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

from measuring.run import ROOT
from measuring.targets import FIGURES, TARGETS

FILE = ROOT / "bench/results.json"
OWN = ("results.json", "RESULTS.md")  # of bench/: what measuring changes


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": len(values)}


def commit():
    """HEAD, with a + behind it if the work tree has changes to files that it knows, those of the figures left out."""
    def git(*args):
        return subprocess.run(["git", "-C", ROOT, *args], check=True, capture_output=True, text=True).stdout.strip()

    try:
        changes = git("status", "--porcelain", "--untracked-files=no", "--", ":/", *(f":(top,exclude)bench/{f}" for f in OWN))
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changes else "")
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "unknown"


def record(key, ours, theirs=None, where=""):
    """A new record of values of some runs, each side's."""
    made = {"key": key, "date": datetime.date.today().isoformat(), "commit": commit(), "where": where, "ours": spread(ours)}
    if theirs:
        made["theirs"] = spread(theirs)
    made["figure"] = FIGURES[TARGETS[key].figure](made["ours"]["median"], made["theirs"]["median"] if theirs else None)
    return made


def load(path):
    """{key: record}."""
    return {r["key"]: r for r in json.loads(pathlib.Path(path).read_text())}


def save(path, records):
    """In the order of the rows; the file is the new one or the old one, nothing between."""
    path = pathlib.Path(path)
    ordered = [records[key] for key in TARGETS if key in records]
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in ordered) + "\n]\n")
    os.chmod(f.name, 0o644)
    os.replace(f.name, path)


def note(o, key, ours, theirs=None, where=""):
    """Keeps a figure in the file --record, if that is asked for. A run that something disturbed is not worth keeping."""
    if o.record is None:
        return
    if o.disturbed or o.quick:
        print(f"  (not recorded: {key} was {'disturbed' if o.disturbed else 'measured on little input'})", flush=True)
        return
    records = load(o.record) if o.record.exists() else {}
    records[key] = record(key, ours, theirs, where)
    save(o.record, records)


def worse(old, new, tolerance=0.1):
    """[(key, old figure, new figure)] of what became worse by more than `tolerance`, and of which nobody says why."""
    found = []
    for key, target in TARGETS.items():
        if key not in old or key not in new or "because" in new[key]:
            continue
        a, b = old[key]["figure"], new[key]["figure"]
        if b > a * (1 + tolerance) if target.less_is_better else b < a / (1 + tolerance):
            found.append((key, a, b))
    return found


# ---- The table ----

def number(x, unit=""):
    """Three digits that say something, thousands apart."""
    text = f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"
    return f"{text} {unit}".strip() if unit != "/s" else f"{text}/s"


def cell(side, unit):
    return number(side["median"], unit) + (f" ({number(side['min'])})" if "min" in side else "")


def line(target, r):
    theirs = f"{target.peer}: {cell(r['theirs'], target.unit)}" if "theirs" in r else ""
    own = target.figure == "ours"
    figure = number(r["figure"], target.unit if own else "")
    if target.figure == "theirs / ours":
        figure += " times"
    if not target.met(r["figure"]):
        figure = f"**{figure}, missed**"
    wanted = target.wanted if target.limit is not None else ""
    where = f", {r['where']}" if r.get("where") else ""
    because = f" ({r['because']})" if "because" in r else ""
    return (f"| {target.id} | {target.what}{where}{because} | `{target.command}` | {cell(r['ours'], target.unit)} | {theirs} | {figure} |"
            f" {wanted} | {r['date']}, {r['commit']} |")


def table(records):
    return "\n".join(["| id | what | command | quern | against | figure | wanted | measured |", "|---|---|---|---|---|---|---|---|",
                      *(line(TARGETS[key], records[key]) for key in TARGETS if key in records)])
