"""What all tasks of a job share, through the whole system: files that come with it."""
import os
import sys

import quern

JOB = quern.JOBS / "shared.c"
MODES = ["coarse", "fine"]


def start(d, mode, *args, master="local[4x1]", options=()):
    return quern.start(d, "run", "--master", master, "--mode", mode, *options, JOB, *args)


def run(d, *args, status=0, **more):
    result = quern.finish(start(d, *args, **more))
    quern.check(d, result, status)
    return result


# ---- Files ----

def test_files_come_with_the_job():
    for mode in MODES:
        with quern.scratch() as d:
            (d / "some where").mkdir()
            files = {"plain.txt": ("plain.txt", b"a plain one\n"), "with  spaces": ("with  spaces", b"spaces\n"),
                     "some where/it's \"odd\" \\ %41 \u00e4": ("it's \"odd\" \\ %41 \u00e4", b"odd\n"),
                     "some where/twin": ("twin", b"one\n"), "twin": ("other", b"two\n"), "tool.sh": ("tool", b"#!/bin/sh\n"),
                     "data.tar.gz": ("data.tar.gz", b"no archive, and none is unpacked\n")}
            for path, (_, data) in files.items():
                (d / path).write_bytes(data)
            (d / "tool.sh").chmod(0o755)
            listed = ",".join(p if n == os.path.basename(p) else f"{p}#{n}" for p, (n, _) in files.items())
            (d / "in").mkdir()
            for i, (name, _) in enumerate(files.values()):
                (d / "in" / f"{i}").write_text(name + "\n")
            result = run(d, mode, "files", "in", d / "out", "other", options=["--files", listed])
            assert result.stdout == b"two\n", result.stdout
            wanted = [(b"program\t" if name == "tool" else b"data\t") + data.rstrip(b"\n") for name, data in files.values()]
            quern.same([line for line in quern.output(d / "out") if line], sorted(wanted))


def test_what_cannot_be_sent_is_said_before_anything_runs():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"x\n")
        (d / "there").write_bytes(b"")
        (d / "folder").mkdir()
        for value, words in [("there,missing", ["missing", "No such file"]), ("folder", ["folder", "not a regular file"]),
                             ("there,folder/../there", ["two files are named 'there'"]), ("there#", ["is not the name"]),
                             ("there#a/b", ["is not the name"]), ("there#..", ["is not the name"]), ("there,,there#b", ["write"])]:
            result = run(d, "coarse", "files", "in", d / "out", "there", options=["--files", value], status=2)
            for word in ["--files", *words]:
                assert word in result.stderr.decode(), (value, result.stderr)
            assert not (d / "out").exists()


def test_a_file_that_did_not_come_is_an_error_that_names_it():
    for mode in MODES:
        with quern.scratch() as d:
            (d / "in").write_bytes(b"there\nelsewhere\n")
            for name in "there", "elsewhere":
                (d / name).write_bytes(b"x\n")
            # In quern_main(), then in a task: where the file would be found if it were looked for in the wrong place.
            result = run(d, mode, "files", "in", d / "out", "../there", options=["--files", "there"], status=1)
            assert b"no file '../there' came with the job" in result.stderr, result.stderr
            result = run(d, mode, "files", "in", d / "out", "there", options=["--files", "there"], status=1)
            assert b"cannot open elsewhere" in result.stderr, result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
