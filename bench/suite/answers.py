"""What jobs have written, compared: a time counts if its answer is the right one."""
import hashlib
import itertools
import math
import os
import subprocess

C_LOCALE = dict(os.environ, LC_ALL="C")


def parts(folder):
    return sorted(folder.glob("part-*"))


def _digest(file):
    found = hashlib.sha256()
    while data := file.read(1 << 20):
        found.update(data)
    return found.hexdigest()


def digest(command):
    """Of what a command writes to its stdout. None: it failed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as source:
        found = _digest(source.stdout)
    return found if source.returncode == 0 else None


def checksum(command):
    """Of the lines that a command writes to its stdout, in whatever order. None: it failed."""
    in_order = ["sort", "--parallel=2", "-S", "25%"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as source, \
            subprocess.Popen(in_order, stdin=source.stdout, stdout=subprocess.PIPE, env=C_LOCALE) as sort:
        source.stdout.close()
        found = _digest(sort.stdout)
    return found if source.returncode == 0 and sort.returncode == 0 else None


def output_of(command):
    """What a command writes to its stdout, as text; None: it failed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return result.stdout.decode(errors="replace") if result.returncode == 0 else None


def words_of(text):
    return [line.split() for line in text.splitlines()]


def near(rows, reference, relative=1e-9):
    """Whether rows of numbers are the same but for their last digits: sums of doubles, added in whatever order, differ there.
    None, or the first row that is not."""
    for a, b in itertools.zip_longest(rows, reference, fillvalue=[]):
        if len(a) != len(b) or not all(math.isclose(float(x), float(y), rel_tol=relative) for x, y in zip(a, b)):
            return f"{' '.join(a)}, not {' '.join(b)}"
    return None
