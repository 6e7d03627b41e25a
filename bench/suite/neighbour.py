"""The batch framework that shares the cluster with what is measured: quern-bench-neighbour, a process of its own."""
import json
import os
import select
import signal
import subprocess

from suite import timed
from suite.errors import BenchError

PROGRAM = "quern-bench-neighbour"
ANSWER_S = 30  # until it has answered, or is subscribed
END_S = 20


class Neighbour:
    """Runs until the end of `with`. limit: tasks that it may have at a time."""

    def __init__(self, bench, task_ms, limit=None):
        self.name = f"{PROGRAM}-{os.getpid()}"
        master = bench.cluster.master
        argv = [bench.program(PROGRAM), master.address, f"--task-ms={task_ms}", f"--name={self.name}"]
        if bench.cluster.kind == "embedded":
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
