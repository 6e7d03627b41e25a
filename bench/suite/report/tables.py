"""The summary as files that other programs read."""
import csv
import io
import json

from .summary import is_number
from .text import plain

KEYS = "workload", "case", "agents", "slots", "allocation_interval_ms", "task_s"
OF_MODE = ("runs", "failed", "disturbed", "price", "price_low", "price_high", "gain", "saved", "waste_removed", "ledger_off",
           "neighbour_share")
PARTS = "median", "min", "max", "spread"


def as_json(summary):
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(summary):
    """A row for each mode of each group; a figure is four columns, NAME, NAME_min, NAME_max, NAME_spread. Empty: not measured."""
    figures = dict.fromkeys(name for group in summary["groups"] for mode in group["modes"].values() for name in mode["figures"])
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([*KEYS, "mode", *OF_MODE,
                   *(name if part == "median" else f"{name}_{part}" for name in figures for part in PARTS)])
    for group in summary["groups"]:
        for name, mode in group["modes"].items():
            rows.writerow([*(_cell(group.get(key)) for key in KEYS), plain(name), *(_cell(mode.get(key)) for key in OF_MODE),
                           *(_cell(mode["figures"].get(figure, {}).get(part)) for figure in figures for part in PARTS)])
    return out.getvalue()


def _cell(value):
    if value is None:
        return ""
    return f"{value:.9g}" if is_number(value) else plain(value)
