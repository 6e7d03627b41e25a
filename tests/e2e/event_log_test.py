"""The event log of a job (--event-log): that it is there, adds up and agrees with what quern says itself, however the job ends."""
import os
import re
import signal
import subprocess
import sys

import hosting
import quern

sys.path.insert(0, os.environ["QUERN_BENCH_SUITE"])
from suite import eventlog  # noqa: E402

MODES = quern.MODES
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(2000))


def write_text(d, parts=6):
    folder = d / "text"
    folder.mkdir()
    for i in range(parts):
        (folder / f"part{i}").write_bytes(TEXT)
    return folder


def read_whole(path):
    """The log of a job that came to its end; it adds up."""
    log = eventlog.read(path)
    assert eventlog.check(log) == [], (str(path), eventlog.check(log))
    return log, eventlog.figures(log)


def numbers(pattern, text):
    found = re.search(pattern, text)
    assert found, f"no {pattern} in\n{text}"
    return [float(n) for n in found.groups()]


def agrees_with_what_was_said(log, f, err):
    """With the lines of --verbose, which are printed when the job's own process has ended: what is held is so until TEARDOWN."""
    held, executors, used = numbers(r"held ([0-9.]+) core-seconds \(executors themselves: ([0-9.]+)\).* used ([0-9.]+) ", err)
    ends = [s.returned for s in log.slots.values() if s.why == "end"]
    last = max((a.ended for a in log.attempts.values()), default=0)
    later = f["peak_held_cores"] * (max(ends, default=last) - last)
    assert held - 0.051 <= f["held_core_s"] <= held + later + 0.051, (held, later, f)
    assert executors - 0.051 <= f["executor_core_s"] <= executors + later + 0.051, (executors, f)
    assert abs(f["used_core_s"] - used) < 0.051, (used, f)
    offers, declined, revives = numbers(r"offers: (\d+), of which (\d+) were declined.*REVIVE was sent (\d+) times", err)
    assert (f["offers"], f["declined"], f["revives"]) >= (offers, declined, revives), (f, err)
    if f["gaps"]:
        assert numbers(r"gaps of slots between tasks: (\d+)", err) == [f["gaps"]]


def test_it_adds_up_in_every_mode():
    for mode in MODES:
        with quern.scratch() as d:
            text, path = write_text(d), d / "log.jsonl"
            result = quern.run(d, "run", "-v", "--master", "local[2x2]", "--mode", mode, "--parallelism=5", "--name", 'a "job"',
                               "--event-log", path, quern.EXAMPLES / "wordcount.c", text, d / "out")
            quern.check(d, result)
            quern.same(quern.output(d / "out"), quern.word_counts(text))
            log, f = read_whole(path)
            assert f["tasks"] == f["attempts"] >= 10 and log.done["status"] == "finished", f
            assert (log.job["mode"], log.job["name"], log.job["format"], log.job["task_cores"]) == (mode, 'a "job"', 1, 1)
            assert {s.stage for s in log.attempts.values()} == {1, 2} and log.counts["stage"] == log.counts["stage_end"] == 2
            assert 0 < f["utilization"] <= 1 and f["timeline"] and f["wait_p99_ms"] >= f["wait_p50_ms"] >= 0, f
            rows = eventlog.slots(log)
            assert all(row["offered"] <= row["accepted"] <= row["returned"] for row in rows), rows
            assert sum(len(row.get("tasks", [])) for row in rows) == f["attempts"], rows
            agrees_with_what_was_said(log, f, result.stderr.decode())


def test_a_stream_and_a_log_that_is_compressed():
    with quern.scratch() as d:
        text, path = write_text(d), d / "log.zst"
        result = quern.run(d, "stream", "--master", "local[2]", "--event-log", path, "--map", "cat", "--reduce", "cat",
                           "-i", text, "-o", d / "out")
        quern.check(d, result)
        assert path.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
        log, f = read_whole(path)
        assert f["tasks"] >= 2 and log.done["status"] == "finished", f


def test_as_a_property():
    with quern.scratch() as d:
        text = write_text(d, 1)
        (d / "properties").write_text(f"quern.event.log = {d}/one\n")
        for more, path in [("--conf", f"quern.event.log={d}/two"), ("--properties-file", d / "properties")]:
            quern.check(d, quern.run(d, "run", more, path, quern.EXAMPLES / "wordcount.c", text, d / f"out{more}"))
        for name in "one", "two":
            read_whole(d / name)


