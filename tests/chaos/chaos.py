#!/usr/bin/env python3
"""Jobs in every mode and two frameworks that are not ours share a real Mesos while its masters, agents and executors are killed at
random. Every answer is checked with other tools; at the end nothing may be left on the agents, and no framework registered. A master
or an agent that ends by itself, by a failed check of its own, is started again, as a supervisor would, and told of at the end.

    MESOS_HOME=... QUERN=... tests/chaos/chaos.py --seed 1 --minutes 10

Not among the tests that run by themselves: by hand, for as long as one has. What is done, to whom and when follows from the seed
alone, whatever comes of it; everything is in chaos.log of the folder, which is kept when something went wrong. --replay LOG does
what that log says, at its times, where a later version draws differently.

With ZooKeeper (Debian's zookeeper, java) there are three masters; else one, which comes back."""
import argparse
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
os.environ.setdefault("QUERN", str(ROOT / "build/cli/quern"))
os.environ.setdefault("QUERN_EXAMPLES", str(ROOT / "examples"))
os.environ.setdefault("QUERN_JOBS", str(ROOT / "tests/e2e/jobs"))
os.environ.setdefault("QUERN_TEST_TIMEOUT", "600")  # seconds for a job, all its losses included; longer is a hang
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(ROOT / "bench")]
import quern  # noqa: E402
import zookeeper  # noqa: E402
from jobs import Jobs  # noqa: E402
from mesos import Mesos  # noqa: E402
from suite.neighbour import framework_of_mesos  # noqa: E402
from watch import CORES, Watch  # noqa: E402

AGENTS = [{"hostname": f"{name}.chaos.test", "attributes": f"rack:{rack}"}
          for name, rack in [("north", "a"), ("east", "a"), ("south", "b"), ("west", "b")]]
ROW, QUIET = 8, 40  # so many faults a few seconds apart, and then seconds without any, in which shares are looked at
# What is done, and how often: of a hundred.
FAULTS = {"kill_executor": 45, "kill_agent": 20, "kill_host": 15, "kill_leader": 15, "kill_foreign": 5}


class Log:
    """chaos.log, and the terminal. Times are seconds since the beginning."""

    def __init__(self, path):
        self.file, self.begun, self.lock = open(path, "a", encoding="utf-8"), time.monotonic(), threading.Lock()
        self.failures = []

    def now(self):
        return time.monotonic() - self.begun

    def __call__(self, *words):
        with self.lock:
            for out in self.file, sys.stdout:
                print(f"{self.now():.3f}", *words, file=out, flush=True)

    def failure(self, *words):
        self("FAILURE", *words)
        self.failures.append(" ".join(map(str, words)))


