"""`quern bench` through the whole program, on embedded clusters, and some of it on a real Mesos: small runs of each command, and
what goes wrong in the middle of one. Says nothing of the figures but what must be so. QUERN_BUILD is the build folder; the rest as
in e2e/quern.py."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import quern  # noqa: E402

BUILD = pathlib.Path(os.environ["QUERN_BUILD"])
sys.path.insert(0, os.environ["QUERN_BENCH_SUITE"])

NEIGHBOUR = BUILD / "bench/quern-bench-neighbour"
ONCE = "--quick", "--turns=1", "-o", "results"
SMALL = *ONCE, "--agents=1", "--cores=2"
FULL_DISK = """
import errno, os
real, left = os.pwrite, [2]  # the header and one run
def pwrite(fd, data, at):
    if left[0] == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    left[0] -= 1
    return real(fd, data, at)
os.pwrite = pwrite
"""


# A job that succeeds once: it knows by a file.
FAILS_AGAIN = """
#include <quern/quern.h>
#include <stdio.h>

int quern_main(quern_job *job, int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "wx") : NULL;

    (void)job;
    if (f == NULL)
        quern_fail("no more");
    return fclose(f);
}
"""


def bench(d, *args, env=None):
    return quern.of_test(subprocess.Popen(
        [quern.QUERN, "bench", *map(str, args)], env={**quern.environment(d), **(env or {})}, cwd=d,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True))


def done(d, *args, status=0, **more):
    result = quern.finish(bench(d, *args, **more))
    quern.check(d, result, status)
    return result


@contextlib.contextmanager
def somewhere(d, cores=2):
    """Options for one agent of so many cores: the command's own, or that of a Mesos which is there."""
    if quern.ON_MESOS:
        with quern.named_agents(d, ["a"], cores=cores) as address:
            yield [f"--master={address}"]
    else:
        yield ["--agents=1", f"--cores={cores}"]


def results(d, folder="results"):
    """(header, runs) as they are written."""
    lines = [json.loads(line) for line in (d / folder / "results.jsonl").read_text().splitlines()]
    return lines[0], lines[1:]


def runs_so_far(d):
    path = d / "results/results.jsonl"
    return path.read_bytes().count(b"\n") - 1 if path.exists() else -1


def kept(d, result):
    """The report of what there is has been made, and the last line says where its page is."""
    assert "coarse" in result.stdout.decode(), result
    assert result.stdout.decode().splitlines()[-1].startswith("Report: results/report.html "), result
    for name in "report.html", "summary.json", "summary.csv":
        assert (d / "results" / name).stat().st_size > 0, name


def good(run):
    """What must be so of every run."""
    assert run["status"] == 0, run
    f = run["figures"]
    assert 0 < f["used_core_s"] <= f["held_core_s"] and f["wall_s"] > 0, f
    assert 0 < f["master_held_core_s"] < 2 * f["held_core_s"], f
    assert f["allocation_runs"] >= 1 and f["cpu_scheduler_s"] > 0 and f["cpu_cluster_s"] >= 0, f
    assert run["load_before"] >= 0 and run["others_cores"] >= 0 and isinstance(run["disturbed"], bool), run
    assert len(run["timeline"]) <= 400 and len(run["gaps_ms"]) <= 500
    area = sum((b[0] - a[0]) * a[1] for a, b in zip(run["timeline"], run["timeline"][1:]))
    assert abs(area - f["held_core_s"]) <= 0.02 * f["held_core_s"] + 0.05, (area, f)


