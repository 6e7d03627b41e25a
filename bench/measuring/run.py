"""One command measured, several in turns, and what is printed of them."""
import ctypes
import itertools
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
KTHREADD = 2  # the parent of the kernel's threads
OTHERS = 0.1         # of a core, that something else may use during a run ...
OTHERS_LEAST = 0.05  # ... or so many seconds: the kernel counts the machine's time in hundredths
TRIES = 10           # of a run that something else disturbs

C_LOCALE = dict(os.environ, LC_ALL="C")


def adopt():
    """Processes whose parent ends become our children, so that their CPU time can be told from others'."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def machine_seconds():
    """CPU time that the machine has spent on any process, or that its host has kept from it. Not what the kernel does between
    two of them: the network's work, which is much where gigabytes go over loopback, and no process has it."""
    user, nice, system, _, _, _, _, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + steal) / TICK


def processes():
    """Of every process its parent, and the ticks of CPU time that it and those that it has waited for took."""
    parents, ticks = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = int(path.parent.name), path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    return parents, ticks


def below(parents, root):
    """The descendants of a process."""
    def is_below(pid):
        while pid in parents and pid != root:
            pid = parents[pid]
        return pid == root

    return [pid for pid in parents if pid != root and is_below(pid)]


def living_seconds():
    """CPU time of our descendants that live and of what those have waited for; and that of the kernel's threads."""
    parents, ticks = processes()
    return tuple(sum(ticks[pid] for pid in below(parents, root)) / TICK for root in (os.getpid(), KTHREADD))


def used_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def seconds():
    """CPU time of the machine, of our children, and of what is not something else: theirs, our own and the kernel's
    threads', which write what the children have left to be written."""
    living, kernel = living_seconds()
    children = used_seconds(resource.RUSAGE_CHILDREN) + living
    return machine_seconds(), children, children + used_seconds(resource.RUSAGE_SELF) + kernel


def reap():
    """Takes what has ended of the processes that we have adopted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


class Timed:
    """What happens within `with`: `wall` and `cpu` seconds, every process below us included; `others`: cores that something
    else used meanwhile."""

    def __enter__(self):
        os.sync()  # what the run before has left to write is not this one's
        self.before = seconds()
        self.begun = time.monotonic()
        return self

    def __exit__(self, *_):
        self.wall = time.monotonic() - self.begun
        reap()
        machine, self.cpu, ours = (now - then for now, then in zip(seconds(), self.before))
        self.others = max(0.0, machine - ours) / self.wall

    def disturbed(self):
        return self.others > OTHERS and self.others * self.wall > OTHERS_LEAST


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
    with subprocess.Popen(["sort", "--parallel=2", "-S", "25%", *files], stdout=subprocess.PIPE, env=C_LOCALE) as sort:
        out = subprocess.run(["sha256sum"], check=True, stdin=sort.stdout, stdout=subprocess.PIPE).stdout
    if sort.returncode != 0:
        sys.exit("sort failed")
    return out


def same_bytes(files, reference):
    """Whether some files, one behind the other, are `reference`."""
    with subprocess.Popen(["cat", *files], stdout=subprocess.PIPE) as cat:
        return subprocess.run(["cmp", "-s", "-", reference], stdin=cat.stdout).returncode == 0


def agree(what, a, b):
    if a != b:
        sys.exit(f"{what}: another answer")


def words_of(text):
    return [line.split() for line in text.splitlines()]


def near(what, rows, reference, relative=1e-9):
    """Rows of numbers: sums of doubles, added in whatever order, differ in their last digits."""
    for a, b in itertools.zip_longest(rows, reference, fillvalue=[]):
        if len(a) != len(b) or not all(math.isclose(float(x), float(y), rel_tol=relative) for x, y in zip(a, b)):
            sys.exit(f"{what}: another answer: {' '.join(a)}, not {' '.join(b)}")


def parts(folder):
    return sorted(folder.glob("part-*"))
