"""One ZooKeeper server for tests, of Debian's jars: for masters of Mesos that elect a leader."""
import os
import pathlib
import shutil
import socket
import subprocess

import quern
from mesos import free_port

JAR = pathlib.Path("/usr/share/java/zookeeper.jar")  # its manifest names the others


def available():
    return JAR.exists() and shutil.which("java") is not None


class ZooKeeper:
    """`url` is zk://HOST:PORT/mesos."""

    def __init__(self, d):
        self.d, self.port = d, free_port()
        d.mkdir()
        (d / "zoo.cfg").write_text(f"dataDir={d}/data\nclientPort={self.port}\nclientPortAddress=127.0.0.1\ntickTime=500\n"
                                   "admin.enableServer=false\n")
        self.url = f"zk://127.0.0.1:{self.port}/mesos"
        self.process = None
        self.start()

    def start(self):
        with open(self.d / "log", "ab") as log:
            self.process = subprocess.Popen(["java", "-Xmx128m", "-cp", f"{JAR}", "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                             self.d / "zoo.cfg"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.d,
                                            env=dict(os.environ, LC_ALL="C"))
        quern.wait_for("ZooKeeper listens", self.listens)

    def listens(self):
        assert self.process.poll() is None, (self.d / "log").read_text()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()
