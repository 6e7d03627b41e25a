#!/usr/bin/env python3
"""Runs every measurement of bench/measure.py once on little input, so that what it needs does not rot. Says nothing of the
figures: answers are compared, as always; times are not.

    measure_test.py ROOT BUILD"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, BUILD = map(pathlib.Path, sys.argv[1:])
LINES = {"text": "docs/how-it-works.md", "source": "bench/shuffle.c"}
ROWS = {  # measurement: rows that it prints, at least one of each
    "d1": ["quern / limit, cpu", "quern / limit, wall"],
    "d2": ["quern / limit, cpu", "quern / limit, wall"],
    "d3": ["GNU / quern, wall", "quern / limit, wall"],
    "d4": ["small / large, wall", "small, at most: [0-9.]+ MiB"],
    "d6": ["quern / zstd"],
    "d8": ["an iteration, parsed / cached"],
    "c3": ["tasks a second"],
    "c4": ["quern / bare"],
    "c6": ["coarse, wall", "fine, cpu"],
}


def make(folder):
    for name, path in LINES.items():
        (folder / name).write_bytes((ROOT / path).read_bytes() * 3)
    for name, n in ("records", 3000), ("points", 500):
        (folder / name).write_bytes(subprocess.run([BUILD / f"bench/bench-{name}", str(n), "1"], check=True,
                                                   stdout=subprocess.PIPE).stdout)
    lines = (folder / "records").read_bytes().splitlines()
    assert len(set(lines)) == 3000 and {len(line) for line in lines} == {99}, "these are no records"


def main():
    with tempfile.TemporaryDirectory(prefix="quern-bench-test-") as tmp:
        make(pathlib.Path(tmp))
        result = subprocess.run([sys.executable, ROOT / "bench/measure.py", BUILD, *ROWS, "--data", tmp, "--runs", "1",
                                 "--tasks", "10", "--noisy"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = result.stdout.decode()
    print(said)
    missing = [row for rows in ROWS.values() for row in rows if not re.search(row, said)]
    if result.returncode != 0 or missing:
        sys.exit(f"status {result.returncode}; not printed: {missing}")


main()
