"""A real Apache Mesos for tests, found by MESOS_HOME (bin, sbin and libexec of an installed Mesos): masters and agents with
flags of a test's choice, what they say of themselves, and what is left on them."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import quern
from ports import free_port

HOME = pathlib.Path(os.environ["MESOS_HOME"]) if os.environ.get("MESOS_HOME") else None
EXECUTORS = 0.1  # cores of an agent beside those for tasks: the share of one executor
MEMORY = 4096  # MB of an agent
RUN = b"----- started -----\n"  # in the log of a master or agent


class Process:
    """A master or an agent: its program's process, the port it listens on, and how it is started again."""

    def __init__(self, cluster, program, name, port, flags):
        self.cluster, self.program, self.name, self.port, self.flags = cluster, program, name, port, flags
        self.log = cluster.d / f"{name}.log"
        self.process = None
        self.start()

    def start(self):
        """Until it listens. Somebody else may have taken the port since it was found free: then on another one."""
        while True:
            self.run()
            quern.wait_for(f"{self.name} listens", lambda: self.process.poll() is not None or self.listens())
            if self.process.poll() is None:
                return
            said = self.log.read_bytes().rpartition(RUN)[2]
            assert b"Address already in use" in said, f"{self.name} has ended:\n{said.decode(errors='replace')[-3000:]}"
            self.port = free_port()

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def run(self):
        with open(self.log, "ab") as log:
            log.write(RUN)
            log.flush()
            self.process = subprocess.Popen([str(self.cluster.home / "sbin" / self.program), "--ip=127.0.0.1",
                                             f"--port={self.port}", f"--work_dir={self.cluster.d}/{self.name}", *self.flags],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.cluster.d)

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """The process alone, with SIGKILL."""
        self.process.kill()
        self.process.wait()

    def last_words(self):
        """What it said last with a capital F or in vain, for one that has ended by itself."""
        lines = self.log.read_text(errors="replace").rpartition(RUN.decode())[2].splitlines()
        return next((line for line in lines if line.startswith("F")), lines[-1] if lines else "nothing")[:300]

    def kill_all(self):
        """With everything below it and in its sandboxes: a host that loses its power."""
        below = {pid for pid, _ in quern.descendants(self.pid)}
        self.kill()
        for pid in below.union(pid for pid, _ in self.at_work()):
            quern.kill(pid)

    def at_work(self):
        """(pid, command line) of what runs in an agent's sandboxes: executors and what they started, also when it is dead."""
        return quern.working_in(self.cluster.d / self.name)

    def restart(self):
        """The same one again, with its work folder and its port."""
        if self.process.poll() is None:
            self.kill()
        self.start()

    def metrics(self):
        """Its /metrics/snapshot, or {} when it does not answer."""
        with contextlib.suppress(OSError, ValueError), \
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics/snapshot", timeout=5) as page:
            return json.load(page)
        return {}

    def leads(self):
        """Has it been elected, and has it read what the last one left? Before that it answers no calls."""
        if self.process.poll() is not None or self.metrics().get("master/elected") != 1:
            return False
        with contextlib.suppress(AssertionError, OSError):
            return self.call("GET_HEALTH")["healthy"]
        return False

    def call(self, kind, **fields):
        """A call of the operator's v1 API; its answer, or None for one that has none. GET_AGENTS and the like answer with
        {"type": ..., "get_agents": ...}: what is behind the type is returned."""
        body = json.dumps({"type": kind, **fields}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1", body,
                                         {"Content-Type": "application/json", "Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as page:
                answer = page.read()
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{kind} to {self.name}: {e.code} {e.read().decode(errors='replace')}") from e
        return json.loads(answer).get(kind.lower()) if answer else None


class Mesos:
    """Masters with their stock flags, but for how soon they give an agent up; and agents.

    agents: how many, or a list of what is particular to each: a dict of add_agent()'s arguments.
    cores, memory (MB): of an agent for tasks; an executor's share of cores is added.
    master_flags, agent_flags: more flags for all of them. A flag given again takes the place of ours.
    masters, zk: how many masters, and the zk:// URL where they elect one; agents find it there as well."""

    def __init__(self, d, home=HOME, agents=2, *, cores=2, memory=MEMORY, master_flags=(), agent_flags=(), masters=1, zk=None):
        assert masters == 1 or zk, "several masters need ZooKeeper"
        self.d, self.home, self.zk = d, pathlib.Path(home), zk
        self.cores, self.memory, self.agent_flags = cores, memory, list(agent_flags)
        self.masters, self.agents = [], []
        try:
            for _ in range(masters):
                self.add_master(master_flags, masters)
            for agent in [{}] * agents if isinstance(agents, int) else agents:
                self.add_agent(**agent)
            self.wait_agents(len(self.agents))
        except BaseException:
            self.stop()
            raise

    def add_master(self, flags=(), masters=1):
        # Where `make install` put it; a build tree's own wrappers know better.
        webui = self.home / "share/mesos/webui"
        elect = [f"--zk={self.zk}", f"--quorum={masters // 2 + 1}"] if self.zk else []
        self.masters.append(Process(self, "mesos-master", f"master{len(self.masters)}", free_port(), once([
            "--agent_ping_timeout=1secs", "--max_agent_ping_timeouts=2", "--hostname=localhost", *elect,
            *([f"--webui_dir={webui}"] if webui.exists() else []), *flags])))

    def add_agent(self, hostname="localhost", attributes=None, resources=None, flags=()):
        """`attributes` and `resources` in Mesos' own notation."""
        name, launcher = f"agent{len(self.agents)}", self.home / "libexec/mesos"
        resources = resources or f"cpus:{self.cores + EXECUTORS:g};mem:{self.memory};disk:10000"
        agent = Process(self, "mesos-agent", name, free_port(), once([
            f"--master={self.zk or self.address}", f"--resources={resources}", f"--hostname={hostname}",
            *([f"--attributes={attributes}"] if attributes else []), "--launcher=posix", "--isolation=posix/cpu,posix/mem",
            "--containerizers=mesos", "--no-systemd_enable_support", f"--runtime_dir={self.d}/{name}-run",
            f"--fetcher_cache_dir={self.d}/{name}-cache", *([f"--launcher_dir={launcher}"] if launcher.exists() else []),
            *self.agent_flags, *flags]))
        self.agents.append(agent)
        return agent

    @property
    def leader(self):
        """The master that leads; the only one without ZooKeeper."""
        if not self.zk:
            return self.masters[0]
        return quern.wait_for("a master leads", lambda: next((m for m in self.masters if m.leads()), None))

    @property
    def port(self):
        return self.masters[0].port

    @property
    def address(self):
        """HOST:PORT[,HOST:PORT...] of all masters."""
        return ",".join(f"127.0.0.1:{m.port}" for m in self.masters)

    def metric(self, name):
        """Of the leader; None when it does not answer or does not know it."""
        return self.leader.metrics().get(name)

    def call(self, kind, **fields):
        return self.leader.call(kind, **fields)

    def wait_agents(self, n):
        quern.wait_for(f"{n} agents are registered", lambda: self.metric("master/slaves_active") == n)

    def leader_now(self):
        """The master that leads, or None when there is none at this moment."""
        return next((m for m in self.masters if m.leads()), None)

    def frameworks(self):
        """Those that are registered now, as GET_FRAMEWORKS has them."""
        return self.call("GET_FRAMEWORKS").get("frameworks", [])

    def at_work(self):
        return [found for a in self.agents for found in a.at_work()]

    def leftovers(self):
        """What is at work on the cluster: frameworks, also those of which an agent alone knows, for it is about to start an executor
        or to see one end, and processes in sandboxes. The sandboxes themselves stay, as they should: an agent collects them
        after a week. So does the name of what a new master knows only by what an agent told it
        ("recovered"), and that agent keeps what it could not say to its end: that was taken down at another one, which nobody
        remembers. It may hold nothing."""
        known = self.frameworks()
        forgotten = [f["framework_info"]["id"] for f in known if f.get("recovered") and not f.get("allocated_resources")]
        left = [f"framework {f['framework_info']['name']}" for f in known if f["framework_info"]["id"] not in forgotten]
        left += [f"{f['framework_info']['name']} on {a.name}" for a in self.agents if a.process.poll() is None
                 for f in a.call("GET_FRAMEWORKS").get("frameworks", []) if f["framework_info"]["id"] not in forgotten]
        return left + [f"process {pid}: {command}" for pid, command in self.at_work()]

    def settled(self):
        """Waits until nothing is left: an executor is given some seconds to end by its agent."""
        quern.wait_for("nothing is left on the cluster", lambda: not self.leftovers())

    def stop(self):
        for p in self.agents + self.masters:
            p.kill_all()
        # The isolator of file systems mounts an agent's work folder onto itself, for good.
        mounted = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
        for place in reversed([m for m in mounted if m.startswith(f"{self.d}/")]):
            subprocess.run(["umount", place], check=True)


def once(flags):
    """The last one of several flags of a name, for a name that is given twice is an error to Mesos."""
    def key(flag):
        name = flag.lstrip("-").partition("=")[0]
        return name.removeprefix("no-")

    return list({key(flag): flag for flag in flags}.values())


@contextlib.contextmanager
def mesos(agents=2, **options):
    """A cluster for one test, in a folder of its own."""
    with quern.scratch() as d:
        m = Mesos(d, HOME, agents, **options)
        try:
            yield m
        finally:
            m.stop()


def gone(m):
    quern.wait_for("the framework is gone", lambda: m.metric("master/frameworks_active") == 0)


def main(module):
    """quern.main() for a module that needs a real Mesos: skipped, visibly, without one."""
    quern.need_mesos()
    quern.main(module)
