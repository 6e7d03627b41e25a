"""Mesos' own example frameworks beside our jobs: on a real Mesos all of them, on the embedded cluster those that speak the v1
HTTP API. Both make progress, our answer is right, nothing is left, and what is theirs by DRF they get.

The examples are found where `quern bench` finds them: by MESOS_HOME, or in a build tree, MESOS_BUILD."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import quern
from mesos import main, mesos

sys.path.insert(0, os.environ["QUERN_BENCH_SUITE"])
from suite import neighbour  # noqa: E402

TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))
CORES = 3  # of ours; the cluster has one more


def example(name):
    """The program of an example framework."""
    program = neighbour.framework_of_mesos(name)
    if program is None:
        raise quern.Skipped(f"no {name} in {', '.join(f'{variable}/{folder}' for variable, folder in neighbour.PLACES)}")
    return program


class Neighbour:
    """A framework that is not ours, at work. How far it is, is how often `sign` is in what it says; or a metric of the master."""

    def __init__(self, d, address, name, *args, sign=b"state TASK_FINISHED", counted=None):
        self.address, self.sign, self.counted = address, sign, counted
        program = example(name)  # before anything is there to be closed
        self.log = open(d / f"{name}.log", "w+b")
        self.process = subprocess.Popen([program, f"--master={address}", *args], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, cwd=d, env=dict(os.environ, LIBPROCESS_IP="127.0.0.1"))

    def said(self):
        return pathlib.Path(self.log.name).read_bytes()

    def progress(self):
        return metric(self.address, self.counted) if self.counted else self.said().count(self.sign)

    def goes_on(self, times=2):
        """Waits until it has got further by so much, or has come to a good end."""
        target = self.progress() + times

        def got_further():
            status = self.process.poll()
            if status and b"must not be set when the framework is not MULTI_ROLE capable" in self.said():
                raise quern.Skipped(f"{self.process.args[0].name} of this Mesos cannot register: roles without MULTI_ROLE")
            assert status in (None, 0), f"status {status}: {self.said().decode(errors='replace')[-2000:]}"
            return status == 0 or self.progress() >= target
        quern.wait_for(f"{self.process.args[0].name} makes progress", got_further)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def metric(address, name):
    with urllib.request.urlopen(f"http://{address}/metrics/snapshot", timeout=quern.TIMEOUT) as page:
        return json.load(page).get(name)


def beside(d, address, name, *args, **more):
    """Our job in each mode beside a framework that was there first, and that gets further while all that we hold is held."""
    text = d / "text"
    text.mkdir()
    for i in range(8):
        (text / f"part{i}").write_bytes(TEXT * 10)
    for mode in quern.MODES:
        neighbour = Neighbour(d, address, name, *args, **more)
        gate = quern.Gate(d / f"gate-{mode}")
        job = quern.start(d, "run", "--master", address, "--mode", mode, f"--total-executor-cores={CORES}",
                          quern.JOBS / "gate.c", text, d / mode, gate.folder)
        try:
            gate.at(job, CORES)
            neighbour.goes_on()
            gate.open()
            result = quern.finish(job)
            assert result.returncode == 0, result.stderr.decode(errors="replace")
            quern.same(quern.output(d / mode), quern.word_counts(text))
            neighbour.goes_on(1)
        finally:
            if job.poll() is None:
                job.kill()
            job.wait()
            gate.close()
            neighbour.stop()
        quern.wait_for("no framework is left", lambda: metric(address, "master/frameworks_active") == 0)


def on_mesos(name, *args, **more):
    with mesos() as m:
        beside(m.d, m.address, name, *args, **more)
        m.settled()


def on_embedded(name, *args, **more):
    with quern.scratch() as d:
        with quern.named_agents(d, [], agents=2, cores=2) as address:
            beside(d, address, name, *args, **more)
        quern.wait_for("nothing is left", lambda: not quern.leftovers(d))


def test_long_lived_framework():
    on_mesos("long-lived-framework")


def test_test_http_framework():
    on_mesos("test-http-framework")


def test_no_executor_framework():
    on_mesos("no-executor-framework", "--task_resources=cpus:0.2;mem:32", "--command=true", "--num_tasks=20")


def test_load_generator_framework():
    on_mesos("load-generator-framework", "--qps=200", counted="master/messages_reconcile_tasks")


def cores(framework):
    """What a framework has, of GET_FRAMEWORKS."""
    return sum(r["scalar"]["value"] for r in framework.get("allocated_resources", []) if r["name"] == "cpus")


def shares(mode):
    """A job has all cores, in tasks that are not shorter than the master's allocation interval; another framework comes. What has
    its share after an interval and a task has it before any slot has had three tasks."""
    with mesos() as m:
        (m.d / "in").write_bytes(b"".join(b"%d\n" % i for i in range(1000)))
        job = quern.start(m.d, "stream", "--master", m.address, "--mode", mode, "--total-executor-cores=4", "--lease-max=1s",
                          "--map", "cat", "--reduce", "echo >>TASKS; sleep 1; cat".replace("TASKS", str(m.d / "tasks")),
                          "--reducers", "40", "-i", m.d / "in", "-o", m.d / "out")
        neighbour = None

        def begun():
            return (m.d / "tasks").stat().st_size if (m.d / "tasks").exists() else 0

        def other():
            assert job.poll() is None, quern.finish(job)
            return max(cores(f) for f in m.frameworks() if "No Executor" in f["framework_info"]["name"])
        try:
            quern.wait_for("all cores are at work for us", lambda: begun() >= 4)
            neighbour = Neighbour(m.d, m.address, "no-executor-framework", "--task_resources=cpus:1;mem:32", "--command=sleep 1",
                                  "--num_tasks=8")
            quern.wait_for("the other one is there", lambda: len(m.frameworks()) == 2)
            before = begun()
            quern.wait_for("it has half of the cores", lambda: other() >= 2)
            assert begun() - before <= 3 * 4, f"{begun() - before} tasks began before"
            result = quern.finish(job)
            assert result.returncode == 0, result.stderr.decode(errors="replace")
            quern.same([line.rstrip() for line in quern.output(m.d / "out")], sorted(b"%d" % i for i in range(1000)))
            assert neighbour.process.wait(timeout=quern.TIMEOUT) == 0, neighbour.said()
        finally:
            job.kill()
            job.wait()
            if neighbour:
                neighbour.stop()
        m.settled()


def test_who_comes_later_gets_its_share_in_fine_mode():
    shares("fine")


def test_who_comes_later_gets_its_share_in_adaptive_mode():
    shares("adaptive")


def test_long_lived_framework_on_the_embedded_cluster():
    on_embedded("long-lived-framework")


def test_test_http_framework_on_the_embedded_cluster():
    on_embedded("test-http-framework")


if __name__ == "__main__":
    main(sys.modules[__name__])