def test_a_job_that_does_several_things():
    """Or nothing at all."""
    with quern.scratch() as d:
        text = write_text(d, 2)
        result = quern.run(d, "run", "--master", "local[2]", "--event-log", "log", quern.JOBS / "cache.c", text, d / "seen", "plain",
                           "count", "count")
        quern.check(d, result)
        log, _ = read_whole(d / "log")
        assert log.counts["run"] == log.counts["run_end"] >= 2, log.counts
        (d / "nothing.c").write_text("#include <quern/quern.h>\nint quern_main(quern_job *j, int n, char **a)\n"
                                     "{ (void)j; (void)n; (void)a; return 0; }\n")
        quern.check(d, quern.run(d, "run", "--master", "local[2]", "--event-log", "none", d / "nothing.c"))
        log, f = read_whole(d / "none")
        assert (f["attempts"], f["held_core_s"], log.done["status"]) == (0, 0, "finished")


def test_what_is_held_while_the_job_thinks():
    """With no task to run, and nothing else that happens: two cores for a second at least, to where the process ends."""
    with quern.scratch() as d:
        (d / "thinks.c").write_text("#include <quern/quern.h>\n#include <unistd.h>\nint quern_main(quern_job *j, int n, char **a)\n"
                                    "{ uint64_t c; int r = n == 2 ? quern_count(quern_text(j, a[1]), &c) : 1; (void)sleep(1); "
                                    "return r; }\n")
        result = quern.run(d, "run", "-v", "--master", "local[2]", "--event-log", "log", d / "thinks.c", write_text(d))
        quern.check(d, result)
        log, f = read_whole(d / "log")
        agrees_with_what_was_said(log, f, result.stderr.decode())
        assert numbers(r"held ([0-9.]+) core-seconds", result.stderr.decode())[0] >= 2.1, result.stderr.decode()


def test_a_job_that_fails():
    with quern.scratch() as d:
        result = quern.run(d, "run", "--master", "local[2]", "--event-log", "log", quern.EXAMPLES / "wordcount.c", d / "no", d / "out")
        quern.check(d, result, status=1)
        log, _ = read_whole(d / "log")
        assert log.done["status"] == "failed"


def test_no_cluster():
    with quern.scratch() as d:
        text = write_text(d, 1)
        result = quern.run(d, "run", "--master", "127.0.0.1:1", "--master-timeout", "100ms", "--event-log", "log",
                           quern.EXAMPLES / "wordcount.c", text, d / "out")
        assert result.returncode == 3, result
        log, _ = read_whole(d / "log")
        assert (log.done["status"], log.counts["framework"]) == ("no_cluster", 0)


def gated(d, *args):
    gate = quern.Gate(d / "gate")
    return gate, quern.start(d, "run", "--master", "local[2x2]", *args, quern.JOBS / "gate.c", write_text(d), d / "out", d / "gate")


def test_an_interrupted_job():
    for mode in MODES:
        with quern.scratch() as d:
            gate, process = gated(d, "--mode", mode, "--event-log", "log")
            try:
                gate.at(process)
                process.send_signal(signal.SIGINT)
                quern.check(d, quern.finish(process), status=130)
            finally:
                gate.close()
            log, f = read_whole(d / "log")
            assert log.done["status"] == "interrupted" and f["tasks"] < f["attempts"], f
            assert "killed" in {a.state for a in log.attempts.values()}


def started(path):
    """Attempts that have begun, as far as the file says."""
    try:
        return eventlog.read(path).attempts
    except eventlog.LogError:
        return {}


def test_a_killed_job_leaves_a_log_that_can_be_read():
    for mode, name in zip(MODES, ["log.zst", "log", "log.zst"]):
        with quern.scratch() as d:
            gate, process = gated(d, "--mode", mode, "--event-log", name)
            try:
                gate.at(process)
                quern.wait_for("the log has tasks in it", lambda: started(d / name))
                process.kill()
                process.communicate()
                log = eventlog.read(d / name)
                f = eventlog.figures(log)
                assert log.done is None and f["attempts"] > 0 and f["tasks"] == 0, f
                assert any("without the event 'done'" in p for p in eventlog.check(log))
                if name == "log.zst":  # whole frames, for whoever reads them
                    subprocess.run(["zstd", "-tq", d / name], check=True)
                quern.wait_for("everything of the job is gone", lambda: not quern.leftovers(d))
            finally:
                gate.close()


