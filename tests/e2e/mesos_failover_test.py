"""Several real masters, one of which leads: what a job does when that one goes, found by zk:// and by a list of masters."""
import contextlib
import signal
import sys

import mesos
import quern
import zookeeper

MODES = ["coarse", "fine"]
FILES = 8  # with a line each, and so many map tasks; 4 run at a time
# Redirects of a standby name the leader by this, and nobody can look it up.
NAME = "only-the-cluster-knows.invalid"


@contextlib.contextmanager
def cluster(**options):
    with quern.scratch() as d, zookeeper.zookeeper(d) as z:
        m = mesos.Mesos(d, masters=3, zk=f"zk://{z.address}/mesos", **options)
        try:
            (d / "in").mkdir()
            for i in range(FILES):
                # Long enough for a task of its own.
                (d / "in" / f"f{i}").write_bytes(b"line %d of those that are counted %s\n" % (i % 3, b"x" * 70000))
            yield m, z
        finally:
            m.stop()


class Job:
    """A job whose first four tasks wait; `name` is of its output and the like."""

    def __init__(self, m, name, mode, master, files=FILES):
        self.m, self.files = m, files
        self.out, self.seen = m.d / f"out-{name}", m.d / f"seen-{name}"
        self.gate = quern.Gate(m.d / f"gate-{name}")
        inputs = "/f[0-3]" if files == 4 else ""
        self.process = quern.start(m.d, "run", "--master", master, "--mode", mode, "--total-executor-cores", "4",
                                   "--master-timeout", "100s", quern.JOBS / "turns.c", f"{m.d}/in{inputs}", self.out,
                                   self.gate.folder, self.seen)
        self.gate.at(self.process, 4)
        self.id = self.framework()

    def framework(self):
        """Its id at the leader, or None while that does not know of it."""
        ids = [f["framework_info"]["id"]["value"] for f in self.m.frameworks() if f["active"]]
        assert len(ids) < 2, ids
        return ids[0] if ids else None

    def taken_back(self):
        quern.wait_for("the framework is back", lambda: self.framework() == self.id)

    def ends_well(self):
        """No task was run twice, the answer is right, and nothing is left. The result."""
        self.gate.open()
        result = quern.finish(self.process)
        quern.check(self.m.d, result)
        quern.same(quern.output(self.out), quern.word_counts(*sorted((self.m.d / "in").iterdir())[:self.files]))
        assert self.seen.stat().st_size == self.files, f"{self.seen.stat().st_size} runs of {self.files} tasks"
        self.m.settled()
        return result

    def close(self):
        self.process.kill()
        self.process.wait()
        self.gate.close()


@contextlib.contextmanager
def job(*args, **options):
    j = Job(*args, **options)
    try:
        yield j
    finally:
        j.close()


def lines(result, word):
    return [line for line in result.stderr.decode().splitlines() if word in line]


def leader_is_killed(m, name, mode, master):
    with job(m, name, mode, master) as j:
        leader = m.leader
        leader.kill()
        j.taken_back()
        assert m.leader is not leader
        result = j.ends_well()
    assert len(lines(result, "lost the master at")) == 1 and len(lines(result, "found a master again")) == 1, result.stderr
    leader.start()  # for the quorum of the next one


def test_the_leader_is_killed_and_zookeeper_names_another():
    with cluster() as (m, z):
        for mode in MODES:
            leader_is_killed(m, mode, mode, f"mesos://zk://{z.address}/mesos/")


def test_the_leader_is_killed_and_another_of_the_list_leads():
    with cluster(master_flags=[f"--hostname={NAME}"]) as (m, _):
        for mode in MODES:
            leader_is_killed(m, mode, mode, "mesos://" + m.address)


def test_a_job_ends_while_nobody_leads():
    """Its results come over links; the next leader is told that it has ended."""
    with cluster() as (m, z):
        with job(m, "job", "coarse", f"zk://{z.address}/mesos", files=4) as j:
            leader = m.leader
            leader.kill()
            result = j.ends_well()
        assert len(lines(result, "lost the master at")) == 1 and len(lines(result, "no master is there to be told")) == 1, \
            result.stderr


def test_the_leader_stands_still_for_a_while():
    """Its session ends and another leads; when it goes on it learns that, and dies."""
    for mode in MODES:
        with cluster() as (m, z), job(m, mode, mode, f"zk://{z.address}/mesos") as j:
            leader = m.leader
            leader.process.send_signal(signal.SIGSTOP)
            others = [x for x in m.masters if x is not leader]
            quern.wait_for("another leads", lambda: any(x.leads() for x in others))
            leader.process.send_signal(signal.SIGCONT)
            leader.process.wait(timeout=quern.TIMEOUT)
            j.taken_back()
            result = j.ends_well()
            assert len(lines(result, "leads now")) == 1, result.stderr


def test_zookeeper_is_started_again():
    """Nobody loses a session of that length; the job does not notice."""
    with cluster(master_flags=["--zk_session_timeout=20secs"]) as (m, z):
        for mode in MODES:
            with job(m, mode, mode, f"zk://{z.address}/mesos") as j:
                leader = m.leader
                z.kill()
                z.start()
                result = j.ends_well()
                assert m.leader is leader and not lines(result, "master"), result.stderr


if __name__ == "__main__":
    zookeeper.need()
    mesos.main(sys.modules[__name__])
