"""D7: a file read from a real HDFS (tests/hdfs/hadoop.py), beside curl of the same DataNodes."""
import hashlib
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

from measuring.results import note
from measuring.run import ROOT, Run, column, compare, head, show, show_noise, turns

sys.path.insert(0, str(ROOT / "tests" / "hdfs"))

BLOCK = 128 << 20
SIZE = 1 << 30
# As a DataNode is run, not as a test wants it that is soon over.
JVM = ("-Xmx1g", "-Djava.net.preferIPv4Stack=true", "-Dfile.encoding=UTF-8", "--add-opens=java.base/java.lang=ALL-UNNAMED")
WARM = 5  # reads before any is counted: the DataNodes' JVMs compile what they do


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def curl(cluster, path):
    """A command that gets the file from the DataNode that the NameNode says, whose name nobody can resolve."""
    url = f"http://{cluster.namenodes[0]}/webhdfs/v1{path}?op=OPEN"
    try:
        urllib.request.build_opener(NoRedirect).open(url)
        sys.exit(f"{url}: no redirect")
    except urllib.error.HTTPError as e:
        where = e.headers["Location"]
    at = urllib.parse.urlsplit(where)
    number = int(at.hostname[2])
    return ["curl", "-sf", "-o", "/dev/null", "--connect-to", f"{at.netloc}:{cluster.address(number)}:{at.port}", where]


def d7(o, tmp):
    import hadoop  # here, as nothing else needs what it needs
    hadoop.JVM = JVM
    size = 3 << 20 if o.quick else SIZE
    head(o, f"D7: {size >> 20} MiB from HDFS: 3 DataNodes, 3 replicas, blocks of 128 MiB")
    local = tmp / "data"
    with open(local, "wb") as f:
        for _ in range(size >> 20):
            f.write(os.urandom(1 << 20))
    want = hashlib.sha256(local.read_bytes()).hexdigest()
    with hadoop.Hadoop(datanodes=3, replication=3, block_size=BLOCK) as c:
        c.fsshell("-put", local, "/data")
        local.unlink()
        quern = [o.build / "cli" / "quern", "fs", "cat", "--hdfs-host-map", c.host_map, f"{c.url}/data"]

        def drop(command):
            return Run("sh", "-c", 'exec "$@" > /dev/null', "sh", *command)

        with subprocess.Popen([str(word) for word in quern], stdout=subprocess.PIPE) as cat:
            if hashlib.file_digest(cat.stdout, "sha256").hexdigest() != want:
                sys.exit("D7: other bytes")
        for _ in range(0 if o.quick else WARM):
            drop(curl(c, "/data"))
            drop(quern)
        runs = turns(o, quern=lambda: drop(quern), curl=lambda: Run(*curl(c, "/data")))
    for what in "wall", "cpu":
        compare(runs, "curl", "quern", what)
        note(o, f"d7.{what}", column(runs, "quern", what), column(runs, "curl", what))
    show("quern, GB/s", [size / 1e9 / r.wall for r in runs["quern"]], "GB/s")
    show_noise(o)
