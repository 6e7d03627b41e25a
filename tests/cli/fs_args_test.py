#!/usr/bin/env python3
"""Mistakes on the command line of `quern fs`, which are found without a cluster. Usage: fs_args_test.py QUERN"""
import os
import subprocess
import sys

WRONG = [  # arguments, words of the message
    (["no-such"], "no command 'no-such'"),
    (["ls", "-X"], "invalid option"),
    (["cat"], "too few arguments"),
    (["put", "x"], "too few arguments"),
    (["mv", "/x"], "too few arguments"),
    (["head", "-c", "ten", "/x"], "-c: 'ten'"),
    (["tail", "-n", "-1", "/x"], "-n: '-1'"),
    (["tail", "-f", "/x", "/y"], "-f follows one file"),
    (["chmod", "u+x", "/x"], "octal"),
    (["chmod", "7777", "/x"], "octal"),
    (["test", "hdfs:///x"], "give -e, -f, -d, -s or -z"),
    (["ls", "--hdfs-host-map", "x", "/"], "NAME=ADDRESS"),
    (["--hdfs-user", "a b\n", "ls", "/"], "--hdfs-user"),
    (["ls", "--hdfs-conf", "/nonexistent", "/"], "--hdfs-conf"),
]
FAILS = [
    (["ls", "/x"], "HADOOP_CONF_DIR"),
    (["ls", "hdfs:///x"], "HADOOP_CONF_DIR"),
    (["-ls", "/x"], "HADOOP_CONF_DIR"),
    (["ls"], "HADOOP_CONF_DIR"),
    (["rm", "-r", "s3a://bucket/x"], "'s3a://bucket/x' is not in HDFS"),
    (["put", "/dev/null", "hdfs://:1/x"], "hdfs://:1/x"),
    (["cat", ""], "not empty"),
    (["cat", b"hdfs://h/\xff"], "UTF-8"),
]


def main():
    env = {k: v for k, v in os.environ.items() if not k.startswith("HADOOP_")}
    for status, cases in (2, WRONG), (1, FAILS):
        for args, words in cases:
            r = subprocess.run([sys.argv[1], "fs", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=env, check=False)
            text = r.stderr.decode(errors="replace")
            assert r.returncode == status and words in text and text.startswith("quern fs"), f"{args}: {r}"
            assert not r.stdout and "(null)" not in text, r
    r = subprocess.run([sys.argv[1], "fs"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, check=False)
    assert r.returncode == 2 and b"--help" in r.stderr and not r.stdout, r


main()
