"""Spark's side: bench/peers on Spark's local modes, one JVM that is warm, or one for a single run."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from measuring.run import ROOT, Run
from suite.cluster import EXECUTOR
from suite.timed import Timed

PR_SET_PDEATHSIG = 1
WARM = 3  # runs that do not count: until then the JVM compiles
HEAP = "8g"
SETTINGS = {
    "spark.driver.extraJavaOptions": f"-XX:+UseG1GC -Xms{HEAP}",
    "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
    "spark.ui.enabled": "false",
    "spark.log.level": "WARN",
    "spark.network.timeout": "1h",  # it is stopped between its turns
}


def need(o):
    if o.spark is None:
        sys.exit("Spark is needed: --spark HOME, or bench/peers/spark, which gets it")


def version(o):
    core = next(iter(o.spark.glob("jars/spark-core_*.jar")), None)
    if core is None:
        sys.exit(f"{o.spark}: no Spark there: jars/spark-core_*.jar is missing")
    return core.stem.rpartition("-")[2]


def jar(o, tmp):
    """bench/peers compiled."""
    made = tmp / "spark.jar"
    if not made.exists():
        subprocess.run(["javac", "-cp", o.spark / "jars/*", "-d", tmp / "classes",
                        *sorted((ROOT / "bench/peers").glob("*.java"))], check=True)
        subprocess.run(["jar", "cf", made, "-C", tmp / "classes", "."], check=True)
    return made


def command(o, tmp, master=None, more=None):
    """A session's command, and its environment. `more`: settings."""
    settings = dict(SETTINGS, **{"spark.default.parallelism": 2 * o.slots, "spark.sql.shuffle.partitions": 2 * o.slots,
                                 "spark.local.dir": tmp}, **(more or {}))
    conf = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    argv = [o.spark / "bin/spark-submit", "--master", master or f"local[{o.slots}]", "--driver-memory", HEAP, *conf,
            "--class", "Session", jar(o, tmp)]
    return [str(a) for a in argv], dict(os.environ, SPARK_HOME=str(o.spark))


def end_with_us():
    """In a child: it does not outlive us, which it would as a stopped process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Session:
    """A JVM that waits for programs of bench/peers. It is stopped while it has none: what it would do meanwhile is not
    the others' CPU time; unless it has a cluster's master to answer, and others' executors. For `with`."""

    def __init__(self, o, tmp, master=None, more=None, stops=True):
        argv, env = command(o, tmp, master, more)
        self.out, self.stops = tmp / "spark-out", stops
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=env,
                                        text=True, start_new_session=True, preexec_fn=end_with_us)
        self.answer()

    def signal(self, what):
        """To it and to the executors that it has started."""
        os.killpg(self.process.pid, what)

    def answer(self):
        """What it prints until it is done; it is stopped then."""
        lines = []
        for line in self.process.stdout:
            if line == ".\n":
                if self.stops:
                    self.signal(signal.SIGSTOP)
                return "".join(lines)
            lines.append(line)
        self.log.seek(0)
        sys.exit(f"Spark has ended: status {self.process.wait()}\n{self.log.read().decode(errors='replace')}")

    def run(self, program, *args):
        """As Run's, of a program in this JVM."""
        shutil.rmtree(self.out, ignore_errors=True)
        with Timed() as run:
            self.signal(signal.SIGCONT)
            self.process.stdin.write("\t".join([program, *map(str, args)]) + "\n")
            self.process.stdin.flush()
            run.out = self.answer()
        return run

    def warm(self, o, program, *args):
        for _ in range(1 if o.quick else WARM):
            self.run(program, *args)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if self.process.poll() is None:
            self.signal(signal.SIGKILL if failed else signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def cold(o, tmp, program, *args):
    """A program in a JVM of its own, whose start counts."""
    argv, env = command(o, tmp)
    shutil.rmtree(tmp / "spark-out", ignore_errors=True)
    return Run(*argv, program, *args, env=env)


def on_mesos(o, tmp, address, mode, agents, cores):
    """A session on a Mesos cluster in one of Spark's modes: an executor on each agent, with so many tasks at a time. Spark
    deprecated its fine mode in 2.0 and left Mesos with 4.0: until then both are there. It needs a libmesos with Java's part:
    MESOS_NATIVE_JAVA_LIBRARY, or what is installed."""
    if not next(iter(o.spark.glob("jars/spark-mesos_*.jar")), None):
        sys.exit(f"{o.spark}: Spark {version(o)} knows nothing of Mesos: 3.5 is the last that does")
    library = os.environ.setdefault("MESOS_NATIVE_JAVA_LIBRARY", str(o.mesos / "lib/libmesos.so"))
    os.environ.update(LIBPROCESS_IP="127.0.0.1", SPARK_LOCAL_IP="127.0.0.1")
    return Session(o, tmp, f"mesos://{address}", {
        "spark.mesos.coarse": "true" if mode == "coarse" else "false", "spark.cores.max": agents * cores,
        "spark.executor.cores": cores,
        "spark.executorEnv.MESOS_NATIVE_JAVA_LIBRARY": library, "spark.executor.memory": "1g", "spark.mesos.executor.home": o.spark,
        "spark.mesos.mesosExecutor.cores": EXECUTOR,  # as little as quern's; a whole core if nothing is said
        "spark.scheduler.minRegisteredResourcesRatio": 1.0}, stops=False)
