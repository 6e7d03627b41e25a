#!/usr/bin/env python3
"""What of the benchmark suite needs no cluster: the command line, workloads by a seed, results.jsonl, progress, what the master's
samples add up to.

    suite_test.py ROOT"""
import contextlib
import errno
import io
import json
import os
import pathlib
import sys
import tempfile
import traceback
import types
from unittest import mock

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "bench"))

from suite import (answers, bench, cli, cluster, dispatch, errors, master, neighbour, neighbours, options, progress,  # noqa: E402
                   report, run, sim, store, workloads)
from suite.report import ideas  # noqa: E402

HEADER = {"bench": "modes", "version": "1", "seed": 1, "quick": True, "date": "today", "agents": 2, "slots": 8,
          "arguments": {"turns": 3}}


def a_run(turn=1, mode="fine", status=0, **more):
    return {"workload": "sweep", "case": "c", "mode": mode, "turn": turn, "status": status, "figures": {"wall_s": 1.5}, **more}


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="quern-suite-") as d:
        yield pathlib.Path(d)


def refused(what, *words):
    """The BenchError that it raises, which has these words."""
    try:
        what()
    except errors.BenchError as e:
        assert "\n" not in str(e) and all(word in str(e) for word in words), e
        return e
    raise AssertionError(f"not refused: {words}")


# The command line

