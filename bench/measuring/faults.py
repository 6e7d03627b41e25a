"""R1: what the loss of an executor costs a job."""
import os
import pathlib
import shutil
import signal
import sys
import threading

from measuring.data import COUNT, counted, source
from measuring.results import note
from measuring.run import ROOT, TRIES, Run, agree, checksum, column, compare, head, show_noise, turns
from suite.answers import parts
from suite.timed import below, processes

EXECUTORS = 4


def is_executor(pid):
    try:
        return b"quern-executor" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended meanwhile


def executors():
    """Those below us, without the processes that they have of their own."""
    found = processes()
    return sorted(pid for pid in below(found, os.getpid()) if is_executor(pid) and not is_executor(found[pid].parent))


class Killer(threading.Thread):
    """Kills an executor after some seconds, or as soon as there is one; gives up when it is told that the job is over."""

    def __init__(self, after):
        super().__init__()
        self.after, self.over, self.killed = after, threading.Event(), False

    def run(self):
        self.over.wait(self.after)
        while not self.over.wait(0.01) and not self.killed:
            for pid in executors()[:1]:
                os.kill(pid, signal.SIGKILL)
                self.killed = True


def r1(o, tmp):
    text = source(o, "text")
    head(o, f"R1: word count of {text}, {EXECUTORS} executors of a core each, one of them killed in mid job")
    answer = counted(o, tmp, text)

    def go():
        shutil.rmtree(tmp / "out", ignore_errors=True)
        run = Run(o.build / "cli/quern", "run", "--quiet", "--master", f"local[{EXECUTORS}x1]", "--task-memory", "512m", ROOT / COUNT,
                  text, tmp / "out")
        agree("quern", checksum(parts(tmp / "out")), answer)
        return run

    def killed(after):
        for _ in range(TRIES):
            killer = Killer(after)
            killer.start()
            run = go()
            killer.over.set()
            killer.join()
            if killer.killed:
                return run
            after /= 2  # this run was over sooner than the others
        return sys.exit("R1: there was no executor to kill")

    go()  # warm: the job is compiled
    middle = go().wall / 2
    runs = turns(o, undisturbed=go, killed=lambda: killed(middle))
    for what in "cpu", "wall":
        compare(runs, "killed", "undisturbed", what)
    note(o, "r1", column(runs, "killed", "wall"), column(runs, "undisturbed", "wall"))
    show_noise(o)
