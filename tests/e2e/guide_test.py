"""The guide does what it says: its files and commands, exactly as printed, in order, in one folder, print what it prints.

A block of C that begins with "/* NAME.c" is that file, and whatever else is C compiles. In a block of `console` a line with
"$ " is a command ("> " goes on with it), the lines below it are what it prints on both outputs; "..." stands for
anything within a line, or, alone in one, for any number of lines. A command that fails ends the test. What the documents name of the API and of the options is there."""
import os
import pathlib
import re
import subprocess
import sys

import quern

DOCS = pathlib.Path(os.environ["QUERN_DOCS"])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"/\* ([\w.-]+\.c)\b")

# What the guide's pieces of C find around them.
AROUND = """#include <inttypes.h>
#include <math.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
"""
OF_A_JOB = "quern_set *set, *lines, *pairs, *left, *right, *a, *b;"


def install(d):
    """An installation: its program, and the environment in which it is used."""
    os.environ.pop("LD_LIBRARY_PATH", None)
    subprocess.run(["meson", "install", "-C", os.environ["QUERN_BUILD"], "--no-rebuild", "--quiet", "--destdir", d / "root"],
                   check=True, stdout=subprocess.DEVNULL)
    program = next((d / "root").rglob("bin/quern"))
    config = next((d / "root").rglob("quern.pc"))
    prefix = re.search("^prefix=(.*)$", config.read_text(), re.MULTILINE)[1]
    env = dict(quern.environment(d), PATH=f"{program.parent}:{os.environ['PATH']}", PKG_CONFIG_LIBDIR=str(config.parent),
               PKG_CONFIG_SYSROOT_DIR=str(program.parent.parent)[:-len(prefix)])
    return program, env


def blocks(document):
    text = (DOCS / document).read_text(encoding="utf-8")
    return [(*m.groups(), text.count("\n", 0, m.start()) + 1) for m in BLOCK.finditer(text)]


def commands(text):
    """Each command of a block and what it prints."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1] += line + "\n"
    return found


def printed(shown, got):
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
                      for line in shown.splitlines())
    return re.fullmatch(pattern, got) is not None


def follow(document):
    with quern.scratch() as d:
        _, env = install(d)
        work = d / "work"
        work.mkdir()
        (work / "examples").symlink_to(quern.EXAMPLES)
        ran = 0
        for language, text, number in blocks(document):
            name = NAMED.match(text)
            if language == "c" and name:
                (work / name[1]).write_text(text)
            if language != "console":
                continue
            for command, shown in commands(text):
                result = subprocess.run(["bash", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL, check=False,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=quern.TIMEOUT)
                where = f"{document}:{number}: $ {command}\n"
                assert result.returncode == 0, f"{where}status {result.returncode}:\n{result.stdout}"
                assert printed(shown, result.stdout), f"{where}should print:\n{shown}printed:\n{result.stdout}"
                ran += 1
        assert not quern.leftovers(d), quern.leftovers(d)
        return ran


def is_of_a_file(text):
    return re.search(r"^(static|(struct|enum) \w* ?\{|typedef|#|int quern_main)", text, re.MULTILINE) is not None


def compile_pieces(document):
    """Every block of C, with what was defined before it below the same heading."""
    text = (DOCS / document).read_text(encoding="utf-8")
    compiled = 0
    with quern.scratch() as d:
        _, env = install(d)
        flags = subprocess.run(["pkg-config", "--cflags", "quern"], env=env, check=True, stdout=subprocess.PIPE, text=True)
        for section in re.split(r"^##+ ", text, flags=re.MULTILINE):
            before = ""
            for piece in (text for language, text in BLOCK.findall(section) if language == "c"):
                if NAMED.match(piece):
                    source = piece
                elif is_of_a_file(piece):
                    before += piece
                    source = AROUND + before
                else:
                    source = AROUND + before + "int f(quern_job *job, int argc, char **argv);\nint f(quern_job *job, int argc," \
                        f" char **argv)\n{{\n{OF_A_JOB}\n{{\n{piece}}}\nreturn 0;\n}}\n"
                result = subprocess.run(["cc", "-x", "c", "-std=gnu17", "-fsyntax-only", "-Wall", "-Werror",
                                         "-Wno-uninitialized", *flags.stdout.split(), "-"], input=source, text=True, check=False,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
                assert result.returncode == 0, f"{document}, {section.partition(chr(10))[0]}:\n{piece}\n{result.stdout}"
                compiled += 1
    return compiled


def test_guide():
    assert follow("guide.md") > 5


def test_pieces_compile():
    assert compile_pieces("guide.md") > 5


def test_names_are_there():
    """Functions and options that documents speak of exist."""
    with quern.scratch() as d:
        program, _ = install(d)
        header = subprocess.run(["cc", "-E", "-dD", "-I", program.parent.parent / "include", "-include", "quern/quern.h", "-x", "c",
                                 "/dev/null"], check=True, stdout=subprocess.PIPE, text=True).stdout
        known = set(re.findall(r"\b(?:quern|QUERN)_\w+", header))
        options = set()
        for command in re.findall(r"^  ([a-z]+)  ", subprocess.run([program, "--help"], check=True, stdout=subprocess.PIPE,
                                                                   text=True).stdout, re.MULTILINE):
            text = subprocess.run([program, command, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
            options |= set(re.findall(r"(?<!\S)--[a-z][a-z-]*", text))
        for document in "guide.md", "coming-from-spark.md", "README.md":
            text = (DOCS / document).read_text(encoding="utf-8")
            missing = {n for n in re.findall(r"\b(?:quern_[a-z]|QUERN_[A-Z])\w*", text)
                       if n not in known and not (n.endswith("_") and any(k.startswith(n) for k in known))}  # "quern_as_..."
            assert not missing, f"{document} speaks of {sorted(missing)}"
            # Options of Spark's are in the first column of tables.
            ours = re.sub(r"^\|[^|\n]*\|", "", text, flags=re.MULTILINE)
            missing = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", BLOCK.sub("", ours))) - options
            assert not missing, f"{document} speaks of {sorted(missing)}"


def test_every_transformation_and_action_is_spoken_of():
    header = (quern.EXAMPLES.parent / "job/include/quern/quern.h").read_text(encoding="utf-8")
    sets = re.findall(r"^quern_set \*(quern_\w+)\(|^int (quern_\w+)\(\s*quern_set", header, re.MULTILINE)
    names = {a or b for a, b in sets}
    text = "".join((DOCS / d).read_text(encoding="utf-8") for d in ("guide.md", "coming-from-spark.md"))
    missing = names - set(re.findall(r"quern_\w+", text))
    assert len(names) > 60 and not missing, f"{len(names)} functions; nobody speaks of {sorted(missing)}"


def test_links_lead_somewhere():
    for document in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