def test_executors_that_die():
    for mode in MODES:
        with quern.scratch() as d:
            gate, process = gated(d, "--mode", mode, "--event-log", "log")
            try:
                worker = gate.at(process)[0]
                for pid, command in quern.descendants(process.pid):
                    if b"quern-executor" in command.split(b"\0")[0] and worker in [p for p, _ in quern.descendants(pid)]:
                        quern.kill(pid)
                        break
                gate.open()
                quern.check(d, quern.finish(process))
            finally:
                gate.close()
            log, f = read_whole(d / "log")
            lost = [s.kind for s in log.slots.values() if s.why == "lost"]
            assert "executor" in lost and f["attempts"] > f["tasks"], (lost, f)


def test_a_full_disk_does_not_fail_the_job():
    with quern.scratch() as d:
        text = write_text(d)
        result = quern.run(d, "run", "--event-log", "/dev/full", quern.EXAMPLES / "wordcount.c", text, d / "out")
        quern.check(d, result)
        quern.one_line(result, "warning: the event log '/dev/full' ends here: No space left on device")
        quern.same(quern.output(d / "out"), quern.word_counts(text))


def test_a_file_that_cannot_be_made():
    with quern.scratch() as d:
        text = write_text(d, 1)
        (d / "there").write_text("mine\n")
        for name, words in ("there", "exists: remove it"), ("no/log", "No such file or directory"), (".", "exists"):
            result = quern.run(d, "run", "--event-log", name, quern.EXAMPLES / "wordcount.c", text, d / "out")
            quern.check(d, result, status=1)
            quern.one_line(result, f"event log '{name}'", words)
            assert not (d / "out").exists()
        assert (d / "there").read_text() == "mine\n"


def test_without_revive():
    """Freed slots are not asked for: there is a REVIVE only where offers were suppressed before. That gaps are the master's
    allocation interval then is seen in virtual time (tests/bench/eventlog_test.py)."""
    with quern.scratch() as d:
        text = write_text(d, 5)
        figures = {}
        for interval in "0", "20ms":
            result = quern.run(d, "run", "--mode", "fine", "--master", "local[1x2]", "--revive-interval", interval, "--event-log",
                               f"log{interval}", quern.EXAMPLES / "wordcount.c", text, d / f"out{interval}")
            quern.check(d, result)
            log, figures[interval] = read_whole(d / f"log{interval}")
            assert figures[interval]["gaps"] > 0  # tasks waited, and slots became free
            if interval == "0":
                assert "revive_interval_s" not in log.job
                assert log.counts["revive"] <= log.counts["suppress"] + 1, log.counts
        assert figures["20ms"]["revives"] > figures["0"]["revives"], figures


def test_a_job_that_is_detached():
    with hosting.cluster() as c:
        text = write_text(c.d)
        result = c.run("run", "--detach", "--event-log=log", quern.EXAMPLES / "wordcount.c", text, c.d / "out", status=2)
        assert b"whole path" in result.stderr and result.stderr.count(b"\n") == 1, result.stderr
        job = c.detach("--event-log", c.d / "log", quern.EXAMPLES / "wordcount.c", text, c.d / "out")
        c.run("wait", job)
        c.settled()
        log, f = read_whole(c.d / "log")
        assert f["tasks"] >= 2 and log.done["status"] == "finished"
        killed = c.d / "killed"
        gate = quern.Gate(c.d / "gate")
        try:
            c.detach("--event-log", killed, quern.JOBS / "gate.c", text, c.d / "out2", c.d / "gate")
            quern.wait_for("the log has tasks in it", lambda: started(killed))
            quern.kill(c.driver())  # another one takes its framework down, and leaves its log alone
            c.settled()
        finally:
            gate.close()
        log = eventlog.read(killed)
        assert log.done is None and log.counts["job"] == 1


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
