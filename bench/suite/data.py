"""`quern bench data`: jobs over real input, from local files or from HDFS."""
import dataclasses
import os
import pathlib
import shutil
import subprocess

from suite import answers, bench
from suite.bench import Case
from suite.cluster import INTERVAL_MS
from suite.errors import USAGE, BenchError
from suite.run import Job, measure

GIB = 1 << 30
SIZE, QUICK_SIZE = GIB, 32 << 20
TASK_MEMORY = "512m"
# Files and how they are made: bench-NAME AMOUNT SEED; of so much for a text of a GiB.
MADE = {"text": ("bench-words", GIB), "records": ("bench-records", 10_000_000), "links": ("bench-links", 1_700_000),
        "points": ("bench-points", 3_000_000)}
PATTERN = "ab"      # that grep looks for
CENTRES, ITERATIONS, QUICK_ITERATIONS = 10, 10, 3
SECONDS_A_GIB = 8   # roughly, of a job on few cores

LINES, ORDER, NUMBERS, PRINTED = "lines", "order", "numbers", "printed"


@dataclasses.dataclass(frozen=True)
class Work:
    """A job: its source below QUERN_BENCH, its arguments (of {input} and {out}), its input, and how its answer is compared: its
    lines in any order or in theirs, rows of numbers that may differ in their last digits, the same of what it prints."""
    name: str
    source: str
    file: str
    arguments: tuple
    answer: str


def works(quick):
    n = QUICK_ITERATIONS if quick else ITERATIONS
    return [Work("wordcount", "examples/wordcount.c", "text", ("{input}", "{out}"), LINES),
            Work("grep", "examples/grep.c", "text", (PATTERN, "{input}", "{out}"), ORDER),
            Work("sort", "examples/sort.c", "records", ("{input}", "{out}"), ORDER),
            Work("join", "jobs/join.c", "links", ("{input}", "{out}"), LINES),
            Work("pagerank", "jobs/pagerank.c", "links", ("{input}", n, "{out}"), NUMBERS),
            Work("kmeans", "jobs/kmeans.c", "points", ("{input}", CENTRES, n), PRINTED)]


NAMES = [w.name for w in works(True)]


class Local:
    """Files of this machine."""
    where = "local files"

    def __init__(self, b):
        self.tmp = b.tmp

    def input(self, path):
        return path.resolve()

    def out(self, n):
        return self.tmp / f"out{n}"

    def cat(self, out):
        return ["cat", "--", *answers.parts(out)]

    def remove(self, out):
        shutil.rmtree(out, ignore_errors=True)

    def close(self):
        pass


class Hdfs:
    """A folder below --hdfs, of this bench alone, which is removed at its end."""
    where = "HDFS"

    def __init__(self, b):
        self.fs = [str(b.quern), "fs", *(f"--{s}" for s in b.o.option if s.startswith("hdfs-"))]
        self.folder = f"{b.o.hdfs.rstrip('/')}/quern-bench-{os.getpid()}"
        self.put = {}
        self._do("mkdir", "-p", self.folder)

    def _do(self, command, *args):
        result = subprocess.run([*self.fs, command, *map(str, args)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                check=False)
        if result.returncode != 0:
            raise BenchError(f"--hdfs: {(result.stderr.strip().splitlines() or ['no word'])[-1]}")

    def input(self, path):
        if path not in self.put:
            self.put[path] = f"{self.folder}/{path.name}"
            self._do("put", path, self.put[path])
        return self.put[path]

    def out(self, n):
        return f"{self.folder}/out{n}"

    def cat(self, out):
        return [*self.fs, "cat", f"{out}/part-*"]

    def remove(self, out):
        self._do("rm", "-r", "-f", out)

    def close(self):
        self.remove(self.folder)


class Data:
    """The input, and the answers that have been given so far."""

    def __init__(self, b):
        self.b = b
        self.files = Hdfs(b) if b.o.hdfs else Local(b)
        self.folder = pathlib.Path(b.o.input) if b.o.input else b.tmp / "input"
        self.answers, self.n = {}, 0

    def source(self, name):
        """The file, made if it is not there."""
        path = self.folder / name
        if not path.exists():
            self._make(name, path)
        return self.files.input(path)

    def _make(self, name, path):
        program, amount = MADE[name]
        size = self.b.o.size or (QUICK_SIZE if self.b.o.quick else SIZE)
        new = path.with_suffix(".new")
        self.b.progress.say(f"making {path}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(new, "wb") as f:
                argv = self.b.program(program), max(1, amount * size // GIB), self.b.o.seed
                subprocess.run([str(a) for a in argv], stdout=f, check=True)
            new.rename(path)
        except OSError as e:
            raise BenchError(f"{e.filename or path}: {e.strerror}") from None
        except subprocess.CalledProcessError:
            new.unlink(missing_ok=True)
            raise BenchError(f"{path} could not be made: is there room for it?") from None

    def check(self, work, out, printed):
        """BenchError if the answer is not the one that others have given."""
        if work.answer == LINES:
            given = answers.checksum(self.files.cat(out))
        elif work.answer == ORDER:
            given = answers.digest(self.files.cat(out))
        else:
            text = printed if work.answer == PRINTED else answers.output_of(self.files.cat(out))
            given = sorted(answers.words_of(text)) if text else None
        if not given:
            raise BenchError("it has left no answer that can be read")
        known = self.answers.setdefault(work.name, given)
        if isinstance(given, str):
            if known != given:
                raise BenchError("another answer than a run before")
            return
        row = answers.near(given, known)
        if row:
            raise BenchError(f"another answer than a run before: {row}")

    def warm(self, work):
        """A run that does not count: its job is compiled, its input read into memory, and its answer known."""
        run = self.go(work, "coarse")
        if run["status"]:
            raise BenchError(f"{work.name}: {run['error']}")

    def go(self, work, mode):
        self.n += 1
        out = self.files.out(self.n)
        words = [str(a).format(input=self.source(work.file), out=out) for a in work.arguments]
        try:
            run = measure(Job(self.b, mode, self.b.folder / work.source, *words), self.b.o.seed,
                          lambda process: self.check(work, out, process.out) or {})
        finally:
            self.files.remove(out)
        return run


def size_of(data, work):
    return (data.folder / work.file).stat().st_size


def size_text(size):
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def main(o):
    unknown = [name for name in o.words if name not in NAMES]
    if unknown:
        raise BenchError(f"there is no job '{unknown[0]}'; there are {', '.join(NAMES)}", USAGE)
    found = []

    def cases(b):
        data = Data(b)
        found.append(data)
        chosen = [w for w in works(o.quick) if not o.words or w.name in o.words]
        names = {}
        for w in chosen:
            data.source(w.file)
            names[w.name] = f"{w.name} of {size_text(size_of(data, w))} ({data.files.where})"
        for w in chosen:
            data.warm(w)
        return [Case("data", names[w.name], mode, 1 + SECONDS_A_GIB * size_of(data, w) / GIB,
                     lambda _turn, w=w, mode=mode: data.go(w, mode)) for w in chosen for mode in o.modes]

    cores = os.cpu_count() or 1
    try:
        return bench.main(o, cases, intervals_ms=o.allocation_interval or [INTERVAL_MS], task_memory=TASK_MEMORY,
                          shape=(2, (cores + 1) // 2) if cores > 1 else (1, 1))
    finally:
        for data in found:
            data.files.close()
