#!/usr/bin/env python3
"""`quern fs` is as `hdfs dfs`: the same columns, byte for byte, and the same effects."""
import contextlib
import os
import pathlib
import pty
import resource
import signal
import subprocess
import sys
import tempfile

import quern
from beside import Command, fs, get, literal, put
from hadoop import Hadoop, need

BLOCK = 1 << 18
ODD = ["a b", "50%#", "q?x", "ä日本", "[x]*", "b\\c", "{y,z}"]


@contextlib.contextmanager
def local():
    with tempfile.TemporaryDirectory(prefix="quern-hdfs-files-") as tmp:
        yield pathlib.Path(tmp)


def here(command, *args, **more):
    """With paths of fs.defaultFS, as Hadoop's client has them."""
    return fs(C, command, "--hdfs-conf", C.conf_dir, *args, **more)


def as_hadoop(command, *args, order=True):
    """`order`: False where Hadoop's client leaves it to HDFS."""
    ours, theirs = here(command, *args).decode(), C.fsshell("-" + command, *args).out
    same = ours == theirs if order else sorted(ours.splitlines()) == sorted(theirs.splitlines())
    assert same, f"{command} {args}:\n{ours}\ninstead of\n{theirs}"
    return ours


def listed(path):
    """By Hadoop's client: what is in a folder."""
    return sorted(os.path.basename(line) for line in C.fsshell("-ls", "-C", path).out.split("\n") if line)


def exists(path):
    return C.fsshell("-test", "-e", literal(path), check=False).status == 0


# ---- What there is ----

def make_tree():
    C.fsshell("-mkdir", "-p", "/tree/sub/deep", "/tree/empty", "/tree/sticky")
    here("mkdir", "-p", *(f"/tree/odd/{name}" for name in ODD))
    C.fsshell("-chmod", "1777", "/tree/sticky")
    put(C, "/tree/small", b"x" * 1500)
    put(C, "/tree/large", b"y" * (3 * BLOCK + 17))
    put(C, "/tree/sub/deep/one", b"1")
    for name in ODD:
        put(C, f"/tree/odd/{name}/file {name}", name.encode())
    C.fsshell("-chmod", "640", "/tree/small")
    C.fsshell("-chown", "somebody:a-group-with-a-name", "/tree/sub/deep/one")
    C.fsshell("-setrep", "1", "/tree/large")
    C.fsshell("-touch", "-t", "20010203:040506", "/tree/large")


def test_ls():
    make_tree()
    for args in ((), ("-d",), ("-h",), ("-C",), ("-t",), ("-S",), ("-t", "-r"), ("-S", "-r"), ("-u",)):
        assert "/tree" in as_hadoop("ls", *args, "/tree")
    as_hadoop("ls", "-R", "/tree", order=False)
    as_hadoop("ls", "-R", "-h", "/tree/sub", "/tree/s*")
    as_hadoop("ls", "/tree/small", "/tree/sub", "/tree/empty", "/tree")
    as_hadoop("ls", "/tree/s*", "/tree/{sub,empty}/[a-d]*", "/tree/?mall")
    assert here("ls", "/tree/empty") == b""


def test_what_is_printed_can_be_pasted():
    """Whole URLs, as they were given; and names that are patterns are themselves."""
    out = fs(C, "ls", "-C", C.url + "/tree/odd").decode().splitlines()
    assert sorted(out) == sorted(f"{C.url}/tree/odd/{name}" for name in ODD), out
    files = fs(C, "ls", "-C", *out).decode().splitlines()
    assert sorted(files) == sorted(f"{C.url}/tree/odd/{name}/file {name}" for name in ODD), files
    for path in files:
        assert fs(C, "cat", path).decode() == path.rpartition("/file ")[2], path


def test_numbers_and_facts():
    as_hadoop("du", "/tree")
    as_hadoop("du", "-h", "/tree", "/tree/large")
    as_hadoop("du", "-s", "/tree", "/tree/odd")
    as_hadoop("count", "/tree", "/tree/large")
    as_hadoop("count", "-q", "/tree")
    as_hadoop("count", "-q", "-h", "/tree")
    as_hadoop("checksum", "/tree/small", "/tree/large")
    as_hadoop("stat", "/tree/large", "/tree")
    as_hadoop("stat", "%a %A %b %F %g %n %o %r %u %x %X %y %Y 100%%", "/tree/small", "/tree/sticky")
    assert here("stat", "-c", "%n", "/tree/odd/50%#").decode() == "50%#\n"
    assert here("stat", "/tree/odd/50%#") == here("stat", "-c", "%y", "/tree/odd/50%#")
    C.set_quota("/tree", names=5, space=1 << 30)  # of names there are more by now
    as_hadoop("count", "-q", "/tree")
    C.tool("dfsadmin", "-clrQuota", "/tree")
    C.tool("dfsadmin", "-clrSpaceQuota", "/tree")


