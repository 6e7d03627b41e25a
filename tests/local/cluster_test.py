#!/usr/bin/env python3
"""The embedded cluster over its sockets: pages, refusals, jobs with real executors, and its end. All but the last is asked of a
real Mesos as well, with QUERN_CLUSTER=mesos: they are to give the same answers.
Usage: cluster_test.py PROGRAM-OF-cluster_program.c [unittest's arguments]"""
import functools
import http.server
import json
import os
import pathlib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import EXECUTOR, REAL, Cluster, Framework, cluster, data_of, task  # noqa: E402
from mesos_http import call, request  # noqa: E402

PROGRAM = [*os.environ.get("QUERN_WRAPPER", "").split(), sys.argv.pop(1)]
JSON = {"Content-Type": "application/json"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def processes_in(folder):
    """Processes whose current folder is in a sandbox below this one."""
    found = []
    for p in pathlib.Path("/proc").iterdir():
        try:
            if p.name.isdigit() and os.readlink(p / "cwd").startswith(f"{folder}/agent"):
                found.append(int(p.name))
        except OSError:
            pass
    return found


class InCluster(unittest.TestCase):
    OPTIONS = ()

    def setUp(self):
        self.work = tempfile.TemporaryDirectory(prefix="quern-cluster-test-")
        self.addCleanup(self.work.cleanup)
        self.sandboxes = pathlib.Path(self.work.name).resolve() / "sandboxes"
        self.cluster = self.enterContext(cluster(PROGRAM, "--work-dir", self.sandboxes, *self.OPTIONS))

    def framework(self, **info):
        return self.enterContext(Framework(self.cluster.endpoint, **info))


    def failure_and_update(self, f):
        """What is said when an executor ends, in either order."""
        seen = {}
        while len(seen) < 2:
            event = f.stream.until(lambda e: e["type"] in ("UPDATE", "FAILURE"))
            seen[event["type"]] = event
        return seen["FAILURE"]["failure"], seen["UPDATE"]["update"]["status"]


class Pages(InCluster):
    OPTIONS = ("--agents", "3")

    def test_the_master_shows_its_state(self):
        for path in "/state", "/master/state":
            state = self.cluster.page(path)
            self.assertEqual(len(state["slaves"]), 3)
        metrics = self.cluster.page("/metrics/snapshot")
        self.assertEqual(metrics["master/slaves_active"], 3)
        self.assertEqual(metrics["master/cpus_total"], 12)
        self.assertEqual(self.cluster.page("/version")["version"], "1.12.0")
        status, headers, _ = request(self.cluster.endpoint, "GET", "/redirect")
        self.assertEqual((status, headers["Location"]), (307, "//" + self.cluster.endpoint))

    def test_each_agent_has_a_port_with_its_own_pages(self):
        agents = self.cluster.agents()
        self.assertEqual(len(set(agents.values())), 3)
        for endpoint in agents.values():
            for path in "/state", "/slave(1)/state", "/slave%281%29/state":
                status, _, body = request(endpoint, "GET", path)
                self.assertEqual(status, 200)
                self.assertEqual(json.loads(body)["hostname"], "127.0.0.1")
            self.assertEqual(request(endpoint, "GET", "/health")[0], 200)
            self.assertEqual(request(endpoint, "GET", "/redirect")[0], 404)


class Refusals(InCluster):
    def refused(self, status, words, body, path="/api/v1/scheduler", method="POST", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()} or JSON
        got, _, text = request(self.cluster.endpoint, method, path, body, headers)
        self.assertEqual((got, text.decode()), (status, words))

    def test_in_the_words_of_mesos(self):
        with self.framework() as f:
            revive = json.dumps({"type": "REVIVE", "framework_id": f.id})
            unknown = json.dumps({"type": "REVIVE", "framework_id": {"value": "nobody"}})
            self.refused(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header", revive)
            self.refused(400, "The stream ID 'other' included in this request didn't match the stream ID currently "
                         f"associated with framework ID {f.id['value']}", revive,
                         Content_Type="application/json", Mesos_Stream_Id="other")
            self.refused(400, "Framework cannot be found", unknown, Content_Type="application/json",
                         Mesos_Stream_Id=f.stream.id)
            self.refused(400, "Failed to parse body into Call protobuf", "garbage",
                         Content_Type="application/x-protobuf")
            self.refused(400, "Failed to validate scheduler::Call: Expecting 'type' to be present", "",
                         Content_Type="application/x-protobuf")
            self.refused(415, "Expecting 'Content-Type' of application/json or application/x-protobuf", revive,
                         Content_Type="text/plain")
            self.refused(405, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", None,
                         method="GET")

    def test_of_executors_nobody_knows(self):
        endpoint = next(iter(self.cluster.agents().values()))
        nobody = {"type": "SUBSCRIBE", "subscribe": {}, "framework_id": {"value": "f"}, "executor_id": {"value": "e"}}
        for path in "/api/v1/executor", "/slave(1)/api/v1/executor":
            self.assertEqual(call(endpoint, path, nobody), (400, "Framework cannot be found"))

    def test_what_is_no_http(self):
        host, port = self.cluster.endpoint.split(":")
        for garbage in b"\0\1\2\3\r\n\r\n", b"POST /api/v1/scheduler HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"x" * 100000:
            with socket.create_connection((host, int(port)), timeout=60) as s:
                try:
                    s.sendall(garbage)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except OSError:  # it hangs up: fine
                    pass
        self.assertEqual(request(self.cluster.endpoint, "GET", "/health")[0], 200)


class Jobs(InCluster):
    OPTIONS = ("--heartbeat-ms", "15000")

    def started(self, data, **more):
        """A framework whose task t1 runs."""
        f = self.framework()
        offer = f.offer()
        f.launch(offer, task(offer, "t1", data, **more))
        return f

    def state_of(self, f, want, **fields):
        status = f.update()
        self.assertEqual(status["state"], want, status)
        for name, value in fields.items():
            self.assertEqual(status[name], value)
        return status

    def test_tasks_come_and_go(self):
        f = self.framework()
        self.assertEqual(f.event("HEARTBEAT"), None)
        offer = f.offer()
        self.assertEqual(offer["url"]["path"], "/slave(1)")
        f.launch(offer, *(task(offer, f"t{i}", "finish") for i in range(5)))
        running, results = set(), {}
        while len(results) < 5:
            status = f.update()
            name = status["task_id"]["value"]
            self.assertNotIn("executor_id", status)  # the executor does not name itself
            if status["state"] == "TASK_RUNNING":
                running.add(name)
            else:
                self.assertEqual(status["state"], "TASK_FINISHED")
                results[name] = data_of(status)
        self.assertEqual(running, set(results))
        self.assertEqual(set(results.values()), {b"result"})
        # Mesos does not count a task whose TASK_RUNNING reaches the master when the agent knows of its end already:
        # Master::updateTask() takes the latest state, and the update that says so is none of a change any more.
        counted = self.cluster.page("/metrics/snapshot")["master/tasks_finished"]
        (self.assertLessEqual if REAL else self.assertEqual)(counted, 5)
        self.assertTrue(processes_in(self.sandboxes))  # the executor, still there
        f.call("TEARDOWN")
        # What the tasks gave back is offered at the next allocation, which may be before this on a busy machine.
        self.assertEqual([event for event in f.stream if event["type"] != "OFFERS"], [])
        self.settled()

    def settled(self):
        """Executors go by themselves, and so do sandboxes: those of a real Mesos after a week."""
        deadline = time.monotonic() + 60
        while processes_in(self.sandboxes) or (not REAL and list(self.sandboxes.glob("agent*/*"))):
            self.assertLess(time.monotonic(), deadline, "an executor or its sandbox stays")
            time.sleep(0.01)

    def test_the_environment_of_executors(self):
        f = self.started("environ")
        env = json.loads(data_of(self.state_of(f, "TASK_FINISHED")))
        self.assertEqual(env["MESOS_FRAMEWORK_ID"], f.id["value"])
        self.assertEqual(env["MESOS_EXECUTOR_ID"], "e1")
        (agent, endpoint), = self.cluster.agents().items()
        self.assertEqual((env["MESOS_SLAVE_ID"], env["MESOS_AGENT_ENDPOINT"]), (agent, endpoint))
        self.assertEqual(env["MESOS_SANDBOX"], env["MESOS_DIRECTORY"])
        inside = pathlib.Path(env["MESOS_SANDBOX"]).relative_to(self.sandboxes).parts
        self.assertEqual(inside[1:-1], ("slaves", agent, "frameworks", f.id["value"], "executors", "e1", "runs"))

    def test_the_other_spelling_of_the_paths(self):
        command = "EXECUTOR_PATH='/slave(1)/api/v1/executor' " + EXECUTOR
        f = self.enterContext(Framework(self.cluster.endpoint, path="/master/api/v1/scheduler"))
        offer = f.offer()
        f.launch(offer, task(offer, "t1", "finish", command=command))
        self.state_of(f, "TASK_RUNNING")
        self.state_of(f, "TASK_FINISHED")

    def test_a_crash_is_a_failure_and_leaves_nothing(self):
        f = self.started("crash")
        self.state_of(f, "TASK_RUNNING")
        failure, status = self.failure_and_update(f)
        self.assertEqual((failure["status"], failure["executor_id"]["value"]), (768, "e1"))
        self.assertEqual((status["state"], status["reason"], status["source"]),
                         ("TASK_FAILED", "REASON_EXECUTOR_TERMINATED", "SOURCE_AGENT"))
        f.acknowledge(status)
        if not REAL:  # Mesos' posix launcher, which the tests take, does not know of a grandchild that has no parent
            self.settled()

    def test_messages_and_kills(self):
        f = self.started("wait")
        status = self.state_of(f, "TASK_RUNNING")
        names = {"agent_id": status["agent_id"], "executor_id": {"value": "e1"}}
        f.call("MESSAGE", message={**names, "data": "cGluZw=="})
        message = f.event("MESSAGE")
        self.assertEqual(data_of(message), b"echo:ping")
        f.call("KILL", kill={"task_id": status["task_id"]})
        self.state_of(f, "TASK_KILLED")
        f.call("KILL", kill={"task_id": {"value": "nothing"}})
        self.assertEqual(f.update()["task_id"]["value"], "nothing")
        f.call("SHUTDOWN", shutdown=names)
        self.assertEqual(f.event("FAILURE")["status"], 0)
        self.settled()

    def test_a_broken_stream_is_taken_up_again(self):
        f = self.started("break")
        self.assertEqual(data_of(self.state_of(f, "TASK_FINISHED")), b"after the break")

    def test_what_cannot_start_fails(self):
        f = self.started("finish", command="no-such-program", shell=False)
        self.state_of(f, "TASK_FAILED", reason="REASON_EXECUTOR_TERMINATED", message="Executor terminated")

    def test_an_uri_that_is_not_there_fails(self):
        f = self.started("finish", uris=[{"value": "file:///no/such/file"}])
        self.state_of(f, "TASK_FAILED", reason="REASON_CONTAINER_LAUNCH_FAILED")
        self.settled()

    def test_archives_are_unpacked_before_the_start(self):
        made = pathlib.Path(self.work.name)
        (made / "hello").write_text("from the archive\n")
        subprocess.run(["tar", "-C", made, "-czf", made / "a.tar.gz", "hello"], check=True)
        (made / "run").write_text(f"#!/bin/sh\ngrep -q archive hello && {EXECUTOR}\n")
        f = self.started("finish", command="./run", uris=[{"value": str(made / "a.tar.gz")},
                                                          {"value": str(made / "run"), "executable": True}])
        self.state_of(f, "TASK_RUNNING")
        self.state_of(f, "TASK_FINISHED")

    def test_resources_are_free_at_once(self):
        f = self.framework()
        offer = f.offer()
        f.launch(offer, task(offer, "t1", "finish"), refuse=1000)
        self.state_of(f, "TASK_RUNNING")
        self.state_of(f, "TASK_FINISHED")
        f.call("REVIVE")
        cpus, = [r for r in f.offer()["resources"] if r["name"] == "cpus"]
        self.assertEqual(cpus["scalar"]["value"], 3.9)  # all but the executor's


class Impatient(InCluster):
    OPTIONS = ("--registration-ms", "300", "--grace-ms", "300")

    def test_who_does_not_subscribe_is_killed(self):
        with self.framework() as f:
            offer = f.offer()
            f.launch(offer, task(offer, "t1", command="exec sleep 1000"))
            failure, status = self.failure_and_update(f)
            self.assertEqual((status["state"], status["reason"], status["message"]), (
                "TASK_FAILED", "REASON_EXECUTOR_REGISTRATION_TIMEOUT", "Executor did not register within 300ms"))
            self.assertEqual(failure["status"], 9)


@unittest.skipIf(REAL, "of the embedded cluster: its end")
class End(unittest.TestCase):
    def running(self, c, command=None):
        f = self.enterContext(Framework(c.endpoint))
        offer = f.offer()
        f.launch(offer, task(offer, "t1", "wait", **({"command": command} if command else {})))
        self.assertEqual(f.update()["state"], "TASK_RUNNING")
        return f

    def in_folder(self, *options):
        work = tempfile.TemporaryDirectory(prefix="quern-cluster-test-")
        self.addCleanup(work.cleanup)
        folder = pathlib.Path(work.name).resolve() / "sandboxes"
        return folder, self.enterContext(Cluster(PROGRAM, "--work-dir", folder, *options))

    def test_it_takes_its_executors_along(self):
        folder, c = self.in_folder()
        self.running(c)
        c.process.terminate()
        self.assertEqual(c.process.wait(60), 0)
        self.assertEqual(processes_in(folder), [])
        self.assertFalse(folder.exists())

    def test_the_stubborn_too(self):
        folder, c = self.in_folder("--grace-ms", "200")
        self.running(c, "touch stubborn; " + EXECUTOR)
        c.process.terminate()
        self.assertEqual(c.process.wait(60), 0)
        self.assertEqual(processes_in(folder), [])
        self.assertFalse(folder.exists())

    def test_with_its_owner_it_ends(self):
        ours, theirs = os.pipe()
        work = tempfile.TemporaryDirectory(prefix="quern-cluster-test-")
        self.addCleanup(work.cleanup)
        folder = pathlib.Path(work.name).resolve() / "sandboxes"
        process = subprocess.Popen([*PROGRAM, "--work-dir", folder, "--life-fd", str(ours)], stdout=subprocess.PIPE,
                                   pass_fds=[ours])
        os.close(ours)
        with process:
            process.stdout.readline()
            os.close(theirs)
            self.assertEqual(process.wait(60), 0)
        self.assertFalse(folder.exists())

    def test_sandboxes_may_stay(self):
        folder, c = self.in_folder("--keep")
        self.running(c, "echo here; " + EXECUTOR)
        c.process.terminate()
        self.assertEqual(c.process.wait(60), 0)
        self.assertEqual([p.read_text() for p in folder.glob("agent1/slaves/*/frameworks/*/executors/e1/runs/*/stdout")],
                         ["here\n"])

    def test_a_file_that_has_no_room(self):
        """As on a full disk: nothing that it writes may be larger than 1 MiB."""
        work = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="quern-cluster-test-"))).resolve()
        (work / "large").write_bytes(bytes(4 << 20))
        limited = ["sh", "-c", 'ulimit -f 2048 && trap "" XFSZ && exec "$@"', "sh", *PROGRAM]
        with socketserver.TCPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=work)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            uri = f"http://127.0.0.1:{server.server_address[1]}/large"
            with Cluster(limited, "--work-dir", work / "sandboxes") as c, Framework(c.endpoint) as f:
                offer = f.offer()
                f.launch(offer, task(offer, "t1", "finish", uris=[{"value": uri}]))
                status = f.update()
            server.shutdown()
            self.assertEqual(status["state"], "TASK_FAILED")
            self.assertRegex(status["message"], rf"Failed to fetch '{uri}' to '{work}/sandboxes/.*': File too large$")

    def test_a_port_that_is_taken(self):
        _, c = self.in_folder()
        r = subprocess.run([*PROGRAM, "--port", c.endpoint.split(":")[1]], capture_output=True, text=True, timeout=60)
        self.assertEqual((r.returncode, r.stdout), (3, ""))
        self.assertIn("Address already in use", r.stderr)


if __name__ == "__main__":
    unittest.main()
