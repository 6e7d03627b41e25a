"""Sources and sinks: everything that a set can be read from and written to, against Python's own readers and writers. What
is in a seq file, seq.py reads, which is written from its description."""
import gzip
import itertools
import random
import struct
import subprocess
import sys

import quern
import seq

FILES = quern.JOBS / "files.c"
CLUSTERS = itertools.cycle(itertools.product(quern.MODES, ["local[2]", "local[2x2]", "local[1]"]))


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def run(d, source, steps, sink, out, status=0, options=()):
    mode, master = next(CLUSTERS)
    result = quern.run(d, "run", "--master", master, "--mode", mode, *options, FILES, source, steps, sink, out)
    quern.check(d, result, status)
    return result


def parts(folder, suffix=""):
    """The files of an output in order; all of them are named as they should be."""
    found = sorted(p.name for p in folder.iterdir() if p.name != "_SUCCESS")
    assert found == [f"part-{i:05}{suffix}" for i in range(len(found))], found
    assert (folder / "_SUCCESS").exists()
    return [folder / name for name in found]


def text(folder):
    return b"".join(p.read_bytes() for p in parts(folder))


def seq_records(folder):
    return [record for p in parts(folder, ".seq") for record in seq.File(p.read_bytes()).records]


def fails(d, source, *words, steps="-", sink="count"):
    """One line says so."""
    result = run(d, source, steps, sink, d / "none", status=1)
    lines = [line for line in result.stderr.splitlines() if all(word.encode() in line for word in words)]
    assert lines, (words, result.stderr)
    assert not (d / "none").exists()


def random_pairs(n, seed):
    """Lines of key, tab, value, or a value alone; keys and values may be empty."""
    r = random.Random(seed)
    word = lambda most: bytes(r.choices(b"abcdefgh =\xff\x01", k=r.randrange(most)))
    return [(word(10) if r.random() < 0.7 else None, word(200)) for _ in range(n)]


def lines_of(records):
    return b"".join((b"" if key is None else key + b"\t") + value + b"\n" for key, value in records)


def shown(key, value):
    return b"%s%d:%s=%s\n" % (b"none" if key is None else b"key", len(key or b""), key or b"", value)


def test_records_go_through_a_file_of_records():
    with quern.scratch() as d:
        records = random_pairs(20000, 1)
        (d / "in").write_bytes(lines_of(records))
        for sink in "seq", "seq.zst":
            out = d / sink
            run(d, f"records:{d / 'in'}", "-", sink, out)
            files = [seq.File(p.read_bytes()) for p in parts(out, ".seq")]
            assert [record for f in files for record in f.records] == records
            assert all(f.types == (0, 0) and f.has_key for f in files)
            assert (sum(f.compressed for f in files) > 0) == (sink == "seq.zst")
            run(d, f"seq:{out}", "shown", "text", d / f"{sink}-again")
            assert text(d / f"{sink}-again") == b"".join(itertools.starmap(shown, records))


def test_a_file_of_records_is_read_by_many_tasks():
    with quern.scratch() as d:
        lines = [b"%d %s" % (i, random.Random(i).randbytes(300).hex().encode()) for i in range(6000)]
        (d / "in").write_bytes(b"".join(line + b"\n" for line in lines))
        run(d, f"text:{d / 'in'}", "pieces=1", "seq", d / "seq")
        one, = parts(d / "seq", ".seq")
        f = seq.File(one.read_bytes())
        assert [value for _, value in f.records] == lines and f.stretches > 10 and not f.has_key
        for pieces in 2, 7, 40, 1000:
            out = d / f"out{pieces}"
            run(d, f"seq:{one}", f"pieces={pieces}", "text", out)
            assert len(parts(out)) == pieces
            assert text(out) == (d / "in").read_bytes()
            assert sum(p.stat().st_size > 0 for p in parts(out)) > min(pieces, f.stretches) // 2


