"""Something is killed in the middle of a job: the answer is right all the same, and nothing is left behind."""
import contextlib
import signal
import sys

import quern

MODES = quern.MODES
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))


class Job:
    """A job of several map tasks that wait at the gate, on agents of two cores."""

    def __init__(self, d, mode, agents=2):
        self.d, self.out = d, d / "out"
        self.gate = quern.Gate(d / "gate")
        folder = d / "text"
        folder.mkdir()
        # Two large parts: as many tasks as there are slots at least.
        for i in range(8):
            (folder / f"part{i}").write_bytes(TEXT * 10)
        self.text = folder
        self.process = quern.start(d, "run", "--master", f"local[{agents}x2]", "--mode", mode,
                                   quern.JOBS / "gate.c", folder, self.out, self.gate.folder)

    def at_gate(self, n=1):
        """The pids of workers that wait, once there are n."""
        return self.gate.at(self.process, n)

    def named(self, name):
        return [pid for pid, command in quern.descendants(self.process.pid) if name in command.split(b"\0")[0]]

    def check(self):
        result = quern.finish(self.process)
        quern.check(self.d, result)
        quern.same(quern.output(self.out), quern.word_counts(self.text))


@contextlib.contextmanager
def job(mode, agents=2):
    with quern.scratch() as d:
        j = Job(d, mode, agents)
        try:
            yield j
        finally:
            if j.process.poll() is None:
                j.process.kill()
            j.process.wait()
            j.gate.close()


def parent(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return int(f.read().rpartition(")")[2].split()[1])


def executor_of(worker):
    """The oldest process of quern-executor above a worker."""
    pid = worker
    while True:
        above = parent(pid)
        with open(f"/proc/{above}/cmdline", "rb") as f:
            if b"quern-executor" not in f.read().split(b"\0")[0]:
                return pid
        pid = above


def test_a_killed_worker_costs_one_attempt():
    for mode in MODES:
        with job(mode) as j:
            quern.kill(j.at_gate()[0])
            j.gate.open()
            j.check()


def test_a_killed_executor_costs_its_tasks():
    for mode in MODES:
        with job(mode) as j:
            quern.kill(executor_of(j.at_gate(2)[0]))
            j.gate.open()
            j.check()


def test_everything_of_an_agent_killed_at_once():
    for mode in MODES:
        with job(mode) as j:
            executor = executor_of(j.at_gate(2)[0])
            for pid in [executor] + [pid for pid, _ in quern.descendants(executor)]:
                quern.kill(pid)
            j.gate.open()
            j.check()


def test_a_killed_driver_leaves_nothing():
    for mode in MODES:
        with job(mode) as j:
            j.at_gate()
            j.process.send_signal(signal.SIGKILL)
            j.process.wait()
            quern.wait_for("everything of the job is gone", lambda: not quern.leftovers(j.d))


def test_an_interrupted_driver_takes_everything_down_and_leaves_no_output():
    for mode in MODES:
        with job(mode) as j:
            j.at_gate()
            j.process.send_signal(signal.SIGINT)
            quern.check(j.d, quern.finish(j.process), status=130)
            assert not j.out.exists()


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
