#!/usr/bin/env python3
"""Who one is in HDFS: user names, certificates, Kerberos, delegation tokens. By tests/hdfs/identity_program.c, which
takes the options of `quern run` about HDFS."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile

import hadoop
import quern
import secure
from hadoop import TIMEOUT, Hadoop

PROGRAM = os.environ["QUERN_IDENTITY"]
PLAIN = {k: v for k, v in os.environ.items() if k not in ("HADOOP_USER_NAME", "HADOOP_CONF_DIR", "KRB5_CONFIG", "KRB5CCNAME")}


def mkdir(url, *options, env=()):
    """What the program says of a new folder, in one line."""
    r = subprocess.run([PROGRAM, *map(str, options), "--hdfs-patience=20s", "mkdir", url], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**PLAIN, **dict(env)}, timeout=TIMEOUT)
    assert r.stdout.count("\n") == 1, r.stdout
    return r.stdout.strip()


def move(command, url, *options, data=b"", env=()):
    """The bytes that `put` or `cat` print."""
    return subprocess.run([PROGRAM, *map(str, options), "--hdfs-patience=20s", command, url], input=data,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**PLAIN, **dict(env)}, timeout=TIMEOUT).stdout


def there_and_back(cluster, url, path, *options, env=()):
    """Bytes through DataNodes: as Hadoop's own client has them, too."""
    data = os.urandom(3 << 20)
    options = (*options, f"--hdfs-host-map={cluster.host_map}")
    assert move("put", url + path, *options, data=data, env=env) == b"done\n"
    cluster.fsshell("-get", path, cluster.dir / "got")
    assert (cluster.dir / "got").read_bytes() == data
    (cluster.dir / "got").unlink()
    assert move("cat", url + path, *options, env=env) == data
    return data


def owner(cluster, path):
    """Of a folder of the root."""
    lines = cluster.fsshell("-ls", "/").out.splitlines()
    return next(line.split()[2] for line in lines if line.endswith(f" {path}"))


def audit(cluster, command):
    """How often the NameNode's audit log has a command that was allowed."""
    return len(re.findall(rf"audit: allowed=true.*\tcmd={command}\t", cluster.namenode_jvms[1].log.read_text(errors="replace")))


# ---- Nobody proves anything ----

def test_user_names():
    with Hadoop(datanodes=0) as c:
        c.fsshell("-chmod", "777", "/")
        assert mkdir(c.url + "/by-option", "--hdfs-user=alice", env={"HADOOP_USER_NAME": "bob"}) == "done"
        assert mkdir(c.url + "/by-variable", env={"HADOOP_USER_NAME": "bob"}) == "done"
        assert mkdir(c.url + "/by-login") == "done"
        login = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        assert [owner(c, p) for p in ("/by-option", "/by-variable", "/by-login")] == ["alice", "bob", login]
        denied = mkdir(c.url + "/by-option/x", "--hdfs-user=bob")
        assert "ermission denied" in denied and "/by-option" in denied and "bob" in denied, denied
        assert mkdir(c.url + "/by-option/x", "--hdfs-user=alice") == "done"

        # By the names of Hadoop's configuration, which has the HTTP addresses.
        rpc = c.rpc[0]
        for url, options, env in (
                ("hdfs:///conf-1", (f"--hdfs-conf={c.conf_dir}",), {}),
                (f"hdfs://{rpc}/conf-2", (f"--hdfs-conf={c.conf_dir}",), {}),
                (f"hdfs://{rpc}/conf-3", (), {"HADOOP_CONF_DIR": str(c.conf_dir)})):
            assert mkdir(url, *options, env=env) == "done", url
        assert "fs.defaultFS" in mkdir("hdfs:///conf-4")
        assert owner(c, "/conf-3")
        # No tokens where nobody is asked for one.
        assert audit(c, "mkdirs") == 7 and audit(c, "getDelegationToken") == 0


# ---- TLS ----

