"""results.jsonl: what a bench has measured, a JSON object a line: first the header, then a line for each run as soon as it is
over. Whatever ends the command, the runs before it are there: the same command goes on behind them.

    header, runs = read(folder)
    with Store(folder, header) as store:
        if not store.has(workload, case, mode, turn):
            store.add(run)

Runs are known by (workload, case, mode, turn). One that failed ("status" is not 0) counts as not there, and is tried again."""
import errno
import json
import os
import pathlib

from suite.errors import USAGE, BenchError

NAME = "results.jsonl"
FORMAT = 1
KEY = "workload", "case", "mode", "turn"
# What of two headers may differ: when and on what, not what was measured.
ABOUT = "date", "command", "machine", "cluster"


def key(run):
    return tuple(run[name] for name in KEY)


def whole_lines(path):
    """The lines that were written to their end, and how many bytes those are."""
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    return content[:end].splitlines(), end


def objects(path, lines):
    for number, line in enumerate(lines, 1):
        try:
            o = json.loads(line)
            if o["kind"] != ("header" if number == 1 else "run"):
                raise ValueError
            if number > 1:
                key(o)
        except (ValueError, KeyError, TypeError):
            raise BenchError(f"{path}, line {number}: this is no line of results") from None
        yield o


def header_of(path, found):
    if not found:
        raise BenchError(f"{path}: there is nothing in it")
    if found[0].get("format") != FORMAT:
        raise BenchError(f"{path}: it has format {found[0].get('format')}, and this reads {FORMAT}")
    return found[0]


def read(folder):
    """(header, runs) of a folder's results. Of runs with the same key the last one; a last line that was not written to its end
    is cut off. BenchError says what is wrong."""
    path = pathlib.Path(folder) / NAME
    try:
        found = list(objects(path, whole_lines(path)[0]))
    except OSError as e:
        raise BenchError(f"{path}: {e.strerror}") from None
    header = header_of(path, found)
    return header, list({key(run): run for run in found[1:]}.values())


def difference(old, new):
    """A sentence on what two headers do not share, or None."""
    for name in (*(n for n in old if n in new), *(n for n in new if n not in old)):
        if name not in ABOUT and name != "arguments" and old.get(name) != new.get(name):
            return f"{name.replace('_', ' ')} {json.dumps(old.get(name))}, not {json.dumps(new.get(name))}"
    a, b = old.get("arguments", {}), new.get("arguments", {})
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            return f"--{name.replace('_', '-')} {json.dumps(a.get(name))}, not {json.dumps(b.get(name))}"
    return None


class Store:
    """The results of a folder, open to be added to; for `with`. The folder is made, or the one of the same command goes on."""

    def __init__(self, folder, header):
        self.path = pathlib.Path(folder) / NAME
        self.runs = []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open(header)
        except OSError as e:
            raise BenchError(f"{self.path}: {e.strerror}") from None

    def _open(self, header):
        kept = 0
        if self.path.exists() and self.path.stat().st_size > 0:
            lines, kept = whole_lines(self.path)
        if kept:
            found = list(objects(self.path, lines))
            self.header = header_of(self.path, found)
            other = difference(self.header, header)
            if other:
                raise BenchError(f"{self.path.parent} has results of another command: {other}. Name another folder with -o", USAGE)
            self.runs = found[1:]
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._fd, kept)
        self._end = kept
        if not kept:
            self.header = dict(header, kind="header", format=FORMAT)
            self._write(self.header)

    def _write(self, o):
        """A line whole, or nothing of it."""
        data = json.dumps(o, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        at = self._end
        try:
            while data:
                n = os.pwrite(self._fd, data, at)
                data, at = data[n:], at + n
        except OSError as e:
            os.ftruncate(self._fd, self._end)
            raise BenchError(f"{self.path}: {e.strerror}; the {len(self.latest())} runs before are kept"
                             f"{': the same command goes on' if e.errno == errno.ENOSPC else ''}") from None
        self._end = at

    def add(self, run):
        run = {"kind": "run", **run}
        self._write(run)
        self.runs.append(run)

    def has(self, *wanted):
        """Whether there is a run (workload, case, mode, turn) that did not fail."""
        return any(key(run) == wanted and run["status"] == 0 for run in self.runs)

    def latest(self):
        """The runs, of those with the same key the last."""
        return list({key(run): run for run in self.runs}.values())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._fd)
