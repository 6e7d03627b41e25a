#!/usr/bin/env python3
"""The record of what was measured: its table, what is kept and what is not, and that what became worse does not pass.

    results_test.py ROOT"""
import copy
import pathlib
import subprocess
import sys
import tempfile
import types

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "bench"))

from measuring import results  # noqa: E402
from measuring.targets import FIGURES, TARGETS  # noqa: E402

# Of each way to make a figure one that has it, and whether less of it is better.
SAMPLES = {"c5.p50": True, "c1.1000": True, "d7.wall": False, "c2.tail.waste": False}


def run(*args):
    r = subprocess.run([sys.executable, ROOT / "bench/results.py", *args], capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr


def made(key, ours, theirs):
    return {key: results.record(key, ours, theirs)}


def test_figures():
    assert {TARGETS[key].figure for key in SAMPLES} == set(FIGURES)
    for key, less in SAMPLES.items():
        assert TARGETS[key].less_is_better == less, key
    r = results.record("c1.100", [3, 1, 2], [1, 4, 2.5])
    assert r["figure"] == 2 / 2.5 and r["ours"] == {"median": 2, "min": 1, "max": 3, "runs": 3}, r
    assert results.record("d7.wall", [2], [3])["figure"] == 1.5
    assert results.record("c2.tail.waste", [1], [4])["figure"] == 0.75
    assert results.record("c6.wall", [88])["figure"] == 88


def test_a_target_is_met_or_missed():
    for key, good, bad in ("c1.1000", 1.10, 1.11), ("d8.sum", 20, 19.9), ("c3.rate", 10000, 9999):
        assert TARGETS[key].met(good) and not TARGETS[key].met(bad), key
    assert TARGETS["d3.text.limit"].met(1e9)  # none is set


def test_what_is_worse():
    for key, less in SAMPLES.items():
        old = {key: {"figure": 0.5}}
        for factor, worse in ((1.11, less), (1.09, False), (1 / 1.11, not less), (1 / 1.09, False), (1, False)):
            new = {key: {"figure": 0.5 * factor}}
            assert bool(results.worse(old, new)) == worse, (key, factor)
            new[key]["because"] = "known"
            assert not results.worse(old, new)
        assert not results.worse({}, old) and not results.worse(old, {})


def test_kept(folder):
    o = types.SimpleNamespace(record=folder / "kept.json", disturbed=0, quick=False)
    results.note(o, "c1.100", [2], [1])
    results.note(o, "d1.cpu", [2], [1])
    assert list(results.load(o.record)) == ["d1.cpu", "c1.100"]  # in the order of the table
    for disturbed, quick in (1, False), (0, True):
        o.disturbed, o.quick = disturbed, quick
        results.note(o, "c1.100", [9], [1])
    assert results.load(o.record)["c1.100"]["ours"]["median"] == 2
    o.disturbed, o.quick, o.record = 0, False, None
    results.note(o, "c1.100", [9], [1])
    assert [p.name for p in folder.iterdir()] == ["kept.json"]


def test_table():
    r = made("c1.1000", [1.2], [1.0]) | made("c6.wall", [88.4, 87], None)
    rows = results.table(r).splitlines()[2:]
    assert "**1.2, missed**" in rows[0] and "coarse: 1 s (1)" in rows[0], rows
    assert "| 87.7 ms (87) |  | 87.7 ms | <= 250 |" in rows[1], rows
    r["c1.1000"]["because"] = "Mesos changed"
    assert "(Mesos changed)" in results.table(r)


def test_the_command(folder):
    """What is in the repository passes against what it was; a planted regression of each kind does not."""
    status, said = run("check")
    assert status == 0, said
    today = results.load(results.FILE)
    status, said = run("check", "--against", results.FILE)
    assert status == 0 and "not measured: " in said and "missed: " in said, said
    for key, less in SAMPLES.items():
        before = copy.deepcopy(today)
        before[key]["figure"] *= 1 / 1.2 if less else 1.2
        results.save(folder / "before.json", before)
        status, said = run("check", "--against", folder / "before.json")
        assert status == 1 and f"{key}: " in said and "worse by" in said, said


def main():
    test_figures()
    test_a_target_is_met_or_missed()
    test_what_is_worse()
    test_table()
    with tempfile.TemporaryDirectory(prefix="quern-results-") as folder:
        test_kept(pathlib.Path(folder))
        test_the_command(pathlib.Path(folder))


main()