def test_certificates():
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        certificates = secure.Certificates(folder, ["127.0.0.1", "dn1.quern.test"])
        stranger = secure.Certificates(other, ["127.0.0.1"])
        with secure.TlsHadoop(certificates, datanodes=1, replication=1) as c:
            ca = f"--hdfs-ca-file={certificates.ca}"
            user = f"--hdfs-user={os.environ.get('USER') or 'root'}"
            c.fsshell("-chmod", "777", "/")
            assert mkdir(c.tls_url + "/with-ca", ca, user) == "done"
            there_and_back(c, c.tls_url, "/bytes", ca, user)
            for options in (), (f"--hdfs-ca-file={stranger.ca}",):
                refused = mkdir(c.tls_url + "/refused", *options)
                assert "certificate" in refused and "--hdfs-ca-file" in refused, refused
            # A name that the certificate does not have, though it is the same place.
            port = c.tls_url.split(":")[-1]
            wrong = mkdir(f"swebhdfs://wrong.quern.test:{port}/wrong", ca, "--hdfs-host-map=wrong.quern.test=127.0.0.1")
            assert "wrong.quern.test" in wrong and "certificate" in wrong, wrong
            assert mkdir(f"swebhdfs://dn1.quern.test:{port}/right", ca, "--hdfs-host-map=dn1.quern.test=127.0.0.1") == "done"
            # What speaks no TLS at all.
            plain = mkdir(c.url.replace("webhdfs", "swebhdfs") + "/plain", ca)
            assert "TLS" in plain, plain
            assert {line.split("/")[-1] for line in c.fsshell("-ls", "/").out.splitlines()[1:]} == {"with-ca", "bytes", "right"}


# ---- Kerberos, tokens ----

class Driver:
    """The program as a driver and its executors."""

    def __init__(self, url, *options, env=()):
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, options), "--hdfs-patience=20s", "tokens", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1, env={**PLAIN, **dict(env)}, preexec_fn=hadoop.die_with_parent)
        self.said = []

    def read(self, what):
        """Lines up to one that begins so."""
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.startswith(what):
                return line.strip()
        raise AssertionError(f"never said '{what}': {self.said}")

    def make(self, name):
        self.process.stdin.write(name + "\n")
        line = self.process.stdout.readline().strip()
        self.said.append(line)
        return line

    def end(self):
        self.process.stdin.close()
        self.read("ended")
        assert self.process.wait() == 0


def tokens_of(cluster, op):
    """The tokens that requests were about, as the NameNode's log has them."""
    log = cluster.namenode_jvms[1].log.read_text(errors="replace")
    return set(re.findall(rf"op={op}&[^ ]*token=([\w-]{{20,}})", log))


def token_of(cluster, op):
    token, = tokens_of(cluster, op)
    return token


@contextlib.contextmanager
def token_file(cluster, token):
    with tempfile.NamedTemporaryFile("w", prefix="quern-token-") as f:
        f.write(f"{cluster.url.split('//')[1]} {token}\n")
        f.flush()
        yield f.name


def test_tokens():
    """Of a cluster that gives them to everybody. Nobody proves anything here either: what gives tokens is dr.who."""
    conf = {"dfs.namenode.delegation.token.always-use": "true", "dfs.namenode.delegation.token.renew-interval": 2000,
            "dfs.namenode.delegation.token.max-lifetime": 6000}
    with Hadoop(datanodes=0, conf=conf) as c:
        c.fsshell("-chmod", "777", "/")
        driver = Driver(c.url + "/", "--hdfs-negotiate")
        assert driver.read("executors") == "executors have 1 token(s)"
        driver.read("ready")
        assert audit(c, "getDelegationToken") == 1 and audit(c, "renewDelegationToken") == 1
        # Renewed in time, and replaced before it cannot be renewed any more.
        assert driver.read("executors") == "executors have 1 token(s)"
        assert audit(c, "getDelegationToken") == 2 and audit(c, "renewDelegationToken") >= 4
        driver.end()
        assert audit(c, "cancelDelegationToken") == 2
        assert not any("warning" in line or "could not" in line for line in driver.said), driver.said
        tokens = tokens_of(c, "CANCELDELEGATIONTOKEN")
        assert len(tokens) == 2
        assert not any(t in line for t in tokens for line in driver.said)


def need_kerberos():
    why = secure.no_kerberos()
    if why and os.environ.get("QUERN_REQUIRE_HDFS"):
        raise AssertionError(f"no Kerberos to test with: {why}")
    if why:
        raise quern.Skipped(f"no Kerberos to test with: {why}")