def parsed(*argv):
    """(options, None) or (None, (status, what was said))."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            return cli.parse(list(argv)), None
        except SystemExit as e:
            return None, (e.code, said.getvalue())


def test_options():
    o, wrong = parsed("modes", "tail", "--quick", "--lengths=10ms,1s,2m", "-O", "role=a", "--option=revive-interval=0",
                      "--slots", "4")
    assert not wrong, wrong
    assert (o.words, o.lengths, o.option) == (["tail"], [10, 1000, 120000], ["role=a", "revive-interval=0"])
    assert o.slots == 4 and o.modes == ["coarse", "fine", "adaptive"]
    o, _ = parsed("job", "--turns=2", "--", "job.so", "--modes", "x")
    assert o.words[-3:] == ["job.so", "--modes", "x"] and o.turns == 2, o
    o, _ = parsed("job", "--turns=2", "job.so", "-o", "x")
    assert o.words == ["job.so", "-o", "x"] and o.output is None, o


def test_wrong_options():
    for argv, words in ((["--bogus"], "--bogus"), (["nonsense"], "no command 'nonsense'"), (["modes", "--seed=-1"], "--seed: '-1'"),
                        (["modes", "--modes=fine,course"], "no mode 'course'"), (["modes", "--modes=fine,fine"], "twice"),
                        (["modes", "--lengths=10parsecs"], "'10parsecs' is no duration"), (["modes", "--turns=0"], "--turns: '0'"),
                        (["modes", "--allocation-interval=0"], "from 1ms"), (["data", "--size=none"], "--size: 'none'"),
                        (["modes", "-O", "role"], "NAME=VALUE"), (["neighbours", "--lengths=1s"], "--lengths"),
                        (["neighbours", "word"], "word"), (["modes", "--size=1g"], "--size")):
        _, wrong = parsed(*argv)
        assert wrong and wrong[0] == 2 and wrong[1].count("\n") == 1 and words in wrong[1], (argv, wrong)


def test_help():
    _, (status, said) = parsed()
    assert status == 2 and "Commands:" in said, said
    for argv in ["--help"], *([name, "--help"] for name in cli.COMMANDS):
        _, (status, said) = parsed(*argv)
        assert status == 0 and said.startswith("Usage: quern bench") and "Exit status: 0 done" in said, said
        assert max(map(len, said.splitlines())) <= 132, said
        shown = {o.name for o in options.OPTIONS if f"--{o.name}" in said}
        assert shown == {o.name for o in options.of(argv[0] if len(argv) > 1 else None)}, (argv, shown)


def test_arguments_that_must_be_the_same():
    o, _ = parsed("modes", "tail", "--quick", "-o", "x", "--noisy")
    assert options.arguments(o) == {"quick": True, "seed": 1, "modes": ["coarse", "fine", "adaptive"], "words": ["tail"]}


# Workloads

def described(*args, **more):
    return [(w.name, w.case, w.job, w.arguments) for w in workloads.workloads(*args, **more)]


def test_workloads_follow_from_seed_and_slots():
    a, again = (described(workloads.NAMES, "quick", 8, 1) for _ in range(2))
    assert a == again and {name for name, *_ in a} == set(workloads.NAMES)
    assert described(workloads.NAMES, "quick", 8, 2) != a
    assert [w.arguments for w in workloads.workloads(["sweep"], "full", 3, 7, [0, 20000])] == [(7, "150:0"), (7, "6:20000")]
    assert described(["waist"], "full", 8, 1)[0][3] == (1, "96:100", "2:2000", "96:100")
    lengths = [w.task_s for w in workloads.workloads(["sweep"], "full", 8, 1)]
    assert lengths == [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 10], lengths


def test_quick_runs_are_short():
    seconds = sum(w.seconds for w in workloads.workloads(workloads.NAMES, "quick", 8, 1))
    assert seconds * len(options.MODES) * bench.QUICK_TURNS < 110, seconds


def test_arrivals_follow_from_the_seed():
    a, again, other = (neighbours.arrivals(seed, 6, 1.5, 8) for seed in (3, 3, 4))
    assert a == again and a != other
    assert a[0].at_s == 0 and all(x.at_s < y.at_s for x, y in zip(a, a[1:]))
    assert sorted(x.kind for x in a) == sorted(2 * ["small", "tail", "waist"])
    assert neighbours.horizon_s(a, 8) > a[-1].at_s + neighbours.horizon_s(a, 16) - a[-1].at_s


# Results

def test_results_are_kept_and_go_on():
    with folder() as d:
        with store.Store(d, HEADER) as s:
            assert not s.has("sweep", "c", "fine", 1)
            s.add(a_run())
            s.add(a_run(2, status=1, error="no"))
        content = (d / store.NAME).read_bytes()
        header, runs = store.read(d)
        assert header["bench"] == "modes" and header["format"] == 1 and [r["turn"] for r in runs] == [1, 2]
        with store.Store(d, {**HEADER, "date": "tomorrow"}) as s:
            assert s.has("sweep", "c", "fine", 1) and not s.has("sweep", "c", "fine", 2) and s.header["date"] == "today"
            s.add(a_run(2))
        assert (d / store.NAME).read_bytes().startswith(content)
        assert [(r["turn"], r["status"]) for r in store.read(d)[1]] == [(1, 0), (2, 0)]


def test_other_arguments_are_refused():
    with folder() as d:
        with store.Store(d, HEADER) as s:
            s.add(a_run())
        content = (d / store.NAME).read_bytes()
        for other, words in ({"seed": 2}, "seed 1, not 2"), ({"arguments": {"turns": 4}}, "--turns 3, not 4"), \
                ({"bench": "data"}, "bench"), ({"arguments": {"turns": 3, "lengths": [1]}}, "--lengths null, not [1]"):
            assert refused(lambda h={**HEADER, **other}: store.Store(d, h), "-o", words).status == errors.USAGE
        assert (d / store.NAME).read_bytes() == content


def test_a_broken_last_line_is_cut_off():
    with folder() as d:
        with store.Store(d, HEADER) as s:
            s.add(a_run())
        whole = (d / store.NAME).read_bytes()
        for broken in b'{"kind":"run","workl', b"\xff", b"{}":
            (d / store.NAME).write_bytes(whole + broken)
            assert len(store.read(d)[1]) == 1
            with store.Store(d, HEADER) as s:
                assert (d / store.NAME).read_bytes() == whole
                s.add(a_run(2))
            assert [r["turn"] for r in store.read(d)[1]] == [1, 2]
            (d / store.NAME).write_bytes(whole)


def test_anything_else_that_is_broken_is_named():
    with folder() as d:
        path = d / store.NAME
        refused(lambda: store.read(d), str(path), "No such file")
        header = json.dumps({"kind": "header", "format": 1}).encode() + b"\n"
        for content, words in (b"", "nothing in it"), (b"{}\n", "line 1"), (header + b"nonsense\n" + header, "line 2"), \
                (header + b'{"kind":"run"}\n', "line 2"), (header + header, "line 2"), (b"[]\n", "line 1"), \
                (b'{"kind":"header","format":7}\n', "format 7"):
            path.write_bytes(content)
            refused(lambda: store.read(d), str(path), words)
        path.write_bytes(header + b"nonsense\n" + header)
        refused(lambda: store.Store(d, HEADER), "line 2")


def test_a_full_disk_keeps_what_is_there():
    real = os.pwrite
    with folder() as d, store.Store(d, HEADER) as s:
        s.add(a_run())
        content = (d / store.NAME).read_bytes()
        room = [100]

        def full(fd, data, at):
            n = min(room[0], len(data))
            if n == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            room[0] -= n
            return real(fd, data[:n], at)

        os.pwrite = full
        try:
            refused(lambda: s.add(a_run(2)), str(d), "No space left on device", "1 runs before are kept")
        finally:
            os.pwrite = real
        assert (d / store.NAME).read_bytes() == content
        assert not s.has("sweep", "c", "fine", 2)
        s.add(a_run(2))
        assert len(store.read(d)[1]) == 2


def test_the_last_line_says_where_the_page_is():
    with folder() as d, store.Store(d, HEADER) as s:
        s.add(a_run())
        with contextlib.redirect_stdout(io.StringIO()) as said:
            bench.publish(s, d, ["a line"])
        *before, last = said.getvalue().splitlines()
        assert "a line" in before and str(d / "report.html") in last and "browser" in last, said.getvalue()
        assert (d / "report.html").stat().st_size > 0
        (d / "report.html").unlink()
        (d / "report.html").mkdir()  # where no file can be put
        with contextlib.redirect_stdout(io.StringIO()) as said:
            refused(lambda: bench.publish(s, d), "results.jsonl is whole")
        assert "Report:" not in said.getvalue()


def test_that_there_will_be_no_plots_is_said_first():
    class Quiet(bench.Bench):
        def __init__(self, d):
            self.output, self.intervals_ms, self.store, self.slots = d, [1000], None, 8

        def header(self):
            return HEADER

        def use(self, interval_ms):
            pass

        def run_all(self, cases):
            self.progress.say("the first run")

    for path, words in ("/nonexistent", ["gnuplot-nox"]), (None, []):
        with folder() as d, contextlib.redirect_stderr(io.StringIO()) as said:
            if path is None:  # one that is there
                (d / "gnuplot").touch(0o755)
            with mock.patch.dict(os.environ, {"PATH": path or str(d)}):
                b = Quiet(d)
                b.turns = 1
                b.measure(lambda _: [])
            b.store.__exit__()
            results, *between, first = said.getvalue().splitlines()
            assert results.startswith("Results:") and first == "the first run" and len(between) == len(words), said.getvalue()
            assert all(word in line for word, line in zip(words, between)), said.getvalue()


# Progress

def case(name, seconds, mode="fine"):
    return bench.Case("sweep", name, mode, seconds, None)


def test_cpu_of_null_tasks():
    """What many tasks take beyond few, each part for itself; on a cluster of somebody else's the scheduler's alone."""
    class Fake:
        def __init__(self, all_s, cluster_s):
            self.timed, self.cluster_cpu = mock.Mock(cpu=all_s), cluster_s
        cpu_figures = run.Measured.cpu_figures

    few, many = dispatch.cpu_of(Fake(3.0, 1.0), 0.5), dispatch.cpu_of(Fake(10.0, 2.0), 1.5)
    assert dispatch.cpu_per_task(few, many, 1000000) == {
        "cpu_per_task_us": 7.0, "cpu_per_task_scheduler_us": 1.0, "cpu_per_task_executors_us": 5.0}
    assert list(dispatch.cpu_of(Fake(3.0, None), 0.5)) == ["cpu_per_task_scheduler_us"]


def test_a_dispatch_that_something_was_in_the_way_of_is_tried_again():
    walls = iter([(2, 1), (1, 1), (1, 3)])

    def once():
        return {"status": 0, "figures": dispatch.figures_of(*next(walls), 10)}

    assert dispatch.tried(once)["figures"]["tasks_per_s"] == 5
    walls = iter([(1, 1)] * dispatch.TRIES)
    run = dispatch.tried(once)
    assert run["status"] == 1 and "no longer than few" in run["error"] and next(walls, None) is None, run

    def broken():
        raise errors.BenchError("gone")

    assert dispatch.tried(broken) == {"status": 1, "error": "gone"}


class NoRuns:
    runs = []

    @staticmethod
    def has(*_):
        return False

    def latest(self):
        return self.runs


def test_progress_learns():
    cases = [case("a", 1.0), case("b", 10.0)]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        p = progress.Progress("folder")
        p.plan(cases, 2, NoRuns())
        first = p.left()
        p.begin(cases[0], 1)
        p.end(cases[0], {"status": 0, "figures": {"wall_s": 2}, "took_s": 3.0})
        assert first < p.left() < 3 * 2 * 11, (first, p.left())  # all takes three times as long as was thought
        p.begin(cases[1], 1)
        p.end(cases[1], {"status": 1, "error": "why", "took_s": 5.0})
        assert p.left() == 3.0 + 5.0, p.left()
    assert "[1/4] sweep, a, fine: 2.00 s" in said.getvalue() and "sweep, b, fine: failed: why" in said.getvalue()


def test_progress_knows_what_was_there():
    store_ = NoRuns()
    store_.runs = [{"workload": "sweep", "case": "a", "mode": "fine", "status": 0, "figures": {}, "took_s": 7.0}]
    store_.has = lambda workload, case, mode, turn: turn == 1
    with contextlib.redirect_stderr(io.StringIO()) as said:
        p = progress.Progress("folder")
        p.plan([case("a", 1.0)], 3, store_)
    assert p.left() == 14.0 and "1 of 3 runs are there already" in said.getvalue()
    assert [progress.duration(s) for s in (12.4, 89, 100, 7200)] == ["12 s", "89 s", "2 min", "2.0 h"]


# What the master says

def answer(**held):
    return json.dumps({"type": "GET_FRAMEWORKS", "get_frameworks": {"frameworks": [
        {"framework_info": {"name": name}, "allocated_resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": cores}}, {"name": "mem", "scalar": {"value": 64}}]}
        for name, cores in held.items()]}}).encode()


def test_samples_are_added_up():
    assert master.held_by(answer(a=2.1, b=1)) == {"a": 2.1, "b": 1} and master.held_by(b'{"get_frameworks":{}}') == {}
    s = master.Sampler(None)
    s.samples = [(9.0, {"a": 100}), (10.0, {}), (11.0, {"a": 2.0, "b": 7.0}), (13.0, {"a": 2.0}), (20.0, {"a": 9})]
    assert s.held_core_s(lambda name: name == "a", 10.0, 14.0) == 1 + 4 + 2
    assert s.held_core_s(lambda name: name == "b", 10.0, 14.0) == 3.5 + 7
    s.failed = "gone"
    assert s.held_core_s(lambda name: True, 10.0, 14.0) is None


def test_cores_of_a_cluster():
    class Fake:
        agents, slots, free, given, address = 2, 8, 8, False, "here"

    assert [cluster.slots_in(c) for c in (0, 0.1, 1, 1.1, 4.1, 4.2)] == [0, 0, 0, 1, 4, 4]
    c = Fake()
    assert cluster.check_slots(None, c, 2) == 8 and cluster.check_slots(3, c, 2) == 3
    e = refused(lambda: cluster.check_slots(9, c, 2), "8 cores for tasks on 2 agents", "9 are needed")
    assert e.status == errors.NO_CLUSTER
    assert refused(lambda: cluster.check_slots(1, c, 2), "--slots=1", "2 are needed").status == errors.USAGE
    c.slots, c.agents = 1, 1
    e = refused(lambda: cluster.check_slots(None, c, 2), "1 core for tasks on 1 agent", "2 are needed")
    assert e.status == errors.NO_CLUSTER
    c.agents = 0
    refused(lambda: cluster.check_slots(None, c, 2), "no agents")
    c.given, c.agents, c.slots, c.free = True, 50, 200, 5
    assert cluster.check_slots(None, c, 2) == 5
    refused(lambda: cluster.check_slots(6, c, 2), "of which 5 are free", "6 are needed")
    c.free = 200
    assert cluster.check_slots(None, c, 2) == cluster.SLOTS


class FakeMaster:
    """led: addresses of those that answer, and lead; agents: of each, the cores of its agents."""
    led, agents_of = [], {}

    def __init__(self, address, auth):
        self.address = address

    def leads(self):
        if self.address not in self.led:
            raise errors.BenchError("nobody answers")
        return True

    def version(self):
        return "Apache Mesos 1.0"

    def agents(self):
        if self.address not in self.led:
            raise errors.BenchError("nobody answers")
        return [(cores, cores) for cores in self.agents_of[self.address]]

    def allocation_interval_ms(self):
        return 1000.0


def fake_master(led, agents, **more):
    return mock.patch.multiple(cluster, Master=type("Fake", (FakeMaster,), {"led": led, "agents_of": agents}), AGAIN_S=0, **more)


def test_another_master_leads():
    """Its agents come back to it one by one; and where it is, is asked anew."""
    led, agents, asked = ["a:1"], {"a:1": [4.1, 4.1], "b:1": []}, []

    def masters():
        asked.append(list(led))
        if len(asked) == 4:  # after two looks in which nobody leads
            led.append("b:1")
        elif len(asked) > 4:
            agents["b:1"].append(4.1)
        return led or ["a:1"]

    with fake_master(led, agents):
        c = cluster.Given("zk://z/mesos", masters)
        assert (c.agents, c.slots) == (2, 8) and c.ensure() is None and c.master.address == "a:1"
        led.clear()
        assert c.ensure() == "another master leads, b:1, with 2 of 2 agents and 8 of 8 cores for tasks" and c.master.address == "b:1"
        assert len(asked) == 6 and c.ensure() is None
        led.clear()
        with mock.patch.multiple(cluster, PATIENCE_S=-1):
            refused(c.ensure, "nobody answers")


def test_an_agent_is_lost():
    """It is waited for, but not for ever and not twice; what there is without it is said of every run, and nothing once it is back."""
    agents, looks = {"a:1": [4.1, 2.1]}, []

    def masters():
        looks.append(len(agents["a:1"]))
        if len(looks) in comes:
            agents["a:1"] = comes[len(looks)]
        return ["a:1"]

    comes = {}
    with fake_master(["a:1"], agents):
        c = cluster.Given("a:1", masters)
        assert (c.agents, c.slots) == (2, 6) and c.ensure() is None and c.left() is None
        agents["a:1"] = [4.1]
        assert c.left() == "the cluster is left with 1 of 2 agents and 4 of 6 cores for tasks"
        comes = {len(looks) + 3: [4.1, 2.1]}
        assert c.ensure() is None and len(looks) in comes, looks
        agents["a:1"] = [4.1, 1.1]  # as many, and one of them with fewer cores
        with mock.patch.multiple(cluster, PATIENCE_S=-1):
            assert c.ensure() == "the cluster is left with 2 of 2 agents and 5 of 6 cores for tasks"
        comes = {}
        looked = len(looks)
        assert "5 of 6 cores" in c.ensure() and "5 of 6 cores" in c.ensure() and len(looks) == looked + 2
        agents["a:1"] = [4.1, 2.1, 4.1]
        assert c.ensure() is None and c.left() is None
        agents["a:1"] = [4.1]
        comes = {len(looks) + 3: [4.1, 2.1]}  # who is back is waited for again
        assert c.ensure() is None and len(looks) in comes, looks


def test_what_a_cluster_lacks_is_kept_with_the_run():
    """Whether it lacked it before the run or lost it in the middle; beside what the run has to say itself."""
    class Lacking:
        given, before, after = True, None, None

        def ensure(self):
            return self.before

        def left(self):
            return self.after

    class Turns(bench.Bench):
        def __init__(self):
            self.o, self.cluster, self.progress = parsed("modes", "--quick")[0], Lacking(), mock.Mock()

    b, own = Turns(), {}
    c = bench.Case("sweep", "c", "fine", 1, lambda _: {"status": 0, "figures": {}, **own})
    assert "note" not in b.turn(c, 1)
    b.cluster.after = "left with 1"
    assert b.turn(c, 1)["note"] == "left with 1"
    b.cluster.before, own = "another master", {"note": "a task was lost"}
    assert b.turn(c, 1)["note"] == "another master; a task was lost"


def test_frameworks_of_mesos_are_found():
    """In an installed Mesos, and in a build tree; what cannot be run is none."""
    with folder() as d, mock.patch.dict(os.environ, {"MESOS_HOME": str(d / "home"), "MESOS_BUILD": str(d / "build")}):
        name, places = neighbour.LOAD_GENERATOR, [d / "build/src", d / "home/libexec/mesos/tests", d / "home/libexec/mesos"]
        assert neighbour.framework_of_mesos(name) is None
        for place in places:  # the last is looked at first
            place.mkdir(parents=True, exist_ok=True)
            before = neighbour.framework_of_mesos(name)
            (place / name).touch(0o644)
            assert neighbour.framework_of_mesos(name) == before
            (place / name).chmod(0o755)
            assert neighbour.framework_of_mesos(name) == place / name
        with mock.patch.dict(os.environ, {"MESOS_HOME": "", "MESOS_BUILD": ""}):
            assert neighbour.framework_of_mesos(name) is None


# Small things

def test_samples_of_gaps():
    assert run.sample([3, 1, 2], 5, 1) == [3, 1, 2]
    many = list(range(10000))
    some = run.sample(many, 500, 1)
    assert len(some) == 500 and some == sorted(some) and some == run.sample(many, 500, 1) != run.sample(many, 500, 2)


def test_answers():
    rows = answers.words_of("1 0.5\n2 0.25\n")
    assert answers.near(rows, answers.words_of("1 0.50000000000001\n2 0.25\n")) is None
    assert answers.near(rows, answers.words_of("1 0.5\n2 0.26\n")) == "2 0.25, not 2 0.26"
    assert answers.near(rows, rows[:1]) is not None
    assert answers.checksum(["printf", "b\\na\\n"]) == answers.checksum(["printf", "a\\nb\\n"])
    assert answers.checksum(["printf", "b\\na\\n"]) != answers.checksum(["printf", "a\\n"])
    assert answers.digest(["printf", "b\\na\\n"]) != answers.digest(["printf", "a\\nb\\n"])
    assert answers.checksum(["false"]) is answers.digest(["false"]) is answers.output_of(["false"]) is None


# The simulation

def simulated(case, mode, seed, agents=20, workload="sim", **figures):
    return {"workload": workload, "case": case, "mode": mode, "turn": seed, "seed": seed, "agents": agents, "status": 0, "figures": figures}


def ideas_of(**factors):
    """Lines on the idea --a=2 of four seeds, whose figures are those of --a=1 but for the factors of each seed."""
    base = dict.fromkeys(("job_mean_s", "held_core_s", "cpu_per_task_us"), 10.0)
    runs = [simulated("c", mode, seed + 1, **{name: value * (seed + 1) * (factors[name][seed] if mode == "--a=2" and name in factors else 1)
                                              for name, value in base.items()}) for mode in ("--a=1", "--a=2") for seed in range(4)]
    return ideas.table(report.summarize(runs)["ideas"])


def test_ideas_are_compared_seed_by_seed():
    less, more, both = (0.9, 0.91, 0.89, 0.9), (1.1, 1.11, 1.09, 1.1), (0.9, 1.1, 0.95, 1.05)
    title, head, line, *_ = ideas_of(held_core_s=less)
    assert title == "Ideas, c: change against --a=1, %" and head.endswith("  CPU for a task"), (title, head)
    assert line.startswith("  2  +0.0 [+0.0, +0.0]") and "-10.0 [-11.3, -8.7]" in line and line.endswith("better"), line
    for wanted, factors in (("worse", {"job_mean_s": more}), ("mixed", {"job_mean_s": more, "held_core_s": less}),
                            ("no difference", {"job_mean_s": both}), ("no difference", {"held_core_s": (0.999, 0.9991, 0.9989, 0.999)}),
                            ("better", {"job_mean_s": both, "cpu_per_task_us": less})):
        line = ideas_of(**factors)[2]
        assert line.endswith(wanted), (wanted, line)


def test_ideas_without_pairs():
    """Seeds that only one of them has are no pair; of fewer than two pairs nothing is said."""
    runs = [simulated("c", mode, seed, held_core_s=1.0 * seed) for mode, seed in (("--a=1", 1), ("--a=1", 2), ("--a=2", 2), ("--a=2", 3))]
    assert ideas.table(report.summarize(runs)["ideas"]) == []
    line = ideas.table(report.summarize([*runs, simulated("c", "--a=2", 1, held_core_s=2.0)])["ideas"])[2]
    assert line.count("not known") == 2 and line.endswith("no difference"), line


def test_costs_against_what_is_allowed():
    runs = [simulated("s", "fine", seed, agents, cpu_per_task_us=us + seed, bytes_per_task=600, bytes_per_agent=700)
            for agents, us in ((100, 8), (10000, 14)) for seed in (1, 2, 3)]
    assert sim.cost_of(runs, "cpu_per_task_us", "fine") == {100: 10, 10000: 16}
    assert sim.cost_of(runs, "cpu_per_task_us", "coarse") == {}
    cpu, task, agent = sim.scale_lines(runs)
    assert "at most 20: met" in cpu and "1.60 times that at 100, at most 1.5: missed" in cpu, cpu
    assert task.endswith("missed") and agent.endswith("met"), (task, agent)


def test_costs_by_allocation_interval():
    """Figures of one interval are not mixed with those of another."""
    runs = [dict(simulated("s", "fine", 1, 100, cpu_per_task_us=us), allocation_interval_ms=ms) for ms, us in ((1000, 8), (100, 30))]
    slow, quick = sim.scale_lines(runs)
    assert "8.0 us at 100 " in slow and slow.endswith("(allocation interval 1 s)"), slow
    assert "30.0 us at 100 " in quick and quick.endswith("(allocation interval 100 ms)"), quick


def calibrated(**walls):
    """Runs of two experiments, c and d; walls: of c's modes."""
    return [simulated(case, mode, 1, workload="calibration", wall_s=w, held_core_s=8.0, used_core_s=4.0)
            for case, by_mode in (("c", walls), ("d", {"real": 1.0, "simulated": 1.0})) for mode, w in by_mode.items()]


