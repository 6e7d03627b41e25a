"""What the end-to-end tests share: running quern, independent answers, and looking for what was left behind.

A test is a function test_*() of a module; main() runs them all, or those named on the command line. QUERN is
the program, QUERN_JOBS the folder of the jobs that only tests need, QUERN_EXAMPLES that of the examples.

With QUERN_CLUSTER=mesos whatever would run on an embedded cluster runs on a real Mesos instead (on_mesos.py, MESOS_HOME), but
for tests that are about the embedded cluster itself and say so (@embedded)."""
import contextlib
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

QUERN = os.environ["QUERN"]
EXAMPLES = pathlib.Path(os.environ["QUERN_EXAMPLES"])
JOBS = pathlib.Path(os.environ["QUERN_JOBS"])
MODES = ["coarse", "fine", "adaptive"]
TIMEOUT = float(os.environ.get("QUERN_TEST_TIMEOUT", "120"))  # seconds for one job, however slow the machine
SANITIZED = bool(os.environ.get("QUERN_SANITIZED"))  # programs are larger then, and need more memory
WRAPPER = os.environ.get("QUERN_WRAPPER", "").split()  # "valgrind ..." in front of the driver
ON_MESOS = os.environ.get("QUERN_CLUSTER") == "mesos"
SKIPPED = 77  # to meson


def need_mesos():
    """Ends a module that needs a real Mesos where there is none."""
    if not os.environ.get("MESOS_HOME"):
        print("MESOS_HOME is not set: no Mesos to test against")
        sys.exit(SKIPPED)


if ON_MESOS:
    need_mesos()  # before anything is started for it


@contextlib.contextmanager
def scratch():
    """A folder for one test. Its `tmp` is the $TMPDIR of every quern in it."""
    with tempfile.TemporaryDirectory(prefix="quern-e2e-") as d:
        d = pathlib.Path(d)
        (d / "tmp").mkdir()
        yield d


def environment(d):
    env = dict(os.environ, TMPDIR=str(d / "tmp"), LC_ALL="C")
    env.setdefault("XDG_CACHE_HOME", str(d / "cache"))
    return env


def clusters():
    """on_mesos.py, which needs this module."""
    import on_mesos
    return on_mesos


class Skipped(Exception):
    """Raised by a test that cannot run here; says why."""


def embedded(why):
    """Marks a test that is about the embedded cluster itself; `why` says what of it is."""
    def mark(test):
        def skip():
            raise Skipped(f"of the embedded cluster: {why}")
        return skip if ON_MESOS else test
    return mark


STARTED = []  # processes of the test that runs


def of_test(process):
    """A process that does not outlive its test, which may fail before its end."""
    STARTED.append(process)
    return process


def start(d, *args, **more):
    args, cluster = [*map(str, args)], None
    if ON_MESOS:
        args, cluster = clusters().placed(args)
    process = of_test(subprocess.Popen([*WRAPPER, QUERN, *args], env=environment(d), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=d, **more))
    if cluster:
        cluster.jobs.append(process)
    return process


