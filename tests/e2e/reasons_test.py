"""Which agents are used, by their attributes, and what a job says when none is of use to it, or when it could use more."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request

import quern

MODES = quern.MODES
TEXT = b"".join(b"line %d of what is counted\n" % i for i in range(1000))


@contextlib.contextmanager
def cluster(d, agents, cores=2, memory=1024):
    """HOST:PORT of a master with agents of these (hostname, attributes), of so many cores for tasks, and an executor's share."""
    if quern.ON_MESOS:
        from mesos import Mesos  # which needs this module's
        (d / "work").mkdir()
        m = Mesos(d / "work", cores=cores, memory=memory, agents=[{"hostname": h, "attributes": a} for h, a in agents])
        try:
            yield m.address
        finally:
            m.stop()
        return
    ready, said = os.pipe()
    process = subprocess.Popen(
        [quern.QUERN, "local", "--port=0", f"--ready-fd={said}", f"--agents={len(agents)}", f"--cores={cores + 0.1:g}",
         f"--memory={memory}m", f"--hostname={','.join(h for h, _ in agents)}", *(f"--attributes={a}" for _, a in agents if a),
         f"--work-dir={d}/work", "--keep-sandboxes"],
        env=quern.environment(d), pass_fds=[said], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(said)
    try:
        with os.fdopen(ready) as line:
            yield line.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=quern.TIMEOUT)[1]
    assert (process.returncode, err) == (0, b""), err


def agents_of(master):
    request = urllib.request.Request(f"http://{master}/api/v1", b'{"type": "GET_AGENTS"}',
                                     {"Content-Type": "application/json", "Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=quern.TIMEOUT) as answer:
        return json.load(answer)["get_agents"]["agents"]


def started(d, master, mode, *more):
    return quern.start(d, "run", "--master", master, "--mode", mode, "--total-executor-cores", "2", *more,
                       quern.EXAMPLES / "wordcount.c", d / "in.txt", d / mode)


def said(process, pattern):
    """Reads its stderr up to a line that has the pattern in it. The job is interrupted then."""
    for line in process.stderr:
        if found := re.search(pattern, line.decode()):
            return found
    raise AssertionError(f"it ended without '{pattern}': {process.wait()}")


def interrupted(process):
    process.terminate()
    process.communicate(timeout=quern.TIMEOUT)


def succeeded(process):
    result = quern.finish(process)
    assert result.returncode == 0, result.stderr.decode()


def test_agents_are_chosen_by_attributes():
    with quern.scratch() as d:
        (d / "in.txt").write_bytes(TEXT)
        with cluster(d, [("h1", "rack:a;gen:3"), ("h2", "rack:b;gen:5"), ("h3", "rack:c")]) as master:
            there = agents_of(master)
            assert sorted(a["agent_info"]["attributes"][0]["text"]["value"] for a in there) == ["a", "b", "c"], there
            assert all(a["active"] and not a.get("allocated_resources") for a in there), there
            for mode in MODES:
                succeeded(started(d, master, mode, "--constraints", "rack:a,b;gen:4;hostname:h1,h2,h3"))
                quern.same(quern.output(d / mode), quern.word_counts(d / "in.txt"))
        used = {p.parts[-6] for p in (d / "work").glob("agent*/slaves/*/frameworks/*/executors")}
        assert used == {"agent1" if quern.ON_MESOS else "agent2"}, used  # of those, the second


def test_why_nothing_runs():
    with quern.scratch() as d:
        (d / "in.txt").write_bytes(TEXT)
        with cluster(d, [("h1", "rack:a"), ("h2", "rack:b"), ("h3", None)]) as master:
            for mode in MODES:
                job = started(d, master, mode, "--constraints=rack:c")
                said(job, r"waiting for resources for a task of 1 cores and 512 MB.*: constraint rack: 3 agents")
                interrupted(job)
            job = started(d, master, "fine", "--task-memory=950m", "--constraints=rack")
            said(job, r"too little memory: 2 agents \(the most: 896 MB\); constraint rack: 1")
            interrupted(job)
            job = started(d, master, "coarse", "--task-cores=2", "--executor-cores=0.2")
            said(job, r"too few cores: 3 agents \(the most: 1.9\)")
            interrupted(job)


def test_it_goes_on_when_somebody_else_ends():
    with quern.scratch() as d:
        (d / "in.txt").write_bytes(TEXT)
        gate = quern.Gate(d / "gate")
        with cluster(d, [("h1", None)], cores=1) as master:
            first = quern.start(d, "run", "--master", master, "--mode", "fine", "--total-executor-cores", "1",
                                quern.JOBS / "gate.c", d / "in.txt", d / "first", gate.folder)
            gate.at(first)
            job = started(d, master, "fine")
            said(job, r"in use by others: 1 agent")
            gate.open()
            succeeded(first)
            said(job, r"there are resources again")
            succeeded(job)
            quern.same(quern.output(d / "fine"), quern.word_counts(d / "in.txt"))
        gate.close()


def test_a_coarse_job_that_gives_up_says_why():
    with quern.scratch() as d:
        (d / "in.txt").write_bytes(TEXT)
        with cluster(d, [("h1", "rack:a")]) as master:
            result = quern.finish(started(d, master, "coarse", "--constraints=rack:b", "--max-registered-wait=6s"))
        assert result.returncode == 1, result
        assert b"offers came: constraint rack: 1 agent" in result.stderr, result.stderr


def test_a_limit_that_nobody_has_chosen_is_said():
    def run(reduces, *options):
        result = quern.run(d, "run", *options, f"--parallelism={reduces}", quern.EXAMPLES / "wordcount.c", d / "in.txt", d / "out")
        assert result.returncode == 0, result
        shutil.rmtree(d / "out")
        return result

    with quern.scratch() as d, cluster(d, [("h1", None)]) as master:
        (d / "in.txt").write_bytes(TEXT)
        for mode in MODES:
            shared = "--master", master, "--mode", mode, "--min-registered-ratio=0", "--max-registered-wait=1s"
            quern.one_line(run(17, *shared), "could use 17 cores and takes at most 16 at a time", "--total-executor-cores")
            for reduces, *chosen in [16], [17, "--quiet"], [17, "--total-executor-cores=8"]:
                assert run(reduces, *shared, *chosen).stderr == b"", (mode, reduces, chosen)
        assert run(17, "--master=local[2]").stderr == b""


@quern.embedded("options of its command")
def test_nonsense():
    with quern.scratch() as d:
        result = quern.run(d, "run", "--constraints=rack:a,,b", "x.c")
        assert result.returncode == 2, result
        quern.one_line(result, "--constraints", "'rack'", "empty value")
        result = quern.run(d, "local", "--port=0", "--agents=1", "--attributes=rack")
        assert result.returncode == 3, result
        quern.one_line(result, "attribute 'rack'", "NAME:VALUE")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
