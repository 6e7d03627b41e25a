"""One command measured, several in turns, and what is printed of them."""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from suite import answers
from suite.timed import OTHERS, Timed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TRIES = 10  # of a run that something else disturbs


class Run(Timed):
    """Of a command: its stdout and stderr as well."""

    def __init__(self, *argv, env=None):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with self:
                process = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=err, env=env)
                process.wait()
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read().decode(errors="replace"), err.read().decode(errors="replace")
        if process.returncode != 0:
            sys.exit(f"{argv}: status {process.returncode}\n{self.err}")


def undisturbed(o, name, go):
    """go() until nothing else used more than a tenth of a core meanwhile."""
    for _ in range(TRIES):
        run = go()
        if not run.disturbed():
            return run
        if o.noisy:
            o.disturbed += 1
            return run
        print(f"  (dropped a run of {name}: something else used {run.others:.2f} cores)", flush=True)
    sys.exit(f"{name}: something else uses this machine; --noisy takes what there is")


def turns(o, **sides):
    """{name: [run]} of functions that give a run each, A B A B ..."""
    runs = {name: [] for name in sides}
    for _ in range(o.runs):
        for name, go in sides.items():
            runs[name].append(undisturbed(o, name, go))
    return runs


def head(o, text):
    o.disturbed = 0
    load = os.getloadavg()[0]
    print(f"{text}\n  {os.cpu_count()} cores, load {load:.2f} before", flush=True)


def show(name, values, unit="s"):
    """Prints a row; returns the median."""
    print(f"  {name:42} median {statistics.median(values):10.3f} {unit:4} min {min(values):10.3f}"
          f"  max {max(values):10.3f}   ({len(values)} runs)", flush=True)
    return statistics.median(values)


def show_noise(o):
    if o.disturbed:
        print(f"  NOT TO BE QUOTED: something else used more than {OTHERS:.1f} cores in {o.disturbed} of the runs")


def column(runs, name, what):
    """A quantity of each of the runs of a side."""
    return [getattr(r, what) for r in runs[name]]


def compare(runs, ours, theirs, what, ratio="{0} / {1}"):
    """Prints the rows of both and what ours is of theirs. Returns that."""
    a = show(f"{ours}, {what}", column(runs, ours, what))
    b = show(f"{theirs}, {what}", column(runs, theirs, what))
    print(f"  {ratio.format(ours, theirs)}, {what}: {a / b:.3f}", flush=True)
    return a / b


def checksum(files):
    """Of the lines of some files, in whatever order."""
    found = answers.checksum(["cat", *files])
    if found is None:
        sys.exit("sort failed")
    return found


def same_bytes(files, reference):
    """Whether some files, one behind the other, are `reference`."""
    with subprocess.Popen(["cat", *files], stdout=subprocess.PIPE) as cat:
        return subprocess.run(["cmp", "-s", "-", reference], stdin=cat.stdout).returncode == 0


def agree(what, a, b):
    if a != b:
        sys.exit(f"{what}: another answer")


def near(what, rows, reference, relative=1e-9):
    """Ends us if rows of numbers differ in more than their last digits."""
    row = answers.near(rows, reference, relative)
    if row is not None:
        sys.exit(f"{what}: another answer: {row}")
