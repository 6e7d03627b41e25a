"""On a real Mesos: which agents are used, what the master is told of that, agents that an operator takes away, and what our
calls cost the master."""
import json
import re
import signal
import sys
import time
import urllib.request

import quern
from mesos import gone, main, mesos

MODES = quern.MODES
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))


def started(m, mode, *job):
    return quern.start(m.d, "run", "--master", m.address, "--mode", mode, "--total-executor-cores", "4", *job)


def said(process, pattern):
    """Reads its stderr up to a line that has the pattern in it."""
    for line in process.stderr:
        if found := re.search(pattern, line.decode()):
            return found
    raise AssertionError(f"it ended without '{pattern}': {process.wait()}")


def interrupted(process):
    process.terminate()
    process.communicate(timeout=quern.TIMEOUT)


def users(m):
    """The agents that have ever had an executor."""
    return {a.name for a in m.agents if [*(m.d / a.name).glob("slaves/*/frameworks/*/executors/*")]}


def domain(region, zone):
    return "--domain=" + json.dumps({"fault_domain": {"region": {"name": region}, "zone": {"name": zone}}})


def ids(m):
    """Of agents, by their host names."""
    return {a["agent_info"]["hostname"]: a["agent_info"]["id"] for a in m.call("GET_AGENTS")["agents"]}


def seconds_from_now(s):
    return {"nanoseconds": int((time.time() + s) * 1e9)}