@contextlib.contextmanager
def named_agents(d, names, agents=0, cores=1, resources=None):
    """HOST:PORT of the master of a cluster whose agents have these host names, each with room for tasks of so many cores in
    every mode. There are as many as names, or `agents`; those without a name are called 127.0.0.1. `resources`: what
    each has instead, in Mesos' own notation."""
    agents = max(agents, len(names))
    if ON_MESOS:
        from mesos import Mesos  # which needs this module
        m = Mesos(pathlib.Path(tempfile.mkdtemp(prefix="mesos-", dir=d)), cores=cores,
                  agents=[{"hostname": n, "resources": resources} for n in [*names, *["127.0.0.1"] * (agents - len(names))]])
        try:
            yield m.address
        finally:
            m.stop()
        return
    ready, said = os.pipe()
    process = subprocess.Popen([QUERN, "local", "--port=0", f"--ready-fd={said}", f"--agents={agents}", f"--cores={cores + 0.1:g}",
                                *([f"--hostname={','.join(names)}"] if names else []),
                                *([f"--resources={resources}"] if resources else [])], env=environment(d), pass_fds=[said],
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    os.close(said)
    try:
        with os.fdopen(ready) as line:
            yield line.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        err = process.communicate(timeout=TIMEOUT)[1]
    assert (process.returncode, err) == (0, b""), err


def finish(process):
    """Its result, once it has ended."""
    out, err = process.communicate(timeout=TIMEOUT)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(d, *args, **more):
    return finish(start(d, *args, **more))


def check(d, result, status=0):
    """The exit status is right and nothing is left."""
    assert result.returncode == status, f"status {result.returncode}, not {status}: {result.args}\n" \
        f"{result.stdout.decode(errors='replace')}\n{result.stderr.decode(errors='replace')}"
    if ON_MESOS:  # takes an executor down when the framework is gone, which is a moment later
        with contextlib.suppress(AssertionError):
            wait_for("nothing is left", lambda: not leftovers(d), 30)
    assert not leftovers(d), f"left behind: {leftovers(d)}"


def leftovers(d):
    """Processes at work below the test's temporary folder, and files in it; on a real Mesos frameworks and executors. Sandboxes
    stay there: an agent collects them after a week."""
    tmp = str(d / "tmp")
    # os.walk() takes it well when somebody removes what it looks at.
    found = [os.path.relpath(os.path.join(folder, name), tmp)
             for folder, folders, files in os.walk(tmp) for name in folders + files]
    found += [f"process {pid}: {command}" for pid, command in working_in(tmp)]
    return found + (clusters().leftovers() if ON_MESOS else [])


def working_in(folder):
    """(pid, command line) of processes whose working directory is the folder, or below it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if pathlib.Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder):
                command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                found.append((int(pid), command.decode(errors="replace")))
    return found


def all_sandboxes(d):
    """A folder in which all sandboxes of a test's jobs are, those that are still to come as well."""
    return clusters().FOLDER.name if ON_MESOS else d / "tmp"


def sandboxes(d):
    """Folders in which the sandboxes of a test's jobs are."""
    return clusters().sandboxes() if ON_MESOS else [d / "tmp"]


def wait_for(what, condition, seconds=TIMEOUT):
    """Waits for something that another process does. Fails after a long while."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: did not happen in {seconds} s"
        time.sleep(0.02)
    return value


def word_counts(*files):
    """The right answer, by other tools: sorted lines of word, TAB, count."""
    with tempfile.TemporaryDirectory(prefix="quern-sort-") as tmp:
        counted = subprocess.run(
            ["sh", "-c", "find \"$@\" -type f -exec sh -c 'for f; do cat \"$f\"; echo; done' sh {} + | "
             "tr -s '[:space:]' '\\n' | sort | uniq -c", "sh", *map(str, files)],
            env=dict(os.environ, LC_ALL="C", TMPDIR=tmp), stdout=subprocess.PIPE, check=True).stdout
    lines = []
    for line in counted.splitlines(keepends=False) if b"\r" not in counted else counted.split(b"\n"):
        count, _, word = line.strip(b" ").partition(b" ")
        if word:
            lines.append(word + b"\t" + count)
    return sorted(lines)


def output(folder):
    """The lines of a finished output folder, sorted."""
    folder = pathlib.Path(folder)
    names = sorted(p.name for p in folder.iterdir())
    assert "_SUCCESS" in names, names
    assert all(n == "_SUCCESS" or n.startswith("part-") for n in names), names
    lines = []
    for part in folder.glob("part-*"):
        data = part.read_bytes()
        assert not data or data.endswith(b"\n"), f"{part} ends within a line"
        lines += data.split(b"\n")[:-1]
    return sorted(lines)


def parts(folder):
    """The bytes of its parts, one behind the other."""
    return b"".join(p.read_bytes() for p in sorted(pathlib.Path(folder).glob("part-*")))


def same(got, wanted):
    """Two long lists of lines are equal; says where they are not."""
    if got == wanted:
        return
    for g, w in zip(got, wanted):
        assert g == w, f"{g[:200]!r} instead of {w[:200]!r}"
    raise AssertionError(f"{len(got)} lines instead of {len(wanted)}")


def one_line(result, *words):
    """stderr is one line of ours that contains every one of `words`."""
    text = result.stderr.decode(errors="replace")
    lines = text.strip("\n").split("\n")
    assert len(lines) == 1 and lines[0].startswith("quern"), f"not one clear line:\n{text}"
    for word in words:
        assert word in lines[0], f"no '{word}' in: {lines[0]}"


class Gate:
    """The folder of jobs/gate.c: two FIFOs. `at` is held open here for reading and writing, so that no task has to
    wait to say where it is; `open` gets a writer when the tasks may go on."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for name in "at", "open":
            os.mkfifo(folder / name)
        self.waiting = os.open(folder / "at", os.O_RDWR)
        self.opened = None
        self.heard = b""

    def at(self, process, n=1):
        """The pids of workers that came to the gate, once there are n. `process` is the job's."""
        end = time.monotonic() + TIMEOUT
        ended = os.pidfd_open(process.pid)
        try:
            while self.heard.count(b"\n") < n:
                ready = select.select([self.waiting, ended], [], [], max(end - time.monotonic(), 0))[0]
                assert ready, f"{n} tasks at the gate: did not happen in {TIMEOUT} s"
                assert ended not in ready, finish(process)
                self.heard += os.read(self.waiting, 4096)
        finally:
            os.close(ended)
        return [int(pid) for pid in self.heard.split()]

    def passed(self):
        """How many came to it so far."""
        while select.select([self.waiting], [], [], 0)[0]:
            self.heard += os.read(self.waiting, 4096)
        return self.heard.count(b"\n")

    def open(self):
        if self.opened is None:
            self.opened = os.open(self.folder / "open", os.O_RDWR)

    def close(self):
        """Opens it as well, for good: nobody is left waiting, and who comes later finds files, at which nobody waits."""
        self.open()
        for name in "at", "open":
            (self.folder / f"{name}-ended").touch()
            os.rename(self.folder / f"{name}-ended", self.folder / name)
        os.close(self.opened)
        os.close(self.waiting)


def descendants(pid):
    """Every process below `pid`, as (pid, command line), parents first. Below a job's driver are the processes that its
    cluster runs for it, wherever they are."""
    children = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(p))
    found, todo = [], [pid]
    while todo:
        for child in children.get(todo.pop(0), []):
            with contextlib.suppress(OSError):
                found.append((child, pathlib.Path(f"/proc/{child}/cmdline").read_bytes()))
                todo.append(child)
    return found + (clusters().below(pid) if ON_MESOS else [])


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run_tests(tests, names):
    """In order; how many failed, and how many were skipped."""
    failed = skipped = 0
    for number, name in enumerate(names, 1):
        begun = time.monotonic()
        try:
            tests[name]()
            print(f"ok {number} - {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Skipped as why:
            skipped += 1
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # noqa: whatever it was, the other tests run
            failed += 1
            traceback.print_exc()
            print(f"not ok {number} - {name}", flush=True)
        finally:
            for process in STARTED:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            STARTED.clear()
    return failed, skipped


def main(module):
    """Runs the tests of a module; exit status 1 when one failed, 77 when all were skipped."""
    tests = {k: f for k, f in vars(module).items() if k.startswith("test_")}
    names = sys.argv[1:] or list(tests)
    try:
        failed, skipped = run_tests(tests, names)
    finally:
        if ON_MESOS:
            clusters().stop()
    print(f"1..{len(names)}")
    sys.exit(1 if failed else SKIPPED if skipped == len(names) else 0)