def test_test():
    for args in (("-e", "/tree"), ("-e", "/none"), ("-d", "/tree"), ("-d", "/tree/small"), ("-f", "/tree/small"), ("-f", "/tree"),
                 ("-s", "/tree/small"), ("-z", "/tree/small"), ("-f", "/tree/small/under")):
        with Command(C, "fs test", "--hdfs-conf", C.conf_dir, *args) as c:
            r = c.finish()
        assert (r.returncode, r.stdout, r.stderr) == (C.fsshell("-test", *args, check=False).status, b"", b""), (args, r)


def test_locate():
    rows = [line.split(maxsplit=3) for line in here("locate", "/tree/large").decode().splitlines()]
    assert [(int(r[0]), int(r[1]), r[3]) for r in rows] == \
        [(i * BLOCK, BLOCK if i < 3 else 17, "/tree/large") for i in range(4)], rows
    assert all(set(r[2].split(",")) <= {C.host(1), C.host(2)} for r in rows), rows
    assert sorted(here("locate", "/tree/small").split()[2].decode().split(",")) == [C.host(1), C.host(2)]
    assert "folder" in here("locate", "/tree", status=1)


# ---- Bytes ----

LINES = b"".join(b"line %d %s\n" % (i, b"z" * (i % 90)) for i in range(12000))


def test_head_and_tail():
    for name, data in ("lines", LINES), ("cut", LINES[:-5]), ("none", b""), ("newlines", b"\n\n\n"):
        path = f"/text/{name}"
        C.fsshell("-mkdir", "-p", "/text")
        put(C, path, data)
        lines = data.splitlines(keepends=True)
        assert here("cat", path) == data
        for n in 0, 1, 2, 10, 7000, 20000:
            assert here("head", "-n", n, path) == b"".join(lines[:n]), (name, n)
            assert here("tail", "-n", n, path) == b"".join(lines[max(0, len(lines) - n):]), (name, n)
            assert here("head", "-c", n, path) == data[:n], (name, n)
            assert here("tail", "-c", n, path) == data[max(0, len(data) - n):], (name, n)
        assert here("head", path).decode() == C.fsshell("-head", path).out
        assert here("tail", path).decode() == C.fsshell("-tail", path).out
    assert here("cat", "/text/*s") == LINES + b"\n\n\n"


def test_tail_follows():
    put(C, "/grows", b"before\n")
    with local() as d, Command(C, "fs tail", "-f", C.url + "/grows") as c:
        def read_line():
            return c.process.stdout.readline()
        assert read_line() == b"before\n"
        for word in b"one\n", b"two\n":
            (d / "more").write_bytes(word)
            C.fsshell("-appendToFile", d / "more", "/grows")
            assert read_line() == word
        c.process.send_signal(signal.SIGINT)
        r = c.finish()
    assert (r.returncode, r.stdout, r.stderr) == (130, b"", b""), r
    with Command(C, "fs tail", "-f", C.url + "/grows") as c:
        assert c.process.stdout.readline() == b"before\n"
        C.fsshell("-rm", "/grows")
        r = c.finish()
    assert r.returncode == 1
    quern.one_line(r, "/grows")


def test_nobody_reads():
    """Quiet, and ended by SIGPIPE, as other programs are."""
    for command, path in ("cat", "/text/lines"), ("ls -R", "/"):
        reader, writer = os.pipe()
        with Command(C, "fs " + command, C.url + path, stdout=writer) as c:
            os.close(writer)
            os.close(reader)
            r = c.finish()
        assert (r.returncode, r.stderr) == (-signal.SIGPIPE, b""), r


# ---- Copies ----

