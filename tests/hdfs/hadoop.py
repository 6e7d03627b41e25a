"""A real HDFS for a test: a NameNode, or two, and DataNodes, each in a JVM of its own, on loopback addresses.

    with Hadoop(datanodes=3, replication=2) as hdfs:
        hdfs.fsshell("-mkdir", "-p", "/in")
        subprocess.run([QUERN, "fs", "ls", "--hdfs-host-map", hdfs.host_map, hdfs.url + "/in"])

DataNode i (from 1) listens on an address of its own (127.x.y.i, where no other cluster has x.y) and calls itself
dn<i>.quern.test, a name that nobody but Hadoop's own programs can resolve. Whoever runs the test is the superuser. What is here belongs to one test program: it is stopped
at the end of `with`, and dies with the program.

need() ends a test program that cannot be run here: status 77 and the reason in one line; a failure if
$QUERN_REQUIRE_HDFS is set. $QUERN_HDFS_LOGS: a folder that gets the logs of a cluster whose test failed."""
import collections
import ctypes
import getpass
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

import jars

sys.path.append(str(jars.HERE.parent / "e2e"))
from ports import free_port, free_ports  # noqa: E402

SKIP = 77
TIMEOUT = float(os.environ.get("QUERN_TEST_TIMEOUT", "120"))  # seconds for whatever is waited for
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
SERVICE = "quern"  # dfs.nameservices of a pair
JVM = jars.JVM
SERVER = "org.apache.hadoop.hdfs.server."
LOG = """log4j.rootLogger=INFO,err
log4j.appender.err=org.apache.log4j.ConsoleAppender
log4j.appender.err.target=System.err
log4j.appender.err.layout=org.apache.log4j.PatternLayout
log4j.appender.err.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
"""

Result = collections.namedtuple("Result", "status out err")


def need():
    """What Hadoop is made of, see jars.install()."""
    try:
        return jars.install()
    except jars.Missing as e:
        if os.environ.get("QUERN_REQUIRE_HDFS"):
            sys.exit(f"failed: no Hadoop to test with: {e}")
        print(f"skipped: no Hadoop to test with: {e}", file=sys.stderr, flush=True)
        sys.exit(SKIP)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def answers(address):
    """Whether somebody listens on HOST:PORT."""
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError:
        return False
    return True


def xml(properties):
    lines = "".join(f"<property><name>{k}</name><value>{v}</value></property>\n" for k, v in properties.items())
    return f"<configuration>\n{lines}</configuration>\n"


class Jvm:
    """One program of Hadoop's, and its log."""

    def __init__(self, cluster, name, main, *args, properties=(), heap=192, env=(), **more):
        self.name, self.log = name, cluster.dir / f"{name}.log"
        command = ["java", f"-Xmx{heap}m", *JVM, f"-XX:SharedArchiveFile={cluster.home}/hadoop.jsa",
                   f"-Djdk.net.hosts.file={cluster.dir}/hosts", *properties,
                   "-cp", f"{jars.classpath(cluster.home)}:{cluster.conf_dir}", main, *args]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, **{"stdin": subprocess.DEVNULL, "stdout": log, **more}, stderr=log, cwd=cluster.dir,
                preexec_fn=die_with_parent, env=dict(os.environ, LC_ALL="C.UTF-8", **dict(env)))

    def alive(self):
        return self.process.poll() is None

    def check(self):
        assert self.alive(), f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}"

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self):
        """As `kill -9`; the process is gone on return."""
        self.process.kill()
        self.process.wait()


