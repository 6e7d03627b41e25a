"""A cluster to measure on, each of some agents with so many cores for tasks: a real Apache Mesos with stock flags (--mesos HOME:
bin, sbin and libexec of an installed one), or `quern local`."""
import contextlib
import os
import pathlib
import subprocess
import sys

from measuring.run import ROOT
from suite.cluster import Embedded
from suite.master import Master

MEMORY = 64 << 10  # MB of a real agent: no measure is about that


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
        self.master = Master(self.mesos.address)
        self.address = self.mesos.address

    def metrics(self):
        return self.master.metrics()

    def cpu_s(self):
        """Not known: masters and agents may come and go."""
        return None

    def stop(self):
        self.mesos.stop()


@contextlib.contextmanager
def cluster(o, tmp, agents, cores):
    c = Real(o, pathlib.Path(tmp) / "mesos", agents, cores) if o.mesos else Embedded(o.build / "cli/quern", agents, cores)
    try:
        yield c
    finally:
        c.stop()


def where(o):
    return f"Apache Mesos ({version(o)})" if o.mesos else "`quern local`"


def version(o):
    return subprocess.run([o.mesos / "sbin/mesos-master", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