def test_put():
    with local() as d:
        (d / "a").write_bytes(b"a")
        (d / "b").write_bytes(b"b")
        (d / "c").mkdir()
        (d / "c" / "deep").mkdir()
        (d / "c" / "deep" / "file").write_bytes(b"deep")
        (d / "c" / "back").symlink_to("..", target_is_directory=True)
        os.mkfifo(d / "c" / "pipe")
        here("mkdir", "/put")
        here("put", d / "a", "/put/as")
        assert get(C, "/put/as") == b"a"
        # One fails, the others go on; a folder with something that cannot be copied in it.
        with Command(C, "fs put", "--hdfs-conf", C.conf_dir, d / "a", d / "none", d / "c", d / "b", "/put") as c:
            r = c.finish()
        lines = r.stderr.decode().splitlines()
        assert r.returncode == 1 and len(lines) == 3, r
        for word, line in zip(("none", "pipe", "back/c"), sorted(lines, key=lambda t: ("none" not in t, "pipe" not in t))):
            assert word in line, (word, line)
        assert listed("/put") == ["a", "as", "b", "c"]
        assert get(C, "/put/c/deep/file") == b"deep"
        # What is there stays, unless -f is given.
        (d / "a").write_bytes(b"another")
        assert "-f overwrites" in here("put", d / "a", "/put/as", status=1)
        assert get(C, "/put/as") == b"a"
        here("put", "-f", d / "a", "/put/as")
        assert get(C, "/put/as") == b"another"
        # A file is no folder, and the other way round.
        assert "is no folder" in here("put", d / "a", d / "b", "/put/as", status=1)
        assert "mkdir -p makes it" in here("put", d / "a", "/put/none/x", status=1)
        assert "'/put/as' is no folder" in here("put", d / "a", "/put/as/x", status=1)
        (d / "x:y").write_bytes(b"")
        assert "':'" in here("put", d / "x:y", "/put", status=1)
        assert "is no folder" in here("put", d / "a", "/put/new/", status=1)
        C.fsshell("-mkdir", "/put/d", "/put/d/a")
        assert "is a folder" in here("put", "-f", d / "a", "/put/d", status=1)
        assert not exists("/put/none") and listed("/put") == ["a", "as", "b", "c", "d"]
        # Standard input; a folder under another name; "." has a name.
        here("put", "-", "/put/stdin", data=LINES)
        assert get(C, "/put/stdin") == LINES
        assert "needs a name" in here("put", "-", "/put", data=b"", status=1)
        os.unlink(d / "c" / "back"), os.unlink(d / "c" / "pipe")
        here("put", d / "c", "/put/renamed")
        assert get(C, "/put/renamed/deep/file") == b"deep"
        here("put", f"{d}/c/deep/.", "/put")
        assert get(C, "/put/deep/file") == b"deep"


def test_put_of_many_files():
    """Several at a time. Those that have one name, or whose name another one has until it is whole, do not meet."""
    with local() as d:
        (d / "many").mkdir()
        for i in range(60):
            (d / "many" / f"{i}").write_bytes(os.urandom(i * 100))
        (d / "many" / "7._COPYING_").write_bytes(b"a name like any other")
        here("put", d / "many", "/many")
        C.fsshell("-get", "/many", d / "back")
        assert subprocess.run(["diff", "-r", d / "many", d / "back"], check=False).returncode == 0
        for i in range(3):
            (d / f"{i}").mkdir()
            (d / f"{i}" / "same").write_bytes(b"%d" % i)
        C.fsshell("-mkdir", "/same")
        here("put", "-f", *(d / f"{i}" / "same" for i in range(3)), "/same")
        assert get(C, "/same/same") == b"2" and listed("/same") == ["same"]
        (d / "7").write_bytes(b"7")
        assert "-f overwrites" in here("put", d / "0" / "same", d / "7", "/same", status=1)
        assert listed("/same") == ["7", "same"]


def test_put_of_many_files_is_interrupted():
    """Those that are there are whole."""
    with local() as d:
        (d / "many").mkdir()
        for i in range(500):
            (d / "many" / f"{i:03}").write_bytes(b"%d" % i * 500)
        with Command(C, "fs put", d / "many", C.url + "/broken-off") as c:
            C.wait_for("the first file", lambda: exists("/broken-off/000"))
            c.process.send_signal(signal.SIGINT)
            r = c.finish()
        assert (r.returncode, r.stderr) == (130, b""), r
        names = listed("/broken-off")
        assert 0 < len(names) < 500, names
        for name in names:
            assert get(C, f"/broken-off/{name}") == (d / "many" / name).read_bytes(), name


