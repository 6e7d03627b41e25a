#!/usr/bin/env python3
"""Jobs write into HDFS: what Hadoop's client reads there is the right answer, whole, or there is nothing."""
import contextlib
import gzip
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile

import quern
import seq
from beside import SEED, datanodes_of
from hadoop import Hadoop, need

MODES = quern.MODES
BLOCK = 1 << 18
RANDOM = random.Random(SEED)


def options(cluster, mode="coarse", agents="2x2"):
    return ["run", "--master", f"local[{agents}]", "--mode", mode, "--hdfs-host-map", cluster.host_map]


def write_words(path, lines=20000):
    """Some blocks of text."""
    path.write_text("".join(f"word{RANDOM.randrange(5000)} of{RANDOM.randrange(9)}\n" for _ in range(lines)))


@contextlib.contextmanager
def got(cluster, path):
    """The folder, by Hadoop's client."""
    with tempfile.TemporaryDirectory(prefix="quern-hdfs-got-") as tmp:
        cluster.fsshell("-get", path, tmp + "/out")
        yield pathlib.Path(tmp, "out")


def names(cluster, path):
    """All that is in a folder, and below; None: it is not there."""
    if cluster.fsshell("-test", "-e", path, check=False).status != 0:
        return None
    return sorted(os.path.relpath(line, path) for line in cluster.fsshell("-ls", "-R", "-C", path).out.split("\n") if line)


def check_words(cluster, path, text):
    with got(cluster, path) as out:
        quern.same(quern.output(out), quern.word_counts(text))


class Gated:
    """A job whose tasks wait, each after so many lines; what they write is the lines of `text`, or its words,
    counted."""

    def __init__(self, cluster, d, out, text, *more, mode="coarse", count=False, name="gate", lines=0):
        self.d, self.gate = d, quern.Gate(d / name)
        self.process = quern.start(d, *options(cluster, mode), *more, quern.JOBS / "gate.c", text, cluster.url + out,
                                   self.gate.folder, *([] if count else [lines]))

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.gate.close()

    def at_gate(self, n=1):
        return self.gate.at(self.process, n)

    def end(self, status=0):
        self.gate.open()
        result = quern.finish(self.process)
        quern.check(self.d, result, status)
        return result


# ---- What is written ----

def test_words_are_counted():
    with quern.scratch() as d:
        write_words(d / "text")
        for mode in MODES:
            out = f"/deep/in a/{mode} ä%"
            quern.check(d, quern.run(d, *options(C, mode), quern.EXAMPLES / "wordcount.c", d / "text", C.url + out + "//"))
            check_words(C, out, d / "text")


def parts(folder, suffix):
    found = sorted(p.name for p in folder.iterdir())
    assert found == ["_SUCCESS"] + [f"part-{i:05}{suffix}" for i in range(len(found) - 1)], found
    return [(folder / name).read_bytes() for name in found[1:]]