def sim_bench(folder, runs):
    """What `quern bench sim calibration` is when it has these."""
    b = sim.SimBench.__new__(sim.SimBench)
    b.failed, b.output = 0, folder
    b.progress = types.SimpleNamespace(clear=lambda: None)
    b.store = store.Store(folder, {"bench": "sim", "turns": 1})
    for run in runs:
        b.store.add(run)
    return b


def finished(runs):
    """(stdout's lines but for the last, which says where the page is; the calibration in summary.json) of its end, with status 0."""
    with tempfile.TemporaryDirectory() as folder:
        out = io.StringIO()
        b = sim_bench(pathlib.Path(folder), runs)
        with b.store, contextlib.redirect_stdout(out):
            assert bench.finish(b, 0) == 0
        summary = json.loads((pathlib.Path(folder) / "summary.json").read_text())
    return out.getvalue().splitlines()[:-1], summary.get("calibration")


def test_calibration_agrees():
    said, found = finished(calibrated(real=2.0, simulated=2.1))
    assert said[-1] == "Calibration: all 6 figures agree within a tenth.", said
    assert found["agree"] is True and found["within"] == 0.1 and not found["missing"] and len(found["rows"]) == 6, found
    first = found["rows"][0]
    assert (first["case"], first["figure"], first["real"], first["simulated"], round(first["difference"], 9)) == \
        ("c", "wall", 2.0, 2.1, 0.05), first