def test_modes():
    with quern.scratch() as d:
        result = done(d, "modes", "sweep", "tail", "--lengths=10ms,100ms", "--seed=5", "-O", "revive-interval=10ms", *SMALL)
        header, runs = results(d)
        assert (header["bench"], header["cluster"], header["agents"], header["slots"], header["seed"], header["quick"]) == \
            ("modes", "embedded", 1, 2, 5, True), header
        assert header["options"] == {"--revive-interval": "10ms"} and header["allocation_interval_ms"] == 1000, header
        assert header["command"].startswith("quern bench modes sweep tail") and header["machine"]["cores"] == os.cpu_count()
        assert [(r["workload"], r["mode"]) for r in runs] == [(w, m) for w in ("sweep", "sweep", "tail") for m in quern.MODES]
        for run in runs:
            good(run)
        assert [r["figures"]["tasks"] for r in runs] == [80] * 3 + [24] * 3 + [16] * 3
        assert [r["task_s"] for r in runs[:6]] == [0.01] * 3 + [0.1] * 3
        # What sleeps is used: as long as the tasks are, and little more.
        for run in runs[:6]:
            assert run["figures"]["used_core_s"] >= run["figures"]["tasks"] * run["task_s"], run
        assert len({r["case"] for r in runs}) == 3
        kept(d, result)
        assert result.stderr.decode().count("\n") >= 10 and "[9/9] tail" in result.stderr.decode(), result.stderr


def test_goes_on_where_it_was():
    with quern.scratch() as d:
        args = "modes", "sweep", "--lengths=10ms", *SMALL
        done(d, *args)
        path = d / "results/results.jsonl"
        whole = path.read_bytes()
        result = done(d, *args)
        assert path.read_bytes() == whole and "3 of 3 runs are there already" in result.stderr.decode()
        lines = whole.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])  # killed while it wrote
        done(d, *args)
        assert path.read_bytes().startswith(b"".join(lines[:-1])) and len(results(d)[1]) == 3
        for other, words in (("--seed=2", "seed 1, not 2"), ("--lengths=20ms", "--lengths")):
            result = quern.finish(bench(d, *args, other))
            quern.check(d, result, 2)
            quern.one_line(result, "another command", words, "-o")
        assert len(results(d)[1]) == 3


def test_think_counts_queries():
    with quern.scratch() as d:
        done(d, "modes", "think", "--modes=fine", *SMALL)
        run, = results(d)[1]
        good(run)
        assert run["figures"]["tasks"] == 8 * 2 and 100 <= run["figures"]["query_p50_ms"] <= run["figures"]["query_max_ms"], run


def test_interrupted():
    """Ctrl-C reaches us alone or the jobs as well: what is done is kept, and nothing is left."""
    for to_all in False, True:
        with quern.scratch() as d:
            process = bench(d, "modes", "sweep", "--lengths=10ms,10m", *SMALL)
            quern.wait_for("three runs, and a job that takes long", lambda: runs_so_far(d) == 3 and any(
                b"1:600000" in c or b":600000" in c for _, c in quern.descendants(process.pid)))
            if to_all:
                os.killpg(process.pid, signal.SIGINT)
            else:
                process.send_signal(signal.SIGINT)
            result = quern.finish(process)
            quern.check(d, result, 130)
            assert "interrupted" in result.stderr.decode() and "-o results" in result.stderr.decode(), result
            assert len(results(d)[1]) == 3
            kept(d, result)


def test_interrupted_beside_a_neighbour():
    with quern.scratch() as d:
        process = bench(d, "neighbours", "--quick", "--modes=fine", "-o", "results")
        quern.wait_for("jobs beside it", lambda: runs_so_far(d) >= 1 and
                       any(b"\0run\0" in c for _, c in quern.descendants(process.pid)))
        process.send_signal(signal.SIGINT)
        result = quern.finish(process)
        quern.check(d, result, 130)
        assert [r["mode"] for r in results(d)[1]] == ["alone"]


def test_no_room_for_a_cluster():
    with quern.scratch() as d:
        result = quern.finish(bench(d, "modes", "-o", "x", env={"TMPDIR": str(d / "nowhere")}))
        assert result.returncode == 3, result
        quern.one_line(result, "the embedded cluster did not start", "nowhere")


def killed(d, program, *options):
    """The runs of a bench one of whose jobs loses a process, by a part of its command line, in the middle; and its result."""
    process = bench(d, "modes", "sweep", "--lengths=500ms", "--modes=coarse,fine", *options, *SMALL)

    def victim():
        """Of the first job, once the warm-up is over."""
        below = quern.descendants(process.pid)
        if not any(b"sleep.c" in c and b":500" in c for _, c in below):
            return None
        return next((pid for pid, c in below if program in c), None)

    pid = quern.wait_for("a job runs", victim)
    quern.kill(pid)
    return quern.finish(process), results(d)[1]


