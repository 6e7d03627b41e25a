"""What a bench's runs say, for people and for programs.

    summarize(runs, header) -> the summary: plain dictionaries, as they are in summary.json
    no_plots() -> a line on why there will be no plots, or None
    terminal(summary) -> the table for a terminal, at most 100 columns wide
    write(folder, header, runs) -> writes report.html, summary.json, summary.csv and plots/, and returns the summary

Runs and header are those of results.jsonl, as store.read() gives them. Needs gnuplot for the plots; without it there are none, and
page and summary["warnings"] say so."""
import os
import tempfile

from . import advice, calibration, caveats, gnuplot, ideas, plots, summary as summaries, tables
from .page import page
from .terminal import terminal

__all__ = ["PAGE", "no_plots", "summarize", "terminal", "write"]
PAGE = "report.html"
no_plots = gnuplot.missing


def summarize(runs, header=None):
    found = summaries.summarize(runs, header)
    ideas.compare(found, summaries.grouped(runs, found["header"]))
    calibration.calibrate(found)
    advice.advise(found)
    caveats.warn(found)
    return found


def write(folder, header, runs):
    """Files appear when they are whole. Raises OSError."""
    found = summarize(runs, header)
    drawn, missing = [], ""
    try:
        drawn = plots.draw(folder, found, summaries.grouped(runs, header))
    except gnuplot.Failed as error:
        missing = str(error)
    _put(folder, PAGE, page(found, drawn, missing))
    if missing:
        found["warnings"].append(f"No plots: {missing}.")
    _put(folder, "summary.json", tables.as_json(found))
    _put(folder, "summary.csv", tables.as_csv(found))
    return found


def _put(folder, name, text):
    handle, path = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        os.replace(path, os.path.join(folder, name))
    except BaseException:
        os.unlink(path)
        raise