def post(m, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{m.port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def get(m, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{m.port}{path}", timeout=30) as answer:
        return json.load(answer)


def gate_job(m, mode, *options):
    """A job of eight tasks, four of which are at the gate: two on each of two agents."""
    folder = m.d / "text"
    folder.mkdir(exist_ok=True)
    for i in range(8):
        (folder / f"part{i}").write_bytes(TEXT * 10)
    gate = quern.Gate(m.d / f"gate-{mode}")
    job = started(m, mode, "--verbose", *options, quern.JOBS / "gate.c", folder, m.d / mode, gate.folder)
    return gate, job


def finished(m, mode, job):
    """Its stderr, once it has the right answer, and no attempt of it has failed."""
    result = quern.finish(job)
    quern.check(m.d, result)
    quern.same(quern.output(m.d / mode), quern.word_counts(m.d / "text"))
    said_so = result.stderr.decode()
    assert " failed on " not in said_so and "left out" not in said_so, said_so
    gone(m)
    return said_so


def test_the_master_is_told_what_we_want():
    with mesos(agents=[{"attributes": "rack:a"}, {"attributes": "rack:b"}]) as m:
        (m.d / "in.txt").write_bytes(TEXT)
        job = started(m, "fine", "--constraints=rack:c,d;hostname", "--task-memory=300m", quern.EXAMPLES / "wordcount.c",
                      m.d / "in.txt", m.d / "out")
        said(job, r": constraint rack: 2 agents")
        framework, = m.frameworks()
        assert len(framework["offer_constraints"]["role_constraints"]["*"]["groups"]) == 4, framework
        least, = framework["framework_info"]["offer_filters"]["*"]["min_allocatable_resources"]["quantities"]
        assert least["quantities"] == {"cpus": {"value": 1.0}, "mem": {"value": 300.0}}, least
        assert m.metric("master/messages_decline_offers") == 0  # there was nothing to decline
        interrupted(job)
        gone(m)


def test_nobody_is_large_enough():
    with mesos() as m:
        (m.d / "in.txt").write_bytes(TEXT)
        for mode in MODES:
            job = started(m, mode, "--task-cores=3", quern.EXAMPLES / "wordcount.c", m.d / "in.txt", m.d / "out")
            said(job, r"too few cores: 2 agents \(the most: 2\)")
            assert m.metric("master/messages_decline_offers") == 0
            interrupted(job)
            gone(m)


def test_smaller_tasks_are_told_of_when_they_come():
    """What the master took for the least of an offer at the subscription is too much for a stage of the job's."""
    with mesos(agents=[{"resources": "cpus:0.5;mem:1024"}]) as m:
        (m.d / "in.txt").write_bytes(TEXT)
        (m.d / "gate").mkdir()
        (m.d / "gate" / "open").touch()
        job = started(m, "fine", quern.JOBS / "shared.c", "sizes", m.d / "in.txt", m.d / "out", "0.3", "200", "0.3", "200",
                      m.d / "log", m.d / "gate")
        quern.check(m.d, quern.finish(job))
        quern.same(quern.output(m.d / "out"), quern.word_counts(m.d / "in.txt"))


def test_reserved_for_others():
    with mesos(agents=[{"resources": "cpus(them):2.1;mem(them):1024;cpus:0.5;mem:512"}, {"resources": "cpus:0.5;mem:4096"}]) as m:
        (m.d / "in.txt").write_bytes(TEXT)
        job = started(m, "fine", quern.EXAMPLES / "wordcount.c", m.d / "in.txt", m.d / "out")
        said(job, r"too few cores: 1 agent \(the most: 0.4\); reserved for another role: 1")
        interrupted(job)
        gone(m)


def test_other_regions_only_on_request():
    agents = [{"flags": [domain("east", "e1")]}, {"flags": [domain("west", "w1")]}, {"flags": [domain("west", "w2")]}]
    with mesos(agents=agents, master_flags=[domain("east", "e9")]) as m:
        (m.d / "in.txt").write_bytes(TEXT)
        expected = quern.word_counts(m.d / "in.txt")
        used = set()
        for i, (constraints, agent) in enumerate([("", "agent0"), ("region:west;zone:w2", "agent2"), ("region:west;zone:w1", "agent1")]):
            job = started(m, "fine", f"--constraints={constraints}", quern.EXAMPLES / "wordcount.c", m.d / "in.txt", m.d / f"out{i}")
            quern.check(m.d, quern.finish(job))
            quern.same(quern.output(m.d / f"out{i}"), expected)
            assert users(m) - used == {agent}, (constraints, users(m), used)
            used.add(agent)
        job = started(m, "fine", "--task-cores=1.5", "--constraints=zone:e2", quern.EXAMPLES / "wordcount.c", m.d / "in.txt", m.d / "out")
        said(job, r"constraint zone: 3 agents")
        interrupted(job)


def test_maintenance():
    """What runs there ends; nothing new begins; our executor is gone before the time has come."""
    for mode in MODES:
        with mesos(agents=[{"hostname": "m1"}, {"hostname": "m2"}]) as m:
            gate, job = gate_job(m, mode)
            try:
                gate.at(job, 4)
                machine = {"hostname": "m1", "ip": "127.0.0.1"}
                window = {"machine_ids": [machine], "unavailability": {"start": seconds_from_now(13)}}
                post(m, "/maintenance/schedule", {"windows": [window]})
                quern.wait_for("the inverse offer is accepted", lambda: [
                    s["status"] for d in get(m, "/maintenance/status").get("draining_machines", [])
                    for s in d.get("statuses", [])] == ["ACCEPT"])
                quern.wait_for("our executor has left", lambda: not any(
                    b"quern-executor" in command for _, command in quern.descendants(m.agents[0].pid)))
                assert job.poll() is None
                gate.open()
                assert "its agent is to be left" in finished(m, mode, job)
            finally:
                job.kill()
                gate.close()


def test_maintenance_that_is_far_away():
    """Mesos asks for the agent back at once; the job runs there all the same, though there is no other."""
    with mesos(agents=[{"hostname": "m1"}]) as m:
        folder = m.d / "text"
        folder.mkdir()
        for i in range(20):
            (folder / f"part{i:02}").write_bytes(TEXT)
        window = {"machine_ids": [{"hostname": "m1", "ip": "127.0.0.1"}], "unavailability": {"start": seconds_from_now(3600)}}
        post(m, "/maintenance/schedule", {"windows": [window]})
        for mode in MODES:
            gate = quern.Gate(m.d / f"gate-{mode}")
            job = quern.start(m.d, "run", "--verbose", "--master", m.address, "--mode", mode, "--total-executor-cores=2",
                              quern.JOBS / "gate.c", folder, m.d / mode, gate.folder)
            try:
                gate.at(job, 2)
                quern.wait_for("the inverse offer is accepted", lambda: {
                    s["framework_id"]["value"]: s["status"] for d in get(m, "/maintenance/status")["draining_machines"]
                    for s in d.get("statuses", [])}.get(m.frameworks()[0]["framework_info"]["id"]["value"]) == "ACCEPT")
                gate.open()
                said_so = finished(m, mode, job)
                assert "to be left" not in said_so and "draining" not in said_so, said_so
            finally:
                job.kill()
                gate.close()


def test_an_agent_is_drained():
    for mode in MODES:
        for mark_gone in False, True:
            with mesos(agents=[{"hostname": "m1"}, {"hostname": "m2"}]) as m:
                gate, job = gate_job(m, mode)
                try:
                    gate.at(job, 4)
                    m.call("DRAIN_AGENT", drain_agent={"agent_id": ids(m)["m1"], "mark_gone": mark_gone,
                                                       "max_grace_period": {"seconds": 2}})
                    quern.wait_for("the agent is empty", lambda: mark_gone and "m1" not in ids(m) or any(
                        a.get("drain_info", {}).get("state") == "DRAINED" for a in m.call("GET_AGENTS")["agents"]))
                    if not mark_gone:
                        quern.wait_for("our executor has left", lambda: not any(
                            b"quern-executor" in command for _, command in quern.descendants(m.agents[0].pid)))
                    gate.open()
                    finished(m, mode, job)
                finally:
                    job.kill()
                    gate.close()


def test_a_deactivated_agent_gets_nothing_more():
    with mesos(agents=[{"hostname": "m1"}, {"hostname": "m2"}]) as m:
        m.call("DEACTIVATE_AGENT", deactivate_agent={"agent_id": ids(m)["m1"]})
        (m.d / "in.txt").write_bytes(TEXT)
        job = started(m, "fine", "--constraints=hostname:m1", quern.EXAMPLES / "wordcount.c", m.d / "in.txt", m.d / "out")
        said(job, r"not active: 1 agent; constraint hostname: 1")
        m.call("REACTIVATE_AGENT", reactivate_agent={"agent_id": ids(m)["m1"]})
        said(job, r"there are resources again")
        result = quern.finish(job)
        quern.check(m.d, result)
        quern.same(quern.output(m.d / "out"), quern.word_counts(m.d / "in.txt"))


def test_an_agent_is_away_for_a_while():
    """It is unreachable, and then it comes back, with what the job has done elsewhere meanwhile."""
    for mode in MODES:
        with mesos() as m:
            gate, job = gate_job(m, mode)
            try:
                gate.at(job, 4)
                m.agents[0].process.send_signal(signal.SIGSTOP)
                quern.wait_for("it is unreachable", lambda: m.metric("master/slaves_unreachable") == 1)
                m.agents[0].process.send_signal(signal.SIGCONT)
                m.wait_agents(2)
                gate.open()
                finished(m, mode, job)
                m.settled()
            finally:
                job.kill()
                gate.close()


def test_the_price_of_revive():
    """A REVIVE is an allocation. There are fewer than tasks, and with --revive-interval=0 none but what un-suppresses."""
    with mesos() as m:
        folder = m.d / "text"
        folder.mkdir()
        for i in range(40):
            (folder / f"part{i:02}").write_bytes(TEXT)
        revives = {}
        for interval in "20ms", "0", "10s":
            before = m.leader.metrics()
            begun = time.monotonic()
            result = quern.finish(started(m, "fine", "--verbose", f"--revive-interval={interval}", "--parallelism=60", quern.EXAMPLES / "wordcount.c",
                                          folder, m.d / interval))
            took = time.monotonic() - begun
            quern.check(m.d, result)
            quern.same(quern.output(m.d / interval), quern.word_counts(folder))
            gone(m)
            after = m.leader.metrics()
            grown = {name: after[name] - before[name] for name in (
                "master/messages_revive_offers", "master/messages_suppress_offers", "allocator/mesos/allocation_runs")}
            told = int(re.search(rb"REVIVE was sent (\d+) times", result.stderr)[1])
            assert grown["master/messages_revive_offers"] == told, (grown, told)
            # Subscribing is one, each second of the timer and each REVIVE another.
            assert grown["allocator/mesos/allocation_runs"] <= told + took + 10, (grown, told, took)
            revives[interval] = told
            suppressed = grown["master/messages_suppress_offers"]
            assert told <= suppressed + {"20ms": 65, "0": 0, "10s": took / 10 + 1}[interval], (interval, grown, took)
            print(f"# {interval}: {took:.1f} s, {grown}")
        assert revives["20ms"] >= 10, revives  # or this would show nothing


if __name__ == "__main__":
    main(sys.modules[__name__])