def test_killed_executor():
    """Its tasks are run again, as in any job: that run is slower, and no more."""
    with quern.scratch() as d:
        result, runs = killed(d, b"quern-executor")
        quern.check(d, result)
        assert [r["status"] for r in runs] == [0, 0], runs
        assert all(r["figures"]["tasks"] == 8 for r in runs)


def test_killed_cluster():
    """Master and agents are gone: the run fails and says why, and the next one has a new cluster."""
    with quern.scratch() as d:
        result, runs = killed(d, b"local\0--agents", "-O", "master-timeout=1s")
        assert result.returncode == 1, result
        assert runs[0]["status"] == 1 and "\n" not in runs[0]["error"] and "figures" not in runs[0], runs
        assert runs[1]["status"] == 0 and "was started again" in runs[1]["note"], runs
        good(runs[1])
        assert "1 runs failed" in result.stderr.decode(), result
        assert (d / "results/report.html").exists()


def test_full_disk():
    with quern.scratch() as d:
        (d / "full").mkdir()
        (d / "full/sitecustomize.py").write_text(FULL_DISK)
        result = done(d, "modes", "sweep", "--lengths=10ms", *SMALL, status=1, env={"PYTHONPATH": str(d / "full")})
        said = [line for line in result.stderr.decode().splitlines() if line.startswith("quern")]
        assert len(said) == 1 and "No space left on device" in said[0] and "1 runs before are kept" in said[0], result
        assert len(results(d)[1]) == 1
        kept(d, result)
        done(d, "modes", "sweep", "--lengths=10ms", *SMALL)
        assert len(results(d)[1]) == 3


def test_bad_input():
    with quern.scratch() as d, quern.named_agents(d, [], agents=1, cores=1) as small:
        (d / "file").write_text("")
        cases = [
            (2, ("modes", "--master=a b"), "--master"),
            (2, ("modes", "--master=local[2x2]", "--agents=3"), "--master=local"),
            (3, ("modes", "--master=127.0.0.1:1", "-o", "x"), "no Mesos master answers at 127.0.0.1:1"),
            (2, ("modes", f"--master={small}", "--agents=3"), "--agents"),
            (2, ("modes", f"--master={small}", "--allocation-interval=1s"), "--allocation-interval"),
            (3, ("modes", f"--master={small}", "-o", "x"), "has 1 core for tasks on 1 agent; 2 are needed"),
            (3, ("modes", "sweep", f"--master={small}", "--slots=3", "-o", "x"), "3 are needed"),
            (3, ("neighbours", f"--master={small}", "-o", "x"), "4 are needed"),
            (2, ("modes", "waste"), "no workload 'waste'; there are sweep, tail, waist, think"),
            (2, ("data", "words"), "no job 'words'"),
            (2, ("job",), "no job"),
            (2, ("job", "--", "nowhere.c"), "'nowhere.c' cannot be read"),
            (1, ("modes", "-o", "file/x"), "file/x", "Not a directory"),
            (1, ("job", "-o", "y", "--", "file"), "file: "),
        ]
        for status, args, *words in cases:
            result = quern.finish(bench(d, *args))
            lines = [line for line in result.stderr.decode().splitlines() if not line.startswith(("Results:", "No plots:"))]
            assert result.returncode == status and len(lines) == 1, result
            for word in words:
                assert word in lines[0], (word, result)
            assert not (d / "x").exists(), args


def test_on_a_master_that_is_given():
    with quern.scratch() as d, quern.named_agents(d, ["a", "b"], cores=2) as address:
        result = quern.finish(bench(d, "modes", "sweep", "--lengths=10ms", "--quick", "--turns=1", f"--master={address}",
                                    "--slots=3", "-o", "results"))
        assert result.returncode == 0, result
        header, runs = results(d)
        assert header["cluster"].startswith("Apache Mesos 1." if quern.ON_MESOS else "embedded"), header
        assert (header["agents"], header["slots"]) == (2, 3), header
        assert len(runs) == 3
        for run in runs:
            assert run["status"] == 0 and run["figures"]["tasks"] == 120 and "cpu_cluster_s" not in run["figures"], run
            assert run["figures"]["master_held_core_s"] > 0 and run["figures"]["allocation_runs"] > 0