def test_types_are_in_the_files():
    with quern.scratch() as d:
        run(d, "range:5:30000", "-", "seq.zst", d / "seq")
        assert {seq.File(p.read_bytes()).types for p in parts(d / "seq", ".seq")} == {(0, 1)}
        assert seq_records(d / "seq") == [(None, struct.pack("<Q", i)) for i in range(5, 30000)]
        run(d, f"seq:{d / 'seq'}", "-", "raw", d / "raw")
        assert text(d / "raw") == struct.pack("<29995Q", *range(5, 30000))


def damaged(data, seed):
    """Ways in which a file can be wrong, and a word that its error has."""
    r = random.Random(seed)
    for _ in range(6):
        yield data[:r.randrange(1, len(data))], ""
        at = r.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1:], ""
    yield data[:-1], "truncated"
    yield data[:-40], "truncated"
    yield data[:40], "truncated"
    yield data[:20], "not a seq file"
    yield data + data, "goes on behind its end"
    yield b"key\tvalue\n" * 1000, "not a seq file"
    yield b"", "empty"
    yield data[:40] + data[-40:], "damaged at byte 40"
    yield data[:8] + struct.pack("<I", 2) + data[12:32] + struct.pack("<Q", seq.xxh64(
        0, data[:8] + struct.pack("<I", 2) + data[12:32])) + data[40:], "version"


def test_damage_is_found():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"".join(b"%d\n" % (i * i) for i in range(100000)))
        run(d, f"text:{d / 'in'}", "pieces=1", "seq", d / "seq")
        one, = parts(d / "seq", ".seq")
        good = one.read_bytes()
        assert seq.File(good).stretches > 3
        wrong = d / "wrong.seq"
        for i, (data, word) in enumerate(damaged(good, 3)):
            wrong.write_bytes(data)
            fails(d, f"seq:{wrong}", str(wrong), word, steps=f"pieces={i % 5}")
        wrong = d / "wrong.seq.zst"
        wrong.write_bytes(zstd(good))
        fails(d, f"seq:{wrong}", str(wrong), "decompress it")
        fails(d, f"seq:{d / 'seq'}", "QUERN_ZSTD", sink="seq.gz")


def test_empty_sets():
    with quern.scratch() as d:
        (d / "empty").write_bytes(b"")
        for source in "text", "lines", "records", "whole":
            run(d, f"{source}:{d / 'empty'}", "-", "seq", d / source)
            assert seq_records(d / source) == ([(str(d / "empty").encode(), b"")] if source == "whole" else [])
        run(d, f"fixed:7:{d / 'empty'}", "-", "seq", d / "fixed")
        run(d, "range:9:9", "-", "raw", d / "range")
        assert text(d / "range") == b"" and seq_records(d / "fixed") == []
        assert run(d, f"seq:{d / 'text'}", "-", "count", "-").stdout == b"0\n"
        assert run(d, f"seq:{d / 'text'}/*", "pieces=9", "count", "-").stdout == b"0\n"


def test_key_value_text():
    with quern.scratch() as d:
        r = random.Random(4)
        lines = [bytes(r.choices(b"ab=>\t", k=r.randrange(30))) for _ in range(20000)]
        data = b"".join(line + b"\n" for line in lines)
        (d / "in").mkdir()
        (d / "in" / "a").write_bytes(data)
        (d / "in" / "b.gz").write_bytes(gzip.compress(data))
        (d / "in" / "c.zst").write_bytes(zstd(data))
        for separator in b"\t", b"=>", b"=":
            out = d / f"out{len(separator)}{separator[0]}"
            run(d, f"pairs:{separator.decode()}:{d / 'in'}", "shown", "text", out, options=["--parallelism", "9"])
            expected = b"".join(shown(key, value) for key, _, value in (line.partition(separator) for line in lines))
            assert text(out) == expected * 3
        for separator in b"", b"x" * 2000:
            fails(d, f"pairs:{separator.decode()}:{d / 'in'}", "quern_text_pairs()")