def test_put_is_whole_or_not_there():
    with Command(C, "fs put", "-", C.url + "/put/half", stdin=subprocess.PIPE) as c:
        c.process.stdin.write(b"x" * (1 << 20))
        c.process.stdin.flush()
        C.wait_for("the beginning of the file", lambda: exists("/put/half._COPYING_"))
        c.process.send_signal(signal.SIGINT)
        c.process.wait(quern.TIMEOUT)  # its standard input is open still
        r = c.finish()
    assert (r.returncode, r.stderr) == (130, b""), r
    assert not exists("/put/half") and not exists("/put/half._COPYING_")
    C.fsshell("-mkdir", "/quota")
    C.set_quota("/quota", space=2 * BLOCK)
    line = here("put", "-", "/quota/x", data=b"x" * (4 * BLOCK), status=1)
    assert "quota" in line and listed("/quota") == [], line


def test_attributes_are_kept():
    with local() as d:
        (d / "c").mkdir(mode=0o750)
        (d / "c" / "f").write_bytes(b"f")
        os.chmod(d / "c" / "f", 0o604)
        os.utime(d / "c" / "f", (1000000000, 1000000001.5))
        os.utime(d / "c", (1000000002, 1000000003))
        here("put", "-p", d / "c", "/kept")
        assert C.fsshell("-stat", "%a %Y", "/kept", "/kept/f").out == "750 1000000003000\n604 1000000001500\n"
        here("get", "-p", "/kept", d / "back")
        for name in "", "f":
            a, b = os.stat(d / "c" / name), os.stat(d / "back" / name)
            assert (a.st_mode, a.st_mtime_ns) == (b.st_mode, b.st_mtime_ns), (name, a, b)


def test_get():
    with local() as d:
        here("get", "/tree", d / "whole")
        C.fsshell("-get", "/tree", d / "theirs")
        assert subprocess.run(["diff", "-r", d / "whole", d / "theirs"], check=False).returncode == 0
        here("get", "/tree/small", d)
        assert oct(os.stat(d / "small").st_mode & 0o777) == oct(0o666 & ~umask())
        (d / "small").write_bytes(b"mine")
        assert "-f overwrites" in here("get", "/tree/small", d, status=1)
        assert (d / "small").read_bytes() == b"mine"
        here("get", "-f", "/tree/small", d)
        assert (d / "small").read_bytes() == b"x" * 1500
        assert "no such" in here("get", "/tree/none", d, status=1)
        assert "is no folder" in here("get", "/tree/s*", d / "small", status=1)
        assert "is a folder" in here("get", "/tree", "-", status=1)
        assert here("get", "/tree/small", "/tree/sub/deep/one", "-") == b"x" * 1500 + b"1"
        here("get", "/tree/small", "/dev/null")
        assert not os.path.isfile("/dev/null")
        # A disk that is full, in the middle.
        os.mkdir(d / "full")

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        line = here("get", "/tree/small", d / "full", status=1, preexec_fn=small_files)
        assert "full/small" in line and not os.listdir(d / "full"), line
        assert not [p for p in d.rglob("*") if "quern-get" in p.name]


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ---- Names ----

def test_mkdir_and_rm():
    here("mkdir", "/dirs")
    assert "exists" in here("mkdir", "/dirs", status=1)
    assert "-p" in here("mkdir", "/dirs/a/b", status=1)
    here("mkdir", "-p", "/dirs/a/b", "/dirs/c", "/dirs")
    assert listed("/dirs") == ["a", "c"]
    here("touch", "/dirs/f", "/dirs/g")
    assert listed("/dirs") == ["a", "c", "f", "g"]
    assert "-r removes it" in here("rm", "/dirs/a", status=1)
    assert here("rm", "/dirs/f").decode() == "Deleted /dirs/f\n"
    assert here("rm", "/dirs/g*").decode() == "Deleted /dirs/g\n"
    assert "no such" in here("rm", "/dirs/f", status=1)
    assert here("rm", "-f", "/dirs/f", "/dirs/x*") == b""
    assert here("rmdir", "/dirs/c") == b""
    assert "/dirs/a" in here("rmdir", "/dirs/a", status=1)
    for root in "/", "//", "/dirs/..", "/./", C.url + "/dirs/../":
        assert "never" in here("rm", "-r", root, status=1)
    here("rm", "-r", "/dirs")
    assert not exists("/dirs") and exists("/tree")