def test_the_master_counts_the_same():
    """What the scheduler says that the job held, and what the master says when it is asked meanwhile. A lease that is never
    returned, or a slot counted twice, is further off than the times of asking can be."""
    with quern.scratch() as d, somewhere(d) as where:
        done(d, "modes", "sweep", "--lengths=1s", *ONCE, *where)
        runs = results(d)[1]
        assert [r["mode"] for r in runs] == list(quern.MODES)
        for run in runs:
            f = run["figures"]
            assert abs(f["master_held_core_s"] - f["held_core_s"]) < 0.1 * f["held_core_s"], run
            print(f"# {run['mode']}: held {f['held_core_s']:.2f}, the master says {f['master_held_core_s']:.2f} core-s")


def test_job():
    with quern.scratch() as d, somewhere(d) as where:
        (d / "text").write_text("a b a\n" * 1000)
        done(d, "job", *ONCE, *where, "--", quern.EXAMPLES / "wordcount.c", "text", "{out}")
        header, runs = results(d)
        assert header["bench"] == "job" and [(r["case"], r["mode"]) for r in runs] == [("wordcount.c", m) for m in quern.MODES]
        assert all(r["status"] == 0 and r["figures"]["tasks"] >= 2 for r in runs), runs


def test_a_job_that_fails():
    """Each mode is tried twice, and no more."""
    with quern.scratch() as d:
        (d / "fails.c").write_text(FAILS_AGAIN)
        result = quern.finish(bench(d, "job", *SMALL, "--turns=5", "--modes=coarse,fine", "--", "fails.c", d / "count"))
        assert result.returncode == 1, result
        runs = results(d)[1]
        assert [(r["mode"], r["turn"]) for r in runs] == [(m, t) for t in (1, 2) for m in ("coarse", "fine")], runs
        assert all(r["status"] == 1 and "no more" in r["error"] for r in runs), runs
        assert "nothing was measured" in result.stderr.decode(), result


def test_dispatch():
    with quern.scratch() as d, somewhere(d) as where:
        done(d, "dispatch", *ONCE, *where, "--modes=fine")
        runs = results(d)[1]
        assert [r["mode"] for r in runs] == (["fine"] if quern.ON_MESOS else ["fine", "bare"])
        assert all(r["status"] == 0 and r["figures"]["tasks_per_s"] > 0 and r["figures"]["tasks"] == 200 for r in runs), runs
        known = ["scheduler_"] if quern.ON_MESOS else ["", "scheduler_", "executors_"]  # a cluster that is given may be elsewhere
        for f in (r["figures"] for r in runs):
            assert all(f[f"cpu_per_task_{of}us"] >= 0 for of in known), f


def test_data():
    with quern.scratch() as d, somewhere(d) as where:
        done(d, "data", "grep", "join", "kmeans", *ONCE, *where, "--size=1m", "--modes=coarse,fine", "--input=input")
        runs = results(d)[1]
        assert [re.match(r"\w+", r["case"])[0] for r in runs] == ["grep", "grep", "join", "join", "kmeans", "kmeans"]
        assert all(r["status"] == 0 and r["figures"]["tasks"] >= 1 for r in runs), runs
        assert sorted(p.name for p in (d / "input").iterdir()) == ["links", "points", "text"]


def test_data_compares_answers():
    """A file that changes under it: the answer is another one."""
    from suite import cli, data  # noqa: what it needs of the environment is there only now
    from suite.bench import Bench  # noqa
    with quern.scratch() as d, Environment(d):
        text = d / "input/text"
        text.parent.mkdir()
        text.write_text("ab\ncd\n")
        o = cli.parse(["data", "--quick", "--agents=1", "--cores=1", "--input", str(d / "input"), "-o", str(d / "other")])
        with Bench(o) as b:
            b.use(1000)
            checked = data.Data(b)
            grep = next(w for w in data.works(True) if w.name == "grep")
            assert [checked.go(grep, mode)["status"] for mode in ("coarse", "fine")] == [0, 0]
            text.write_text("ab\nabc\n")
            run = checked.go(grep, "fine")
            assert run["status"] == 1 and "another answer than a run before" in run["error"], run


