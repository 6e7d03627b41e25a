"""Frameworks that share the cluster with what is measured: quern-bench-neighbour, which takes whatever it is offered, a process of
its own; and Mesos' own load-generator-framework, which asks the master about tasks, 200 times a second."""
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time

from suite import timed
from suite.errors import BenchError

PROGRAM = "quern-bench-neighbour"
ANSWER_S = 30  # until it has answered, or is subscribed
END_S = 20
LOAD_GENERATOR, ASKS_PER_S = "load-generator-framework", 200
# Where Mesos' own frameworks are: in an installed one, and in a build tree.
PLACES = ("MESOS_HOME", "libexec/mesos"), ("MESOS_HOME", "libexec/mesos/tests"), ("MESOS_BUILD", "src")


def has_own_executor(cluster):
    """Its program can run its tasks: agents are on this machine. Elsewhere tasks are commands, which Mesos runs."""
    here = {"localhost", socket.gethostname()}
    return all(host in here or host.startswith("127.") for host in cluster.master.agent_hosts())


class Neighbour:
    """Runs until the end of `with`. limit: tasks that it may have at a time."""
    works = True

    def __init__(self, bench, task_ms, limit=None):
        self.name = f"{PROGRAM}-{os.getpid()}"
        master = bench.cluster.master
        argv = [bench.program(PROGRAM), master.address, f"--task-ms={task_ms}", f"--name={self.name}"]
        if has_own_executor(bench.cluster):
            argv.append("--own-executor")
        if limit is not None:
            argv.append(f"--limit={limit}")
        env = dict(os.environ)
        if "Authorization" in master.headers:
            env["QUERN_BENCH_AUTHORIZATION"] = master.headers["Authorization"]
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env, start_new_session=True)
        timed.waited_for.add(self.process.pid)
        try:
            self._answer()
        except BaseException:
            self.stop()
            raise

    def _answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_S)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise BenchError(f"the batch framework {self._last_words()}")
        return json.loads(line)

    def _last_words(self):
        said = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        return f"ended: {said[-1]}" if said else "does not answer"

    def ask(self):
        """How far it is: its program's say()."""
        try:
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self._answer()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        timed.waited_for.discard(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        for pipe in self.process.stdin, self.process.stdout, self.process.stderr:
            try:
                pipe.close()
            except BrokenPipeError:
                pass


class LoadGenerator:
    """Of Mesos, where it is found. It runs no tasks: what it does is the master's work."""
    works = False
    METRIC = "master/messages_reconcile_tasks"

    def __init__(self, bench):
        self.name, self.master = LOAD_GENERATOR, bench.cluster.master
        self.said = tempfile.TemporaryFile()
        argv = [framework_of_mesos(LOAD_GENERATOR), f"--master={self.master.address}", f"--qps={ASKS_PER_S}"]
        self.process = subprocess.Popen(argv, cwd=bench.tmp, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said,
                                        start_new_session=True)
        timed.waited_for.add(self.process.pid)
        try:
            self._until_it_works()
        except BaseException:
            self.__exit__()
            raise

    def _until_it_works(self):
        before, until = self.ask(), time.monotonic() + ANSWER_S
        while self.ask()["asked"] == before["asked"]:
            if time.monotonic() > until:
                raise BenchError(f"{LOAD_GENERATOR} asks the master nothing")
            time.sleep(0.1)

    def ask(self):
        if self.process.poll() is not None:
            self.said.seek(0)
            said = self.said.read().decode(errors="replace")
            if "not MULTI_ROLE capable" in said:
                raise BenchError(f"{LOAD_GENERATOR} of this Mesos cannot register: it names roles, and is not MULTI_ROLE capable")
            raise BenchError(f"{LOAD_GENERATOR} ended: {(said.strip().splitlines() or ['it said nothing'])[-1]}")
        return {"t_s": time.monotonic(), "asked": self.master.metrics().get(self.METRIC, 0)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        timed.waited_for.discard(self.process.pid)
        self.said.close()


def framework_of_mesos(name):
    """The program of one of Mesos' own frameworks, or None: it is in none of PLACES."""
    programs = [pathlib.Path(os.environ[variable]) / folder / name for variable, folder in PLACES if os.environ.get(variable)]
    return next((program for program in programs if os.access(program, os.X_OK)), None)
