"""How executors are started: what the user says of their environment and command, and that nothing but glibc and a shell
has to be on an agent."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import quern

GLIBC = re.compile(r"(ld-linux.*|libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil|libanl)\.so")
MODES = quern.MODES
BUNDLE = pathlib.Path(quern.QUERN).parent.parent / "executor/quern-executor.tar"
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(20000))


def stream(d, *options, map_command, text=b"one\n"):
    (d / "in").write_bytes(text)
    result = quern.run(d, "stream", "--master", "local[2]", *options, "--map", map_command, "-i", d / "in", "-o", d / "out")
    quern.check(d, result)
    return quern.output(d / "out")


def test_variables_reach_the_tasks():
    with quern.scratch() as d:
        shown = "sh -c 'cat >/dev/null; echo \"$COLOUR, $SHAPE, $MESOS_EXECUTOR_ID\"'"
        (line,) = stream(d, "--executor-env", "COLOUR=blue, or green", "--conf", "quern.executor.env=SHAPE=round=ish",
                         "--executor-env", "COLOUR=red, or grey", map_command=shown)
        assert re.fullmatch(rb"red, or grey, round=ish, [0-9a-f-]+", line), line


def test_variables_that_are_not_the_users_are_refused():
    with quern.scratch() as d:
        for value, words in [("MESOS_SANDBOX=/", "is for Mesos to set"), ("NAME", "write NAME=VALUE"), ("=x", "NAME=VALUE"),
                             ("A B=1", "no name of a variable")]:
            result = quern.run(d, "run", "--executor-env", value, "job.c")
            assert result.returncode == 2
            quern.one_line(result, "--executor-env", words)


@quern.embedded("what it has not")
def test_what_does_not_go_together_is_refused():
    with quern.scratch() as d:
        for options, words in [(["--fetcher-cache"], "needs --executor-uri"),
                               (["--container-image", "debian"], "needs a Mesos cluster"),
                               (["--master", "m:1", "--container-volume", "/a:/b"], "needs --container-image"),
                               (["--container-volume", "a:/b"], "absolute"), (["--container-volume", "/a:/b:rx"], ":ro"),
                               (["--checkpoint", "perhaps"], "neither true nor false")]:
            result = quern.run(d, "run", *options, "job.c")
            assert result.returncode == 2, options
            quern.one_line(result, words)


def test_the_command_is_the_users():
    with quern.scratch() as d:
        (line,) = stream(d, "--executor-command", "COLOUR=green exec ./quern-executor",
                         map_command="sh -c 'cat >/dev/null; echo $COLOUR'")
        assert line == b"green", line


def needed(path, library_path=""):
    """What the loader brings in with a program: its name, and where it is."""
    listing = subprocess.run(["ldd", path], check=True, capture_output=True, text=True,
                             env=dict(os.environ, LD_LIBRARY_PATH=library_path)).stdout
    for line in listing.splitlines():
        words = line.replace("=>", " ").split()
        if (places := [w for w in words if w.startswith("/")]):
            yield os.path.basename(words[0]), pathlib.Path(places[-1])


def bare_root(root, programs):
    """A root file system with a shell and glibc, and nothing else."""
    for folder in "bin", "proc", "dev", "tmp":
        (root / folder).mkdir(parents=True)
    shutil.copy2(shutil.which("dash"), root / "bin/sh")
    for program in [root / "bin/sh", *programs]:
        for name, path in needed(program):
            if GLIBC.match(name):
                there = root / str(path).lstrip("/")
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, there)
            else:
                assert program in programs and "lib" in path.parts, f"{program} needs {path}"
    return root


def test_an_agent_needs_nothing_but_glibc_and_a_shell():
    own_root = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if shutil.which("dash") is None or subprocess.run([*own_root, "true"], capture_output=True).returncode != 0:
        raise quern.Skipped("no dash, or a root file system of one's own is not allowed here")
    with quern.scratch() as d:
        bundle = d / "bundle"
        shutil.unpack_archive(BUNDLE, bundle)
        for name, path in needed(bundle / "quern-executor"):
            assert GLIBC.match(name) or bundle in path.parents, f"the bundle lacks {name}, and has it from {path}"
        root = bare_root(d / "root", [bundle / "quern-executor"])
        (d / "in").write_bytes(TEXT)
        # The sandboxes and the folder of the test are where they were; nothing else of this machine is there.
        inner = "[ ! -e /etc ] && cd \"$MESOS_SANDBOX\" && exec ./quern-executor"
        there = " && ".join(f"mkdir -p {root}{f} && mount --bind {f} {root}{f}" for f in (d, quern.all_sandboxes(d)))
        script = (f"{there} && mount --rbind /dev {root}/dev && mount --rbind /proc {root}/proc && "
                  f"exec chroot {root} /bin/sh -c {shlex.quote(inner)}")
        command = f"exec {shlex.join(own_root)} sh -c {shlex.quote(script)}"
        for mode in MODES:
            quern.check(d, quern.run(d, "run", "--master", "local[2x1]", "--mode", mode, "--executor-command", command,
                                     quern.EXAMPLES / "wordcount.c", d / "in", d / mode))
            quern.same(quern.output(d / mode), quern.word_counts(d / "in"))


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
