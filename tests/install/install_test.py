"""What `meson install` installs: all of it is there, a job is built against it with pkg-config alone, and it runs, also when
the whole tree was moved. QUERN_BUILD is the build folder; the rest as in e2e/quern.py."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import quern  # noqa: E402

BUILD = os.environ["QUERN_BUILD"]
JOB = quern.EXAMPLES / "linecount.c"


def command(*args, **more):
    result = subprocess.run([*map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)
    assert result.returncode == 0, f"{args}: {result.stdout}{result.stderr}"
    return result.stdout


def install(d):
    """Installs below `d`. What stands for the prefix there."""
    os.environ.pop("LD_LIBRARY_PATH", None)  # meson's, with what is in the build folder
    command("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", d / "root")
    found = list((d / "root").rglob("bin/quern"))
    assert len(found) == 1, found
    quern.QUERN = str(found[0])
    return found[0].parent.parent


def pkg_config(prefix, *args):
    folder = next(prefix.rglob("quern.pc")).parent
    text = (folder / "quern.pc").read_text()
    root = str(prefix)[:-len(re.search("^prefix=(.*)$", text, re.MULTILINE)[1])]
    return command("pkg-config", *args, "quern",
                   env=dict(os.environ, PKG_CONFIG_LIBDIR=str(folder), PKG_CONFIG_SYSROOT_DIR=root)).split()


def linked(prefix, so, source=JOB, *more):
    command("cc", "-shared", "-fPIC", source, *pkg_config(prefix, "--cflags", "--libs"), *more, "-o", so)


def names(path):
    """The functions and variables of quern's that an object offers."""
    return set(re.findall(r" [BDRT] (quern_\w+)$", command("nm", "-D", "--defined-only", path), re.MULTILINE))


def declared(prefix):
    """What the installed headers declare and leave to quern to define, as the compiler sees it."""
    flags = ["-x", "c", "-include", "quern/quern.h", "/dev/null", *pkg_config(prefix, "--cflags")]
    prototypes = command("cc", "-fsyntax-only", "-aux-info", "/dev/stdout", *flags)
    plain = command("cc", "-E", "-P", *flags)
    of_a_type = re.findall(r"^\s*quern_\w+_fn ([^*(;]+);", plain, re.MULTILINE)
    variables = re.findall(r"^extern [^(;]*?(quern_\w+)[^(;]*;", plain, re.MULTILINE)
    functions = re.findall(r":\w*C \*/ extern .*?\b(quern_\w+) \(", prototypes)
    return {*functions, *re.findall(r"\w+", " ".join(of_a_type)), *variables} - {"quern_main"}


def count_lines(d, job):
    (d / "text").write_text("one\ntwo\nthree\n")
    for mode in quern.MODES:
        result = quern.run(d, "run", "--master", "local[2]", "--mode", mode, job, "text")
        quern.check(d, result)
        assert result.stdout == b"3\n", result


def test_everything_is_there():
    with quern.scratch() as d:
        prefix = install(d)
        found = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()}
        library = next(p for p in found if p.endswith("/libquern.so"))
        folder = os.path.dirname(library)
        wanted = {"bin/quern", "include/quern/quern.h", "libexec/quern/quern-executor.tar", library, f"{folder}/libquern.so.0",
                  f"{folder}/pkgconfig/quern.pc", "share/bash-completion/completions/quern",
                  "libexec/quern/quern-driver.tar.gz", "share/man/man1/quern.1",
                  *(f"share/man/man1/quern-{name}.1" for name in ("run", "local", "fs", "ps", "kill", "wait", "log", "bench")),
                  *(f"libexec/quern/bench/{name}" for name in ("quern-bench-neighbour", "suite/__main__.py", "jobs/sleep.c")),
                  "share/man/man3/quern.h.3"}
        assert wanted <= found, wanted - found
        version = command(prefix / "bin/quern", "--version").split()[1]
        others = found - wanted - {f"{folder}/libquern.so.{version}"}
        known = r"libexec/quern/quern-stream\.so$|share/man/man1/quern-\w+\.1$|libexec/quern/bench/|include/quern/\w+\.h$|" \
            r"share/doc/quern/[\w-]+\.md$|share/doc/quern/marathon\.json$|share/doc/quern/examples/"
        assert all(re.match(known, p) for p in others), others
        assert {"share/doc/quern/guide.md", "share/doc/quern/examples/wordcount.c"} <= others, others
        assert not [p for p in others if p.endswith((".build", ".pyc"))], others
        assert pkg_config(prefix, "--modversion") == [version]
        assert "libquern.so.0" in command("readelf", "-d", prefix / library)


def test_a_job_is_built_with_pkg_config():
    with quern.scratch() as d:
        prefix = install(d)
        linked(prefix, d / "plain.so")
        linked(prefix, d / "defs.so", JOB, "-Wl,-z,defs")
        for name in "plain.so", "defs.so":
            needed = command("readelf", "-d", d / name)
            assert re.search(r"NEEDED.*\[libquern\.so\.0\]", needed) and "RPATH" not in needed and "RUNPATH" not in needed
            count_lines(d, name)
        count_lines(d, JOB)


def test_the_tree_can_be_moved():
    with quern.scratch() as d:
        prefix = install(d)
        linked(prefix, d / "job.so")
        shutil.move(prefix, d / "elsewhere")
        shutil.rmtree(d / "root")
        quern.QUERN = str(d / "elsewhere" / "bin" / "quern")
        count_lines(d, "job.so")
        count_lines(d, JOB)


