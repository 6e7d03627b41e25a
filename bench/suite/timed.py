"""Wall and CPU seconds of what happens here, and what else the machine did meanwhile."""
import ctypes
import os
import pathlib
import resource
import time
import typing

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
KTHREADD = 2  # the parent of the kernel's threads
OTHERS = 0.1         # of a core, that something else may use during a run ...
OTHERS_LEAST = 0.05  # ... or so many seconds: the kernel counts the machine's time in hundredths


def adopt():
    """Processes whose parent ends become our children, so that their CPU time can be told from others'."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def machine_seconds():
    """CPU time that the machine has spent on any process, or that its host has kept from it. Not what the kernel does between
    two of them: the network's work, which is much where gigabytes go over loopback, and no process has it."""
    user, nice, system, _, _, _, _, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + steal) / TICK


class Process(typing.NamedTuple):
    parent: int
    state: str      # "Z": it has ended, and nobody has waited for it
    own: int        # ticks of CPU time
    waited: int     # the same of those that it has waited for


def processes():
    """{pid: Process} of the whole machine."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = int(path.parent.name), path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        user, system, waited_user, waited_system = map(int, fields[11:15])
        found[pid] = Process(int(fields[1]), fields[0], user + system, waited_user + waited_system)
    return found


def below(found, root):
    """The descendants of a process."""
    def is_below(pid):
        while pid in found and pid != root:
            pid = found[pid].parent
        return pid == root

    return [pid for pid in found if pid != root and is_below(pid)]


def living_seconds():
    """CPU time of our descendants that live and of what those have waited for; and that of the kernel's threads."""
    found = processes()
    return tuple(sum(found[pid].own + found[pid].waited for pid in below(found, root)) / TICK for root in (os.getpid(), KTHREADD))


def own_seconds(pid):
    """CPU time of a process that lives and of its children that live, without those that it has waited for."""
    return sum(p.own for n, p in processes().items() if pid in (n, p.parent)) / TICK


def used_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def seconds():
    """CPU time of the machine, of our children, and of what is not something else: theirs, our own and the kernel's
    threads', which write what the children have left to be written."""
    living, kernel = living_seconds()
    children = used_seconds(resource.RUSAGE_CHILDREN) + living
    return machine_seconds(), children, children + used_seconds(resource.RUSAGE_SELF) + kernel


waited_for = set()  # children whose end somebody here waits for


def reap():
    """Takes what has ended of the processes that we have adopted."""
    us = os.getpid()
    for pid, p in processes().items():
        if p.parent == us and p.state == "Z" and pid not in waited_for:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # of a Popen, which has taken it


class Timed:
    """What happens within `with`: `wall` and `cpu` seconds, every process below us included; `others`: cores that something
    else used meanwhile; `load`: the machine's, before."""

    def __enter__(self):
        os.sync()  # what the run before has left to write is not this one's
        self.load = os.getloadavg()[0]
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
