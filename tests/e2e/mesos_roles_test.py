"""Roles, reservations, revocable resources, ports and credentials on a real Apache Mesos (MESOS_HOME): what the job holds is
what the master says that it holds, while its tasks wait at a gate; the answer is right; and nothing is left."""
import collections
import contextlib
import json
import os
import socket
import sys

import quern
from mesos import HOME, main, mesos
from ports import free_port

TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))
SMALL = ["--task-memory", "64m", "--executor-memory", "64m"]



def held(m):
    """What runs holds, by name, role that it is allocated to, roles of its reservation, and whether it is revocable."""
    sums = collections.Counter()
    running = m.call("GET_STATE")
    resources = [t["resources"] for t in running["get_tasks"].get("tasks", [])]
    resources += [e["executor_info"].get("resources", []) for e in running["get_executors"].get("executors", [])]
    for r in sum(resources, []):
        reserved = tuple(x["role"] for x in r.get("reservations", []))
        key = r["name"], r["allocation_info"]["role"], reserved, "revocable" in r
        if "scalar" in r:
            sums[key] = round(sums[key] + r["scalar"]["value"], 3)
        else:
            sums[key] += sum(x["end"] - x["begin"] + 1 for x in r["ranges"]["range"])
    return dict(sums)


def cores(m):
    """Of what is held, without those that have none."""
    return {key[1:]: n for key, n in held(m).items() if key[0] == "cpus"}


@contextlib.contextmanager
def at_the_gate(m, *options, tasks=2, mode="fine"):
    """A word count of so many files whose tasks wait, all at the same time; yields its process. Then they go on, and the answer
    is right, and nothing is held any more."""
    folder, out = m.d / "text", m.d / "out"
    folder.mkdir()
    for i in range(tasks):
        (folder / f"part{i}").write_bytes(TEXT * 8)
    gate = quern.Gate(m.d / "gate")
    job = quern.start(m.d, "run", "--master", m.address, "--mode", mode, "--total-executor-cores", "4", *SMALL, *options,
                      quern.JOBS / "gate.c", folder, out, gate.folder)
    try:
        gate.at(job, tasks)
        yield job
        gate.open()
        quern.check(m.d, quern.finish(job))
    finally:
        job.kill()
        job.wait()
        gate.close()
    quern.same(quern.output(out), quern.word_counts(folder))
    nothing_is_held(m)


def nothing_is_held(m):
    m.settled()
    for what in "cpus", "mem", "cpus_revocable":
        quern.wait_for(f"no {what} are used", lambda what=what: m.metric(f"master/{what}_used") in (0, None))
    assert held(m) == {}


def agent_id(m):
    return m.call("GET_AGENTS")["agents"][0]["agent_info"]["id"]


def scalar(name, value, *reservations):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, "reservations": list(reservations)}


def test_what_is_reserved_for_the_role_is_used_first():
    resources = "cpus(analytics):1.1;mem(analytics):512;cpus:2;mem:2048;disk:10000"
    with mesos(agents=[{"resources": resources}]) as m:
        with at_the_gate(m, "--role", "analytics"):
            assert cores(m) == {("analytics", ("analytics",), False): 1.1, ("analytics", (), False): 1}, held(m)


def test_what_is_reserved_for_others_is_not_touched():
    resources = "cpus(analytics):4;mem(analytics):2048;cpus:1.1;mem:2048;disk:10000"
    with mesos(agents=[{"resources": resources}]) as m:
        with at_the_gate(m, tasks=1):
            assert cores(m) == {("*", (), False): 1.1}, held(m)


def test_an_operators_reservation_is_used_with_its_labels():
    with mesos(agents=1, cores=2) as m:
        labels = {"labels": [{"key": "team", "value": "search"}]}
        reservation = {"type": "DYNAMIC", "role": "eng/search", "labels": labels}
        m.call("RESERVE_RESOURCES", reserve_resources={
            "agent_id": agent_id(m), "resources": [scalar("cpus", 1.1, reservation), scalar("mem", 256, reservation)]})
        with at_the_gate(m, "--role", "eng/search"):
            assert cores(m) == {("eng/search", ("eng/search",), False): 1.1, ("eng/search", (), False): 1}, held(m)
            reserved = [r["reservations"] for t in m.call("GET_TASKS")["tasks"] for r in t["resources"] if "reservations" in r]
            assert reserved and all(r == [reservation] for r in reserved), reserved


