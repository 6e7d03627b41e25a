"""Where it is measured: an embedded cluster of the suite's own, or the one that --master names."""
import os
import signal
import subprocess
import tempfile
import time

from suite import timed
from suite.errors import NO_CLUSTER, USAGE, BenchError
from suite.master import Master, authorization

EXECUTOR = 0.1     # cores of an agent beside those for tasks: an executor's own
MEMORY = "64g"     # of an embedded agent: no measure is about that
AGENTS, CORES = 2, 4
SLOTS = 8          # of another's cluster, if nothing is said: not all that there is
INTERVAL_MS = 1000  # as Mesos' own
PATIENCE_S = 60    # without a master of somebody else's cluster, or one of its agents
AGAIN_S = 1        # from one look for it to the next
END_S = 30         # until an embedded cluster that was told to end is killed


class Embedded:
    """`quern local`, with so many agents and cores for tasks of each; beside those there is room for so many executors' shares."""
    given = False

    def __init__(self, quern, agents, cores, interval_ms=INTERVAL_MS, executors=1):
        self.quern, self.agents, self.cores, self.allocation_interval_ms = quern, agents, cores, interval_ms
        self.slots, self.kind, self.process = agents * cores, "embedded", None
        self.all_cores = cores + executors * EXECUTOR
        self.start()

    def start(self):
        ready, said = os.pipe()
        self.said = tempfile.TemporaryFile()
        # A session of its own: what a terminal's Ctrl-C ends is us, and we then end it.
        self.process = subprocess.Popen(
            [str(self.quern), "local", f"--agents={self.agents}", f"--cores={self.all_cores:g}", f"--memory={MEMORY}",
             f"--allocation-interval={self.allocation_interval_ms:g}ms", "--port=0", f"--ready-fd={said}"],
            stdin=subprocess.DEVNULL, stderr=self.said, pass_fds=[said], start_new_session=True)
        timed.waited_for.add(self.process.pid)
        os.close(said)
        with os.fdopen(ready) as line:
            address = line.readline().strip()
        if not address:
            self.process.wait()
            why = self.last_words()
            self.stop()
            raise BenchError(f"the embedded cluster did not start{why}", NO_CLUSTER)
        self.master = Master(address)

    def last_words(self):
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    @property
    def address(self):
        return self.master.address

    def metrics(self):
        return self.master.metrics()

    def ensure(self):
        """What happened to it, if it had to be started again; or None."""
        status = self.process.poll()
        if status is None:
            return None
        why = self.last_words()
        self.stop()
        self.start()
        return f"the embedded cluster had ended with status {status}{why}, and was started again"

    def cpu_s(self):
        """CPU seconds of master and agents so far, their tasks and executors not included."""
        return timed.own_seconds(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        timed.waited_for.discard(self.process.pid)
        self.said.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Given:
    """The cluster of somebody else's master. masters(): host:port of those that there are just now."""
    given = True

    def __init__(self, url, masters, auth=None):
        self.url, self.masters, self.auth = url, masters, auth
        self.master = leading(masters(), auth)
        self.kind = self.master.version()
        room = self.master.agents()
        self.agents, self.slots = size_of(room)
        self.free = sum(slots_in(free) for _, free in room)
        self.there = self.agents, self.slots  # less, once something of it was waited for in vain
        self.allocation_interval_ms = self.master.allocation_interval_ms()

    @property
    def address(self):
        return self.url

    def metrics(self):
        return self.master.metrics()

    def ensure(self):
        """Waits for a master, if there is none just now, and for agents that were there at the start: to another master they come
        back one by one, and one that was killed may be started again. Who has not come is not waited for a second time. What is
        to be said of that, or None. BenchError: no master comes."""
        until = time.monotonic() + PATIENCE_S
        while True:
            late = time.monotonic() > until
            try:
                master = leading(self.masters(), self.auth)
                agents, slots = size_of(master.agents())
                if late or agents >= self.there[0] and slots >= self.there[1]:
                    other = master.address != self.master.address
                    self.master, self.there = master, (min(agents, self.agents), min(slots, self.slots))
                    return f"another master leads, {master.address}, with {self.share(agents, slots)}" if other else self.less(agents, slots)
            except BenchError:
                if late:
                    raise
            time.sleep(AGAIN_S)

    def share(self, agents, slots):
        return f"{agents} of {some(self.agents, 'agent')} and {slots} of {some(self.slots, 'core')} for tasks"

    def less(self, agents, slots):
        """That the cluster has less than at the start, or None."""
        fewer = agents < self.agents or slots < self.slots
        return f"the cluster is left with {self.share(agents, slots)}" if fewer else None

    def left(self):
        """The same as it is now, without waiting; None also if nobody answers, which ensure() is for."""
        try:
            return self.less(*size_of(self.master.agents()))
        except BenchError:
            return None

    def cpu_s(self):
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def slots_in(cores):
    """Tasks of one core that an agent with so many has room for beside an executor."""
    return max(0, int(cores - EXECUTOR + 1e-6))


def size_of(room):
    """(agents, tasks of one core that they have room for), of what Master.agents() gives."""
    return len(room), sum(slots_in(total) for total, _ in room)


def leading(endpoints, auth):
    """The Master of them that leads."""
    problem = None
    for endpoint in endpoints:
        master = Master(endpoint, auth)
        try:
            if master.leads():
                return master
            problem = problem or BenchError(f"the master at {endpoint} does not lead", NO_CLUSTER)
        except BenchError as e:
            problem = e
    raise problem


def meaning(quern, url):
    """The lines of what --master is: "local AGENTS CORES", or host:port of masters."""
    result = subprocess.run([str(quern), "leader", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        text = result.stderr.strip().partition(": ")[2] or f"'quern leader' ended with status {result.returncode}"
        raise BenchError(f"--master: {text}", USAGE if result.returncode == USAGE else NO_CLUSTER)
    return result.stdout.split("\n")[:-1]


def setting_of(o, name):
    """Of what --option hands to `quern run`; or None."""
    return next((s.partition("=")[2] for s in reversed(o.option) if s.startswith(f"{name}=")), None)


def some(n, what):
    return f"{n} {what}{'' if n == 1 else 's'}"


def check_slots(wanted, cluster, least):
    """How many cores jobs get there: `wanted`, or what there is. BenchError if there are not so many, or too few for what is
    measured."""
    if cluster.agents == 0:
        raise BenchError(f"the cluster at {cluster.address} has no agents", NO_CLUSTER)
    has = f"the cluster has {some(cluster.slots, 'core')} for tasks on {some(cluster.agents, 'agent')}"
    free = cluster.slots
    if cluster.given and cluster.free < cluster.slots:
        free = cluster.free
        has += f", of which {free} {'is' if free == 1 else 'are'} free"
    slots = wanted or min(free, SLOTS if cluster.given else free)
    if free < max(slots, least):
        raise BenchError(f"{has}; {max(slots, least)} are needed", NO_CLUSTER)
    if slots < least:
        raise BenchError(f"--slots={slots}: {least} are needed at least", USAGE)
    return slots


class Clusters:
    """Those that a bench is run on: one, or an embedded one for each allocation interval, one at a time. For `with`."""

    def __init__(self, o, quern, shape, executors=1):
        self.o, self.quern, self.executors, self.now = o, quern, executors, None
        self.given = o.master is not None
        self.shape = o.agents or shape[0], o.cores or shape[1]
        words = meaning(quern, o.master)[0].split() if self.given else ["local"]
        if words[0] == "local" and self.given:
            self.given = False
            if o.agents or o.cores:
                raise BenchError("--master=local[...] says how many agents and cores already", USAGE)
            self.shape = int(words[1]), int(words[2])
        if self.given and (o.agents or o.cores or o.allocation_interval):
            name = next(n for n in ("agents", "cores", "allocation_interval") if getattr(o, n)).replace("_", "-")
            raise BenchError(f"--{name} is of an embedded cluster, and --master names another", USAGE)

    def use(self, interval_ms=INTERVAL_MS):
        """The one with that interval, if it can be chosen."""
        if self.given:
            if self.now is None:
                auth = authorization(setting_of(self.o, "principal"), setting_of(self.o, "secret-file"))
                self.now = Given(self.o.master, lambda: meaning(self.quern, self.o.master), auth)
        elif self.now is None or self.now.allocation_interval_ms != interval_ms:
            self.stop()
            self.now = Embedded(self.quern, *self.shape, interval_ms, self.executors)
        return self.now

    def stop(self):
        if self.now is not None:
            self.now.__exit__()
        self.now = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
