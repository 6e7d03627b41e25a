"""The same answers whatever memory a task has, and no more of it used than that: by the kernel's accounting."""
import os
import random
import re
import subprocess
import sys

import quern

MEMORIES = [16, 64, 1024]  # MiB of a task
BESIDE = 32                # MiB that a worker may need beside what its task was given
MODES = quern.MODES
COMPRESSIONS = ["off", "3"]


def run(d, mode, memory, example, *args, options=()):
    """Returns the MiB that the largest worker had at its peak."""
    result = quern.run(d, "run", "--verbose", "--master", "local[2]", "--mode", mode, "--task-memory", f"{memory}m",
                       *options, quern.EXAMPLES / f"{example}.c", *args)
    quern.check(d, result)
    return float(re.search(rb"peak memory of a worker: ([0-9.]+) MiB", result.stderr)[1])


def in_every_memory(d, example, text, check):
    for memory in MEMORIES:
        for mode, compression in zip(MODES, COMPRESSIONS):
            out = d / f"out-{memory}-{mode}"
            peak = run(d, mode, memory, example, text, out, options=["--shuffle-compression", compression])
            check(out)
            # What a sanitizer or valgrind needs is not the program's.
            assert quern.SANITIZED or quern.WRAPPER or peak <= memory + BESIDE, f"{example}, {mode}: a worker had {peak} MiB with {memory}m"


def source(d, size, distinct, seed):
    """Text of words, of which few are frequent and most are rare."""
    r = random.Random(seed)
    path = d / "text"
    with open(path, "wb") as f:
        while f.tell() < size:
            f.write(b"".join(b" ".join(b"w%d" % int(distinct ** r.random()) if r.random() < 0.7 else
                                       b"rare-%x" % r.getrandbits(48) for _ in range(r.randrange(0, 20))) + b"\n"
                             for _ in range(10000)))
    return path


def test_counts_of_a_million_words():
    with quern.scratch() as d:
        text = source(d, 60 << 20, 100000, 1)
        expected = quern.word_counts(text)
        in_every_memory(d, "wordcount", text, lambda out: quern.same(quern.output(out), expected))


def test_sorted_lines():
    with quern.scratch() as d:
        text = source(d, 60 << 20, 1000, 2)
        subprocess.run(["sort", "-o", d / "expected", text], env=dict(os.environ, LC_ALL="C"), check=True)
        expected = (d / "expected").read_bytes()

        def check(out):
            assert quern.parts(out) == expected
        in_every_memory(d, "sort", text, check)


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
