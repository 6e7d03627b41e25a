#!/usr/bin/env python3
"""Holds the #includes of the tree against tests/layers.txt: path-qualified, and only down the list of folders."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent


def rules():
    allowed = {}
    for line in (root / "tests/layers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, others = line.partition(":")
            allowed[folder] = set(others.split()) | {folder}
    return allowed


def faults(allowed):
    for folder in allowed:
        for path in sorted((root / folder).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                public = re.match(r"\s*#\s*include\s+<quern/", line)
                where = f"{path.relative_to(root)}:{number}"
                if quoted and path.parent == root / "bench/jobs" and (path.parent / quoted[1]).exists():
                    continue  # a job is compiled by itself, wherever it is installed, with what is beside it
                if quoted and "/" not in quoted[1]:
                    yield f'{where}: "{quoted[1]}" is not path-qualified'
                elif quoted and quoted[1].split("/")[0] not in allowed[folder]:
                    yield f'{where}: {folder}/ may not include "{quoted[1]}"'
                elif public and "job" not in allowed[folder]:
                    yield f"{where}: {folder}/ may not include the job API"
    for path in sorted((root / "examples").rglob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r'\s*#\s*include\s+"', line):
                yield f"{path.relative_to(root)}:{number}: an example includes <quern/quern.h> and the system's headers only"


def main():
    allowed = rules()
    found = list(faults(allowed))
    print("\n".join(found) if found else f"{len(allowed)} folders: every include points down the list")
    return 1 if found else 0


sys.exit(main())
