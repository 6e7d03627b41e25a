"""The same experiments measured and simulated: how far the two agree."""
from .summary import median_of

AGREE = 0.1
COMPARED = ("wall_s", "wall"), ("held_core_s", "held"), ("used_core_s", "used")
REAL, SIMULATED = "real", "simulated"


def calibrate(summary):
    """Adds `calibration`, if there are such runs: {"within", "agree", "rows": [{"case", "figure", "real", "simulated", "difference"}],
    "missing", "disturbed"}; the difference is a share of the real one, `agree` whether all are within `within`, `missing` names the
    cases that could not be compared whole, and `disturbed` those whose real runs something else on the machine disturbed, all of them."""
    groups = [group for group in summary["groups"] if group.get("workload") == "calibration"]
    if not groups:
        return
    rows = [row for group in groups for row in _rows(group)]
    missing = [group["case"] for group in groups if sum(row["case"] == group["case"] for row in rows) < len(COMPARED)]
    disturbed = [group["case"] for group in groups if group["modes"].get(REAL, {}).get("all_disturbed")]
    summary["calibration"] = {"within": AGREE, "agree": not missing and not any(_off(row) for row in rows), "rows": rows,
                              "missing": missing, "disturbed": disturbed}


def _rows(group):
    for figure, name in COMPARED:
        real, simulated = (median_of(group["modes"][mode], figure) if mode in group["modes"] else None for mode in (REAL, SIMULATED))
        if real and simulated is not None:
            yield {"case": group["case"], "figure": name, "real": real, "simulated": simulated, "difference": simulated / real - 1}


def _off(row):
    return abs(row["difference"]) > AGREE


def table(found):
    """Lines for a terminal of summary["calibration"]."""
    lines = ["Calibration: the same experiment on an embedded cluster and in virtual time (medians; s and core-s)",
             f"  {'':44} {'':6} {'real':>9} {'simulated':>10} {'difference':>11}"]
    for row in found["rows"]:
        lines.append(f"  {row['case']:44} {row['figure']:6} {row['real']:9.3f} {row['simulated']:10.3f} {100 * row['difference']:+10.1f}%"
                     f"{'  more than a tenth' if _off(row) else ''}")
    return lines


def verdict(found):
    """A sentence."""
    rows = found["rows"]
    off = [f"{row['case']}: {row['figure']} {100 * row['difference']:+.1f} %" for row in rows if _off(row)]
    said = [f"{len(off)} of {len(rows)} figures differ by more than a tenth ({'; '.join(off)})"] if off else []
    if found["agree"]:
        said.append(f"all {len(rows)} figures agree within a tenth")
    if found["missing"]:
        said.append(f"not compared for want of runs: {'; '.join(found['missing'])}")
    if found["disturbed"]:
        said.append(f"disturbed by something else on the machine, and not to be relied on: {'; '.join(found['disturbed'])}")
    return f"Calibration: {'; '.join(said)}."
