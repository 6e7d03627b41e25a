#!/usr/bin/env python3
"""The table of bench/RESULTS.md, and whether anything became worse.

    bench/results.py table           writes the table of bench/results.json into bench/RESULTS.md, between its two marks
    bench/results.py check           fails when a figure is worse by more than a tenth than the one recorded before, or the table
                                     is not that of bench/results.json; says what is missed and what is not measured
    bench/results.py check --against FILE|COMMIT
                                     the same against another file, or bench/results.json as it is in a commit

bench/measure.py --record bench/results.json ... measures anew and keeps the figures. `before` is what HEAD has, if
bench/results.json is changed since, or else what it was before its last change. What became worse for a reason that is accepted says
so in its record: "because": "..."."""
import argparse
import json
import pathlib
import subprocess
import sys

from measuring import results
from measuring.run import ROOT
from measuring.targets import TARGETS

PAGE = ROOT / "bench/RESULTS.md"
BEGIN, END = "<!-- bench/results.py table -->", "<!-- end of the table -->"


def git(*args):
    return subprocess.run(["git", "-C", ROOT, *args], capture_output=True, text=True, check=True).stdout


def of_commit(commit):
    return {r["key"]: r for r in json.loads(git("show", f"{commit}:bench/results.json"))}


def before():
    """Records that those of today are held against; {} where there are none."""
    try:
        if git("status", "--porcelain", "--", "bench/results.json"):
            return of_commit("HEAD")
        changes = git("log", "-n2", "--format=%H", "--", "bench/results.json").split()
        return of_commit(changes[1]) if len(changes) > 1 else {}
    except (FileNotFoundError, subprocess.CalledProcessError):
        return {}


def with_table(page, records):
    head, mark, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not mark or not end:
        sys.exit(f"{PAGE}: the marks of the table are missing: {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n{results.table(records)}\n{END}{tail}"


def check(new, old):
    failed = False
    for key, a, b in results.worse(old, new):
        failed = True
        print(f"{key}: {TARGETS[key].what}: {results.number(b)}, was {results.number(a)}: worse by {abs(b / a - 1):.0%}")
    if with_table(PAGE.read_text(), new) != PAGE.read_text():
        failed = True
        print("bench/RESULTS.md: the table is not that of bench/results.json: bench/results.py table")
    for title, keys in (("missed", [key for key, r in new.items() if not TARGETS[key].met(r["figure"])]),
                        ("not measured", [key for key in TARGETS if key not in new])):
        print(f"{title}: {', '.join(keys) or 'nothing'}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("table", "check"))
    parser.add_argument("--against", metavar="FILE|COMMIT")
    o = parser.parse_args()
    records = results.load(results.FILE)
    if o.what == "table":
        PAGE.write_text(with_table(PAGE.read_text(), records))
    elif o.against is None:
        sys.exit(check(records, before()))
    else:
        sys.exit(check(records, results.load(o.against) if pathlib.Path(o.against).is_file() else of_commit(o.against)))


main()
