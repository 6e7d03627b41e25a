"""Roles and what agents have reserved for them, and ports that are the operator's: on the embedded cluster, and as on_mesos on a
real one. e2e/mesos_roles asks a real master what is held."""
import contextlib
import sys

import quern

MODES = ["coarse", "fine"]
SMALL = ["--task-memory", "64m", "--executor-memory", "64m"]
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200)) * 8
TWO_ROLES = "cpus(a):1.1;mem(a):512;cpus(b/c):1;mem(b/c):512;disk:100"


def files(d, n):
    folder = d / "text"
    folder.mkdir()
    for i in range(n):
        (folder / f"part{i}").write_bytes(TEXT)
    return folder


@contextlib.contextmanager
def at_the_gate(d, address, mode, *options, tasks=2):
    """A word count of so many tasks, which wait at the same time."""
    folder, gate, out = files(d, tasks), quern.Gate(d / "gate"), d / "out"
    job = quern.start(d, "run", "--master", address, "--mode", mode, *SMALL, *options, quern.JOBS / "gate.c", folder, out,
                      gate.folder)
    try:
        gate.at(job, tasks)
        yield
        gate.open()
        result = quern.finish(job)
        assert result.returncode == 0, result
    finally:
        job.kill()
        job.wait()
        gate.close()
    quern.same(quern.output(out), quern.word_counts(folder))


def test_what_is_reserved_for_two_roles_is_used_by_one_job():
    for mode in MODES:
        with quern.scratch() as d, quern.named_agents(d, ["a"], resources=TWO_ROLES) as address:
            with at_the_gate(d, address, mode, "--role", "a,b/c"):
                pass


def test_what_is_reserved_for_others_is_not_used():
    resources = "cpus(other):8;mem(other):4096;cpus:1.1;mem:4096;disk:100"
    whole = ["--mode", "coarse", "--total-executor-cores", "2", "--min-registered-ratio", "1"]
    with quern.scratch() as d, quern.named_agents(d, ["a"], resources=resources) as address:
        job = [quern.EXAMPLES / "wordcount.c", files(d, 2)]
        result = quern.run(d, "run", "--master", address, *whole, "--max-registered-wait", "1s", *SMALL, *job, d / "none")
        assert result.returncode == 1 and not (d / "none").exists(), result
        result = quern.run(d, "run", "--master", address, *whole, *SMALL, "--role", "other", *job, d / "out")
        assert result.returncode == 0, result
        quern.same(quern.output(d / "out"), quern.word_counts(d / "text"))


def test_a_role_above_is_one_of_ours():
    with quern.scratch() as d, quern.named_agents(d, ["a"], resources=TWO_ROLES.replace("b/c", "a")) as address:
        with at_the_gate(d, address, "fine", "--role", "a/b"):
            pass


def test_ports_are_those_of_the_offer():
    for mode in MODES:
        with quern.scratch() as d, quern.named_agents(d, ["a"], resources="cpus:2.1;mem:512;ports:[31000-32000]") as address:
            with at_the_gate(d, address, mode, "--ports-from-offer"):
                pass


def test_names_that_are_none_are_refused():
    with quern.scratch() as d:
        for role, words in [("", "the empty string"), ("/a", "start with a slash"), ("a/", "end with a slash"),
                            ("a//b", "two adjacent slashes"), ("a/../b", "'..' as a component"), ("b,a/*", "'*' as a component"),
                            ("-a", "starts with a dash"), ("a, b", "whitespace"), ("a,b,a", "Role 'a' is there twice")]:
            result = quern.run(d, "run", "--role", role, "job.c")
            assert result.returncode == 2, (role, result)
            quern.one_line(result, "--role", words)


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
