"""Mistakes: each one clear line and the right exit status, nothing half-written, nothing left behind."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest.mock

import quern

WORDCOUNT = quern.EXAMPLES / "wordcount.c"
MODES = quern.MODES
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h


def obey_permissions():
    """In a child: root has no more rights to files than their permissions say, from its next exec on."""
    if os.geteuid() == 0:
        for capability in CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH:
            if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")


def refused(d, status, words, *args, **more):
    """quern run ARGS ends with `status`, one line with `words`, and without an output."""
    result = quern.run(d, "run", *args, **more)
    quern.check(d, result, status)
    quern.one_line(result, *words)
    assert not (d / "out").exists(), "there is an output"
    return result


@contextlib.contextmanager
def text():
    with quern.scratch() as d:
        (d / "text").write_bytes(b"some words\nand some more\n")
        yield d


def test_missing_input():
    with quern.scratch() as d:
        refused(d, 1, ["nothing-here", "No such file"], "--master", "local[1]", WORDCOUNT, "nothing-here", "out")


def test_urls_that_cannot_be_had_are_refused_in_so_many_words():
    with text() as d:
        refused(d, 1, ["s3a://bucket/x", "hdfs://NAMENODE/PATH"], "--master", "local[1]", WORDCOUNT, "s3a://bucket/x", "out")
        refused(d, 1, ["s3a://bucket/x", "hdfs://NAMENODE/PATH"], "--master", "local[1]", WORDCOUNT, "text", "s3a://bucket/x")
        refused(d, 1, ["without a NameNode", "HADOOP_CONF_DIR"], "--master", "local[1]", WORDCOUNT, "hdfs:///x", "out")
        refused(d, 1, ["hdfs://nn", "NAMENODE"], "--master", "local[1]", WORDCOUNT, "hdfs://nn", "out")


def test_unreadable_input():
    with text() as d:
        (d / "text").chmod(0)
        refused(d, 1, ["text", "Permission denied"], "--master", "local[1]", WORDCOUNT, "text", "out",
                preexec_fn=obey_permissions)


def test_output_that_exists_stays_as_it_is():
    with text() as d:
        (d / "there").mkdir()
        (d / "there" / "precious").write_bytes(b"x")
        refused(d, 1, ["there", "exists"], "--master", "local[1]", WORDCOUNT, "text", "there")
        assert [p.name for p in (d / "there").iterdir()] == ["precious"]


def test_output_in_a_folder_that_is_a_file():
    with text() as d:
        refused(d, 1, ["text/out", "Not a directory"], "--master", "local[1]", WORDCOUNT, "text", "text/out")


def test_output_where_nobody_may_write():
    with text() as d:
        (d / "closed").mkdir(mode=0o555)
        refused(d, 1, ["closed/out", "Permission denied"], "--master", "local[1]", WORDCOUNT, "text", "closed/out",
                preexec_fn=obey_permissions)


@contextlib.contextmanager
def small_file_system(folder, size):
    """None where there cannot be one; said so."""
    folder.mkdir(exist_ok=True)
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=False).returncode
    if not mounted:
        print("# a small file system wants root and mount: not run")
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)


def test_a_full_disk():
    with quern.scratch() as d, small_file_system(d / "small", "256k") as small:
        if small is None:
            return
        (d / "text").write_bytes(b"".join(b"word%d\n" % i for i in range(100000)))
        for mode in MODES:
            result = quern.run(d, "run", "--master", "local[2]", "--mode", mode, WORDCOUNT, "text", small / "out")
            quern.check(d, result, 1)
            assert b"No space left" in result.stderr, result.stderr
            assert not list(small.iterdir())


@quern.embedded("the small file system is where it has its sandboxes")
def test_no_room_for_what_does_not_fit_memory():
    with quern.scratch() as d, small_file_system(d / "tmp", "160m" if quern.SANITIZED else "60m") as small:
        if small is None:
            return
        with open(d / "text", "wb") as f:  # more than that
            for i in range(5000000 if quern.SANITIZED else 2000000):
                f.write(b"%x a line that takes some room\n" % (i * 2654435761 % (1 << 32)))
        for mode in MODES:
            result = quern.run(d, "run", "--quiet", "--master", "local[1]", "--mode", mode, "--task-memory", "16m",
                               quern.EXAMPLES / "sort.c", "text", d / "out")
            quern.check(d, result, 1)
            quern.one_line(result, "No space left on device")
            assert not (d / "out").exists()


def test_a_job_without_quern_main():
    with text() as d:
        refused(d, 1, ["no_main.c", "quern_main"], "--master", "local[1]", quern.JOBS / "no_main.c", "text", "out")


def test_a_job_that_does_not_compile_shows_the_compilers_words():
    with text() as d:
        result = quern.run(d, "run", "--master", "local[1]", quern.JOBS / "syntax_error.c", "text", "out")
        quern.check(d, result, 1)
        assert b"syntax_error.c:4" in result.stderr and b"quern" in result.stderr, result.stderr


def test_a_job_that_calls_what_nobody_has():
    with text() as d:
        (d / "undefined.c").write_text("#include <quern/quern.h>\nint no_such_function(void);\n"
                                       "int quern_main(quern_job *j, int c, char **v)\n"
                                       "{ (void)j; (void)v; return c > 9 ? no_such_function() : 0; }\n")
        refused(d, 1, ["undefined symbol", "no_such_function"], "--master", "local[1]", "undefined.c", "text", "out")


def test_flags_that_are_not_quoted_as_they_should():
    with text() as d:
        refused(d, 1, ["flags", "'-DX"], "--master", "local[1]", "--cflags", "'-DX", WORDCOUNT, "text", "out")


def test_no_compiler():
    with text() as d, unittest.mock.patch.dict(os.environ, CC="no-such-cc"):
        refused(d, 1, ["no C compiler", "no-such-cc", "$CC"], "--master", "local[1]", WORDCOUNT, "text", "out")


def test_a_job_that_is_not_there():
    with text() as d:
        refused(d, 1, ["no-job.c", "No such file"], "--master", "local[1]", "no-job.c", "text", "out")


def crashes(how, *words, bad="bad.c"):
    for mode in MODES:
        with text() as d:
            (d / "text").write_bytes(b"some some words\n" * 3)
            result = quern.run(d, "run", "--master", "local[2]", "--mode", mode, quern.JOBS / bad, "text", "out", how)
            quern.check(d, result, 1)
            assert not (d / "out").exists()
            for word in words:
                assert word in result.stderr.decode(errors="replace"), f"no '{word}' in {result.stderr!r}"


def test_a_crash_in_map_names_the_signal_and_shows_stderr():
    crashes("map-crash", "SIGSEGV", "about to crash in map")


def test_an_exit_in_map_names_the_status():
    crashes("map-exit", "status 7")


def test_quern_fail_is_shown():
    crashes("map-fail", "not to my liking")


def test_a_crash_in_reduce():
    crashes("reduce-crash", "SIGABRT", "about to crash in reduce")


def test_a_crash_in_quern_main():
    crashes("main-crash", "quern_main", "signal 11")


def test_a_crash_at_load():
    with text() as d:
        refused(d, 1, ["signal 11"], "--master", "local[1]", quern.JOBS / "load_crash.c", "text", "out")


def test_tasks_that_fit_nowhere_are_waited_for_aloud():
    with text() as d:
        process = quern.start(d, "run", "--master", "local[2]", "--mode", "fine", "--task-cores", "3", WORDCOUNT, "text",
                              "out")
        line = process.stderr.readline().decode()
        process.send_signal(signal.SIGINT)
        quern.check(d, quern.finish(process), 130)
        assert "waiting for resources for a task of 3 cores" in line and "too few cores: 1 agent" in line, line


def test_unknown_mode_and_bad_masters():
    with text() as d:
        refused(d, 2, ["lazy", *quern.MODES], "--mode", "lazy", WORDCOUNT, "text", "out")
        for master in ["local[0]", "local[x]", "local[1x]", "localhost:notaport", "ftp://there", ":", "",
                       "zk://a", "zk://a:0/mesos", "mesos://zk://a/", "file:///not/there"]:
            refused(d, 2, ["--master"], "--master", master, WORDCOUNT, "text", "out")


def no_master(d, s):
    """What listens at socket s, or does not, is no master."""
    refused(d, 3, ["no Mesos master"], "--master-timeout", "1s", "--master", "127.0.0.1:%d" % s.getsockname()[1],
            WORDCOUNT, "text", "out")


def test_no_master_there():
    with text() as d:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))  # bound, not listening: nobody else takes it
            no_master(d, s)


def test_a_master_that_answers_nonsense():
    answers = [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>hello</html>",
               b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nMesos-Stream-Id: 1\r\n\r\n99999999999\nxx",
               b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]
    for answer in answers:
        with text() as d, socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                with contextlib.suppress(OSError):
                    while True:
                        conn = server.accept()[0]
                        with conn, contextlib.suppress(OSError):
                            conn.recv(65536)
                            conn.sendall(answer)
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            no_master(d, server)
            server.shutdown(socket.SHUT_RDWR)


@quern.embedded("its port")
def test_a_port_in_use():
    with quern.scratch() as d, socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        result = quern.run(d, "local", "--port", port)
        quern.check(d, result, 3)
        quern.one_line(result, str(port), "in use")


def test_help_is_everywhere():
    with quern.scratch() as d:
        for args in ["--help"], ["run", "--help"], ["local", "--help"], ["help", "run"]:
            result = quern.run(d, *args)
            quern.check(d, result)
            assert b"Usage: quern" in result.stdout and not result.stderr, result
        for args, status in ([], 2), (["dance"], 2), (["run"], 2), (["run", "--task-cores", "none", "x.c"], 2):
            result = quern.run(d, *args)
            quern.check(d, result, status)
            assert result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
