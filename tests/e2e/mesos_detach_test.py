"""Detached jobs on a real Mesos: what an embedded cluster cannot show. An agent is lost with the driver on it, or restarted
below it; another master leads; the master wants to know who asks."""
import json
import os
import pathlib
import sys
import urllib.request

import hosting
import mesos
import quern

SECRET = "the-secret-of-a-principal"


def agent_of(c, job):
    """The agent that hosts the driver."""
    port = int(c.job(job)["agent"].rpartition(":")[2])
    return next(a for a in c.mesos.agents if a.port == port)


def test_an_agent_is_lost_with_the_driver():
    with hosting.real(2) as c, hosting.waiting(c) as (job, _, _):
        agent_of(c, job).kill_all()
        quern.one_line(c.run("wait", job, status=130), job, "its driver was lost")
        c.settled()


def test_an_agent_is_restarted_under_the_driver():
    with hosting.real(1) as c, hosting.waiting(c) as (job, gate, out):
        c.mesos.agents[0].restart()
        c.mesos.wait_agents(1)
        gate.open()
        c.run("wait", job)
        quern.same(quern.output(out), quern.word_counts(c.d / "text"))
        c.settled()


def test_the_web_page_has_it_right():
    """The driver's task has finished, or failed, as the job has: TEARDOWN alone would make it one that was killed."""
    with hosting.real(1) as c:
        (c.d / "text").write_bytes(hosting.TEXT)
        for what, status, state in (c.d / "text", 0, "TASK_FINISHED"), (c.d / "not-there", 1, "TASK_FAILED"):
            job = c.detach(quern.EXAMPLES / "wordcount.c", what, c.d / "out")
            c.run("wait", job, status=status)
            tasks = [t for t in c.mesos.call("GET_TASKS")["completed_tasks"] if t["framework_id"]["value"] == job]
            driver = [t for t in tasks if t["task_id"]["value"] == "driver"]
            assert [t["state"] for t in driver] == [state], tasks
            if status:
                assert "not-there" in driver[0]["statuses"][-1]["message"], driver


def test_who_asks_has_to_say_who():
    with quern.scratch() as d:
        (d / "credentials").write_text(json.dumps({"credentials": [{"principal": "somebody", "secret": SECRET}]}))
        (d / "secret").write_text(SECRET + "\n")
        flags = ["--authenticate_http_readwrite", f"--credentials={d}/credentials"]
        with hosting.real(1, ["--principal=somebody", f"--secret-file={d}/secret"],
                          master_flags=[*flags, "--authenticate_http_frameworks",
                                        "--http_framework_authenticators=basic"]) as c:
            with hosting.waiting(c) as (job, gate, _):
                for command in (["ps"], ["kill", job], ["run", "--detach", quern.EXAMPLES / "wordcount.c", "/a", "/b"]):
                    result = quern.run(c.d, command[0], "--master", c.address, *command[1:])
                    assert result.returncode != 0, result
                    assert b"401" in result.stderr or b"--principal" in result.stderr, result
                for pid in c.processes():
                    for what in "cmdline", "environ":
                        assert SECRET.encode() not in pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
                for folder, _, names in os.walk(c.job(job)["sandbox"]):
                    for name in names:
                        assert SECRET.encode() not in pathlib.Path(folder, name).read_bytes(), name
                with urllib.request.urlopen(f"http://{c.address}/state", timeout=quern.TIMEOUT) as page:
                    assert SECRET.encode() not in page.read()
                gate.open()
                c.run("wait", job)
            c.settled()


if __name__ == "__main__":
    mesos.main(sys.modules[__name__])
