"""Hadoop's programs, for tests: fetched from Maven Central once, into a folder that all builds of this machine share.

install() gives the folder, or raises Missing with the reason: no Java, no Maven, nothing to be fetched."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
JVM = ("-XX:+IgnoreUnrecognizedVMOptions",  # an old JDK can do without what makes it faster
       "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xss512k", "-Djava.net.preferIPv4Stack=true",
       "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8",
       "--add-opens=java.base/java.lang=ALL-UNNAMED")  # Jersey and JAXB, which WebHDFS is made of, want it


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
    """classes.jar: what is ours; lib/: the jars; formatted/: a NameNode's folder that has just been formatted; hadoop.jsa: the
    classes of all of it as a JVM has them in memory, with which one starts in half the time."""
    run("mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime",
        f"-DoutputDirectory={to / 'lib'}")
    classes = to / "classes"
    for webapp in "hdfs", "datanode", "journal":  # a server wants the folder of its pages, which are not in the jars
        (classes / "webapps" / webapp).mkdir(parents=True)
    run("javac", "-cp", to / "lib" / "*", "-d", classes, *sources)
    run("jar", "--create", "--file", to / "classes.jar", "-C", classes, ".")
    java = ["java", *JVM, "-cp", classpath(to)]
    run(*java, "org.apache.hadoop.hdfs.server.namenode.NameNode", f"-Ddfs.namenode.name.dir={to / 'formatted'}",
        "-Dfs.defaultFS=hdfs://127.0.0.1:1", "-format", "-clusterid", "quern-test", "-nonInteractive", "-force")
    shutil.copytree(to / "formatted", to / "archive" / "name")
    run(*java[:-2], f"-XX:ArchiveClassesAtExit={to / 'hadoop.jsa'}", *java[-2:], "Archive", to / "archive")
    shutil.rmtree(to / "archive")
    shutil.rmtree(classes)


def classpath(home):
    """The same in every JVM: an archive of classes is only good for the jars that it was made from, in their order."""
    return ":".join(map(str, [home / "classes.jar", *sorted((home / "lib").glob("*.jar"))]))


def install():
    sources = sorted((HERE / "java").glob("*.java"))
    of = hashlib.sha256(java_version())
    for f in HERE / "pom.xml", HERE / "jars.py", *sources:
        of.update(f.read_bytes())
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "quern-hdfs-tests"
    home = cache / of.hexdigest()[:16]
    whole = home / "whole"
    if whole.exists():
        return home
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several builds fetches
        if not whole.exists():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(home)
            build(home, sources)  # there, as the archive has its jars' paths in it
            whole.touch()
    return home


if __name__ == "__main__":
    try:
        install()
    except Missing as e:
        sys.exit(f"no Hadoop to test with: {e}")