class Foreign:
    """Frameworks of Mesos' own, started again when they end: by a fault of their own, or because their work is done."""

    def __init__(self, m, log, stop):
        self.m, self.log, self.stop = m, log, stop
        master = m.zk or m.address
        self.commands = [[name, f"--master={master}", *args] for name, args in [
            ("long-lived-framework", []),
            ("no-executor-framework", [f"--task_resources=cpus:{CORES};mem:32", "--command=sleep 1"])]]
        self.threads = [threading.Thread(target=self.keep, args=(self.program(c[0]), *c[1:])) for c in self.commands]

    @staticmethod
    def program(name):
        found = framework_of_mesos(name)
        if found is None:
            sys.exit(f"no {name}, which jobs run beside here: it is in a build tree of Mesos, and MESOS_BUILD says where that is")
        return found

    def keep(self, program, *args):
        while not self.stop.is_set():
            with open(self.m.d / f"{program.name}.log", "ab") as out:
                process = subprocess.Popen([program, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                           cwd=self.m.d, env=dict(os.environ, LIBPROCESS_IP="127.0.0.1"))
                while process.poll() is None and not self.stop.wait(0.2):
                    pass
                process.terminate()
                status = process.wait()
            if not self.stop.is_set():
                self.log("foreign", program.name, "ended with", status)


class Faults:
    """The draws of a seed: (seconds to wait, what, whom as a part of one, seconds until it is made good)."""

    def __init__(self, m, log, watch):
        self.m, self.log, self.watch = m, log, watch
        self.repairs, self.suicides = [], []

    @staticmethod
    def drawn(seed):
        r = random.Random(seed)
        at = 8.0
        while True:
            for _ in range(ROW):
                kind, = r.choices(list(FAULTS), FAULTS.values())
                yield at, kind, r.random(), r.uniform(1, 8)
                at += r.uniform(2, 9)
            at += QUIET

    @staticmethod
    def replayed(path):
        for line in open(path, encoding="utf-8"):
            words = line.split()
            if words[1] == "fault":
                yield float(words[2]), words[3], float(words[4]), float(words[5])

    def alive(self, processes):
        return [p for p in processes if p.process.poll() is None]

    def do(self, at, kind, whom, repair):
        agents, what = self.alive(self.m.agents), "nobody"
        if kind == "kill_executor" or kind == "kill_foreign":
            ours = kind == "kill_executor"
            found = sorted(p for p in self.m.at_work() if ("quern-executor" in p[1]) == ours)
            if found:
                pid, what = found[int(whom * len(found))]
                quern.kill(pid)
        elif kind in ("kill_agent", "kill_host") and len(agents) > 2:
            agent = agents[int(whom * len(agents))]
            what = agent.name
            if kind == "kill_agent":
                agent.kill()
            else:
                agent.kill_all()
            self.repairs.append((self.log.now() + repair, agent))
        elif kind == "kill_leader":
            leader = self.m.leader_now()
            if leader and len(self.alive(self.m.masters)) * 2 > len(self.m.masters) + (1 if len(self.m.masters) > 1 else 0):
                what = leader.name
                leader.kill()
                self.repairs.append((self.log.now() + repair, leader))
        self.watch.disturbed()
        self.log("fault", f"{at:.3f}", kind, f"{whom:.6f}", f"{repair:.3f}", "#", what[:120])

    def make_good(self, everything=False):
        for when, process in list(self.repairs):
            if everything or when <= self.log.now():
                self.repairs.remove((when, process))
                process.restart()
                self.watch.disturbed()
                self.log("back", process.name)

    def supervise(self):
        """What has ended and was not killed here."""
        for p in self.m.masters + self.m.agents:
            if p.process.poll() is not None and not any(p is killed for _, killed in self.repairs):
                said = p.last_words()
                self.suicides.append(f"{p.name} at {self.log.now():.1f} s: {said}")
                self.log("ended by itself:", p.name, said)
                self.repairs.append((self.log.now(), p))

    def run(self, draws, seconds):
        for draw in draws:
            while self.log.now() < min(draw[0], seconds):
                self.supervise()
                self.make_good()
                time.sleep(0.05)
            if self.log.now() >= seconds:
                break
            self.do(*draw)
        self.make_good(everything=True)


def cluster(d):
    """Three masters where there is ZooKeeper, and the four agents."""
    keeper = zookeeper.ZooKeeper(d) if zookeeper.JAR.exists() and shutil.which("java") else None
    try:
        return keeper, Mesos(d, agents=AGENTS, cores=2.3, masters=3 if keeper else 1, zk=keeper and f"zk://{keeper.address}/mesos")
    except BaseException:
        if keeper:
            keeper.kill()
        raise


def settle(m, log):
    try:
        m.settled()
    except AssertionError:
        log.failure("left behind:", *m.leftovers())


def chaos(d, options, log):
    keeper, m = cluster(d)
    stop = threading.Event()
    try:
        watch = Watch(m, log, stop)
        jobs = [Jobs(m, d, mode, options.seed, log, stop) for mode in options.modes.split(",")]
        foreign = Foreign(m, log, stop)
        threads = [watch.thread, *(j.thread for j in jobs), *foreign.threads]
        for t in threads:
            t.start()
        faults = Faults(m, log, watch)
        draws = faults.replayed(options.replay) if options.replay else faults.drawn(options.seed)
        try:
            faults.run(draws, options.minutes * 60)
        finally:
            log("the end: jobs that run are waited for")
            for j in jobs:
                j.last = True
            while any(j.thread.is_alive() for j in jobs):
                faults.supervise()
                faults.make_good()
                stop.wait(0.2)
            stop.set()
            for t in threads:
                t.join()
        settle(m, log)
        watch.report()
        for j in jobs:
            j.report()
        for s in faults.suicides:
            log("Mesos ended by itself:", s)
    finally:
        stop.set()
        m.stop()
        if keeper:
            keeper.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--modes", default=",".join(quern.MODES), help="a job at a time of each (%(default)s)")
    parser.add_argument("--replay", metavar="LOG")
    parser.add_argument("--keep", action="store_true", help="the folder, also when all went well")
    options = parser.parse_args()
    quern.need_mesos()
    d = pathlib.Path(tempfile.mkdtemp(prefix="quern-chaos-"))
    log = Log(d / "chaos.log")
    log("seed", options.seed, "minutes", options.minutes, "modes", options.modes, "folder", d)
    with contextlib.suppress(KeyboardInterrupt):
        chaos(d, options, log)
    for failure in log.failures:
        print("FAILURE", failure)
    if log.failures:
        print(f"everything is in {d}")
        sys.exit(1)
    if not options.keep:
        subprocess.run(["rm", "-rf", d], check=True)


if __name__ == "__main__":
    main()
