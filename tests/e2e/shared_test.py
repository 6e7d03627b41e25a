"""What all tasks of a job share, through the whole system: files that come with it, broadcasts, resources of tasks."""
import contextlib
import os
import pathlib
import random
import re
import sys

import quern

JOB = quern.JOBS / "shared.c"
MODES = quern.MODES


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


# ---- Broadcasts ----

def write_places(d, size, tasks=8, lines=6500):
    """A file of bytes, and so many files, each large enough to be a split, of lines that name places in it; what look
    gives."""
    r = random.Random(size)
    data = r.randbytes(size)
    (d / "data").write_bytes(data)
    (d / "in").mkdir()
    places = [b"%010d" % r.randrange(size) for _ in range(tasks * lines)]
    for i in range(tasks):
        (d / "in" / f"{i}").write_bytes(b"".join(p + b"\n" for p in places[i::tasks]))
    return sorted(p + b"\t%d" % data[int(p)] for p in places)


def fetched(result, broadcast):
    """Who has fetched it, and from where: pairs of executors' ids."""
    return re.findall(rf"broadcast {broadcast}, \d+ bytes: (\S+) has it, from (.*)", result.stderr.decode())


def mappings(process, pattern=r"/broadcast/2|quern-broadcast"):
    """How many processes of a job have something of a broadcast: mapped, or open."""
    n = 0
    for pid, _ in quern.descendants(process.pid):
        with contextlib.suppress(OSError):
            here = re.search(pattern, pathlib.Path(f"/proc/{pid}/maps").read_text())
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    here = here or re.search(pattern, os.readlink(f"/proc/{pid}/fd/{fd}"))
            n += here is not None
    return n


@contextlib.contextmanager
def paused(d, mode, *args, at, **more):
    """The job, once it has come to `wait at`; let go at the end of the block."""
    os.mkfifo(f"{at}.go")
    process = start(d, mode, *args, **more)
    try:
        def there():
            assert process.poll() is None, quern.finish(process)
            return os.path.exists(f"{at}.there")
        quern.wait_for(f"the job comes to {at}", there)
        yield process
    finally:
        with contextlib.suppress(OSError):
            os.close(os.open(f"{at}.go", os.O_RDWR | os.O_NONBLOCK))
        if sys.exc_info()[0] is not None:
            process.kill()


def test_a_large_broadcast_goes_to_each_executor_once():
    size = 100 << 20
    for mode in MODES:
        with quern.scratch() as d:
            wanted = write_places(d, size)
            result = run(d, mode, "bytes", "in", "data", "look", d / "out", "count", options=["--verbose"])
            quern.same(quern.output(d / "out"), wanted)
            assert result.stdout == b"%d\n" % len(wanted), result.stdout
            for broadcast in 1, 2:
                pairs = fetched(result, broadcast)
                assert 1 <= len(pairs) <= 4 and len({who for who, _ in pairs}) == len(pairs), pairs
                # Two at a time from the driver; the others from one that has it.
                assert 1 <= sum(source == "the driver" for _, source in pairs) <= 2, pairs
                for i, (_, source) in enumerate(pairs):
                    assert source == "the driver" or source in [who for who, _ in pairs[:i]], pairs
            if mode == "coarse":
                assert len(fetched(result, 2)) == 4, result.stderr


def test_all_workers_of_an_executor_have_the_same_pages():
    for mode in MODES:
        with quern.scratch() as d:
            write_places(d, 1 << 20, tasks=16)
            run(d, mode, "bytes", "in", "data", "where", d / "out", master="local[4]")
            lines = [line.split(b"\t", 1) for line in quern.output(d / "out")]
            # perms, device and inode of each mapping
            assert len({tuple(m.split()[i] for i in (1, 3, 4)) for _, m in lines}) == 1, lines
            assert all(m.split()[1] == b"r--s" for _, m in lines)
            assert len({pid for pid, _ in lines}) > 1, lines


def shipped(d):
    """The files of broadcast 2 on the agents."""
    return [path for folder in quern.sandboxes(d) for path in folder.rglob("broadcast/2")]


def test_destroy_gives_it_back_everywhere():
    for mode in MODES:
        with quern.scratch() as d:
            wanted = write_places(d, 1 << 20)
            args = ["bytes", "in", "data", "look", d / "out", "wait", d / "before", "destroy", "wait", d / "after",
                    "anew", "look", d / "again"]
            os.mkfifo(d / "after.go")
            with paused(d, mode, *args, at=d / "before") as process:
                files = shipped(d)
                assert files and mappings(process) > len(files), (files, mappings(process))
            quern.wait_for("the second pause", lambda: os.path.exists(d / "after.there"))
            # The driver still has the empty one.
            quern.wait_for("all of it is gone", lambda: not shipped(d))
            quern.wait_for("nothing is mapped", lambda: mappings(process) <= 1)
            os.close(os.open(d / "after.go", os.O_RDWR | os.O_NONBLOCK))
            quern.check(d, quern.finish(process))
            quern.same(quern.output(d / "out"), wanted)
            quern.same(quern.output(d / "again"), wanted)


