"""Jobs whose driver the cluster hosts (--detach), and the commands that find them again: quern ps, log, wait, kill. Whatever
dies, nothing is left."""
import json
import os
import signal
import sys

import hosting
import quern
from hosting import TEXT


def test_it_runs_when_nobody_is_there():
    with hosting.cluster() as c:
        text = c.d / "text"
        text.write_bytes(TEXT)
        for mode in quern.MODES:
            out = c.d / mode
            job = c.detach("--mode", mode, "--name", f"count {mode}", quern.EXAMPLES / "wordcount.c", text, out)
            c.run("wait", job)
            quern.same(quern.output(out), quern.word_counts(text))
            j = c.job(job)
            assert (j["state"], j["status"], j["mode"], j["name"], j["detached"]) == \
                ("done", 0, mode, f"count {mode}", True), j
            assert j["started_ms"] <= j["ended_ms"], j
            assert "has ended" not in c.log(job)[1], c.log(job)  # it waits for nobody but its own task's end
            c.settled()


def test_what_it_prints_is_its_log():
    with hosting.cluster() as c:
        (c.d / "in").mkdir()
        for i in range(3):
            (c.d / "in" / f"f{i}").write_bytes(TEXT)
        job = c.detach("--verbose", quern.JOBS / "cache.c", c.d / "in", c.d / "seen", "plain", "count", "count")
        followed = c.run("log", "--follow", job)
        assert followed.stdout.split() == [b"600", b"600"], followed.stdout
        assert followed.stderr.startswith(b"quern: run 1: "), followed.stderr  # nothing of a fetcher's before it
        c.run("wait", job)
        out, err = c.log(job)
        assert out.split() == ["600", "600"] and "run 1" in err and "run 2" in err, (out, err)


def test_commands_and_files_travel():
    with hosting.cluster() as c:
        text, stream = c.d / "text", quern.EXAMPLES / "stream"
        text.write_bytes(TEXT)
        job = c.detach("--map", "./words.py", "--reduce", "./sum.py", "--files", f"{stream}/words.py,{stream}/sum.py", "-D",
                       "mapreduce.job.name=of stream", "-i", text, "-o", c.d / "out", command="stream")
        c.run("wait", job)
        quern.same(quern.output(c.d / "out"), quern.word_counts(text))
        assert c.job(job)["name"] == "of stream"


def test_properties_travel():
    """A file here, --conf, and options: in their order, to where none of them is."""
    with hosting.cluster() as c:
        text = c.d / "text"
        text.write_bytes(b"a b\nc d\n")
        (c.d / "properties").write_text("quern.parallelism 3\nquern.mode coarse\n")
        job = c.detach("--properties-file", c.d / "properties", "--mode", "coarse", "--conf", "quern.mode=fine",
                       quern.EXAMPLES / "wordcount.c", text, c.d / "out")
        os.unlink(c.d / "properties")
        c.run("wait", job)
        assert len(list((c.d / "out").glob("part-*"))) == 3
        assert c.job(job)["mode"] == "fine"


def test_a_job_that_fails():
    with hosting.cluster() as c:
        job = c.detach(quern.EXAMPLES / "wordcount.c", c.d / "not-there", c.d / "out")
        c.run("wait", job, status=1)
        assert (c.job(job)["state"], c.job(job)["status"]) == ("failed", 1)
        assert "not-there" in c.log(job)[1]
        job = c.detach(quern.EXAMPLES / "wordcount.c", "text", c.d / "out")
        c.run("wait", job, status=1)
        assert "'text'" in c.log(job)[1] and "detached" in c.log(job)[1]
        c.settled()


def test_ps_lists_what_runs():
    with hosting.cluster() as c:
        head = c.run("ps").stdout.decode().split()
        assert head == ["ID", "NAME", "MODE", "USER", "STATE", "STARTED", "CORES", "MEMORY", "DRIVER"], head
        with hosting.waiting(c, "--name", "the\none") as (job, gate, out):
            j = c.job(job)
            assert (j["state"], j["status"], j["user"], j["mode"]) == ("running", None, j["user"], "coarse"), j
            assert j["cores"] >= 1.5 and j["memory_mb"] >= 1024, j
            lines = c.run("ps").stdout.decode().splitlines()
            assert len(lines) == 2 and lines[1].startswith(job) and "the\\none" in lines[1], lines
            assert lines[1].rstrip().endswith("(detached)"), lines
            assert c.run("ps", "-q").stdout.decode().split() == [job]
            gate.open()
            c.run("wait", job.rpartition("-")[2])
        assert c.jobs() == [] and [j["id"] for j in c.jobs("-a")] == [job]