def test_calibration_does_not_agree():
    said, found = finished(calibrated(real=2.0, simulated=1.7))
    verdict = "Calibration: 1 of 6 figures differ by more than a tenth (c: wall -15.0 %)."
    assert said[-1] == verdict, said
    table = said[next(i for i, line in enumerate(said) if line.startswith("Calibration: the same")):]
    assert table[2].endswith("-15.0%  more than a tenth") and not table[3].endswith("tenth"), table
    assert found["agree"] is False and [round(row["difference"], 9) for row in found["rows"]] == [-0.15, 0, 0, 0, 0, 0], found


def test_calibration_that_lacks_runs():
    """Nothing is agreed upon that was not compared; and other benches say nothing of it."""
    said, found = finished(calibrated(real=2.0))
    assert said[-1] == "Calibration: not compared for want of runs: c." and not found["agree"], said
    said, found = finished([simulated("s", "fine", 1, cpu_per_task_us=8)])
    assert found is None and "Calibration" not in "".join(said), said


def test_calibration_that_was_disturbed():
    runs = calibrated(real=2.0, simulated=2.1)
    for i, r in enumerate(runs):
        r["disturbed"] = i == 0
    said, found = finished(runs)
    assert said[-1] == "Calibration: all 6 figures agree within a tenth; disturbed by something else on the machine, and not to be " \
        "relied on: c.", said
    assert found["disturbed"] == ["c"], found


