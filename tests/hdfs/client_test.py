#!/usr/bin/env python3
"""`quern fs` beside Hadoop's own client: what the one puts the other gets, byte for byte, of sizes around the borders of
blocks and under names of all kinds. $QUERN_TEST_SEED: the seed; $QUERN_TEST_ROUNDS: how many times."""
import hashlib
import os
import pathlib
import random
import sys
import tempfile

import quern
from beside import SEED, fs, get, literal
from hadoop import Hadoop, need

BLOCK = 1 << 18
ROUNDS = int(os.environ.get("QUERN_TEST_ROUNDS", "1"))
RANDOM = random.Random(SEED)

NAMES = ["plain", "a b", " edge ", "50%", "a%20b", "%2F", "%", "x#y", "#", "q?r&s=t", "?", "a+b", "semi;colon", ";x=y", "c,d",
         "it's", 'say "so"', "b\\c", "<t>", "p|q", "$HOME", "~", "^", "`", "!", "@", "*", "[x]", "{y,z}", "(z)", ".hidden",
         "_under", "-dash", "...", "a..b", "ä", "ä b%ü", "日本語", "\U0001f41f", "é", "e\u0301", "tab\there", "x" * 245, "ä" * 122]  # the rest is for ._COPYING_


def sizes(n):
    """n of them: on borders and beside them, and anywhere."""
    found = [0, 1] + [blocks * BLOCK + d for blocks in (1, 2, 3) for d in (-1, 0, 1)]
    while len(found) < n:
        found.append(RANDOM.choice((RANDOM.randrange(100), RANDOM.randrange(5 * BLOCK), RANDOM.randrange(1, 6) * BLOCK)))
    RANDOM.shuffle(found)
    return found[:n]


def digest(data):
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()}"


def contents(folder):
    """Of all files below: relative path -> what it has in it."""
    return {os.path.relpath(os.path.join(at, name), folder): digest(pathlib.Path(at, name).read_bytes())
            for at, _, names in os.walk(folder) for name in names}


def compare(got, wanted):
    for name in sorted(set(got) | set(wanted)):
        assert got.get(name) == wanted.get(name), f"{name!r}: {got.get(name)} instead of {wanted.get(name)} (seed {SEED})"


def make(folder, names):
    folder.mkdir()
    for name, size in zip(names, sizes(len(names))):
        (folder / name).write_bytes(RANDOM.randbytes(size))
    return contents(folder)


def round_trips(names):
    with tempfile.TemporaryDirectory(prefix="quern-hdfs-files-") as tmp:
        tmp = pathlib.Path(tmp)
        wanted = make(tmp / "made", names)
        # quern puts, Hadoop gets.
        top = f"/by-quern-{RANDOM.randrange(1 << 32)}"
        fs(C, "mkdir", C.url + top)
        fs(C, "put", *(tmp / "made" / name for name in names), C.url + top)
        C.fsshell("-get", top, tmp / "by-hadoop")
        compare(contents(tmp / "by-hadoop"), wanted)
        # Hadoop puts, quern gets.
        top = f"/by-hadoop-{RANDOM.randrange(1 << 32)}"
        C.fsshell("-put", tmp / "made", top)
        (tmp / "by-quern").mkdir()
        fs(C, "get", *(C.url + literal(f"{top}/{name}") for name in names), tmp / "by-quern")
        compare(contents(tmp / "by-quern"), wanted)
        for name in RANDOM.sample(names, 5):
            data = fs(C, "cat", C.url + literal(f"{top}/{name}"))
            assert digest(data) == wanted[name], f"{name!r} (seed {SEED})"


def test_names():
    round_trips(NAMES)


def test_sizes():
    for _ in range(ROUNDS):
        round_trips([f"file{i:03}" for i in range(24)])


def test_names_are_changed_and_listed():
    """The same names as those of folders, and in every operation that sends one."""
    fs(C, "mkdir", *(C.url + f"/folders/{name}/in it" for name in NAMES), "-p")
    listed = C.fsshell("-ls", "-C", "/folders").out
    assert sorted(os.path.basename(line) for line in listed.split("\n") if line) == sorted(NAMES), listed
    for name in RANDOM.sample(NAMES, 12):
        fs(C, "mv", C.url + literal(f"/folders/{name}"), C.url + f"/moved {name}"[:256])
    fs(C, "rm", "-r", C.url + "/folders")
    assert C.fsshell("-test", "-e", "/folders", check=False).status == 1


def test_names_that_hdfs_refuses():
    """By its own words: a colon, a name of 256 bytes, one that is not UTF-8."""
    for name, word in ("a:b", "a:b"), ("x" * 256, "path component name limit"), (os.fsdecode(b"\xff"), ""):
        line = fs(C, "put", "-", C.url + "/" + name, data=b"x", status=1)
        assert word in line, line
    assert not C.fsshell("-ls", "-C", "/a*", "/x*", check=False).out


def test_httpfs():
    """All data through one server."""
    url = C.httpfs()
    data = RANDOM.randbytes(3 * BLOCK + 1)
    with tempfile.TemporaryDirectory() as tmp:
        local = pathlib.Path(tmp, "local")
        local.write_bytes(data)
        C.fsshell("-put", local, literal("/through ä%"))
    assert fs(C, "cat", url + "/through ä%", warned="HttpFS") == data
    fs(C, "put", "-", url + "/back #+", data=data, warned="HttpFS")
    assert get(C, "/back #+") == data


if __name__ == "__main__":
    need()
    print(f"# seed {SEED}", flush=True)
    with Hadoop(datanodes=2, replication=1, block_size=BLOCK) as C:
        quern.main(sys.modules[__name__])