def test_one_in_the_foreground_is_seen_too():
    with hosting.cluster() as c:
        text = c.d / "text"
        text.write_bytes(TEXT)
        gate = quern.Gate(c.d / "gate")
        process = c.start("run", "--total-executor-cores=2", quern.JOBS / "gate.c", text, c.d / "out", gate.folder)
        gate.at(process)
        (j,) = c.jobs()
        assert not j["detached"] and j["name"] == "gate.c", j
        quern.one_line(c.run("log", j["id"], status=2), j["id"], "not detached")
        gate.close()
        assert quern.finish(process).returncode == 0
        assert c.job(j["id"])["state"] == "done"


def test_a_killed_job_leaves_nothing():
    with hosting.cluster() as c, hosting.waiting(c) as (job, _, out):
        c.run("kill", job)
        quern.one_line(c.run("wait", job, status=130), job, "killed")
        c.settled()
        quern.wait_for("the output is gone", lambda: not out.exists())
        assert c.job(job)["state"] == "killed"
        quern.one_line(c.run("kill", job, status=1), job, "is over")


def test_an_interrupt_reaches_the_driver():
    with hosting.cluster() as c, hosting.waiting(c) as (job, _, out):
        os.kill(c.driver(), signal.SIGTERM)
        c.run("wait", job, status=130)
        assert c.job(job)["state"] == "interrupted"
        c.settled()
        quern.wait_for("the output is gone", lambda: not out.exists())


def test_a_driver_that_dies_has_failed():
    with hosting.cluster() as c, hosting.waiting(c) as (job, _, _):
        quern.kill(c.driver())
        c.run("wait", job, status=1)
        assert c.job(job)["state"] == "failed"
        c.settled()


def test_a_driver_that_dies_with_its_host_is_missed():
    with hosting.cluster() as c, hosting.waiting(c) as (job, _, _):
        for pid in c.driver(b"\0host\0"), *c.processes(b"\0hosted\0"):
            quern.kill(pid)
        quern.one_line(c.run("wait", job, status=130), job, "killed")
        c.settled()


def test_a_submission_is_interrupted():
    with hosting.cluster(1) as c:
        for end, status in (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL):
            submitter = c.start("run", "--detach", "--driver-cores=64", f"--failover-timeout={hosting.FAILOVER}",
                                quern.EXAMPLES / "wordcount.c", "/in", "/out")
            quern.wait_for("the framework is there", c.jobs)
            submitter.send_signal(end)
            assert quern.finish(submitter).returncode == status
            c.settled()


def test_what_a_driver_is_told_is_not_to_be_found():
    with hosting.cluster(1) as c:
        token = "of-a-secret-that-nobody-sees"
        (c.d / "tokens").write_text(f"namenode:9870 {token}\n")
        (c.d / "tokens").chmod(0o600)
        with hosting.waiting(c, "--hdfs-token-file", c.d / "tokens") as (job, gate, _):
            for pid in c.processes():
                for what in "cmdline", "environ":
                    with open(f"/proc/{pid}/{what}", "rb") as f:
                        assert token.encode() not in f.read(), (pid, what)
            sandbox = c.job(job)["sandbox"]
            for folder, _, names in os.walk(sandbox):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as f:
                        assert token.encode() not in f.read(), name
            assert "job.sealed" not in os.listdir(sandbox)
            gate.open()
            c.run("wait", job)


@quern.embedded("what --master=local[...] means")
def test_what_is_wrong_on_the_command_line():
    with quern.scratch() as d:
        for args, words in (
                (["run", "--detach", "job.c"], ["--detach", "--master"]),
                (["run", "--detach", "--master=local[2]", "job.c"], ["--detach", "--master"]),
                (["run", "--detach", "--explain", "--master=localhost:1", "job.c"], ["--explain", "--detach"]),
                (["stream", "--detach", "--master=localhost:1", "--map", "cat", "-i", "in", "-o", "/out"], ["'in'"]),
                (["stream", "--detach", "--master=localhost:1", "--map", "cat", "-i", "/in", "-o", "out"], ["'out'"]),
                (["ps"], ["--master"])):
            result = quern.run(d, *args)
            assert result.returncode == 2, result
            assert len(result.stderr.splitlines()) <= 2, result.stderr
            for word in words:
                assert word in result.stderr.decode(), (word, result.stderr)


def test_what_is_not_there_is_said_in_one_line():
    with hosting.cluster(1) as c:
        result = quern.run(c.d, "ps", "--master=127.0.0.1:1")
        assert result.returncode == 3, result
        quern.one_line(result, "no Mesos master", "127.0.0.1:1")
        for command in "kill", "wait", "log":
            quern.one_line(c.run(command, "0042", status=2), "0042", "quern ps -a")
        assert json.loads(c.run("ps", "-a", "--json").stdout) == []


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
