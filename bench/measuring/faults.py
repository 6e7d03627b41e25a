"""R1: what the loss of an executor costs a job."""
import os
import pathlib
import shutil
import signal
import sys
import threading

from measuring.data import COUNT, counted, source
from measuring.results import note
from measuring.run import ROOT, Run, agree, below, checksum, column, compare, head, parts, processes, show_noise, turns

EXECUTORS = 4


def is_executor(pid):
    try:
        return b"quern-executor" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has ended meanwhile


def executors():
    """Those below us, without the processes that they have of their own."""
    parents, _ = processes()
    return sorted(pid for pid in below(parents, os.getpid()) if is_executor(pid) and not is_executor(parents[pid]))


class Killer(threading.Timer):
    """Kills an executor after some seconds."""

    def __init__(self, after):
        super().__init__(after, self.kill)
        self.killed = False

    def kill(self):
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
        killer = Killer(after)
        killer.start()
        run = go()
        killer.join()
        if not killer.killed:
            sys.exit("R1: there was no executor to kill")
        return run

    go()  # warm: the job is compiled
    middle = go().wall / 2
    runs = turns(o, undisturbed=go, killed=lambda: killed(middle))
    for what in "cpu", "wall":
        compare(runs, "killed", "undisturbed", what)
    note(o, "r1", column(runs, "killed", "wall"), column(runs, "undisturbed", "wall"))
    show_noise(o)
