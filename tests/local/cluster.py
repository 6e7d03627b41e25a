"""Runs the cluster of cluster_program.c for a test, and speaks to it as a framework. With QUERN_CLUSTER=mesos it is a real Mesos
(MESOS_HOME), which is to behave the same way."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from mesos_http import Stream, call, request

HERE = pathlib.Path(__file__).resolve().parent
MASTER = "/api/v1/scheduler"
REAL = os.environ.get("QUERN_CLUSTER") == "mesos"
EXECUTOR = f"{sys.executable} {HERE / 'executor.py'}"


class Cluster:
    """With `with`: a cluster, told to stop at the end, which has to be 0 and leave nothing."""

    def __init__(self, program, *options):
        self.process = subprocess.Popen([*program, *map(str, options)], stdout=subprocess.PIPE)
        self.endpoint = self.process.stdout.readline().decode().strip()

    def __enter__(self):
        assert self.endpoint, f"it did not start: {self.process.wait()}"
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(60)
        self.process.stdout.close()
        if kind is None:
            assert status == 0, status

    def page(self, path):
        status, _, body = request(self.endpoint, "GET", path)
        assert status == 200, (path, status)
        return json.loads(body)

    def agents(self):
        """Endpoints of the agents, by id."""
        return {a["id"]: f"{a['hostname']}:{a['port']}" for a in self.page("/state")["slaves"]}


if REAL:
    sys.path.append(str(HERE.parent / "e2e"))
    import mesos
    import quern
    quern.need_mesos()


class RealCluster:
    """A real Mesos in its place: the options of cluster_program.c that it has as well."""

    def __init__(self, _, *options):
        given = dict(zip(options[::2], options[1::2]))
        self.own = tempfile.TemporaryDirectory(prefix="quern-mesos-")
        folder = pathlib.Path(given.get("--work-dir", self.own.name))
        folder.mkdir(exist_ok=True)
        # Everything runs as who runs the tests, as on the embedded cluster.
        flags = ["--no-switch_user"]
        for name, flag in ("--registration-ms", "executor_registration_timeout"), ("--grace-ms", "executor_shutdown_grace_period"):
            if name in given:
                flags.append(f"--{flag}={given[name]}ms")
        agent = {"hostname": "127.0.0.1", "resources": "cpus:4;mem:4096;disk:10000;ports:[31000-32000]"}
        self.mesos = mesos.Mesos(folder, agents=[agent] * int(given.get("--agents", 1)), agent_flags=flags,
                                 master_flags=["--hostname=127.0.0.1"])
        self.endpoint = self.mesos.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.mesos.stop()
        self.own.cleanup()

    page, agents = Cluster.page, Cluster.agents


def cluster(program, *options):
    """The one that is tested: with `with`, a Cluster or a RealCluster."""
    return (RealCluster if REAL else Cluster)(program, *options)


class Framework:
    """A subscribed framework."""

    def __init__(self, endpoint, path=MASTER, **info):
        self.endpoint, self.path = endpoint, path
        self.info = {"user": "nobody", "name": "test", "roles": ["*"],
                     "capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}], **info}
        message = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self.info}}
        if "id" in info:
            message["framework_id"] = info["id"]
        self.stream = Stream(endpoint, path, message)
        first = next(iter(self.stream))
        assert first["type"] == "SUBSCRIBED", first
        self.id = first["subscribed"]["framework_id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def call(self, kind, expect=202, **more):
        status, text = call(self.endpoint, self.path, {"type": kind, "framework_id": self.id, **more},
                            {"Mesos-Stream-Id": self.stream.id})
        assert status == expect, (kind, status, text)
        return text

    def event(self, kind):
        """The content of the next event of this kind; others are passed over."""
        return self.stream.until(lambda e: e["type"] == kind).get(kind.lower())

    def offer(self):
        return self.event("OFFERS")["offers"][0]

    def update(self, acknowledge=True):
        """The next status update, acknowledged if it asks for it."""
        status = self.event("UPDATE")["status"]
        if acknowledge and "uuid" in status:
            self.acknowledge(status)
        return status

    def acknowledge(self, status):
        self.call("ACKNOWLEDGE", acknowledge={name: status[name] for name in ("agent_id", "task_id", "uuid")})

    def launch(self, offer, *tasks, refuse=0):
        self.call("ACCEPT", accept={"offer_ids": [offer["id"]], "filters": {"refuse_seconds": refuse}, "operations": [
            {"type": "LAUNCH", "launch": {"task_infos": list(tasks)}}]})


def scalar(name, value):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, "allocation_info": {"role": "*"}}


def task(offer, name, data="", executor="e1", command="exec " + EXECUTOR, **more):
    """A task for the executor of executor.py, or of another command; `more` goes into its CommandInfo."""
    command = {"value": command, "environment": {"variables": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}]},
               **more}
    return {"name": name, "task_id": {"value": name}, "agent_id": offer["agent_id"],
            "resources": [scalar("cpus", 0.5), scalar("mem", 32)],
            "executor": {"executor_id": {"value": executor}, "type": "CUSTOM", "command": command,
                         "resources": [scalar("cpus", 0.1), scalar("mem", 32)]},
            "data": base64.b64encode(data.encode()).decode()}


def data_of(message):
    return base64.b64decode(message["data"])
