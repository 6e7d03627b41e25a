"""A cluster to measure on, each of some agents with so many cores for tasks: a real Apache Mesos with stock flags (--mesos HOME:
bin, sbin and libexec of an installed one), or `quern local`."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

from measuring.run import ROOT

EXECUTOR = 0.1  # cores of an agent beside those for tasks: an executor's own
MEMORY = 64 << 10  # MB of an agent: no measure is about that


class Embedded:
    def __init__(self, o, agents, cores):
        read, write = os.pipe()
        self.process = subprocess.Popen([o.build / "cli/quern", "local", f"--agents={agents}", f"--cores={cores + EXECUTOR}",
                                         f"--memory={MEMORY}m", "--port=0", f"--ready-fd={write}"], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            self.address = ready.readline().strip()

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.address}/metrics/snapshot", timeout=10) as page:
            return json.load(page)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Real:
    """As the tests start it."""

    def __init__(self, o, tmp, agents, cores):
        os.environ.update(QUERN=str(o.build / "cli/quern"), QUERN_JOBS=str(ROOT / "tests/e2e/jobs"),
                          QUERN_EXAMPLES=str(ROOT / "examples"), MESOS_HOME=str(o.mesos))
        sys.path.insert(0, str(ROOT / "tests/e2e"))
        import mesos  # noqa: what it needs of the environment is there only now

        tmp.mkdir()
        (tmp / "tmp").mkdir()
        self.mesos = mesos.Mesos(tmp, o.mesos, agents, cores=cores, memory=MEMORY)
        self.address = self.mesos.address

    def metrics(self):
        return self.mesos.leader.metrics()

    def stop(self):
        self.mesos.stop()


@contextlib.contextmanager
def cluster(o, tmp, agents, cores):
    c = Real(o, pathlib.Path(tmp) / "mesos", agents, cores) if o.mesos else Embedded(o, agents, cores)
    try:
        yield c
    finally:
        c.stop()


def where(o):
    return f"Apache Mesos ({version(o)})" if o.mesos else "`quern local`"


def version(o):
    return subprocess.run([o.mesos / "sbin/mesos-master", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
