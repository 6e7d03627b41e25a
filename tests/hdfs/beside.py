"""quern beside Hadoop's own client: files put and got by the one and by the other, and what a test wants to know of a
process that is at work."""
import hashlib
import os
import pathlib
import socket
import struct
import subprocess

import quern

SEED = int(os.environ.get("QUERN_TEST_SEED") or struct.unpack(">I", os.urandom(4))[0])


def put(cluster, path, data, block_size=None):
    """A file, which may exist, by Hadoop's client. `path` is a plain one: characters of its globs are taken for what
    they are."""
    local = cluster.dir / "local"
    local.write_bytes(data)
    options = ["-D", f"dfs.blocksize={block_size}"] if block_size is not None else []
    cluster.fsshell(*options, "-put", "-f", local, literal(path))


def get(cluster, path):
    """What Hadoop's client reads."""
    local = cluster.dir / "got"
    cluster.fsshell("-get", "-f", literal(path), local)
    data = local.read_bytes()
    local.unlink()
    return data


def literal(path):
    """A pattern for this path alone."""
    return "".join("\\" + c if c in "*?[]{}\\" else c for c in path)


def same(got, wanted, what=""):
    """Two contents are equal; says where they are not."""
    if got == wanted:
        return
    at = next((i for i, (g, w) in enumerate(zip(got, wanted)) if g != w), min(len(got), len(wanted)))
    raise AssertionError(f"{what}: {len(got)} bytes (md5 {hashlib.md5(got).hexdigest()}) instead of {len(wanted)} "
                         f"({hashlib.md5(wanted).hexdigest()}); they differ from byte {at} on (seed {SEED})")


class Command:
    """quern with its options for a cluster. `name`: its first words, behind which the options come."""

    def __init__(self, cluster, name, *args, user=None, patience=None, **more):
        options = ["--hdfs-host-map", cluster.host_map]
        if user is not None:
            options += ["--hdfs-user", user]
        if patience is not None:
            options += ["--hdfs-patience", patience]
        env = {k: v for k, v in os.environ.items() if k not in ("HADOOP_USER_NAME", "HADOOP_CONF_DIR")}
        self.process = subprocess.Popen(
            [*quern.WRAPPER, quern.QUERN, *name.split(), *options, *map(str, args)], cwd=cluster.dir, env=dict(env, LC_ALL="C"),
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more})

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def finish(self, data=None):
        out, err = self.process.communicate(data, timeout=quern.TIMEOUT)
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)


def fs(cluster, command, *args, status=0, data=None, warned=None, **more):
    """Output of `quern fs COMMAND ARGS`; with another status, the one line that it has to say. `warned`: a word of the
    warning that it gives."""
    stdin = {} if data is None else {"stdin": subprocess.PIPE}
    with Command(cluster, "fs " + command, *args, **stdin, **more) as c:
        r = c.finish(data)
    # What it says of a NameNode that it has to wait for depends on the machine.
    r.stderr = b"".join(line for line in r.stderr.splitlines(keepends=True) if b"it is waited for, " not in line)
    assert r.returncode == status, f"status {r.returncode}, not {status}: {r.args}\n{r.stderr.decode(errors='replace')}"
    if status != 0 or warned:
        quern.one_line(r, *([warned] if warned else []))
    else:
        assert not r.stderr, r.stderr.decode(errors="replace")
    if status == 0:
        return r.stdout
    return r.stderr.decode(errors="replace").rstrip("\n")


def datanodes_of(cluster, pid):
    """The numbers of the DataNodes that process `pid` has connections with."""
    inodes = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = os.readlink(fd)
        except OSError:
            continue
        if link.startswith("socket:["):
            inodes.add(link[8:-1])
    found = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address = socket.inet_ntoa(struct.pack("=I", int(fields[2].split(":")[0], 16)))
        if fields[3] == "01" and fields[9] in inodes:  # established
            found |= {i for i in range(1, cluster.n_datanodes + 1) if cluster.address(i) == address}
    return sorted(found & set(cluster.datanodes))


def wait_datanode_of(cluster, process):
    """One of them, once there is one."""
    def find():
        assert process.poll() is None, f"it ended with status {process.returncode}: {process.stderr.read()}"
        return datanodes_of(cluster, process.pid)
    return cluster.wait_for("a connection with a DataNode", find)[0]


def wait_log(cluster, namenode, *words, n=1):
    """Until `n` lines of a NameNode's log have all the words in them: a request that it was asked, for example."""
    log = cluster.namenode_jvms[namenode].log

    def find():
        return sum(all(w in line for w in words) for line in log.read_text(errors="replace").splitlines()) >= n
    cluster.wait_for(f"{words} in the log of NameNode {namenode}", find)