def test_a_reservation_within_a_reservation_is_used():
    with mesos(agents=[{"resources": "cpus(eng):2.1;mem(eng):512;cpus:4;mem:512;disk:10000"}]) as m:
        stack = [{"type": "STATIC", "role": "eng"}, {"type": "DYNAMIC", "role": "eng/search"}]
        m.call("RESERVE_RESOURCES", reserve_resources={
            "agent_id": agent_id(m), "resources": [scalar("cpus", 2.1, *stack), scalar("mem", 512, *stack)]})
        with at_the_gate(m, "--role", "eng/search"):
            assert cores(m) == {("eng/search", ("eng", "eng/search"), False): 2.1}, held(m)


def test_two_roles_share_an_executor():
    resources = "cpus(a):1.1;mem(a):512;cpus(b/c):1;mem(b/c):512;disk:10000"
    with mesos(agents=[{"resources": resources}]) as m:
        for mode in quern.MODES:
            with at_the_gate(m, "--role", "a,b/c", mode=mode):
                assert cores(m) == {("a", ("a",), False): 1.1, ("b/c", ("b/c",), False): 1}, held(m)
                assert len(m.call("GET_EXECUTORS")["executors"]) == 1
                assert sorted(m.frameworks()[0]["framework_info"]["roles"]) == ["a", "b/c"]
            for name in "text", "gate", "out":
                (m.d / name).rename(m.d / f"{name}-{mode}")


def test_a_quota_holds():
    with mesos(agents=1, cores=4) as m:
        m.call("UPDATE_QUOTA", update_quota={"quota_configs": [
            {"role": "small", "limits": {"cpus": {"value": 1.1}, "mem": {"value": 512}}}]})
        with at_the_gate(m, "--role", "small", tasks=1):
            assert cores(m) == {("small", (), False): 1.1}, held(m)
        text = m.d / "more"
        text.mkdir()
        for i in range(6):
            (text / f"{i}").write_bytes(TEXT * 8)
        quern.check(m.d, quern.run(m.d, "run", "--master", m.address, "--mode", "fine", "--role", "small", *SMALL,
                                   quern.EXAMPLES / "wordcount.c", text, m.d / "counted"))
        quern.same(quern.output(m.d / "counted"), quern.word_counts(text))
        nothing_is_held(m)


def module(library, name, parameters):
    return {"libraries": [{"file": str(library), "modules": [
        {"name": name, "parameters": [{"key": k, "value": str(v)} for k, v in parameters.items()]}]}]}


def oversubscribed(d, cores, correction=None):
    """Flags of an agent that says it has so many cores more, revocable; and takes revocable ones back every `correction`."""
    folder = HOME / "lib/mesos/modules"
    estimator, controller = folder / "libfixed_resource_estimator.so", folder / "libload_qos_controller.so"
    for library in estimator, controller:
        if not library.exists():
            print(f"# SKIP: {library} is not installed")
            return None
    modules = module(estimator, "org_apache_mesos_FixedResourceEstimator", {"resources": f"cpus:{cores}"})
    flags = ["--resource_estimator=org_apache_mesos_FixedResourceEstimator", "--oversubscribed_resources_interval=100ms"]
    if correction:
        modules["libraries"] += module(controller, "org_apache_mesos_LoadQoSController",
                                       {"load_threshold_5min": 0})["libraries"]
        flags += ["--qos_controller=org_apache_mesos_LoadQoSController", f"--qos_correction_interval_min={correction}"]
    (d / "modules.json").write_text(json.dumps(modules))
    return [*flags, f"--modules={d}/modules.json"]


def revocable_agent(m, flags, cores=0.5):
    m.add_agent(resources=f"cpus:{cores};mem:2048;disk:10000", flags=flags)
    m.wait_agents(1)
    quern.wait_for("there are revocable cores", lambda: m.metric("master/cpus_revocable_total"))