def zstd(data):
    return subprocess.run(["zstd", "-q", "-d", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def test_every_kind_of_file():
    plain = lambda data: data
    with quern.scratch() as d:
        # Larger than blocks, and nothing that is made small.
        lines = [RANDOM.randbytes(60).hex() for _ in range(12000)]
        (d / "in").write_text("".join(line + "\n" for line in lines))
        data = (d / "in").read_bytes()
        for codec, suffix, unpack in ("plain", "", plain), ("gzip", ".gz", gzip.decompress), ("zstd", ".zst", zstd):
            out = f"/kinds/{codec}"
            quern.check(d, quern.run(d, *options(C), quern.JOBS / "compress.c", d / "in", C.url + out, codec))
            with got(C, out) as folder:
                assert b"".join(map(unpack, parts(folder, suffix))) == data, codec
        joined = b"".join(line.encode() for line in lines)
        for sink, suffix, unpack in ("raw", "", plain), ("raw.gz", ".gz", gzip.decompress), ("raw.zst", ".zst", zstd):
            out = f"/kinds/{sink}"
            quern.check(d, quern.run(d, *options(C, "fine"), quern.JOBS / "files.c", f"text:{d / 'in'}", "-", sink, C.url + out))
            with got(C, out) as folder:
                assert b"".join(map(unpack, parts(folder, suffix))) == joined, sink
        for sink in "seq", "seq.zst":
            out = f"/kinds/{sink}"
            quern.check(d, quern.run(d, *options(C), quern.JOBS / "files.c", f"text:{d / 'in'}", "keyed=7", sink, C.url + out))
            with got(C, out) as folder:
                records = [r for part in parts(folder, ".seq") for r in seq.File(part).records]
                assert records == [(line[:7].encode(), line[7:].encode()) for line in lines], sink


def test_what_one_job_writes_another_reads():
    """By way of a checkpoint, which a job writes and reads itself."""
    with quern.scratch() as d:
        lines = [f"{i:06} {RANDOM.randbytes(30).hex()}" for i in range(10000)]
        (d / "in").write_text("".join(line + "\n" for line in lines))
        for mode in MODES:
            top = C.url + f"/again-{mode}"
            for source, steps, sink, out in ((f"text:{d / 'in'}", f"checkpoint={top}/checkpoint", "seq.zst", "/seq"),
                                             (f"seq:{top}/seq", "-", "text", "/text")):
                quern.check(d, quern.run(d, *options(C, mode), quern.JOBS / "files.c", source, steps, sink, top + out))
            with got(C, f"/again-{mode}/text") as out:
                assert quern.output(out) == [line.encode() for line in lines]
            assert "_SUCCESS" in names(C, f"/again-{mode}/checkpoint")


def test_no_records_make_a_folder_all_the_same():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"")
        quern.check(d, quern.run(d, *options(C), quern.EXAMPLES / "wordcount.c", d / "in", C.url + "/none"))
        with got(C, "/none") as out:
            assert quern.output(out) == []


def test_httpfs():
    url = C.httpfs()
    with quern.scratch() as d:
        write_words(d / "text", 2000)
        result = quern.run(d, *options(C), quern.EXAMPLES / "wordcount.c", d / "text", url + "/through")
        quern.check(d, result)
        assert b"HttpFS" in result.stderr
        check_words(C, "/through", d / "text")


# ---- Who writes it ----

def test_what_is_there_stays():
    C.fsshell("-mkdir", "-p", "/there/folder")
    C.fsshell("-touchz", "/there/file")
    before = names(C, "/there")
    with quern.scratch() as d:
        (d / "in").write_text("a b\n")
        for path, word in ("/there/folder", "exists already"), ("/there/file", "exists already"), ("/", "exists already"), \
                ("/there/file/below", "/there/file"):
            result = quern.run(d, *options(C), quern.EXAMPLES / "wordcount.c", d / "in", C.url + path)
            quern.check(d, result, 1)
            quern.one_line(result, path, word)
    assert names(C, "/there") == before


def test_explaining_makes_nothing():
    with quern.scratch() as d:
        (d / "in").write_text("a b\n")
        explain = [*options(C), "--explain", quern.EXAMPLES / "wordcount.c", d / "in"]
        result = quern.run(d, *explain, C.url + "/explained")
        quern.check(d, result)
        assert b"1 split" in result.stdout and not result.stderr, result
        assert names(C, "/explained") is None
        result = quern.run(d, *explain, C.url + "/")
        quern.check(d, result, 1)
        quern.one_line(result, "exists already")


def test_of_two_drivers_one_has_the_folder():
    """Started at once, they come to it as they may. The one that has it waits until the other has said so."""
    with quern.scratch() as d:
        for n in range(4):
            texts = [d / f"text{n}{i}" for i in range(2)]
            for text in texts:
                write_words(text, 3000)
            out = f"/shared/{n}/out"
            with contextlib.ExitStack() as stack:
                jobs = [stack.enter_context(Gated(C, d, out, text, mode=MODES[n % 2], count=True, name=f"gate{n}{i}"))
                        for i, text in enumerate(texts)]
                quern.wait_for("one of them to end", lambda: any(j.process.poll() is not None for j in jobs))
                loser = next(j for j in jobs if j.process.poll() is not None)
                winner = jobs[1 - jobs.index(loser)]
                result = quern.finish(loser.process)
                assert result.returncode == 1, result
                quern.one_line(result, C.url + out, "another job")
                winner.at_gate()
                winner.end()
            check_words(C, out, texts[jobs.index(winner)])


# ---- What goes wrong ----

def test_a_killed_worker_leaves_nothing():
    """In the middle of its file."""
    for mode in MODES:
        with quern.scratch() as d:
            write_words(d / "text")
            with Gated(C, d, f"/killed/{mode}", d / "text", mode=mode) as j:
                quern.kill(j.at_gate()[0])
                j.end()
            with got(C, f"/killed/{mode}") as out:
                assert b"".join(parts(out, "")) == (d / "text").read_bytes()


def test_a_job_that_fails_leaves_nothing():
    """Its parents go as well, but not what others have put there."""
    C.fsshell("-mkdir", "-p", "/failing/old")
    with quern.scratch() as d:
        write_words(d / "text", 100)
        result = quern.run(d, *options(C), quern.JOBS / "files.c", f"text:{d / 'text'}", "keyed=1000", "text",
                           C.url + "/failing/new/er/out")
        quern.check(d, result, 1)
        quern.one_line(result, "a record of")
    assert names(C, "/failing") == ["old"]


def test_an_interrupted_job_leaves_nothing():
    C.fsshell("-mkdir", "/interrupted")
    for mode in MODES:
        with quern.scratch() as d:
            write_words(d / "text")
            with Gated(C, d, "/interrupted/deep/out", d / "text", mode=mode) as j:
                j.at_gate()
                quern.wait_for("a part", lambda: any("part-" in name for name in names(C, "/interrupted/deep/out/_temporary")))
                j.process.send_signal(signal.SIGINT)
                quern.check(d, quern.finish(j.process), 130)
                assert names(C, "/interrupted") == []
            assert names(C, "/interrupted") == []


def test_a_killed_driver_shows_nothing():
    """What it leaves is in the way of the next one, which says what to do."""
    with quern.scratch() as d:
        write_words(d / "text")
        command = [quern.EXAMPLES / "wordcount.c", d / "text", C.url + "/orphan"]
        with Gated(C, d, "/orphan", d / "text") as j:
            j.at_gate()
            j.process.kill()
            j.process.communicate()
            quern.wait_for("everything of the job is gone", lambda: not quern.leftovers(d))
        assert all(name.startswith("_temporary") for name in names(C, "/orphan"))
        result = quern.run(d, *options(C), *command)
        quern.check(d, result, 1)
        quern.one_line(result, C.url + "/orphan", "remove it (quern fs rm -r)")
        remove = quern.run(d, "fs", "rm", "-r", C.url + "/orphan")
        assert remove.returncode == 0, remove
        quern.check(d, quern.run(d, *options(C), *command))
        check_words(C, "/orphan", d / "text")


def test_a_folder_that_is_removed_stays_so():
    """Tasks that have to do with it later, or anew, do not bring it back."""
    with quern.scratch() as d:
        write_words(d / "text")
        for mode in MODES:
            with Gated(C, d, "/removed/out", d / "text", mode=mode, name=f"gate-{mode}") as j:
                j.at_gate()
                C.fsshell("-rm", "-r", "-skipTrash", "/removed")
                result = j.end(1)
            quern.one_line(result, "/removed/out/_temporary", "no such file or folder")
            assert names(C, "/removed") is None


def refused(out, *words, more=(), lines=20000):
    """One line says why, and there is nothing."""
    with quern.scratch() as d:
        write_words(d / "text", lines)
        result = quern.run(d, *options(C), *more, quern.EXAMPLES / "wordcount.c", d / "text", C.url + out)
        quern.check(d, result, 1)
        quern.one_line(result, *words)
    assert names(C, out) is None


def test_quotas():
    C.fsshell("-mkdir", "-p", "/quota/names", "/quota/space")
    C.set_quota("/quota/names", names=3)
    refused("/quota/names/deep/out", "/quota/names", "quota")
    assert names(C, "/quota/names") == []
    C.set_quota("/quota/space", space=BLOCK)
    refused("/quota/space/out", "/quota/space", "quota")
    assert names(C, "/quota/space") == []


def test_permissions():
    C.fsshell("-mkdir", "-p", "/mine")
    refused("/mine/deep/out", "/mine", "ermission denied", more=["--hdfs-user", "mallory"])
    assert names(C, "/mine") == []


def test_safe_mode():
    C.safe_mode("enter")
    try:
        refused("/safe/out", "safe mode", more=["--hdfs-patience", "1s"])
    finally:
        C.safe_mode("leave")


def test_a_namenode_that_hangs_is_waited_for_until_the_second_interrupt():
    with quern.scratch() as d:
        write_words(d / "text")
        with Gated(C, d, "/hangs", d / "text") as j:
            j.at_gate()
            C.stop_namenode(1)
            try:
                j.process.send_signal(signal.SIGINT)
                line = j.process.stderr.readline().decode()  # it has said that it waits
                assert "interrupt once more" in line, line
                assert j.process.poll() is None
                j.process.send_signal(signal.SIGINT)
                result = quern.finish(j.process)
            finally:
                C.cont_namenode(1)
            quern.check(d, result, 130)
            quern.one_line(result, C.url + "/hangs", "remove")
    assert not any(re.match("part-|_SUCCESS", name) for name in names(C, "/hangs"))


def test_another_namenode_takes_over():
    """In the middle of a job: nothing of it is lost, nor is the job."""
    with Hadoop(datanodes=1, replication=1, block_size=BLOCK, ha=True) as pair, quern.scratch() as d:
        pair.transition_to_active(1)
        pair.wait_ready()
        write_words(d / "text")
        for mode, active in zip(MODES, (1, 2)):
            with Gated(pair, d, f"/{mode}", d / "text", mode=mode, count=True, name=f"gate-{mode}") as j:
                j.at_gate()
                pair.kill_namenode(active)
                j.gate.open()
                pair.transition_to_active(3 - active)
                quern.check(d, quern.finish(j.process))
            check_words(pair, f"/{mode}", d / "text")
            pair.start_namenode(active)
            pair.wait_ready()


def write_large(path):
    """Lines of 60 bytes, for two tasks with more each than what is on its way to a DataNode at a time."""
    path.write_text("".join(RANDOM.randbytes(30).hex()[:59] + "\n" for _ in range(2 * 250000)))


AFTER = 150000  # lines of a task: 9 MB of 15


def check_lines(cluster, path, text):
    with got(cluster, path) as out:
        assert b"".join(parts(out, "")) == text.read_bytes()
    assert not any("_temporary" in name for name in names(cluster, path))


def fault_cluster():
    """DataNodes leave another one that is gone, or a NameNode, after seconds."""
    return Hadoop(datanodes=3, replication=2, block_size=1 << 22, ha=True, conf={
        "dfs.client.socket-timeout": 2000, "dfs.datanode.socket.write.timeout": 2000,
        "dfs.client.block.write.replace-datanode-on-failure.best-effort": "true"})


def test_a_namenode_or_a_datanode_ends_in_the_middle_of_files():
    """The NameNode that knows of them; the DataNode that a task has a connection with; one that has only replicas."""
    with fault_cluster() as c, quern.scratch() as d:
        write_large(d / "text")
        for fault, mode in ("namenode", "coarse"), ("head", "fine"), ("replica", "coarse"):
            out = f"/{fault}"
            with Gated(c, d, out, d / "text", "--master", "local[1x2]", mode=mode, name=f"gate-{fault}", lines=AFTER) as j:
                pids = j.at_gate(2)
                heads = {i for pid in pids for i in datanodes_of(c, pid)}
                assert heads, "nobody writes"
                if fault == "namenode":
                    c.kill_namenode(1)
                    j.gate.open()
                    c.transition_to_active(2)
                else:
                    rest = set(c.datanodes) - heads
                    killed = min(heads if fault == "head" or not rest else rest)
                    c.kill_datanode(killed)
                    j.gate.open()
                quern.check(d, quern.finish(j.process))
            check_lines(c, out, d / "text")
            if fault == "namenode":
                c.start_namenode(1)
            else:
                c.start_datanode(killed)
            c.wait_ready()


if __name__ == "__main__":
    need()
    print(f"# seed {SEED}", flush=True)
    with Hadoop(datanodes=2, replication=1, block_size=BLOCK) as C:
        quern.main(sys.modules[__name__])
