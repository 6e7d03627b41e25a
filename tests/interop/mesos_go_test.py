#!/usr/bin/env python3
"""A framework on mesos-go (framework.go) on the embedded cluster, or with QUERN_CLUSTER=mesos on a real one. Skipped, with the reason, without Go or mesos-go.
Usage: mesos_go_test.py PROGRAM-OF-cluster_program.c FOLDER-TO-BUILD-IN"""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "local"))
from cluster import REAL, cluster  # noqa: E402

SKIP = 77
LIBRARY = pathlib.Path("/usr/share/gocode")  # Debian's golang-github-mesos-mesos-go-dev


def build(folder):
    """The framework's program; exits when there is nothing to build it with."""
    go = shutil.which("go")
    if go is None or not (LIBRARY / "src/github.com/mesos/mesos-go/api/v1").is_dir():
        print(f"skipped: {'no go in PATH' if go is None else f'no mesos-go in {LIBRARY}'}", file=sys.stderr)
        sys.exit(SKIP)
    program = folder / "framework"
    subprocess.run([go, "build", "-o", program, HERE / "framework.go"], check=True, cwd=folder, env={
        **os.environ, "GO111MODULE": "off", "GOPATH": str(LIBRARY), "GOCACHE": str(folder / "cache"), "GOFLAGS": ""})
    return program


class MesosGo(unittest.TestCase):
    def run_on(self, agents, tasks):
        with cluster([CLUSTER], "--agents", agents) as c:
            r = subprocess.run([FRAMEWORK, c.endpoint, str(tasks)], stdout=subprocess.PIPE, text=True, timeout=120)
            self.assertEqual(r.returncode, 0)
            metrics = c.page("/metrics/snapshot")
            # Mesos does not count a task of which it hears the end with an earlier update (latest_state).
            (self.assertLessEqual if REAL else self.assertEqual)(metrics["master/tasks_finished"], tasks)
            self.assertEqual(metrics["master/frameworks_active"], 0)
        return r.stdout

    def test_one_agent(self):
        self.assertEqual(self.run_on(1, 30), "30 tasks, 1 messages\n")

    def test_several_agents(self):
        self.assertIn("30 tasks, ", self.run_on(3, 30))


if __name__ == "__main__":
    CLUSTER, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    FOLDER.mkdir(parents=True, exist_ok=True)
    FRAMEWORK = build(FOLDER)
    unittest.main(argv=sys.argv[:1])