def test_whole_files():
    with quern.scratch() as d:
        r = random.Random(5)
        (d / "in").mkdir()
        contents = {}
        for i in range(30):
            data = r.randbytes(r.choice([0, 1, 1000, 700000])).replace(b"\n", b" ") if i else b"kill"
            kind = i % 3
            path = d / "in" / f"f{i:02}{['', '.gz', '.zst'][kind]}"
            path.write_bytes([bytes, gzip.compress, zstd][kind](data))
            contents[str(path).encode()] = data
        run(d, f"whole:{d / 'in'}", f"survive={d / 'memory'}", "seq.zst", d / "out")
        assert seq_records(d / "out") == sorted(contents.items())
        assert (d / "memory").exists()
        large = d / "large"
        with large.open("wb") as f:
            f.truncate((1 << 30) + 1)
        fails(d, f"whole:{large}", str(large), "1073741825 bytes are more than 1073741824")
        large.unlink()
        (d / "broken.gz").write_bytes(gzip.compress(b"x" * 1000)[:-3])
        fails(d, f"whole:{d / 'broken.gz'}", str(d / "broken.gz"), "truncated")


def test_records_of_a_fixed_width():
    with quern.scratch() as d:
        r = random.Random(6)
        for width, n in (100, 30000), (1, 1000), (7, 50000), (300001, 9):
            folder = d / f"in{width}"
            folder.mkdir()
            plain, packed, frames = (r.randbytes(width * n) for _ in range(3))
            (folder / "a").write_bytes(plain)
            (folder / "b.gz").write_bytes(gzip.compress(packed, 1))
            (folder / "c.zst").write_bytes(zstd(frames[:len(frames) // 2]) + zstd(frames[len(frames) // 2:]))
            out = d / f"out{width}"
            run(d, f"fixed:{width}:{folder}", "pieces=11", "seq", out, options=["--parallelism", "9"])
            data = plain + packed + frames
            assert [value for _, value in seq_records(out)] == [data[i:i + width] for i in range(0, len(data), width)]
        (d / "odd").write_bytes(b"x" * 1001)
        (d / "odd.gz").write_bytes(gzip.compress(b"x" * 1001))
        fails(d, f"fixed:100:{d / 'odd'}", str(d / "odd"), "1001 bytes are no whole number of records of 100 bytes")
        fails(d, f"fixed:100:{d / 'odd.gz'}", str(d / "odd.gz"), "1001 bytes are no whole number")
        fails(d, f"fixed:0:{d / 'odd'}", "quern_fixed()", "width")


def test_a_sort_of_binary_records():
    """Records of 100 bytes, as TeraSort has them, by their first 10."""
    with quern.scratch() as d:
        r = random.Random(7)
        records = [bytes(r.choices(b"\x00\x0a\xff", k=10)) + r.randbytes(90) for _ in range(40000)]
        (d / "in").write_bytes(b"".join(records))
        expected = b"".join(sorted(records, key=lambda record: record[:10]))
        run(d, f"fixed:100:{d / 'in'}", "keyed=10,sort", "raw", d / "out", options=["--parallelism", "5"])
        assert text(d / "out") == expected
        # And by way of a file of records, sampled.
        run(d, f"fixed:100:{d / 'in'}", "keyed=10", "seq.zst", d / "seq")
        run(d, f"seq:{d / 'seq'}", "sort", "raw.zst", d / "zst", options=["--parallelism", "3"])
        run(d, f"seq:{d / 'seq'}", "sort", "raw.gz", d / "gz")
        unpacked = subprocess.run(["zstd", "-qdc", *parts(d / "zst", ".zst")], stdout=subprocess.PIPE, check=True)
        assert unpacked.stdout == expected
        assert b"".join(gzip.decompress(p.read_bytes()) for p in parts(d / "gz", ".gz")) == expected


def test_memory():
    with quern.scratch() as d:
        lines = [random.Random(i).randbytes(i % 50).translate(None, b"\0\n") for i in range(200)]
        (d / "in").write_bytes(b"".join(line + b"\n" for line in lines))
        run(d, f"lines:{d / 'in'}", "-", "text", d / "out")
        assert text(d / "out") == (d / "in").read_bytes()
        for pieces, files in (1, 1), (7, 7), (100000, 200):
            run(d, f"lines:{d / 'in'}", f"pieces={pieces}", "seq", d / f"out{pieces}", options=["--parallelism", "9"])
            assert seq_records(d / f"out{pieces}") == [(None, line) for line in lines]
            assert len(parts(d / f"out{pieces}", ".seq")) == files
        # Twice, once from what executors keep; and the same set twice in one stage.
        assert run(d, f"lines:{d / 'in'}", "persist", "count", "-").stdout == b"200\n"
        assert run(d, f"lines:{d / 'in'}", "pieces=3,twice", "count", "-").stdout == b"400\n"
        (d / "large").write_bytes(b"".join(b"%d%s\n" % (i, b"x" * 1000) for i in range(14000)))
        run(d, f"lines:{d / 'large'}", "-", "text", d / "large-out")
        assert text(d / "large-out") == (d / "large").read_bytes()
        (d / "large").write_bytes(b"".join(b"%d%s\n" % (i, b"x" * 1000) for i in range(16000)))
        fails(d, f"lines:{d / 'large'}", "quern_lines_from()", "15 MiB")


def test_ranges():
    with quern.scratch() as d:
        for start, end, pieces in (0, 1000, 0), (5, 1005, 7), ((1 << 64) - 20, (1 << 64) - 1, 3), (7, 3, 5), (0, 3, 50):
            out = d / f"{start}-{end}"
            run(d, f"range:{start}:{end}", f"pieces={pieces}", "text", out)
            assert text(out) == b"".join(b"%d\n" % i for i in range(start, end))
            assert pieces == 0 or len(parts(out)) == max(min(pieces, end - start), 1)
        assert run(d, "range:0:100000", "persist", "count", "-").stdout == b"100000\n"


def test_checkpoints():
    with quern.scratch() as d:
        records = [(b"%d" % (i * 7919 % 10007), b"v%d" % i) for i in range(9000)] + [(None, b"kill"), (b"", b"")]
        (d / "in").write_bytes(lines_of(records))
        run(d, f"records:{d / 'in'}", f"pieces=13,survive={d / 'memory'},checkpoint={d / 'point'},shown", "text", d / "out")
        assert (d / "memory").exists()
        assert text(d / "out") == b"".join(itertools.starmap(shown, records))
        assert len(parts(d / "out")) == len(parts(d / "point", ".seq")) == 13
        assert seq_records(d / "point") == records
        # Types are kept, and empty partitions, and the order.
        run(d, "range:0:2000", f"pieces=20,keyed=8,numbers,sort,checkpoint={d / 'sorted'}", "text", d / "numbers")
        assert text(d / "numbers") == b"".join(b"%d\t\n" % i for i in range(2000))
        assert len(parts(d / "numbers")) == len(parts(d / "sorted", ".seq"))
        run(d, f"text:{d / 'in'}", f"pieces=5,checkpoint={d / 'first'},checkpoint={d / 'second'}", "count", "-")
        assert len(parts(d / "second", ".seq")) == 5
        fails(d, f"text:{d / 'in'}", "quern_checkpoint()", "could not be saved", steps=f"checkpoint={d / 'first'},sort")
        fails(d, f"seq:{d / 'first'}", "quern_pieces()", steps="persist,pieces=3")


def test_a_checkpoint_is_explained():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"line\n")
        result = quern.run(d, "run", "--explain", FILES, f"text:{d / 'in'}", f"checkpoint={d / 'point'}", "count", "-")
        quern.check(d, result)
        assert b"save_seq" in result.stdout and b"seq, a task for each file" in result.stdout, result.stdout
        assert not (d / "point").exists()


def test_many_small_files_of_records():
    with quern.scratch() as d:
        run(d, "range:0:300", "pieces=300", "seq", d / "seq")
        run(d, f"seq:{d / 'seq'}", "-", "raw", d / "out")
        assert text(d / "out") == struct.pack("<300Q", *range(300))
        assert len(parts(d / "out")) < 50


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
