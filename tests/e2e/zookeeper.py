"""A ZooKeeper for tests: Debian's, with a configuration of its own and on a free port."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import quern
from ports import free_port

# Its jar names those that it needs.
JAR = pathlib.Path(os.environ.get("ZOOKEEPER_JAR", "/usr/share/java/zookeeper.jar"))


def need():
    """Ends a module that needs a ZooKeeper where there is none."""
    if os.environ.get("QUERN_ZOOKEEPER") == "0":
        print("quern was built without libzookeeper (Debian: libzookeeper-st-dev): it cannot find masters there")
        sys.exit(quern.SKIPPED)
    if not JAR.exists() or not shutil.which("java"):
        print(f"no java, or no {JAR} (Debian: libzookeeper-java; elsewhere: ZOOKEEPER_JAR): no ZooKeeper to test against")
        sys.exit(quern.SKIPPED)


class ZooKeeper:
    def __init__(self, d):
        self.d, self.port = d / "zookeeper", free_port()
        self.d.mkdir()
        (self.d / "zoo.cfg").write_text(f"tickTime=1000\ndataDir={self.d}/data\nclientPort={self.port}\n"
                                        "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
                                        "4lw.commands.whitelist=srvr\n")
        self.process = None
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def java(self, *args, **more):
        return subprocess.Popen(["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", str(JAR), *args],
                                cwd=self.d, **more)

    def start(self):
        with open(self.d / "log", "ab") as log:
            self.process = self.java("org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg",
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        quern.wait_for("ZooKeeper answers", self.answers)

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(b"srvr")
            return b"Mode: standalone" in s.makefile("rb").read()
        return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def do(self, *commands):
        """Commands of zkCli.sh, one after the other."""
        p = self.java("org.apache.zookeeper.ZooKeeperMain", "-waitforconnection", "-server", self.address,
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out, _ = p.communicate("".join(c + "\n" for c in commands).encode(), timeout=quern.TIMEOUT)
        assert p.returncode == 0 and b"Exception" not in out, out.decode(errors="replace")


@contextlib.contextmanager
def zookeeper(d):
    z = ZooKeeper(d)
    try:
        yield z
    finally:
        z.kill()