class Environment:
    """As `quern bench` gives it to the suite, for what is called here without it."""

    def __init__(self, d):
        self.new = {**quern.environment(d), "QUERN": quern.QUERN, "QUERN_BENCH": str(BUILD / "bench")}

    def __enter__(self):
        self.old = dict(os.environ)
        os.environ.update(self.new)
        tempfile.tempdir = None

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.old)
        tempfile.tempdir = None


def test_neighbours():
    """Alone, in a partition, and beside jobs in a mode; jobs that are shorter than those of the command."""
    from suite import cli, neighbour  # noqa: what it needs of the environment is there only now
    from suite.bench import Bench  # noqa
    from suite.neighbours import Arrival, Experiment  # noqa
    with quern.scratch() as d, somewhere(d, 4.4 if quern.ON_MESOS else 4) as where, Environment(d):
        coming = [Arrival(0.0, "small", (1, "4:100")), Arrival(0.1, "tail", (2, "4~50"))]
        with Bench(cli.parse(["neighbours", "--quick", *where, "-o", str(d / "results")]), executors=5) as b:
            b.use(1000)
            found = {mode: Experiment(b, mode, coming, lambda limit: neighbour.Neighbour(b, 200, limit)).measure()
                     for mode in ("alone", "static", "fine")}
            assert all(run["status"] == 0 for run in found.values()), found
            f = {mode: run["figures"] for mode, run in found.items()}
            window = {mode: run["figures"]["window_s"] for mode, run in found.items()}
            # It gets what it may have, and never more: alone all four cores, in the partition two.
            # On a Mesos whose agents may be elsewhere its tasks are commands, which take long to start.
            least = 0 if quern.ON_MESOS else 2.5
            assert least * window["alone"] < f["alone"]["neighbour_core_s"] <= 4 * window["alone"] + 0.1, f
            assert 0 < f["static"]["neighbour_core_s"] <= 2 * window["static"] + 0.1, f
            assert 0 < f["fine"]["neighbour_core_s"] <= 4 * window["fine"] + 0.1, f
            # What the jobs have, it has not; what it gets done with the rest depends on who else is busy on this machine.
            held = {mode: f[mode]["neighbour_held_core_s"] / window[mode] for mode in f}
            assert 0 < held["fine"] < held["alone"], held
            assert [job["kind"] for job in found["fine"]["jobs"]] == ["small", "tail"] and f["fine"]["jobs"] == 2
            for mode in "static", "fine":
                assert f[mode]["used_core_s"] > 0.4, f
                assert f[mode]["master_held_core_s"] > 0 and f[mode]["neighbour_held_core_s"] > 0, f
            assert "held_core_s" not in f["alone"]
            frameworks = b.cluster.master.call("GET_FRAMEWORKS")
            assert not frameworks.get("frameworks") and len(frameworks["completed_frameworks"]) == 3 + 2 * 2, frameworks


def test_a_load_generator_that_cannot_register():
    """That of Mesos 1.12 cannot: what it says is said in our words."""
    from suite.errors import BenchError  # noqa: what it needs of the environment is there only now
    from suite.master import Master  # noqa
    from suite.neighbour import LoadGenerator  # noqa
    from suite.neighbours import has_load_generator  # noqa

    class On:
        kind = "Apache Mesos 1.12.0"

        def __init__(self, d, address):
            self.tmp, self.cluster, self.progress = d, self, self
            self.master, self.said = Master(address), []

        def say(self, line):
            self.said.append(line)

    with quern.scratch() as d, quern.named_agents(d, ["a"]) as address, Environment(d):
        program = d / "build/src/load-generator-framework"
        program.parent.mkdir(parents=True)
        os.environ.update(MESOS_HOME="", MESOS_BUILD=str(d / "build"))
        for said, words in ("'roles' must not be set when the framework is not MULTI_ROLE capable", "cannot register"), \
                ("Failed to bind", "ended: Failed to bind"):
            program.write_text(f"#!/bin/sh\necho \"{said}\"\nexit 1\n")
            program.chmod(0o755)
            try:
                with LoadGenerator(On(d, address)):
                    raise AssertionError("it is said to work")
            except BenchError as e:
                assert words in str(e), e
            b = On(d, address)  # it is left out, and why is said
            assert not has_load_generator(b) and len(b.said) == 1 and words in b.said[0] and "nothing is measured" in b.said[0], b.said