def sim_options(*argv):
    return cli.parse(["sim", *argv])


def made(part, o, interval_ms=1000, size=workloads.QUICK):
    """{a case's name: the words that each of its modes is simulated with}."""
    asked, old = {}, sim.simulate
    b = types.SimpleNamespace(o=o, interval_ms=interval_ms)
    sim.simulate = lambda _b, _turn, *words: words
    try:
        for case in part(b, size):
            asked.setdefault(case.case, []).append(case.go(1))
    finally:
        sim.simulate = old
    return asked


def test_ideas_by_option():
    found = made(sim.ideas, sim_options())
    assert list(found) == [f"{option} in {mode} mode, 3 frameworks of {round(20 * each)} slots"
                           for option, (mode, each, _) in sim.IDEAS.items()], found
    for option, slots in ("revive-burst", 40), ("placement", 12):
        words = found[f"{option} in fine mode, 3 frameworks of {slots} slots"]
        assert [next(w for w in of if w.startswith(f"--{option}=")) for of in words] == \
            [f"--{option}={value}" for value in sim.IDEAS[option][2]], words
        assert all(f"--slots={slots}" in of for of in words), words
    found = made(sim.ideas, sim_options("--frameworks=5", "--failures=0.02"), 100)
    assert "placement in fine mode, 5 frameworks of 12 slots, 2 % fail, allocation interval 100 ms" in found, found
    assert all({"--frameworks=5", "--failures=0.02"} <= set(words) for of in found.values() for words in of), found


