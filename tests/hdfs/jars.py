"""Hadoop's programs, for tests: fetched from Maven Central once, into a folder that all builds of this machine share.

install() gives the folder, or raises Missing with the reason: no Java, no Maven, nothing to be fetched."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


class Missing(Exception):
    """Why there is no Hadoop here."""


def java_version():
    for program, package in ("java", "a JRE"), ("javac", "a JDK"), ("mvn", "Maven"):
        if shutil.which(program) is None:
            raise Missing(f"no {program} in PATH ({package} is needed)")
    return subprocess.run(["java", "-version"], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def run(*command):
    r = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace")
    if r.returncode != 0:
        raise Missing(f"{command[0]} failed: {(r.stdout.strip() or 'no output').splitlines()[0]}")


def build(to, sources):
    """lib/: the jars; classes/: what is ours; formatted/: a NameNode's folder that has just been formatted."""
    run("mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime",
        f"-DoutputDirectory={to / 'lib'}")
    classes = to / "classes"
    for webapp in "hdfs", "datanode", "journal":  # a server wants the folder of its pages, which are not in the jars
        (classes / "webapps" / webapp).mkdir(parents=True)
    run("javac", "-cp", to / "lib" / "*", "-d", classes, *sources)
    run("java", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{to}/lib/*",
        "org.apache.hadoop.hdfs.server.namenode.NameNode", f"-Ddfs.namenode.name.dir={to / 'formatted'}",
        "-Dfs.defaultFS=hdfs://127.0.0.1:1", "-format", "-clusterid", "quern-test", "-nonInteractive", "-force")


def install():
    sources = sorted((HERE / "java").glob("*.java"))
    of = hashlib.sha256(java_version())
    for f in HERE / "pom.xml", HERE / "jars.py", *sources:
        of.update(f.read_bytes())
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "quern-hdfs-tests"
    done = cache / of.hexdigest()[:16]
    if done.exists():
        return done
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several builds fetches
        if not done.exists():
            part = cache / "part"
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(part)
            build(part, sources)
            part.rename(done)
    return done
