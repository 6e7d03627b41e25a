"""C9: jobs beside a batch framework, against a static partition of the same cores: what `quern bench neighbours` measures."""
import contextlib
import os
import sys

from measuring.cluster import cluster, where
from measuring.modes import AGENTS, CORES, MODES
from measuring.results import note
from measuring.run import head, show, show_noise
from suite import cli, store
from suite.cluster import EXECUTOR
from suite.neighbours import EXECUTORS, STATIC

# Of the figures of a run: its key in the table, and what it is.
FIGURES = {"job_mean_s": ("sum", "time of a job, all of them"), "small_job_mean_s": ("small", "time of a small job"),
           "neighbour_cores": ("batch", "cores at work for the batch framework")}


def c9(o, tmp):
    head(o, f"C9: jobs that arrive at random beside a batch framework, {AGENTS * CORES} slots on {AGENTS} agents, {where(o)}")
    # Of the quick size: five jobs, a window of a quarter of a minute. A full one takes an hour for seven turns.
    options = ["--quick", "--turns", o.runs, "-o", tmp / "bench", "--slots", AGENTS * CORES]
    # Several executors at a time are on an agent; Mesos' agents cannot be told of cores that are only for those.
    with cluster(o, tmp, AGENTS, CORES + (EXECUTORS - 1) * EXECUTOR) as c:
        # As the command does it, but from here: what the cluster's processes, our children, do is not something else.
        os.environ.update(QUERN=str(o.build / "cli/quern"), QUERN_BENCH=str(o.build / "bench"))
        command = [str(a) for a in ("neighbours", "--master", c.address, *options)]
        with open(os.devnull, "w", encoding="utf-8") as null, contextlib.redirect_stdout(null):
            status = cli.main(command)
    if status != 0:
        sys.exit(f"quern bench {' '.join(command)}: status {status}")
    _, runs = store.read(tmp / "bench")
    o.disturbed += sum(run["disturbed"] for run in runs)
    for figure, (key, what) in FIGURES.items():
        values = {mode: [run["figures"][figure] for run in runs if run["mode"] == mode] for mode in (STATIC, *MODES)}
        rows = {mode: show(f"{mode}, {what}", values[mode], "" if key == "batch" else "s") for mode in values}
        for mode in MODES:
            ratio = rows[mode] / rows[STATIC] if key == "batch" else rows[STATIC] / rows[mode]
            print(f"  {mode}, {what}: {ratio:.3f} times as good as static", flush=True)
            note(o, f"c9.{key}.{mode}", values[mode], values[STATIC], where(o))
    show_noise(o)
