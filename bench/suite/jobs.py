"""`quern bench job`: a job of the user's in every mode."""
import os
import pathlib
import shutil

from suite import bench
from suite.bench import Case
from suite.cluster import INTERVAL_MS
from suite.errors import USAGE, BenchError
from suite.run import Job, measure

OUT = "{out}"
SECONDS = 10  # that a job is thought to take before one has


class Folders:
    """A new name for what a run of the job writes, which is removed behind it."""

    def __init__(self, tmp):
        self.tmp, self.n = tmp, 0

    def fill(self, words):
        self.n += 1
        self.now = self.tmp / f"out{self.n}"
        return [word.replace(OUT, str(self.now)) for word in words]

    def clear(self):
        shutil.rmtree(self.now, ignore_errors=True)


def go(b, mode, job, words, folders):
    try:
        return measure(Job(b, mode, job, *folders.fill(words)), b.o.seed)
    finally:
        folders.clear()


def cases(b):
    job, *words = b.o.words
    folders = Folders(b.tmp)
    try:
        b.warm(job, *folders.fill(words))
    finally:
        folders.clear()
    return [Case("job", pathlib.Path(job).name, mode, SECONDS, lambda _turn, mode=mode: go(b, mode, job, words, folders))
            for mode in b.o.modes]


def main(o):
    if o.words[:1] == ["--"]:
        o.words = o.words[1:]
    if not o.words:
        raise BenchError("no job: quern bench job [OPTION...] -- JOB [ARG...]", USAGE)
    if not os.access(o.words[0], os.R_OK):
        raise BenchError(f"'{o.words[0]}' cannot be read", USAGE)
    return bench.main(o, cases, intervals_ms=o.allocation_interval or [INTERVAL_MS])