def test_bench():
    """From the tree that is installed, wherever that is; it writes nothing there."""
    with quern.scratch() as d:
        prefix = install(d)
        shutil.move(prefix, d / "elsewhere")
        quern.QUERN = str(d / "elsewhere/bin/quern")
        before = sorted((d / "elsewhere").rglob("*"))
        small = "--quick", "--turns=1", "--agents=1", "--cores=2"
        for words in ("modes", *small, "--lengths=10ms", "sweep", "think"), ("data", *small, "--size=1m"), ("dispatch", *small):
            result = quern.run(d, "bench", *words, "-o", words[0])
            quern.check(d, result)
            assert (d / words[0] / "report.html").exists(), result
        assert sorted((d / "elsewhere").rglob("*")) == before


def test_names():
    """The library has what the header declares, nothing else of quern's; the programs that load jobs have the same."""
    with quern.scratch() as d:
        prefix = install(d)
        api = declared(prefix)
        assert len(api) > 30 and "quern_emit" in api and "quern_sum_u64" in api, api
        library = next(prefix.rglob("libquern.so"))
        assert names(library) == api, names(library) ^ api
        assert names(prefix / "bin/quern") == api, names(prefix / "bin/quern") ^ api
        with tarfile.open(prefix / "libexec/quern/quern-executor.tar") as tar:
            tar.extract("quern-executor", d)
            assert "lib/libquern.so.0" in tar.getnames()
        assert names(d / "quern-executor") == api, names(d / "quern-executor") ^ api
        every = {line.split()[-1] for line in command("nm", "-D", "--defined-only", library).splitlines()}
        assert every == api, every ^ api


def test_headers_are_cxx_as_well():
    with quern.scratch() as d:
        prefix = install(d)
        (d / "a.cc").write_text("#include <quern/quern.h>\nint main() { return quern_str(\"ab\").len == 2 ? 0 : 1; }\n")
        command("c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", *pkg_config(prefix, "--cflags"), d / "a.cc", "-o", d / "a")
        command(d / "a")


def test_outside_of_a_job_functions_say_so():
    with quern.scratch() as d:
        prefix = install(d)
        (d / "a.c").write_text("#include <quern/quern.h>\nint main(void) { quern_put(NULL, quern_str(\"\")); return 0; }\n")
        folder = next(prefix.rglob("libquern.so")).parent
        command("cc", d / "a.c", *pkg_config(prefix, "--cflags", "--libs"), f"-Wl,-rpath,{folder}", "-o", d / "a")
        result = subprocess.run([d / "a"], stderr=subprocess.PIPE, text=True, check=False)
        assert result.returncode < 0 and "quern_put(): a job's functions run within `quern run`" in result.stderr, result


def test_man_pages():
    with quern.scratch() as d:
        pages = sorted(install(d).rglob("share/man/man*/*"))
        assert len(pages) >= 4, pages
        for page in pages:
            result = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", page], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    check=False)
            assert result.returncode == 0 and not result.stderr, f"{page}: {result.stderr.decode()}"
            text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", result.stdout.decode())
            for words in "NAME", "SYNOPSIS", "SEE ALSO":
                assert words in text, f"{page}: no {words}"


def complete(prefix, line):
    """What bash offers for a line whose end the cursor is at."""
    script = 'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _quern;' \
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith((" ", "=")) else [])
    words[0] = str(prefix / "bin" / "quern")
    out = command("bash", "-c", script, "bash", prefix / "share/bash-completion/completions/quern", line, *words,
                  cwd=quern.EXAMPLES)
    return out.split()


def test_completion():
    with quern.scratch() as d:
        prefix = install(d)
        commands = complete(prefix, "quern ")
        assert {"run", "local", "help"} <= set(commands) and "job" not in commands, commands
        assert complete(prefix, "quern lo") == ["local", "log"]
        for name in set(commands) - {"help"}:
            shown = set(re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", command(prefix / "bin/quern", name, "--help")))
            offered = {o.rstrip("=") for o in complete(prefix, f"quern {name} --")}
            assert offered == shown, offered ^ shown
        assert complete(prefix, "quern run --task-m") == ["--task-max-failures=", "--task-memory="]
        assert complete(prefix, "quern run --qu") == ["--quiet"]
        assert complete(prefix, "quern run --mode=f") == ["fine"] == complete(prefix, "quern run --mode f")
        assert complete(prefix, "quern bench mo") == ["modes"] and "--lengths=" in complete(prefix, "quern bench modes --")
        assert "--lengths=" not in complete(prefix, "quern bench data --")
        assert complete(prefix, "quern bench modes --modes=f") == ["fine"]
        assert complete(prefix, "quern fs mk") == ["mkdir"] and "-R" not in complete(prefix, "quern fs -")
        assert {"-R", "-h"} <= set(complete(prefix, "quern fs ls -"))
        assert complete(prefix, "quern fs ls -h --hdfs-u") == ["--hdfs-user="]
        assert complete(prefix, "quern run --quiet wordc") == ["wordcount.c"]
        result = quern.run(d, "run", "--mode", "no-such-mode", "x.c")
        assert complete(prefix, "quern run --mode=") == result.stderr.decode().strip().rpartition("there are ")[2].split()


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