# The batch framework, on its own

def frameworks(address):
    request = urllib.request.Request(f"http://{address}/api/v1", b'{"type":"GET_FRAMEWORKS"}',
                                     {"Content-Type": "application/json", "Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as page:
        found = json.load(page)["get_frameworks"]
    return [f["framework_info"]["name"] for f in found.get("frameworks", [])], \
        [f["framework_info"]["name"] for f in found.get("completed_frameworks", [])]


class Neighbour:
    def __init__(self, d, address, *options):
        self.process = subprocess.Popen([NEIGHBOUR, address, "--own-executor", *options], env=quern.environment(d),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.id = json.loads(self.process.stdout.readline())["framework"]

    def ask(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        """Its last word."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=quern.TIMEOUT)
        assert self.process.returncode == 0 and not err, (self.process.returncode, err)
        return json.loads(out.splitlines()[-1])


def test_neighbour_takes_all_and_goes_clean():
    with quern.scratch() as d, quern.named_agents(d, [], agents=2, cores=2) as address:
        n = Neighbour(d, address, "--task-ms=50", "--name=greedy")
        most = quern.wait_for("it has all cores", lambda: (a := n.ask())["running"] == 4 and a)
        assert frameworks(address)[0] == ["greedy"]
        more = quern.wait_for("it does work", lambda: (a := n.ask())["finished"] > most["finished"] + 20 and a)
        assert more["work_core_s"] > most["work_core_s"] and more["t_s"] > most["t_s"] and more["lost"] == 0
        assert abs(more["work_core_s"] - more["finished"] * 0.05) <= 4 * 0.05 + 1e-6, more
        last = n.end()
        assert last["finished"] >= more["finished"]
        assert frameworks(address) == ([], ["greedy"])


def test_neighbour_that_computes_and_loses_its_executor():
    with quern.scratch() as d, quern.named_agents(d, [], agents=1, cores=2) as address:
        n = Neighbour(d, address, "--task-ms=600000", "--spin", "--limit=1")
        quern.wait_for("it runs", lambda: n.ask()["work_core_s"] > 0)
        assert n.ask()["running"] == 1
        pid = quern.wait_for("its executor", lambda: next((
            int(p) for p in filter(str.isdigit, os.listdir("/proc")) if is_executor(p, d)), None))
        quern.kill(pid)
        quern.wait_for("its task is lost, and another one runs", lambda: (a := n.ask())["lost"] >= 1 and a["running"] == 1)
        n.end()


def is_executor(pid, d):
    try:
        return b"--as-executor" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() and \
            pathlib.Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(d / "tmp")
    except OSError:
        return False


def test_neighbour_ends_after_so_many():
    with quern.scratch() as d, quern.named_agents(d, [], agents=1, cores=2) as address:
        result = subprocess.run([NEIGHBOUR, address, "--own-executor", "--tasks=30", "--task-ms=0"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=quern.TIMEOUT, check=False)
        assert result.returncode == 0 and not result.stderr, result
        last = json.loads(result.stdout.splitlines()[-1])
        assert last["finished"] == 30 and last["elapsed_s"] > 0 and last["work_core_s"] == 0, last
        # An embedded cluster runs no commands.
        result = subprocess.run([NEIGHBOUR, address, "--tasks=1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=quern.TIMEOUT, check=False)
        assert result.returncode == 1 and result.stderr.count(b"\n") == 1 and b"custom executors only" in result.stderr, result


def test_sim_ideas():
    """Every idea over the same seeds; and it goes on where it was."""
    with quern.scratch() as d:
        result = done(d, "sim", "ideas", "--quick", "--turns=2", "--seed=3", "-o", "results")
        header, runs = results(d)
        assert (header["bench"], header["cluster"]) == ("sim", "simulated"), header
        assert all(run["status"] == 0 and run["seed"] == 2 + run["turn"] and run["mode"].startswith("--") for run in runs), runs
        said = result.stdout.decode()
        assert "change against --lease-idle=100ms, %\n" in said and "95 % confidence interval" in said, said
        assert (d / "results/report.html").stat().st_size > 0
        done(d, "sim", "ideas", "--quick", "--turns=2", "--seed=3", "-o", "results")
        assert results(d)[1] == runs


def test_sim_of_several_frameworks_that_fail():
    """At each allocation interval, with figures of what failed."""
    with quern.scratch() as d:
        done(d, "sim", "ideas", "--quick", "--turns=1", "--frameworks=2", "--failures=0.05", "--allocation-interval=1s,100ms", "-o",
             "results")
        runs = results(d)[1]
        assert {run["allocation_interval_ms"] for run in runs} == {1000, 100}, runs
        assert all(run["status"] == 0 and run["frameworks"] == 2 and run["figures"]["failed"] > 0 for run in runs), runs
        slow, quick = ([run for run in runs if run["allocation_interval_ms"] == ms] for ms in (1000, 100))
        assert len(slow) == len(quick) and sum(run["figures"]["allocation_runs"] for run in quick) > \
            sum(run["figures"]["allocation_runs"] for run in slow), runs


def test_sim_calibration():
    with quern.scratch() as d:
        said = done(d, "sim", "calibration", "--quick", "--turns=1", "--modes=fine", "-o", "results").stdout.decode()
        runs = results(d)[1]
        assert [run["mode"] for run in runs] == ["real", "simulated"] * 3, runs
        # The same work is done in both: what it takes may differ on a busy machine, and is for `quern bench sim` to say.
        for real, simulated in zip(runs[::2], runs[1::2]):
            assert real["figures"]["tasks"] == simulated["figures"]["tasks"], (real, simulated)
        last = said.splitlines()[-2]  # but for where the page is
        assert last.startswith("Calibration: ") and "tenth" in last, said
        assert len(json.loads((d / "results/summary.json").read_text())["calibration"]["rows"]) == 9
        assert "Calibration" in said and "waist 96:100 2:1000 96:100, fine" in said, said


def test_sim_program():
    """The same seed gives the same line but for CPU time; bad input gives one."""
    with quern.scratch() as d:
        def simulate(*args):
            return subprocess.run([BUILD / "bench/quern-bench-sim", *args], cwd=d, capture_output=True, check=False)

        def line(*args):
            run = json.loads(simulate(*args).stdout)
            measured = [run["figures"].pop(name) for name in ("cpu_scheduler_s", "cpu_per_task_us")]
            assert all(cpu > 0 for cpu in measured), measured
            return json.dumps(run)

        args = "--agents=30", "--frameworks=3", "--within=1s", "--failures=0.02", "--mode=fine", "200:10-300", "200~50"
        assert line("--seed=4", *args) == line("--seed=4", *args) != line("--seed=5", *args)
        for bad, *words in ((), "STAGE"), (("0:5",), "'0:5'"), (("--mode=none", "1:1"), "'none'"), (("--agents=0", "1:1"), "--agents"), \
                (("--time=nap=1s", "1:1"), "NAME=TIME"), (("--failures=2", "1:1"), "--failures"), (("--placement=any", "1:1"), "--placement"), \
                (("--revive-burst=-1", "1:1"), "--revive-burst"):
            result = simulate(*bad)
            assert result.returncode == 2 and not result.stdout and words[0] in result.stderr.decode(), result
        result = simulate("--agents=1", "--mode=coarse", "--slots=100", "10:1")
        assert result.returncode == 1 and json.loads(result.stdout)["status"] == 1 and "coarse" in result.stderr.decode(), result


def test_without_python():
    with quern.scratch() as d:
        result = quern.finish(bench(d, "modes", env={"PATH": str(d)}))
        quern.check(d, result, 1)
        quern.one_line(result, "python3", "3.9 or later")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
