"""How far a bench is, and how long it will take: a line that changes on a terminal, a line for each run elsewhere."""
import statistics
import sys

OVERHEAD_S = 0.5  # around a run


def duration(s):
    if s < 90:
        return f"{s:.0f} s"
    return f"{s / 60:.0f} min" if s < 5400 else f"{s / 3600:.1f} h"


class Progress:
    """parts: how many times there will be a plan()."""

    def __init__(self, folder, parts=1):
        self.terminal = sys.stderr.isatty()
        self.parts, self.part = parts, 0
        self.took = {}      # name of a case: seconds of its runs
        self.pending = []   # cases, as often as they are still to be run
        self.number = self.total = 0
        print(f"Results: {folder}", file=sys.stderr, flush=True)

    def plan(self, cases, turns, store):
        """What is to be run now; what has been run already is learned from."""
        self.part += 1
        left = [case for turn in range(1, turns + 1) for case in cases if not store.has(case.workload, case.case, case.mode, turn)]
        names = {(c.workload, c.case, c.mode): c.name for c in cases}
        for run in store.latest():
            name = names.get((run["workload"], run["case"], run["mode"]))
            if name and run["status"] == 0 and "took_s" in run:
                self.took.setdefault(name, []).append(run["took_s"])
        self.pending = left
        self.number, self.total = len(cases) * turns - len(left), len(cases) * turns
        if self.number:
            self.say(f"{self.number} of {self.total} runs are there already")

    def expected(self, case):
        if case.name in self.took:
            return statistics.median(self.took[case.name])
        return case.seconds * self.factor() + OVERHEAD_S

    def factor(self):
        """How much longer runs take than was thought."""
        known = [(statistics.median(self.took[c.name]), c.seconds) for c in {c.name: c for c in self.pending}.values()
                 if c.name in self.took]
        return max(1.0, sum(t for t, _ in known) / max(0.1, sum(s for _, s in known))) if known else 1.0

    def left(self):
        return sum(self.expected(case) for case in self.pending)

    def begin(self, case, turn):
        self.number += 1
        if self.terminal:
            part = f" (part {self.part} of {self.parts})" if self.parts > 1 else ""
            self._line(f"[{self.number}/{self.total}]{part} {duration(self.left())} left: turn {turn}, {case.name}")

    def end(self, case, run):
        self.took.setdefault(case.name, []).append(run["took_s"])
        if case in self.pending:
            self.pending.remove(case)
        if run["status"]:
            self.say(f"{case.name}: failed: {run['error']}")
        elif not self.terminal:
            wall = run["figures"].get("wall_s")
            self.say(f"[{self.number}/{self.total}] {case.name}{f': {wall:.2f} s' if wall is not None else ''}, "
                     f"{duration(self.left())} left")

    def _line(self, text):
        print(f"\r\033[K{text[:150]}", end="", file=sys.stderr, flush=True)

    def say(self, text):
        self.clear()
        print(text, file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            self._line("")