def test_kerberos():
    need_kerberos()
    with secure.Kdc() as kdc:
        alice, bob = kdc.user("alice"), kdc.user("bob")
        with secure.KerberosHadoop(kdc, datanodes=1, replication=1) as c:
            c.fsshell("-mkdir", "/alice")
            c.fsshell("-chown", "alice", "/alice")
            assert mkdir(c.url + "/alice/1", "--hdfs-negotiate", env=alice) == "done"
            denied = mkdir(c.url + "/alice/2", "--hdfs-negotiate", env=bob)
            assert "ermission denied" in denied and "bob" in denied, denied
            data = there_and_back(c, c.url, "/alice/bytes", "--hdfs-negotiate", env=alice)
            # The configuration says that it is Kerberos.
            assert mkdir(c.url + "/alice/3", f"--hdfs-conf={c.conf_dir}", env=alice) == "done"
            # No word is taken for anything; no ticket.
            for options in ("--hdfs-user=alice",), ("--hdfs-negotiate",):
                refused = mkdir(c.url + "/alice/4", *options, env=kdc.env)
                assert "not let in" in refused and "kinit" in refused, refused

            driver = Driver(c.url + "/alice", "--hdfs-negotiate", env=alice)
            assert driver.read("executors") == "executors have 1 token(s)"
            driver.read("ready")
            assert driver.make("by-token") == "done"  # without a ticket
            lines = c.fsshell("-ls", "/alice").out.splitlines()
            assert [line.split()[2] for line in lines if line.endswith("/by-token")] == ["alice"]
            token = token_of(c, "RENEWDELEGATIONTOKEN")
            with token_file(c, token) as name:
                assert move("cat", c.url + "/alice/bytes", f"--hdfs-token-file={name}", f"--hdfs-host-map={c.host_map}",
                            env=kdc.env) == data
            with open(f"/proc/{driver.process.pid}/cmdline", encoding="utf-8") as f:
                assert token not in f.read()
            driver.end()
            assert audit(c, "cancelDelegationToken") == 1

            # What is cancelled is good for nothing, and that is said without it.
            with token_file(c, token) as name:
                late = mkdir(c.url + "/alice/late", f"--hdfs-token-file={name}", env=kdc.env)
                assert "the delegation token is not accepted" in late and token not in late, late


def everything_said(d, process):
    """Command lines and environments of a job's processes, and the files of its sandboxes and of its temporary folder."""
    seen = b""
    for pid in [process.pid, *(p for p, _ in quern.descendants(process.pid))]:
        for name in "cmdline", "environ":
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as f:
                seen += f.read()
    for top in {d / "tmp", *quern.sandboxes(d)}:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with contextlib.suppress(OSError), open(path, "rb") as f:
                        seen += f.read()
    return seen


def test_job():
    """A word count where nobody is believed, from the ticket to the end; and one that is interrupted."""
    need_kerberos()
    with secure.Kdc() as kdc, quern.scratch() as d:
        alice = kdc.user("alice")
        with secure.KerberosHadoop(kdc, datanodes=1, replication=1) as c:
            (d / "in").write_text("".join(f"word{i % 97} word{i % 7}\n" for i in range(20000)))
            c.fsshell("-mkdir", "/alice")
            c.fsshell("-put", d / "in", "/alice/in")
            c.fsshell("-chown", "-R", "alice", "/alice")
            wanted = quern.word_counts(d / "in")
            os.environ.update(alice)
            for i, mode in enumerate((*quern.MODES, "interrupted")):
                gate = quern.Gate(d / f"gate{i}")
                process = quern.start(d, "run", "--master", "local[2]", "--mode", "coarse" if mode == "interrupted" else mode,
                                      "--verbose", "--hdfs-negotiate", "--hdfs-host-map", c.host_map, quern.JOBS / "gate.c",
                                      c.url + "/alice/in", c.url + f"/alice/out{i}", gate.folder)
                gate.at(process)
                tokens = tokens_of(c, "RENEWDELEGATIONTOKEN")
                assert len(tokens) == i + 1
                seen = everything_said(d, process)
                assert seen and not any(t.encode() in seen for t in tokens)
                if mode == "interrupted":
                    process.send_signal(signal.SIGINT)
                gate.open()
                result = quern.finish(process)
                gate.close()
                quern.check(d, result, 130 if mode == "interrupted" else 0)
                assert not any(t.encode() in result.stderr + result.stdout for t in tokens)
                assert tokens_of(c, "CANCELDELEGATIONTOKEN") == tokens
                if mode != "interrupted":
                    got = c.fsshell("-cat", f"/alice/out{i}/part-*").out.encode()
                    assert sorted(got.splitlines()) == wanted
                    lines = c.fsshell("-ls", f"/alice/out{i}").out.splitlines()[1:]
                    assert {line.split()[2] for line in lines} == {"alice"}
                else:
                    assert c.fsshell("-test", "-e", f"/alice/out{i}", check=False).status != 0


if __name__ == "__main__":
    hadoop.need()
    quern.main(sys.modules[__name__])
