"""The way of a record: D1, D2, D3, D4, D6. Input: the folder --data, with the files that bench/data makes."""
import re
import shutil
import sys

from measuring.results import note
from measuring.run import ROOT, Run, agree, checksum, column, compare, head, same_bytes, show, show_noise, turns
from suite.answers import C_LOCALE, parts

MIB = 1 << 20
SMALL = 64              # MiB: the task memory of D4 ...
SMALL_PEAK = SMALL + 32  # ... and what a worker may need with it
PARTITIONS = 16         # of D6's map file


def about(path):
    return f"{path} ({path.stat().st_size / 1e9:.2f} GB)"


def sized(path):
    return f"{path.stat().st_size / 1e6:,.0f} MB of {path.name}"


def source(o, name):
    path = o.data / name
    if not path.is_file():
        sys.exit(f"{path} is not there: bench/data {name} {path}")
    with open(path, "rb") as f:  # from now on it is in memory
        while f.read(1 << 24):
            pass
    return path


def quern(o, tmp, job, text, memory="2g", *more):
    shutil.rmtree(tmp / "out", ignore_errors=True)
    return Run(o.build / "cli/quern", "run", *more, "--master", f"local[{o.slots}]", "--task-memory", memory, ROOT / job,
               text, tmp / "out")


# ---- D1, D2: word count ----

COUNT, SORT = "examples/wordcount.c", "examples/sort.c"


def counted(o, tmp, text):
    """Checksum of the answer, by the single-purpose program."""
    Run(o.build / "bench/limit-wordcount", o.slots, text, tmp / "counts")
    return checksum([tmp / "counts"])


def word_count(o, tmp, name, text):
    head(o, f"{name}: word count of {about(text)}, {o.slots} cores, task memory 2g")
    answer = counted(o, tmp, text)

    def ours():
        run = quern(o, tmp, COUNT, text, "2g", "--quiet")
        agree("quern", checksum(parts(tmp / "out")), answer)
        return run

    def limit():
        run = Run(o.build / "bench/limit-wordcount", o.slots, text, tmp / "counts")
        agree("limit-wordcount", checksum([tmp / "counts"]), answer)
        return run

    runs = turns(o, quern=ours, limit=limit)
    for what in "cpu", "wall":
        compare(runs, "quern", "limit", what)
        note(o, f"{name.lower()}.{what}", column(runs, "quern", what), column(runs, "limit", what))
    show_noise(o)


def d1(o, tmp):
    word_count(o, tmp, "D1", source(o, "text"))


def d2(o, tmp):
    word_count(o, tmp, "D2", source(o, "source"))


# ---- D3: sort ----

def gnu_sort(o, text, to):
    return Run("sort", f"--parallel={o.slots}", "-S", "8G", "-o", to, text, env=C_LOCALE)


def sort(o, tmp, text):
    head(o, f"D3: sort of {about(text)}, {o.slots} cores, task memory 2g")
    gnu_sort(o, text, tmp / "reference")

    def checked(name, run, files):
        if not same_bytes(files(), tmp / "reference"):
            sys.exit(f"{name}: another answer")
        return run

    runs = turns(
        o,
        quern=lambda: checked("quern", quern(o, tmp, SORT, text, "2g", "--quiet"), lambda: parts(tmp / "out")),
        GNU=lambda: checked("GNU sort", gnu_sort(o, text, tmp / "sorted"), lambda: [tmp / "sorted"]),
        limit=lambda: checked("limit-sort", Run(o.build / "bench/limit-sort", o.slots, text, tmp / "sorted"),
                              lambda: [tmp / "sorted"]))
    for what in "cpu", "wall":
        compare(runs, "GNU", "quern", what)
        compare(runs, "quern", "limit", what)
    for side, key in ("GNU", "gnu"), ("limit", "limit"):
        note(o, f"d3.{text.name}.{key}", column(runs, "quern", "wall"), column(runs, side, "wall"))
    show_noise(o)


def d3(o, tmp):
    for name in "text", "records":
        sort(o, tmp, source(o, name))


# ---- D4: little memory ----

def peak(run):
    """MiB of the worker that needed most, by the kernel's accounting: what --verbose says."""
    return float(re.search(r"peak memory of a worker: ([0-9.]+) MiB", run.err)[1])


def little_memory(o, tmp, name, job, text):
    """`job` within 64 MiB a task against itself within 2 GiB."""
    head(o, f"D4: {name} of {about(text)}, {o.slots} cores, task memory {SMALL}m against 2g")
    if job == SORT:
        gnu_sort(o, text, tmp / "reference")
    answer = counted(o, tmp, text) if job == COUNT else None

    def go(memory):
        run = quern(o, tmp, job, text, memory, "--verbose")
        right = checksum(parts(tmp / "out")) == answer if job == COUNT else same_bytes(parts(tmp / "out"), tmp / "reference")
        if not right:
            sys.exit(f"--task-memory {memory}: another answer")
        run.peak = peak(run)
        return run

    runs = turns(o, small=lambda: go(f"{SMALL}m"), large=lambda: go("2g"))
    for what in "cpu", "wall":
        compare(runs, "small", "large", what)
    most = max(r.peak for r in runs["small"])
    show("large, peak memory of a worker", column(runs, "large", "peak"), "MiB")
    show("small, peak memory of a worker", column(runs, "small", "peak"), "MiB")
    for what in "wall", "peak":
        note(o, f"d4.{name.replace(' ', '.').lower()}.{what}", column(runs, "small", what), column(runs, "large", what))
    print(f"  small, at most: {most:.1f} MiB, {'over' if most > SMALL_PEAK else 'within'} {SMALL_PEAK}")
    show_noise(o)


def d4(o, tmp):
    for name, job, text in (("D1", COUNT, "text"), ("D2", COUNT, "source"), ("D3 text", SORT, "text"),
                            ("D3 records", SORT, "records")):
        little_memory(o, tmp, name, job, source(o, text))


# ---- D6: the shuffle's path ----

def shuffle(o, tmp, kind, path):
    head(o, f"D6: a map file of {PARTITIONS} partitions beside zstd alone, records: {kind}; MB of records per second of CPU")
    columns = turns(o, it=lambda: Run(o.build / "bench/bench-shuffle", tmp, PARTITIONS, kind, path))["it"]
    wrote, compressed, read, plain = zip(*(map(float, r.out.split()) for r in columns))
    for ours, theirs, what, alone in (wrote, compressed, "written", "zstd compresses"), (read, plain, "read", "zstd decompresses"):
        a, b = show(what, ours, "MB/s"), show(alone, theirs, "MB/s")
        print(f"  quern / zstd: {a / b:.3f}")
        note(o, f"d6.{kind}.{what}", ours, theirs)
    show_noise(o)


def d6(o, tmp):
    Run(o.build / "bench/limit-wordcount", o.slots, source(o, "source"), tmp / "counts")
    shuffle(o, tmp, "counts", tmp / "counts")
    shuffle(o, tmp, "lines", source(o, "text"))
