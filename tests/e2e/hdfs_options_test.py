"""The options about HDFS, without an HDFS: what is wrong with them is said at once, and without the secrets."""
import contextlib
import os
import sys

import quern

WORDCOUNT = quern.EXAMPLES / "wordcount.c"
CONF = "<configuration><property><name>fs.defaultFS</name><value>hdfs://127.0.0.1:1</value></property></configuration>"


@contextlib.contextmanager
def variable(name, value):
    os.environ[name] = str(value)
    try:
        yield
    finally:
        del os.environ[name]


def run(d, *options, status=0, say=None):
    """Counts words of a local file; stderr, which has a line that begins so."""
    (d / "in").write_text("a b a\n")
    result = quern.run(d, "run", "--master", "local[1]", *options, WORDCOUNT, d / "in", d / "out")
    quern.check(d, result, status)
    err = result.stderr.decode()
    assert say is None or any(line.startswith("quern: " + say) or line.startswith("quern run: " + say) for line in err.splitlines()), err
    if status == 0:
        assert quern.output(d / "out") == [b"a\t2", b"b\t1"]
        for part in (d / "out").iterdir():
            part.unlink()
        (d / "out").rmdir()
    return err


def test_the_command_line():
    with quern.scratch() as d:
        for option, what in (("--hdfs-user=a b", "'a b'"), ("--hdfs-user=", "''"), ("--hdfs-host-map=dn1", "'dn1'"),
                             ("--hdfs-host-map=dn1=", "'dn1='"), ("--hdfs-ca-file=/nonexistent", "'/nonexistent'"),
                             ("--hdfs-patience=soon", "'soon'")):
            run(d, option, status=2, say=f"{option.split('=')[0]}: {what}")
        (d / "no.pem").write_text("no certificate\n")
        run(d, f"--hdfs-ca-file={d}/no.pem", status=2, say=f"--hdfs-ca-file: '{d}/no.pem': there is no certificate")
        run(d, "--conf", "quern.hdfs.negotiate=maybe", status=2, say="quern.hdfs.negotiate: 'maybe'")
        run(d, "--conf", "quern.hdfs.users=x", status=2, say="unknown property 'quern.hdfs.users'")
        (d / "properties").write_text("quern.hdfs.user alice\nquern.hdfs.negotiate true\nquern.hdfs.host.map dn1=127.0.0.1\n"
                                      "quern.hdfs.patience 1s\n")
        run(d, "--properties-file", d / "properties", "--hdfs-user=bob", "--hdfs-negotiate")


def test_the_configuration():
    with quern.scratch() as d:
        conf = d / "conf"
        conf.mkdir()
        run(d, f"--hdfs-conf={conf}", status=1, say=f"--hdfs-conf: '{conf}' has neither")
        with variable("HADOOP_CONF_DIR", conf):
            run(d, say=f"warning: HADOOP_CONF_DIR: '{conf}' has neither")
        (conf / "core-site.xml").write_text("<configuration>\n</config>")
        run(d, f"--hdfs-conf={conf}", status=1, say=f"--hdfs-conf: '{conf}/core-site.xml', line 2")
        (conf / "core-site.xml").write_text(CONF)
        with variable("HADOOP_CONF_DIR", "/nonexistent"):
            assert "warning" not in run(d, f"--hdfs-conf={conf}")
        with variable("HADOOP_USER_NAME", "a b"):
            run(d, status=1, say="HADOOP_USER_NAME: 'a b'")


def test_tokens():
    with quern.scratch() as d:
        tokens = d / "tokens"
        tokens.write_text("# mine\n\nnn1:9870 c2VjcmV0\n- c2VjcmV0\n")
        option = f"--hdfs-token-file={tokens}"
        tokens.chmod(0o644)
        assert "c2VjcmV0" not in run(d, option, status=1, say=f"--hdfs-token-file: '{tokens}' is a secret that others may read")
        tokens.chmod(0o600)
        assert "c2VjcmV0" not in run(d, option, "--verbose")
        for line in "nn1:9870", "nn1:9870 c2VjcmV0&op=DELETE", "nn/1 c2VjcmV0":
            tokens.write_text(line + "\n")
            assert "c2VjcmV0" not in run(d, option, status=1, say=f"--hdfs-token-file '{tokens}': ")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
