#!/usr/bin/env python3
"""Every option of --help is in the man page, and the man page has no other. Usage: man_test.py QUERN DOCS"""
import pathlib
import re
import subprocess
import sys

OF_ARGP = {"help", "usage", "version"}


def in_help(quern, command):
    text = subprocess.run([quern, command, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"(?:^|\s)--([a-z][a-z-]*)", text)) - OF_ARGP


def in_page(page):
    items = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(".It ")]
    return {name for line in items for name in re.findall(r"(?:Fl|,) -([a-z][a-z-]*)", line)}


def main():
    quern, docs = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = False
    for command in ("run", "local"):
        shown, written = in_help(quern, command), in_page(docs / f"quern-{command}.1")
        assert len(shown) > 5, shown
        for name in sorted(shown - written):
            print(f"quern {command}: --{name} is not in the man page")
        for name in sorted(written - shown):
            print(f"quern-{command}.1: --{name} does not exist")
        failed |= shown != written
    return failed


sys.exit(main())