def test_scale_by_option():
    found = made(sim.scale, sim_options("--modes=fine"))
    assert next(iter(found)) == "100 agents, 2000 tasks of 0.5 to 1.5 s", found
    assert {"--frameworks=1", "--failures=0", "--slots=400"} <= set(found["100 agents, 2000 tasks of 0.5 to 1.5 s"][0]), found
    found = made(sim.scale, sim_options("--modes=fine", "--frameworks=4", "--failures=0.1"))
    words, = found["100 agents, 2000 tasks of 0.5 to 1.5 s, 4 frameworks, 10 % fail"]
    largest = list(made(sim.scale, sim_options("--modes=fine"), size=workloads.FULL))[-1]
    assert largest == "50000 agents, 1000000 tasks of 0.5 to 1.5 s", largest
    assert {"--frameworks=4", "--failures=0.1", "--slots=100"} <= set(words), words


def test_what_calibration_cannot_have():
    for argv in ("--failures=0.1", "calibration"), ("--frameworks=2", "calibration"):
        try:
            sim.main(sim_options(*argv))
        except errors.BenchError as e:
            assert e.status == errors.USAGE and argv[0].partition("=")[0] in str(e), e
        else:
            raise AssertionError(argv)
    for text, convert in (("0.6", options.rate), ("-1", options.rate), ("x", options.rate), ("65", options.frameworks),
                          ("0", options.frameworks)):
        try:
            convert(text)
        except options.argparse.ArgumentTypeError:
            continue
        raise AssertionError(text)


def main():
    failed = 0
    for name, test in [(n, t) for n, t in globals().items() if n.startswith("test_")]:
        try:
            test()
            print(f"ok - {name}", flush=True)
        except Exception:  # noqa: whatever it was, the other tests run
            traceback.print_exc()
            print(f"not ok - {name}", flush=True)
            failed += 1
    return 1 if failed else 0


sys.exit(main())
