#!/usr/bin/env python3
"""The cluster that the other tests have, without quern: by Hadoop's own client and plain HTTP."""
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import quern
from hadoop import SKIP, TIMEOUT, Hadoop, need


def web(cluster, path, op, namenode=1):
    """A JSON answer of WebHDFS."""
    url = f"http://{cluster.namenodes[namenode - 1]}/webhdfs/v1{urllib.parse.quote(path)}?op={op}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def put(cluster, path, data):
    local = cluster.dir / "local"
    local.write_bytes(data)
    cluster.fsshell("-put", local, path)


def get(cluster, path):
    local = cluster.dir / "got"
    cluster.fsshell("-get", "-f", path, local)
    return local.read_bytes()


def test_one_namenode():
    with Hadoop(datanodes=3, replication=2, block_size=1 << 20) as c:
        data = os.urandom((2 << 20) + 1)
        c.fsshell("-mkdir", "-p", "/in/ä b")
        put(c, "/in/ä b/50%#+;", data)
        assert get(c, "/in/ä b/50%#+;") == data

        blocks = web(c, "/in/ä b/50%#+;", "GETFILEBLOCKLOCATIONS")["BlockLocations"]["BlockLocation"]
        assert [b["length"] for b in blocks] == [1 << 20, 1 << 20, 1], blocks
        for b in blocks:
            assert len(b["hosts"]) == 2 and set(b["hosts"]) <= {c.host(i) for i in (1, 2, 3)}, b
            assert {n.split(":")[0] for n in b["names"]} == {c.address(int(h[2])) for h in b["hosts"]}, b
        try:
            socket.getaddrinfo(blocks[0]["hosts"][0], 80)
            raise AssertionError("the name of a DataNode resolves")
        except socket.gaierror:
            pass

        denied = c.fsshell("-touchz", "/in/x", user="alice", check=False)
        assert denied.status == 1 and "Permission denied: user=alice" in denied.err, denied
        c.set_quota("/in", names=4, space=1 << 30)
        assert c.fsshell("-count", "-q", "/in").out.split()[:3] == ["4", "1", str(1 << 30)]
        c.safe_mode("enter")
        assert "Safe mode is ON" in c.bean(1, "NameNodeInfo")["Safemode"]
        c.safe_mode("leave")

        listing = urllib.request.urlopen(
            c.httpfs().replace("webhdfs:", "http:") + "/webhdfs/v1/in?op=LISTSTATUS&user.name=alice", timeout=60)
        assert json.load(listing)["FileStatuses"]["FileStatus"][0]["pathSuffix"] == "ä b"

        c.kill_datanode(int(blocks[0]["hosts"][0][2]))
        assert get(c, "/in/ä b/50%#+;") == data
        c.start_datanode(int(blocks[0]["hosts"][0][2]))
        c.wait_ready()


def test_pair_of_namenodes():
    with Hadoop(datanodes=1, replication=1, ha=True) as c:
        put(c, "/x", b"before")
        try:
            web(c, "/x", "GETFILESTATUS", 2)
            raise AssertionError("the standby answers")
        except urllib.error.HTTPError as e:
            assert e.code == 403 and b"StandbyException" in e.read()
        c.kill_namenode(1)
        c.transition_to_active(2)
        assert web(c, "/x", "GETFILESTATUS", 2)["FileStatus"]["length"] == 6
        assert get(c, "/x") == b"before"
        put(c, "/y", b"after")
        c.start_namenode(1)
        c.wait_ready()
        c.failover(1)
        assert get(c, "/y") == b"after"


def test_nothing_stays_when_the_test_dies():
    """Its programs, that is; what lies in its folder is not of interest to anybody who kills it."""
    with tempfile.TemporaryDirectory() as tmp:
        script = "import sys, time\nfrom hadoop import Hadoop\n" \
            "with Hadoop(datanodes=1, replication=1) as c:\n" \
            "    print(*[j.process.pid for j in (c.namenode_jvms[1], c.datanodes[1])], flush=True)\n" \
            "    sys.stdin.read()\n"
        env = dict(os.environ, TMPDIR=tmp, PYTHONPATH=os.path.dirname(os.path.abspath(__file__)))
        p = subprocess.Popen([sys.executable, "-c", script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pids = [int(pid) for pid in p.stdout.readline().split()]
        assert len(pids) == 2
        handles = [os.pidfd_open(pid) for pid in pids]
        p.kill()
        p.communicate()
        for handle in handles:
            assert select.select([handle], [], [], TIMEOUT)[0], "a JVM lives on"
            os.close(handle)


def test_skipped_without_maven():
    for more, status, word in ({}, SKIP, "skipped: "), ({"QUERN_REQUIRE_HDFS": "1"}, 1, "failed: "):
        env = {k: v for k, v in os.environ.items() if k != "QUERN_REQUIRE_HDFS"}
        r = subprocess.run([sys.executable, "-c", "import hadoop; hadoop.need()"], stderr=subprocess.PIPE, text=True,
                           env=dict(env, PATH="/nonexistent", PYTHONPATH=os.path.dirname(os.path.abspath(__file__)), **more))
        assert r.returncode == status, r
        assert r.stderr == f"{word}no Hadoop to test with: no java in PATH (a JRE is needed)\n", r.stderr


if __name__ == "__main__":
    need()
    quern.main(sys.modules[__name__])