def test_revocable_cores_are_used_where_that_is_asked_for():
    with mesos(agents=0) as m:
        flags = oversubscribed(m.d, 2.1)
        if not flags:
            return
        revocable_agent(m, flags)
        for mode in quern.MODES:
            with at_the_gate(m, "--revocable", mode=mode):
                assert cores(m) == {("*", (), True): 2.1}, held(m)
                assert {k for k in held(m) if k[0] == "mem"} == {("mem", "*", (), False)}
            for name in "text", "gate", "out":
                (m.d / name).rename(m.d / f"{name}-{mode}")


def test_revocable_cores_are_not_used_otherwise():
    with mesos(agents=0) as m:
        flags = oversubscribed(m.d, 4)
        if not flags:
            return
        revocable_agent(m, flags, cores=1.1)
        with at_the_gate(m, tasks=1):
            assert cores(m) == {("*", (), False): 1.1}, held(m)


def test_what_is_taken_back_is_no_failure():
    if os.getloadavg()[1] <= 0:
        print("# SKIP: the agent's controller goes by the load of the machine, and there is none")
        return
    with mesos(agents=0) as m:
        flags = oversubscribed(m.d, 2.1, correction="20secs")
        if not flags:
            return
        revocable_agent(m, flags)
        with at_the_gate(m, "--revocable", "--task-max-failures", "1"):
            quern.wait_for("the agent takes its cores back", lambda: m.agents[0].metrics().get("slave/executors_preempted"))


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def test_a_port_of_the_offer_is_served_at():
    for mode in quern.MODES:
        port = free_port()
        resources = f"cpus:2.1;mem:2048;disk:10000;ports:[{port}-{port}]"
        with mesos(agents=[{"resources": resources}]) as m:
            with at_the_gate(m, "--ports-from-offer", mode=mode):
                assert held(m)[("ports", "*", (), False)] == 1
                [executor] = m.call("GET_EXECUTORS")["executors"]
                [ports] = [r for r in executor["executor_info"]["resources"] if r["name"] == "ports"]
                assert ports["ranges"] == {"range": [{"begin": port, "end": port}]}
                assert listens(port)
            assert not listens(port)


def test_without_a_port_nothing_starts():
    # An agent of which no ports are said has those from 31000 to 32000.
    with mesos(agents=[{"resources": "cpus:2.1;mem:2048;disk:10000;ports(other):[31000-31000]"}]) as m:
        text = m.d / "text"
        text.write_bytes(TEXT)
        result = quern.run(m.d, "run", "--master", m.address, "--mode", "coarse", "--ports-from-offer",
                           "--max-registered-wait", "1s", *SMALL, quern.EXAMPLES / "wordcount.c", text, m.d / "out")
        assert result.returncode == 1, result
        assert b"no port for an executor: 1 agent" in result.stderr, result.stderr
        nothing_is_held(m)


def secured(d):
    """Flags of a master that wants to know who its frameworks are."""
    (d / "credentials").write_text(json.dumps({"credentials": [{"principal": "quern", "secret": "it is secret"}]}))
    return ["--authenticate_http_frameworks", "--http_framework_authenticators=basic", f"--credentials={d}/credentials"]


def test_who_we_are_is_proven_to_the_master():
    with quern.scratch() as keys:
        with mesos(agents=1, master_flags=secured(keys)) as m:
            (keys / "right").write_text("it is secret\n")
            (keys / "wrong").write_text("it is not\n")
            with at_the_gate(m, "--principal", "quern", "--secret-file", keys / "right"):
                assert m.frameworks()[0]["framework_info"]["principal"] == "quern"
            job = [quern.EXAMPLES / "wordcount.c", m.d / "text", m.d / "never"]
            for options, word in [(["--principal", "quern", "--secret-file", keys / "wrong"], "secret"),
                                  (["--principal", "nobody", "--secret-file", keys / "right"], "secret"), ([], "--principal")]:
                result = quern.run(m.d, "run", "--master", m.address, *options, *job)
                quern.check(m.d, result, status=3)
                quern.one_line(result, m.address, "401", word)
                assert not (m.d / "never").exists()
            nothing_is_held(m)


if __name__ == "__main__":
    main(sys.modules[__name__])
