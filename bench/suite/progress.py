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
        self.cases = {}     # by their names
        self.pending = {}   # how often those are still to be run
        self.number = self.total = 0
        print(f"Results: {folder}", file=sys.stderr, flush=True)

    def plan(self, cases, turns, store):
        """What is to be run now; what has been run already is learned from."""
        self.part += 1
        self.cases = {c.name: c for c in cases}
        self.pending = {c.name: sum(not store.has(c.workload, c.case, c.mode, turn) for turn in range(1, turns + 1)) for c in cases}
        names = {(c.workload, c.case, c.mode): c.name for c in cases}
        for run in store.latest():
            name = names.get((run["workload"], run["case"], run["mode"]))
            if name and run["status"] == 0 and "took_s" in run:
                self.took.setdefault(name, []).append(run["took_s"])
        self.total = len(cases) * turns
        self.number = self.total - sum(self.pending.values())
        if self.number:
            self.say(f"{self.number} of {self.total} runs are there already")

    def left(self):
        """Seconds: what has been run takes its median, and what has not what was thought, or as much longer as the others took."""
        took = {name: statistics.median(of) for name, of in self.took.items()}
        known = [(took[name], self.cases[name].seconds) for name, n in self.pending.items() if n and name in took]
        factor = max(1.0, sum(t for t, _ in known) / max(0.1, sum(s for _, s in known))) if known else 1.0
        return sum(n * took.get(name, self.cases[name].seconds * factor + OVERHEAD_S) for name, n in self.pending.items())

    def begin(self, case, turn):
        self.number += 1
        if self.terminal:
            part = f" (part {self.part} of {self.parts})" if self.parts > 1 else ""
            self._line(f"[{self.number}/{self.total}]{part} {duration(self.left())} left: turn {turn}, {case.name}")

    def end(self, case, run):
        self.took.setdefault(case.name, []).append(run["took_s"])
        self.pending[case.name] -= 1
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
