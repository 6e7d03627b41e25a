#!/usr/bin/env python3
"""Holds the man pages against --help, both ways: every command has a page, and every option is in both, with the same
argument and the same default. Usage: man_test.py QUERN DOCS

A default stands in parentheses: at the end of an option's help, and in the man page as `.Pq DEFAULT` with a full stop behind
it; one of several words is "WORD (the default)" in both. A page may leave the options of quern-run(1) to that one."""
import pathlib
import re
import subprocess
import sys

OF_ARGP = {"help", "usage", "version"}
OPTION = re.compile(r"  (?:-(\w), |    )--([a-z][a-z-]*)(?:=(\S+))?(?:\s+(.*))?$")


def help_of(quern, *words):
    return subprocess.run([quern, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout


def default_in_help(text):
    word = re.search(r"(\S+) \(the default\)", text)
    end = re.search(r"\s\(((?:[^()]|\(\))*)\)$", text)
    return word[1] if word else re.sub(r"^default: ", "", end[1]) if end else None


def in_help(text):
    """Name -> (short name, argument, default)."""
    found, name = {}, None
    for line in text.split("\n"):
        option = OPTION.match(line)
        if option and option[2] not in OF_ARGP:
            name = option[2]
            found[name] = [option[1], option[3], option[4] or ""]
        elif name and re.match(r" {20,}\S", line):
            found[name][2] += " " + line.strip()
        else:
            name = None
    return {name: (short, argument, default_in_help(text.strip())) for name, (short, argument, text) in found.items()}


def plain(line):
    """A line of mdoc without its macros."""
    line = re.sub(r"\bFl (?=-?\w)", "-", line)
    line = re.sub(r"^\.\w+ |\b(?:Ns|No|Ar|Cm|Pa|Ev|Li|Pq|Op|Dv) |\\&", "", line)
    return re.sub(r" ([.,:;])", r"\1", line)


def argument(words):
    """What stands behind the "=" of an option, as --help has it."""
    return words and "".join({"Ns": "", "Ar": "", "Oo": "[", "Oc": "]"}.get(word, word) for word in words.split())


def default_in_page(lines):
    for line, following in zip(lines, lines[1:] + [""]):
        match = re.match(r"\.Pq (.*?)( [.;])?$", line)
        if match and match[1].startswith("the default"):
            return plain(lines[lines.index(line) - 1]).split()[-1]
        if match and match[2]:
            return plain(match[1])
    return None


def in_page(path):
    """The same of the items that are options."""
    found = {}
    for item in re.split(r"^\.It ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, *lines = re.split(r"^\.(?:El|Ss|Sh)\b", item, flags=re.MULTILINE)[0].strip().split("\n")
        option = re.fullmatch(r"(?:Fl (\w) , |Fl )-([a-z][a-z-]*)(?: Ns =( .*))?", head)
        if option:
            found[option[2]] = (option[1], argument(option[3]), default_in_page(lines))
        else:
            assert "Fl -" not in head, f"{path.name}: one item is one option: .It {head}"
    return found


def in_synopsis(path):
    """Name -> argument of the options that the synopsis lists; whether it says that there are others."""
    text = re.search(r"^\.Sh SYNOPSIS$(.*?)^\.Sh", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]
    listed = re.findall(r"^\.(?:Op )?Fl -([a-z][a-z-]*)(?: Ns = Ns Ar (\S+))?$", text, re.MULTILINE)
    return dict(listed), ".Op Ar option ..." in text


def letters_in_help(quern, command):
    """Subcommand -> its options, which are letters."""
    listed = re.search(r"^Commands:$((?:\n  [a-z]+ .*)*)", help_of(quern, command), re.MULTILINE)
    names = re.findall(r"^  ([a-z]+) ", listed[1], re.MULTILINE) if listed else []
    helps = ((name, help_of(quern, command, name)) for name in names)
    return {name: {letter for line in re.findall(r"^  (-\w(?:, -\w)*) ", text, re.MULTILINE) for letter in line[1::4]}
            for name, text in helps}


def letters_in_page(path):
    items = re.findall(r"^\.It Ic (\w+)(.*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: set("".join(re.findall(r"\bFl (\w+)", rest))) for name, rest in items}


def faults(quern, docs):
    listed = dict(re.findall(r"^  ([a-z]+)  +(.*)", help_of(quern), re.MULTILINE))
    page = (docs / "quern.1").read_text(encoding="utf-8")
    assert len(listed) >= 2, listed
    if set(re.findall(r"^\.It Ic (\w+)", page, re.MULTILINE)) != {*listed, "help"}:
        yield f"quern.1 and quern --help have other commands: {sorted(listed)}"
    pages = {p.stem.partition("-")[2] for p in docs.glob("quern-*.1")}
    if pages != set(listed):
        yield f"there are commands {sorted(listed)}, and pages of {sorted(pages)}"
    for command in sorted(pages & set(listed)):
        path = docs / f"quern-{command}.1"
        shown, written = in_help(help_of(quern, command)), in_page(path)
        if re.search(r"options of\n\.Xr quern-run 1 ,\nall of which", path.read_text(encoding="utf-8")):
            written = {**in_page(docs / "quern-run.1"), **written}
        assert len(shown) >= 5, shown
        for name in sorted(shown.keys() | written.keys()):
            for what, a, b in zip(("short name", "argument", "default"), shown.get(name, [None]), written.get(name, [None])):
                if name not in shown or name not in written:
                    yield f"--{name} of quern {command} is in {'its page' if name in written else '--help'} only"
                    break
                if a != b:
                    yield f"quern {command} --{name}: {what} {a!r} in --help, {b!r} in the man page"
        letters, described = letters_in_help(quern, command), letters_in_page(path)
        for name in sorted(letters.keys() | described.keys()):
            if letters.get(name) != described.get(name):
                yield f"quern {command} {name}: {letters.get(name)} in --help, {described.get(name)} in the man page"
        synopsis, has_others = in_synopsis(path)
        wanted = {name: argument or "" for name, (_, argument, _) in shown.items() if name in synopsis or not has_others}
        if synopsis != wanted:
            yield f"{path.name}: its synopsis differs in {dict(synopsis.items() ^ wanted.items())}"


def main():
    found = list(faults(sys.argv[1], pathlib.Path(sys.argv[2])))
    print("\n".join(found) if found else "the man pages say what --help says")
    return 1 if found else 0


sys.exit(main())
