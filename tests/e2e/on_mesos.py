"""Real Mesos clusters in the place of embedded ones, for tests that were written for those: with QUERN_CLUSTER=mesos quern.py
asks here. A job's `--master local[AxN]` becomes a cluster of A agents with what the embedded ones would have. A cluster is kept
for further jobs of the module that want one of that shape, and stopped at its end."""
import os
import pathlib
import re
import tempfile

import mesos
import quern

KEPT_MOST = 3  # clusters at a time; each is several processes that have little to do
LOCAL = re.compile(r"local\[(?:(\d+)x)?(\d+|\*)\]")
UNITS = {"": 1, "m": 1, "mb": 1, "g": 1024, "gb": 1024, "t": 1 << 20, "tb": 1 << 20}
CACHE = 256  # MB that an executor has for what a job persists, if it does
FOLDER = tempfile.TemporaryDirectory(prefix="quern-mesos-")
clusters = {}  # shape -> Kept, the one used last at the end
made = 0


class Kept:
    def __init__(self, folder, agents, resources):
        folder.mkdir()
        self.agents, self.jobs = agents, []
        self.mesos = mesos.Mesos(folder, agents=[{"resources": resources}] * agents)

    def busy(self):
        return any(job.poll() is None for job in self.jobs)

    def healthy(self):
        m = self.mesos
        return all(p.process.poll() is None for p in m.masters + m.agents) and m.metric("master/slaves_active") == self.agents


def option(args, name, otherwise):
    """The value of an option on a command line, where it is given; the last one counts."""
    for at, arg in reversed(list(enumerate(args))):
        if arg == name and at + 1 < len(args):
            return args[at + 1]
        if arg.startswith(name + "="):
            return arg.partition("=")[2]
    return otherwise


def without(args, name):
    rest = iter(args)
    return [arg for arg in rest if not arg.startswith(name + "=") and not (arg == name and next(rest, None))]


def megabytes(text):
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]*)", text.lower()).groups()
    return float(number) * UNITS[unit]


def resources(args, cores):
    """What start_embedded() of cli/run.c gives an agent."""
    executor = float(option(args, "--executor-cores", "0.1"))
    tasks = int(cores / float(option(args, "--task-cores", "1"))) + 1
    memory = tasks * megabytes(option(args, "--task-memory", "512m")) + megabytes(option(args, "--executor-memory", "128m"))
    memory += megabytes(option(args, "--cache-memory", f"{CACHE}m"))
    return f"cpus:{cores + executor:.3f};mem:{memory:.0f};disk:10240;ports:[31000-32000]"


def cluster(agents, what):
    global made
    kept = clusters.pop((agents, what), None)
    if kept and not kept.busy() and not kept.healthy():
        kept.mesos.stop()
        kept = None
    if not kept:
        for shape in [s for s, k in clusters.items() if not k.busy()][:len(clusters) + 1 - KEPT_MOST]:
            clusters.pop(shape).mesos.stop()
        made += 1
        kept = Kept(pathlib.Path(FOLDER.name) / str(made), agents, what)
    clusters[agents, what] = kept
    return kept


def placed(args):
    """The command line as it is for a real Mesos, and the cluster; or as it was, and None, when it starts no cluster of its
    own."""
    url = option(args, "--master", "local[*]")
    local = LOCAL.fullmatch(url)
    if not args or args[0] not in ("run", "stream") or not local or int(local[1] or 1) == 0 or local[2] == "0" or "--explain" in args:
        return args, None
    agents, cores = int(local[1] or 1), os.cpu_count() if local[2] == "*" else int(local[2])
    try:
        kept = cluster(agents, resources(args, cores))
    except (ValueError, AttributeError, KeyError, ZeroDivisionError):  # options that quern refuses as well
        return args, None
    ours = [f"--master={kept.mesos.address}"]
    if option(args, "--total-executor-cores", None) is None:
        ours.append(f"--total-executor-cores={agents * cores}")  # an embedded cluster is the job's alone
    return [args[0], *ours, *without(args[1:], "--master")], kept


def of(pid):
    """The cluster of the job whose driver is `pid`, or None."""
    return next((k for k in clusters.values() if any(job.pid == pid for job in k.jobs)), None)


def below(pid):
    """Processes that work for the job of a driver and are not its descendants: those of the agents."""
    kept = of(pid)
    return [found for agent in kept.mesos.agents for found in quern.descendants(agent.pid)] if kept else []


def leftovers():
    """What is at work on clusters whose jobs have all ended."""
    return [left for k in clusters.values() if k.jobs and not k.busy() for left in k.mesos.leftovers()]


def sandboxes():
    """Folders with the sandboxes of agents, in which their frameworks' are."""
    return [path for k in clusters.values() for a in k.mesos.agents for path in (k.mesos.d / a.name).glob("slaves/*/frameworks")]


def stop():
    for kept in clusters.values():
        kept.mesos.stop()
    clusters.clear()
    FOLDER.cleanup()
