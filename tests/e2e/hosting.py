"""What the tests of detached jobs share: a cluster that is there on its own, embedded or a real Mesos, and what is asked of
it."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess

import quern

CORES = 2.7  # of an agent: two tasks, an executor's share, a driver
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))
FAILOVER = "2s"  # for a driver that is lost


class Cluster:
    """`process`: its end is the end of everything. `pids()`: roots of whatever runs on it."""

    def __init__(self, d, address, process, pids, more=()):
        self.d, self.address, self.process, self.pids, self.more = d, address, process, pids, more

    def start(self, command, *args):
        return quern.start(self.d, command, "--master", self.address, *self.more, *args)

    def run(self, command, *args, status=0):
        result = quern.finish(self.start(command, *args))
        assert result.returncode == status, f"status {result.returncode}, not {status}: {result.args}\n" \
            f"{result.stdout.decode(errors='replace')}\n{result.stderr.decode(errors='replace')}"
        return result

    def detach(self, *args, command="run"):
        """Submits; the job's id."""
        result = self.run(command, "--detach", "--total-executor-cores=2", f"--failover-timeout={FAILOVER}", *args)
        lines = result.stdout.decode().splitlines()
        assert len(lines) == 1, lines
        assert f"quern: submitted {lines[0]}; its driver runs on " in result.stderr.decode(), result.stderr
        return lines[0]

    def jobs(self, *args):
        return json.loads(self.run("ps", "--json", *args).stdout)

    def job(self, which):
        found = [j for j in self.jobs("--all") if j["id"] == which]
        assert len(found) == 1, (which, found)
        return found[0]

    def log(self, which):
        result = self.run("log", which)
        return result.stdout.decode(), result.stderr.decode()

    def processes(self, word=b""):
        """Those of quern below the agents, whose command line has the word in it."""
        found = [p for root in self.pids() for p in quern.descendants(root)]
        return [pid for pid, command in found if b"quern" in command.split(b"\0")[0] and word in command]

    def driver(self, word=b"\0hosted\0"):
        found = self.processes(word)
        assert len(found) == 1, found
        return found[0]

    def settled(self):
        """No framework, no process of a job's."""
        quern.wait_for("no job is left", lambda: not self.jobs())
        quern.wait_for("no process of a job's is left", lambda: not [
            p for p in self.processes() if self.is_of_job(p)])

    def is_of_job(self, pid):
        with contextlib.suppress(OSError):
            return "/frameworks/" in os.readlink(f"/proc/{pid}/cwd")
        return False


@contextlib.contextmanager
def embedded(agents):
    with quern.scratch() as d:
        ready, said = os.pipe()
        process = subprocess.Popen(
            [quern.QUERN, "local", "--port=0", f"--ready-fd={said}", f"--agents={agents}", f"--cores={CORES}",
             "--keep-sandboxes", f"--work-dir={d}/work"], env=quern.environment(d), pass_fds=[said],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.close(said)
        try:
            with os.fdopen(ready) as line:
                yield Cluster(d, line.readline().strip(), process, lambda: [process.pid])
        finally:
            process.send_signal(signal.SIGTERM)
            err = process.communicate(timeout=quern.TIMEOUT)[1]
        assert (process.returncode, err) == (0, b""), err


@contextlib.contextmanager
def real(agents, more=(), **options):
    """`more`: further options of every command."""
    import mesos
    with mesos.mesos(agents, cores=CORES - mesos.EXECUTORS, **options) as m:
        cluster = Cluster(m.d, m.address, m.masters[0].process, lambda: [a.pid for a in m.agents], more)
        cluster.mesos = m
        yield cluster


def cluster(agents=2):
    return real(agents) if quern.ON_MESOS else embedded(agents)


@contextlib.contextmanager
def waiting(c, *args):
    """A detached job whose tasks wait at a gate: its id, the gate, its output folder."""
    text, out = c.d / "text", c.d / "out"
    text.write_bytes(TEXT)
    gate = quern.Gate(c.d / "gate")
    try:
        job = c.detach(*args, quern.JOBS / "gate.c", text, out, gate.folder)
        gate.at(c.process)
        yield job, gate, pathlib.Path(out)
    finally:
        gate.close()
