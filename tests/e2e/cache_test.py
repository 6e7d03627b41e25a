"""Persisted sets through the whole system: the same answers as without, and nothing is computed twice that was kept."""
import contextlib
import os
import random
import sys

import quern

JOB = quern.JOBS / "cache.c"
MODES = quern.MODES
LINES = 3000


def write(d, seed=1, files=4, lines=LINES):
    """A folder of text; its lines."""
    r = random.Random(seed)
    folder = d / "in"
    folder.mkdir(exist_ok=True)
    everything = []
    for i in range(files):
        part = [" ".join(f"w{r.randrange(200)}" for _ in range(r.randrange(0, 12))).encode() for _ in range(lines // files)]
        # Large enough to be a split of its own.
        part.append(b"x" * 70000 + b" %d" % i)
        (folder / f"f{i}").write_bytes(b"".join(line + b"\n" for line in part))
        everything += part
    return everything


def start(d, mode, persist, *what, master="local[2]", options=()):
    return quern.start(d, "run", "--master", master, "--mode", mode, *options, JOB, d / "in", d / "seen", persist, *what)


def run(d, *args, **more):
    result = quern.finish(start(d, *args, **more))
    quern.check(d, result)
    return result


def seen(d):
    """How many records the job's function saw since the last call."""
    with contextlib.suppress(FileNotFoundError):
        n = (d / "seen").stat().st_size
        (d / "seen").unlink()
        return n
    return 0


def kept(process):
    """How many partitions the executors of a job keep."""
    n = 0
    for pid, command in quern.descendants(process.pid):
        if b"quern-executor" not in command.split(b"\0")[0]:
            continue
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    n += os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:quern-cache-")
    return n


@contextlib.contextmanager
def paused(d, *args, at, **more):
    """The job, once it has come to `wait at`; let go at the end of the block, and checked."""
    os.mkfifo(f"{at}.go")
    process = start(d, *args, **more)
    try:
        def there():
            assert process.poll() is None, quern.finish(process)
            return os.path.exists(f"{at}.there")
        quern.wait_for(f"the job comes to {at}", there)
        yield process
        open(f"{at}.go", "wb").close()
        quern.check(d, quern.finish(process))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_same_answers_with_and_without():
    for mode in MODES:
        for persist in ["no", "plain", "compressed"]:
            with quern.scratch() as d:
                lines = write(d)
                result = run(d, mode, persist, "words", d / "words", "lines", d / "lines", "count", "words", d / "again")
                wanted = quern.word_counts(d / "in")
                quern.same(quern.output(d / "words"), wanted)
                quern.same(quern.output(d / "again"), wanted)
                quern.same(quern.output(d / "lines"), sorted(lines))
                assert result.stdout == b"%d\n" % len(lines), result.stdout
                # Once; or each time, but for what a shuffle keeps anyway.
                assert seen(d) == len(lines) * (3 if persist == "no" else 1), (mode, persist)


def test_what_is_sampled_is_kept_whole_or_not_at_all():
    for mode in MODES:
        for persist in "no", "plain":
            with quern.scratch() as d:
                lines = write(d, files=2, lines=80000)  # more than a sample looks at
                assert all(p.stat().st_size > 1 << 20 for p in (d / "in").iterdir())
                result = run(d, mode, persist, "sorted", d / "sorted", "count")
                assert quern.parts(d / "sorted") == b"".join(line + b"\n" for line in sorted(lines))
                assert result.stdout == b"%d\n" % len(lines), result.stdout
                if persist == "no":  # a part for the sample, all for the sort, all for the count
                    assert 2 * len(lines) < seen(d) < 3 * len(lines)
                else:
                    assert seen(d) == len(lines)


def test_what_take_left_half_read_is_computed_again():
    for mode in MODES:
        with quern.scratch() as d:
            lines = write(d)
            result = run(d, mode, "plain", "take", "5", "count", "count")
            assert result.stdout == b"%d\n" % len(lines) * 2, result.stdout
            assert len(lines) < seen(d) < 2 * len(lines)


def test_a_small_memory_gives_the_same_answers():
    for mode in MODES:
        with quern.scratch() as d:
            lines = write(d, files=8, lines=8000)
            big = d / "in" / "big"
            big.write_bytes(b"y" * 1000 * 1000 + b"\n")  # as much as there is room for
            lines.append(b"y" * 1000 * 1000)
            result = run(d, mode, "plain", "words", d / "words", "count", "count", "words", d / "again",
                         options=["--cache-memory", "1m"])
            assert result.stdout == b"%d\n" % len(lines) * 2, result.stdout
            quern.same(quern.output(d / "words"), quern.word_counts(d / "in"))
            quern.same(quern.output(d / "again"), quern.word_counts(d / "in"))
            assert len(lines) < seen(d) < 3 * len(lines)  # some were found, some were not


def test_without_memory_nothing_is_kept():
    with quern.scratch() as d:
        lines = write(d)
        result = run(d, "coarse", "plain", "count", "count", options=["--cache-memory", "0"])
        assert result.stdout == b"%d\n" % len(lines) * 2, result.stdout
        assert seen(d) == 2 * len(lines)


def test_what_is_too_large_is_said_once():
    with quern.scratch() as d:
        write(d, lines=200000)
        result = run(d, "coarse", "plain", "count", "count", options=["--cache-memory", "1m", "--verbose"])
        assert result.stderr.count(b"was not kept") == 1, result.stderr.decode()


def test_the_plan_shows_what_is_kept():
    with quern.scratch() as d:
        write(d)
        result = run(d, "coarse", "compressed", "words", d / "words", options=["--verbose"])
        assert b"\n    cache 1 (compressed)\n" in result.stderr and b"\n    cache 2 (compressed)\n" in result.stderr, \
            result.stderr.decode()


def test_a_killed_executor_takes_its_partitions_along():
    for mode in MODES:
        with quern.scratch() as d:
            lines = write(d)
            at = d / "between"
            with paused(d, mode, "plain", "count", "wait", at, "count", "words", d / "words", at=at,
                        master="local[2x2]") as job:
                assert kept(job) > 0
                executors = [pid for pid, command in quern.descendants(job.pid)
                             if b"quern-executor" in command.split(b"\0")[0]]
                quern.kill(executors[0])  # and what is below it dies with it
            quern.same(quern.output(d / "words"), quern.word_counts(d / "in"))
            assert seen(d) >= len(lines)


def test_unpersisting_gives_the_memory_back():
    for mode in MODES:
        with quern.scratch() as d:
            lines = write(d)
            one, two = d / "one", d / "two"
            for name in "one.go", "two.go":
                os.mkfifo(d / name)
            process = start(d, mode, "plain", "count", "wait", one, "unpersist", "wait", two, "count", "count")
            try:
                quern.wait_for("the first count", (d / "one.there").exists)
                assert kept(process) >= 1
                open(d / "one.go", "wb").close()
                quern.wait_for("nothing is kept", lambda: kept(process) == 0)
                open(d / "two.go", "wb").close()
                result = quern.finish(process)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
            quern.check(d, result)
            assert result.stdout == b"%d\n" % len(lines) * 3
            assert seen(d) == 3 * len(lines)  # kept no longer


def test_a_task_that_fails_on_what_was_kept():
    for mode in MODES:
        with quern.scratch() as d:
            lines = write(d)
            result = run(d, mode, "plain", "count", "fail", "count")
            assert result.stdout == b"%d\n" % len(lines) * 3, result.stdout
            assert len(lines) < seen(d) < 2 * len(lines)  # the one partition was computed again


def test_input_that_is_divided_anew_is_not_mixed_with_the_old():
    with quern.scratch() as d:
        lines = write(d)
        at = d / "between"
        with paused(d, "coarse", "plain", "count", "wait", at, "lines", d / "lines", at=at):
            more = [b"z" * 100000, b"another line"]
            with open(d / "in" / "f0", "ab") as f:
                f.write(b"".join(line + b"\n" for line in more))
        quern.same(quern.output(d / "lines"), sorted(lines + more))


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