class Hadoop:
    """A cluster. `conf` is what the configuration has besides, or instead; datanode_conf(i) gives more for DataNode i.
    ha: two NameNodes over a shared folder of edits, the first of which is active.

    .url, .host_map (for --hdfs-host-map), .conf_dir (for HADOOP_CONF_DIR), .dir (a folder of the cluster's),
    .namenodes (a list of "127.0.0.1:HTTP-PORT"), .rpc (of their RPC addresses). Numbers of NameNodes and DataNodes
    count from 1."""

    def __init__(self, datanodes=3, replication=2, block_size=1 << 20, ha=False, conf=(), datanode_conf=lambda i: {}):
        self.home = need()
        self.n_datanodes, self.datanode_conf = datanodes, datanode_conf
        self.extra = {"dfs.replication": replication, "dfs.blocksize": block_size, **dict(conf)}
        self.ha, self.n_namenodes = ha, 2 if ha else 1
        self.datanodes, self.namenode_jvms, self.others, self._shell = {}, {}, [], None

    # ---- Life ----

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="quern-hdfs-")
        try:
            self.dir = pathlib.Path(self._folder.name)
            self.conf_dir = self.dir / "conf"
            self._configure()
            for i in range(1, self.n_namenodes + 1):
                self.start_namenode(i)
            for i in range(1, self.n_datanodes + 1):
                self.start_datanode(i)
            if self.ha:
                self.transition_to_active(1)
            self.wait_ready()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *why):
        everything = [*self.namenode_jvms.values(), *self.datanodes.values(), *self.others]
        for jvm in everything + ([self._shell] if self._shell else []):
            jvm.kill()
        if why[0] and os.environ.get("QUERN_HDFS_LOGS"):
            shutil.copytree(self.dir, os.environ["QUERN_HDFS_LOGS"], dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("dn[0-9]*", "name[0-9]", "edits"))
        self._folder.cleanup()

    def _configure(self):
        ports = free_ports(2 * self.n_namenodes)
        self.net = f"127.{ports[0] >> 8}.{ports[0] & 255}"  # nobody else's, as the port is not
        self.rpc = [f"127.0.0.1:{p}" for p in ports[:self.n_namenodes]]
        self.namenodes = [f"127.0.0.1:{p}" for p in ports[self.n_namenodes:]]
        self.url = f"webhdfs://{','.join(self.namenodes)}"
        self.host_map = ",".join(f"{self.host(i)}={self.address(i)}" for i in range(1, self.n_datanodes + 1))
        own = {socket.gethostname(), socket.getfqdn()} - {"localhost"}
        (self.dir / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in own) + "".join(
            f"{self.address(i)} {self.host(i)}\n" for i in range(1, self.n_datanodes + 1)))
        site = {
            "fs.defaultFS": f"hdfs://{SERVICE if self.ha else self.rpc[0]}",
            "hadoop.tmp.dir": self.dir / "hadoop",
            "hadoop.rpc.socket.factory.class.default": "FromOwnAddress",
            "dfs.permissions.enabled": "true",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.namenode.fs-limits.min-block-size": 1 << 16,
            "dfs.namenode.safemode.extension": 0,
            "dfs.namenode.edits.noeditlogchannelflush": "true",
            "dfs.namenode.handler.count": 4,
            "dfs.datanode.handler.count": 2,
            "dfs.heartbeat.interval": 1,
            "dfs.namenode.heartbeat.recheck-interval": 1000,
            "dfs.datanode.du.reserved": 0,
            # Hadoop's own programs should not wait for long for a NameNode that was killed.
            "ipc.client.connect.max.retries": 3,
            "ipc.client.connect.retry.interval": 200,
            **(self._pair() if self.ha else {
                "dfs.namenode.rpc-address": self.rpc[0], "dfs.namenode.http-address": self.namenodes[0]}),
            # HttpFS asks for users by their own names.
            f"hadoop.proxyuser.{getpass.getuser()}.hosts": "*",
            f"hadoop.proxyuser.{getpass.getuser()}.groups": "*",
            **self.extra,
        }
        self.conf_dir.mkdir()
        for name, prefixes in ("core-site.xml", ("fs.", "hadoop.", "io.", "ipc.", "ha.", "net.")), ("hdfs-site.xml", ("dfs.",)):
            (self.conf_dir / name).write_text(xml({k: v for k, v in site.items() if k.startswith(prefixes)}))
        (self.conf_dir / "log4j.properties").write_text(LOG)

    def _pair(self):
        site = {"dfs.nameservices": SERVICE, f"dfs.ha.namenodes.{SERVICE}": "nn1,nn2",
                f"dfs.client.failover.proxy.provider.{SERVICE}":
                    "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
                "dfs.namenode.shared.edits.dir": f"file://{self.dir}/edits", "dfs.ha.standby.checkpoints": "false",
                "dfs.ha.fencing.methods": "shell(/bin/true)", "dfs.ha.tail-edits.period": "200ms",
                "dfs.client.failover.sleep.base.millis": 100, "dfs.client.failover.sleep.max.millis": 500}
        for i in 1, 2:
            site[f"dfs.namenode.rpc-address.{SERVICE}.nn{i}"] = self.rpc[i - 1]
            site[f"dfs.namenode.http-address.{SERVICE}.nn{i}"] = self.namenodes[i - 1]
        shutil.copytree(self.home / "formatted", self.dir / "edits")
        return site

    # ---- Waiting ----

    def wait_for(self, what, condition, seconds=TIMEOUT):
        """Until condition() is true, which is then returned; fails when a program of the cluster has ended by itself."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            for jvm in (*self.namenode_jvms.values(), *self.datanodes.values(), *self.others):
                jvm.check()
            assert time.monotonic() < end, f"{what}: did not happen in {seconds} s\n" + "\n".join(
                j.tail(10) for j in self.namenode_jvms.values())
            time.sleep(0.03)
        return value

    def bean(self, i, name):
        """What NameNode i says of itself: a JMX bean as a dict; {} while it does not answer."""
        url = f"http://{self.namenodes[i - 1]}/jmx?qry=Hadoop:service=NameNode,name={name}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return (json.load(answer)["beans"] or [{}])[0]
        except OSError:
            return {}

    def live(self, i=1):
        """The DataNodes that NameNode i takes for alive: host name -> what it knows."""
        nodes = json.loads(self.bean(i, "NameNodeInfo").get("LiveNodes", "{}"))
        return {name.split(":")[0]: node for name, node in nodes.items()}

    def wait_live(self, n, namenode=1):
        self.wait_for(f"{n} live DataNodes", lambda: len(self.live(namenode)) == n)

    def wait_ready(self):
        """Until each NameNode that runs knows each DataNode that runs, by ports where it listens, and is out of safe
        mode. A DataNode that was killed is taken for alive for 12 s."""
        for i in self.namenode_jvms:
            self.wait_for(f"NameNode {i} to be ready", lambda i=i: self._ready(i))

    def _ready(self, i):
        info, live = self.bean(i, "NameNodeInfo"), self.live(i)
        return info and not info["Safemode"] and set(live) == {self.host(d) for d in self.datanodes} and all(
            answers(node["infoAddr"]) for node in live.values())

    # ---- DataNodes ----

    def host(self, i):
        return f"dn{i}.quern.test"

    def address(self, i):
        return f"{self.net}.{i}"

    def start_datanode(self, i):
        """Also one that was killed: with the blocks that it had. See wait_ready()."""
        address = self.address(i)
        more = {"dfs.datanode.hostname": self.host(i), "dfs.datanode.data.dir": self.dir / f"dn{i}",
                "dfs.datanode.address": f"{address}:0", "dfs.datanode.http.address": f"{address}:0",
                "dfs.datanode.ipc.address": f"{address}:0", **self.datanode_conf(i)}
        self.datanodes[i] = Jvm(self, f"datanode{i}", SERVER + "datanode.DataNode", *(f"-D{k}={v}" for k, v in more.items()),
                                properties=[f"-Dquern.address={address}"])

    def kill_datanode(self, i):
        self.datanodes.pop(i).kill()

    def stop_datanode(self, i):
        """It hangs, until cont_datanode()."""
        self.datanodes[i].process.send_signal(signal.SIGSTOP)

    def cont_datanode(self, i):
        self.datanodes[i].process.send_signal(signal.SIGCONT)

    # ---- NameNodes ----

    def start_namenode(self, i):
        name = self.dir / f"name{i}"
        if not name.exists():
            shutil.copytree(self.home / "formatted", name)
        which = [f"-Ddfs.ha.namenode.id=nn{i}"] if self.ha else []
        self.namenode_jvms[i] = Jvm(self, f"namenode{i}", SERVER + "namenode.NameNode", f"-Ddfs.namenode.name.dir={name}", *which)

    def kill_namenode(self, i):
        self.namenode_jvms.pop(i).kill()

    def stop_namenode(self, i):
        self.namenode_jvms[i].process.send_signal(signal.SIGSTOP)

    def cont_namenode(self, i):
        self.namenode_jvms[i].process.send_signal(signal.SIGCONT)

    def transition_to_active(self, i):
        """The other is not asked whether it still is."""
        self.wait_for(f"NameNode {i} to answer", lambda: self.bean(i, "NameNodeStatus"))
        self.tool("haadmin", "-transitionToActive", "--forceactive", f"nn{i}")

    def transition_to_standby(self, i):
        self.tool("haadmin", "-transitionToStandby", f"nn{i}")

    def failover(self, to):
        """In good order, between two that run."""
        self.transition_to_standby(3 - to)
        self.transition_to_active(to)

    def safe_mode(self, how):
        """how: "enter" or "leave"."""
        self.tool("dfsadmin", "-safemode", how)

    def set_quota(self, path, names=None, space=None):
        """Number of files and folders, `path` included; bytes with all their replicas."""
        if names is not None:
            self.tool("dfsadmin", "-setQuota", str(names), path)
        if space is not None:
            self.tool("dfsadmin", "-setSpaceQuota", str(space), path)

    # ---- Hadoop's own client ----

    def fsshell(self, *args, user="", check=True):
        """`hdfs dfs ARGS` as `user`: Result(status, out, err); an assertion when it fails, unless check=False."""
        return self.tool("fs", *args, user=user, check=check)

    def tool(self, name, *args, user="", check=True):
        """`hdfs NAME ARGS`: fs, dfsadmin, haadmin. They share a JVM, as it takes longer to start than they to run."""
        if self._shell is None:
            self._shell = Jvm(self, "shell", "Shell", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        words = [user, name, *map(str, args)]
        request = struct.pack(">i", len(words))
        for word in map(os.fsencode, words):
            request += struct.pack(">i", len(word)) + word
        self._shell.process.stdin.write(request)
        self._shell.process.stdin.flush()
        status, = struct.unpack(">i", self._answer(4))
        out, err = (self._answer(*struct.unpack(">i", self._answer(4))) for _ in range(2))
        result = Result(status, out.decode(errors="replace"), err.decode(errors="replace"))
        assert not check or status == 0, f"{name} {' '.join(words[2:])}: {result.err or result.out or status}"
        return result

    def _answer(self, n):
        data = self._shell.process.stdout.read(n)
        assert len(data) == n, f"Hadoop's client ended:\n{self._shell.tail()}"
        return data

    # ---- HttpFS ----

    def httpfs(self):
        """Starts an HttpFS server: its URL."""
        port = free_port()
        home, secret = self.dir / "httpfs", self.conf_dir / "httpfs-secret"
        for folder in "log", "temp":
            (home / folder).mkdir(parents=True)
        secret.write_text("quern")
        (self.conf_dir / "httpfs-site.xml").write_text(xml({
            "httpfs.http.hostname": "127.0.0.1", "httpfs.http.port": port, "httpfs.hadoop.config.dir": self.conf_dir,
            "httpfs.authentication.signature.secret.file": secret}))
        self.others.append(Jvm(self, "httpfs", "org.apache.hadoop.fs.http.server.HttpFSServerWebServer", properties=[
            f"-Dhttpfs.home.dir={home}", f"-Dhttpfs.config.dir={self.conf_dir}", f"-Dhttpfs.log.dir={home / 'log'}",
            f"-Dhttpfs.temp.dir={home / 'temp'}"]))
        self.wait_for("HttpFS", lambda: answers(f"127.0.0.1:{port}"))
        return f"webhdfs://127.0.0.1:{port}"
