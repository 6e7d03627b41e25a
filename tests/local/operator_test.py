#!/usr/bin/env python3
"""What operators ask of the embedded cluster, in JSON and protobuf; and of a real Mesos, with QUERN_CLUSTER=mesos: they are to
give the same answers. Usage: operator_test.py PROGRAM-OF-cluster_program.c [unittest's arguments]"""
import base64
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Framework, cluster, task  # noqa: E402
from mesos_http import call, request  # noqa: E402

PROGRAM = [*os.environ.get("QUERN_WRAPPER", "").split(), sys.argv.pop(1)]
JSON, PROTOBUF = "application/json", "application/x-protobuf"
# An executor for these tests: it has a sandbox with files, and never subscribes.
SHELL = "printf 0123456789 >digits; : >empty; mkdir folder; ln -s /etc/passwd passwd; : >ready; exec sleep 1000"


def labels(**pairs):
    return {"labels": [{"key": key, "value": value} for key, value in pairs.items()]}


class Operators(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.TemporaryDirectory(prefix="quern-operator-test-")
        self.addCleanup(self.work.cleanup)
        self.cluster = self.enterContext(cluster(PROGRAM, "--work-dir", pathlib.Path(self.work.name).resolve() / "sandboxes"))

    def ask(self, message, endpoint=None, path="/api/v1"):
        return call(endpoint or self.cluster.endpoint, path, message, {"Accept": JSON})

    def answer(self, kind, endpoint=None, **more):
        status, text = self.ask({"type": kind, **more}, endpoint)
        self.assertEqual(status, 200, text)
        answer = json.loads(text)
        self.assertEqual(answer["type"], kind)
        return answer.get(kind.lower(), {})

    def only(self, which):
        found = self.answer("GET_FRAMEWORKS").get(which, [])
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_frameworks_that_are_there_and_that_were(self):
        with Framework(self.cluster.endpoint, labels=labels(a="1")) as f:
            there = self.only("frameworks")
            self.assertEqual(there["framework_info"]["id"], f.id)
            self.assertEqual(there["framework_info"]["labels"], labels(a="1"))
            self.assertTrue(there["active"] and there["connected"] and not there["recovered"])
            self.assertGreater(int(there["registered_time"]["nanoseconds"]), 1.5e18)
            f.launch(f.offer(), task({"agent_id": self.agent()}, "t", command=SHELL))
            self.wait(lambda: self.only("frameworks").get("allocated_resources"))
            held = {r["name"]: r["scalar"]["value"] for r in self.only("frameworks")["allocated_resources"]}
            self.assertAlmostEqual(held["cpus"], 0.6)
            self.assertAlmostEqual(held["mem"], 64)
            f.call("TEARDOWN")
        self.wait(lambda: not self.answer("GET_FRAMEWORKS").get("frameworks"))
        was = self.only("completed_frameworks")
        self.assertEqual((was["framework_info"]["id"], was["framework_info"]["labels"]), (f.id, labels(a="1")))
        self.assertGreaterEqual(int(was["unregistered_time"]["nanoseconds"]), int(was["registered_time"]["nanoseconds"]))

    def agent(self):
        return {"value": next(iter(self.cluster.agents()))}

    def wait(self, condition):
        """For something that another process does; a long while."""
        end = time.monotonic() + 120
        while not (value := condition()):
            self.assertLess(time.monotonic(), end, "it did not happen")
            time.sleep(0.02)
        return value

    def test_what_a_framework_says_of_itself_may_change(self):
        with Framework(self.cluster.endpoint, labels=labels(a="1")) as f:
            changed = {**f.info, "id": f.id, "labels": labels(a="1", b="2")}
            f.call("UPDATE_FRAMEWORK", expect=200, update_framework={"framework_info": changed, "suppressed_roles": ["*"]})
            self.assertEqual(self.only("frameworks")["framework_info"]["labels"], labels(a="1", b="2"))
            text = f.call("UPDATE_FRAMEWORK", expect=400, update_framework={"framework_info": {**changed, "user": "other"}})
            self.assertIn("Updating 'FrameworkInfo.user' is unsupported", text)
            text = f.call("UPDATE_FRAMEWORK", expect=400,
                          update_framework={"framework_info": {**changed, "id": {"value": "other"}}})
            self.assertIn("'framework_id' differs from 'update_framework.framework_info.id'", text)
            text = f.call("UPDATE_FRAMEWORK", expect=400)
            self.assertIn("Expecting 'update_framework' to be present", text)

    def test_an_operator_takes_a_framework_down(self):
        with Framework(self.cluster.endpoint) as f:
            status, text = self.ask({"type": "TEARDOWN", "teardown": {"framework_id": f.id}})
            self.assertEqual((status, text), (200, ""))
            self.assertEqual(self.only("completed_frameworks")["framework_info"]["id"], f.id)
            status, text = self.ask({"type": "TEARDOWN", "teardown": {"framework_id": f.id}})
            self.assertEqual((status, text), (400, "No framework found with specified ID"))

    def test_calls_that_are_none(self):
        for endpoint, name in (self.cluster.endpoint, "master"), (next(iter(self.cluster.agents().values())), "agent"):
            status, text = self.ask({}, endpoint)
            self.assertEqual(status, 400, text)
            self.assertIn(f"Failed to validate {name}::Call: Expecting 'type' to be present", text)
            status, _, _ = request(endpoint, "GET", "/api/v1")
            self.assertEqual(status, 405)
        status, text = self.ask({"type": "TEARDOWN"})
        self.assertIn("Expecting 'teardown' to be present", text)
        status, headers, body = request(self.cluster.endpoint, "POST", "/master/api/v1", b"\x08\x0b",
                                        {"Content-Type": PROTOBUF, "Accept": PROTOBUF})
        self.assertEqual((status, headers["Content-Type"]), (200, PROTOBUF))
        self.assertEqual(body[:2], b"\x08\x0a")  # type GET_FRAMEWORKS
        status, _, body = request(self.cluster.endpoint, "POST", "/api/v1", b"\x08\x0b",
                                  {"Content-Type": PROTOBUF, "Accept": "text/html"})
        self.assertEqual(status, 406, body)

    def test_files_of_a_sandbox(self):
        with Framework(self.cluster.endpoint) as f:
            f.launch(f.offer(), task({"agent_id": self.agent()}, "t", command=SHELL))
            ready = self.wait(lambda: list(pathlib.Path(self.work.name).glob("**/runs/*-*/ready")))
            sandbox, agent = str(ready[0].resolve().parent), next(iter(self.cluster.agents().values()))

            def read(name, **more):
                return self.ask({"type": "READ_FILE", "read_file": {"path": f"{sandbox}/{name}", "offset": 0, **more}}, agent)

            def part(name, **more):
                status, text = read(name, **more)
                self.assertEqual(status, 200, text)
                answer = json.loads(text)["read_file"]
                return int(answer["size"]), base64.b64decode(answer.get("data", ""))

            self.assertEqual(part("digits"), (10, b"0123456789"))
            self.assertEqual(part("digits", offset=3, length=4), (10, b"3456"))
            self.assertEqual(part("digits", offset=8, length=40), (10, b"89"))
            self.assertEqual(part("digits", offset=10), (10, b""))
            self.assertEqual(part("digits", offset=99), (10, b""))
            self.assertEqual(part("digits", length=0), (10, b""))
            self.assertEqual(part("empty"), (0, b""))
            large = pathlib.Path(sandbox, "large")
            large.write_bytes(b"x" * (1 << 20))
            size, data = part("large", length=1 << 20)
            self.assertEqual((size, len(data)), (1 << 20, 16 * os.sysconf("SC_PAGESIZE")))
            self.assertEqual(read("not-there")[0], 404)
            self.assertEqual(read("folder"), (400, "Cannot read a directory.\n"))
            self.assertIn(read("../../../../../../../../../../../../../../etc/passwd")[0], (400, 404))
            self.assertNotIn("root:", read("passwd")[1])
            status, text = self.ask({"type": "READ_FILE"}, agent)
            self.assertIn("Expecting 'read_file' to be present", text)


if __name__ == "__main__":
    unittest.main()