def test_what_was_destroyed_is_an_error_that_says_so():
    for mode in MODES:
        with quern.scratch() as d:
            write_places(d, 1 << 20)
            result = run(d, mode, "bytes", "in", "data", "count", "destroy", "count", status=1)
            assert b"there is no broadcast 2: was it destroyed?" in result.stderr, result.stderr


def test_an_executor_that_starts_later_gets_it():
    for mode in MODES:
        with quern.scratch() as d:
            wanted = write_places(d, 1 << 20)
            args = ["bytes", "in", "data", "look", d / "out", "wait", d / "pause", "look", d / "again"]
            with paused(d, mode, *args, at=d / "pause", options=["--verbose"], master="local[1x1]") as process:
                executors = [pid for pid, command in quern.descendants(process.pid)
                             if b"quern-executor" in command.split(b"\0")[0] and b"zygote" not in command]
                quern.kill(executors[0])
            result = quern.finish(process)
            quern.check(d, result)
            quern.same(quern.output(d / "out"), wanted)
            quern.same(quern.output(d / "again"), wanted)
            assert b"lost executor" in result.stderr, result.stderr
            assert len(fetched(result, 2)) == 2, result.stderr


# ---- Resources ----

def write_lines(d, tasks):
    """So many files of one line that is a split of its own."""
    (d / "in").mkdir()
    for i in range(tasks):
        (d / "in" / f"{i}").write_bytes(b" ".join(b"w%d" % (k % 50 + i) for k in range(20000)) + b"\n")


def most_at_a_time(log):
    now = most = 0
    for c in pathlib.Path(log).read_text():
        now += 1 if c == "b" else -1
        most = max(most, now)
    assert now == 0
    return most


@contextlib.contextmanager
def sized(d, mode, first, second, master, options=()):
    """A job with tasks of these sizes, and its gate."""
    gate = quern.Gate(d / "gate")
    process = start(d, mode, "sizes", "in", d / "out", *first, *second, d / "log", gate.folder, master=master, options=options)
    try:
        yield process, gate
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        gate.close()


def test_no_more_tasks_run_than_fit():
    for mode in MODES:
        for first, at_a_time in [((2, 0), 2), ((0, 1024), 2), ((1.5, 600), 2), ((4, 512), 1), ((0, 0), 4)]:
            with quern.scratch() as d:
                write_lines(d, 6)
                with sized(d, mode, first, (2, 0), "local[4]") as (process, gate):
                    gate.at(process, at_a_time)
                    gate.open()
                    quern.check(d, quern.finish(process))
                quern.same(quern.output(d / "out"), quern.word_counts(d / "in"))
                assert most_at_a_time(d / "log") == at_a_time, (mode, first, (d / "log").read_text())


def test_small_tasks_share_a_core_in_fine_mode():
    with quern.scratch() as d:
        write_lines(d, 8)
        # Eight slots of a quarter of a core: twice as many as the agent has of half a core.
        with sized(d, "fine", (0.25, 64), (0, 0), "local[2]", ["--task-cores", "0.5", "--total-executor-cores", 4]) as (process, gate):
            gate.at(process, 8)
            gate.open()
            quern.check(d, quern.finish(process))
        quern.same(quern.output(d / "out"), quern.word_counts(d / "in"))


def test_a_task_that_fits_nowhere_is_an_error():
    for mode in MODES:
        for which in range(2):
            with quern.scratch() as d:
                write_lines(d, 2)
                sizes = [(0, 0), (0, 0)]
                sizes[which] = (2, 700)
                with sized(d, mode, *sizes, "local[2x1]", ["--max-registered-wait", "1s"]) as (process, gate):
                    gate.open()
                    result = quern.finish(process)
                quern.check(d, result, 1)
                assert re.search(r"stage \d+: a task needs 2 cores and 700 MB, and no agent has that", result.stderr.decode()), \
                    result.stderr
                assert not (d / "out").exists()
        with quern.scratch() as d:
            write_lines(d, 2)
            with sized(d, mode, (0, 0), (3, 0), "local[2x1]") as (process, gate):
                gate.open()
                result = quern.finish(process)
            quern.check(d, result, 1)
            assert b"a task needs 3 cores and 512 MB" in result.stderr and b"--total-executor-cores" in result.stderr, result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