def test_mv():
    C.fsshell("-mkdir", "-p", "/mv/to")
    for name in "abc":
        put(C, f"/mv/{name}", name.encode())
    here("mv", "/mv/a", "/mv/renamed")
    here("mv", "/mv/b", "/mv/c", "/mv/to")
    assert listed("/mv") == ["renamed", "to"] and listed("/mv/to") == ["b", "c"]
    assert get(C, "/mv/renamed") == b"a"
    put(C, "/mv/b", b"other")
    here("mv", "/mv/b", "/mv/to", status=1)
    here("mv", "/mv/b", "/mv/to/c", status=1)
    assert get(C, "/mv/to/b") == b"b" and get(C, "/mv/to/c") == b"c" and get(C, "/mv/b") == b"other"
    assert "is no folder" in here("mv", "/mv/to/*", "/mv/none", status=1)
    assert "mkdir -p makes it" in here("mv", "/mv/to/b", "/mv/none/b", status=1)
    assert "no such" in here("mv", "/mv/none", "/mv/x", status=1)
    here("mv", "/mv/to", "/mv/to/inside", status=1)
    here("mv", "/mv/to/*", "/mv/renamed/x", status=1)
    assert listed("/mv/to") == ["b", "c"]


def test_chmod_and_touch():
    C.fsshell("-mkdir", "-p", "/mode/sub")
    put(C, "/mode/sub/f", b"f")
    here("chmod", "700", "/mode/sub")
    here("chmod", "-R", "1751", "/mode")
    assert C.fsshell("-stat", "%a", "/mode", "/mode/sub").out == "1751\n1751\n"
    C.fsshell("-touch", "-t", "20010203:040506", "/mode/sub/f")
    before = C.fsshell("-stat", "%Y", "/mode/sub/f").out
    assert "mkdir -p makes it" in here("touch", "/mode/none/f", status=1)
    assert "its folder is a file" in here("touch", "/mode/sub/f/x", status=1) and not exists("/mode/none")
    here("touch", "/mode/sub/f")
    assert int(C.fsshell("-stat", "%Y", "/mode/sub/f").out) > int(before) and get(C, "/mode/sub/f") == b"f"


def test_ones_own_folder():
    assert "'/user/alice'" in here("ls", user="alice", status=1)
    C.fsshell("-mkdir", "-p", "/user/alice")
    C.fsshell("-chown", "alice", "/user/alice")
    here("put", "-", "mine", data=b"mine", user="alice")
    assert here("ls", "-C", user="alice") == b"/user/alice/mine\n"
    assert here("cat", "mine", user="alice") == get(C, "/user/alice/mine") == b"mine"
    assert "ermission denied" in here("put", "-", "/tree/denied", data=b"", user="alice", status=1)


# ---- Terminals ----

def on_terminal(command, *args):
    """What comes when output is a terminal."""
    ours, theirs = pty.openpty()
    with Command(C, "fs " + command, *args, stdout=theirs, stderr=theirs) as c:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while piece := os.read(ours, 4096):
                text += piece
        c.finish()
    os.close(ours)
    return text.decode(errors="backslashreplace")


def test_control_characters():
    """They reach no terminal, but a pipe."""
    name = "esc\x1b[31m\u009b31m\nnew ä"
    fs(C, "mkdir", C.url + f"/control/{name}", "-p")
    assert fs(C, "ls", "-C", C.url + "/control").decode() == f"{C.url}/control/{name}\n"
    escaped = "esc\\x1b[31m\\xc2\\x9b31m\\nnew ä"
    assert on_terminal("ls", "-C", C.url + "/control") == f"{C.url}/control/{escaped}\r\n"
    out = on_terminal("rm", C.url + f"/control/{name}")
    assert escaped in out and "\x1b" not in out, out


def test_progress_on_a_terminal():
    ours, theirs = pty.openpty()
    with Command(C, "fs put", "-", C.url + "/progress", stdin=subprocess.PIPE, stderr=theirs) as c:
        os.close(theirs)
        os.set_blocking(ours, False)
        seen = b""

        def shown():
            nonlocal seen
            c.process.stdin.write(b"x" * 1000)
            c.process.stdin.flush()
            with contextlib.suppress(BlockingIOError):
                seen += os.read(ours, 4096)
            return b"/s" in seen
        C.wait_for("a line of progress", shown)
        assert c.finish(b"").returncode == 0
    os.close(ours)
    assert b"\r\x1b[Kstandard input: " in seen, seen


if __name__ == "__main__":
    need()
    with Hadoop(datanodes=2, replication=2, block_size=BLOCK) as C:
        quern.main(sys.modules[__name__])
