"""Random programs of many operations (pipelines.py, jobs/pipelines.c), against the same in Python: in both modes, while
workers and executors die and functions fail.

PIPELINES_COUNT programs are run, from the seed PIPELINES_SEED on."""
import collections
import gzip
import os
import re
import struct
import sys
import traceback

import pipelines
import quern
import seq

JOB = quern.JOBS / "pipelines.c"
COUNT = int(os.environ.get("PIPELINES_COUNT", "24"))
SEED = int(os.environ.get("PIPELINES_SEED", "1"))
# What is said of a worker that ended so.
REASONS = {"kill": "killed by SIGKILL", "abort": "killed by SIGABRT", "exit": "exited", "fail": "for once"}


def write(d, program):
    for i, data in enumerate(program.inputs):
        path = d / f"in{i}"
        if isinstance(data, bytes):
            path.write_bytes(data)
            continue
        path.mkdir()
        for j, part in enumerate(data):
            if (i + j) % 3 == 2:
                (path / f"f{j}.gz").write_bytes(gzip.compress(part))
            else:
                (path / f"f{j}").write_bytes(part)


def records(data):
    got, at = [], 0
    while at < len(data):
        key, value = struct.unpack_from("<II", data, at)
        at += 8
        got.append((data[at:at + key], data[at + key:at + key + value]))
        at += key + value
    return got


def given(d, number, name):
    """What an action gave."""
    if name not in ("save", "save_seq"):
        return records((d / f"{number}").read_bytes())
    parts = sorted((d / f"out{number}").glob("part-*"))
    if name == "save_seq":
        return [r for part in parts for r in seq.File(part.read_bytes()).records]
    return [line for part in parts for line in
            (gzip.decompress(part.read_bytes()) if part.suffix == ".gz" else part.read_bytes()).split(b"\n")[:-1]]


def check(program, mode):
    """Runs it; the troubles that it had."""
    with quern.scratch() as d:
        write(d, program)
        (d / "marks").mkdir()
        args = ["run", "--verbose", "--master", program.cluster, "--mode", mode, *program.options, JOB, d, *program.ops]
        result = quern.run(d, *args)
        quern.check(d, result)
        marks = [program.ops[int(mark.name)].split(":")[4] for mark in (d / "marks").iterdir()]
        failures(result, marks)
        for number, (name, (wanted, compare)) in program.expected.items():
            got = given(d, number, name)
            try:
                compare(got, wanted)
            except (AssertionError, TypeError) as e:
                show(number, name, got, wanted)
                raise AssertionError(f"operation {number}, {name}, gave something else") from e
        return marks


def failures(result, marks):
    """Nothing failed but what was to fail. What an executor had not yet said when it died is not known."""
    failed = collections.Counter()
    for line in result.stderr.decode(errors="replace").splitlines():
        if re.search(r"task \d+ failed on", line):
            how = next((how for how, words in REASONS.items() if words in line), None)
            assert how is not None, line
            failed[how] += 1
    more, less = failed - collections.Counter(marks), collections.Counter(marks) - failed
    assert not more and ("executor" in marks or not less), (marks, result.stderr.decode(errors="replace"))


def show(number, name, got, wanted):
    there, should = collections.Counter(got), collections.Counter(wanted)
    missing, more = should - there, there - should
    print(f"operation {number}, {name}: {len(got)} instead of {len(wanted)}; missing, or out of order: "
          f"{str(list(missing.elements())[:3])[:400]}; too many: {str(list(more.elements())[:3])[:400]}")


def test_random_programs():
    troubles, failed = collections.Counter(), []
    for seed in range(SEED, SEED + COUNT):
        program = pipelines.Program(seed)
        for mode in quern.MODES:
            try:
                troubles.update(check(program, mode))
            except Exception:  # noqa: the others are run all the same
                traceback.print_exc()
                failed.append(seed)
                print(f"PIPELINES_SEED={seed} PIPELINES_COUNT=1, {mode}, {program.cluster}, "
                      f"{' '.join(map(str, program.options))}: {' '.join(program.ops)}", flush=True)
    assert not failed, failed
    # All of them did happen.
    assert COUNT < 20 or set(troubles) == {*pipelines.TROUBLE, "executor"}, troubles
    print(f"{COUNT} programs, {dict(troubles)}")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
