"""Text that is compressed, on its way in and out, against the tools that everybody has: gzip and zstd."""
import gzip
import pathlib
import random
import subprocess
import sys

import quern

WORDCOUNT = quern.EXAMPLES / "wordcount.c"
MODES = quern.MODES
WORDS = [b"mill", b"stone", b"grain", b"flour", b"\xff\x00\x80", b"y" * 200]


def text(lines, seed=1):
    r = random.Random(seed)
    return b"".join(b" ".join(r.choice(WORDS) + b"%d" % int(r.paretovariate(0.5)) for _ in range(r.randrange(0, 12)))
                    + b"\n" for _ in range(lines))


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def pieces(data, seed=2):
    """Cut anywhere, some of them empty."""
    r = random.Random(seed)
    cuts = sorted([0, len(data)] + [r.randrange(len(data) + 1) for _ in range(25)])
    return [data[a:b] for a, b in zip(cuts, cuts[1:])] + [b""]


def count_words(d, path, expected, *options):
    for mode in MODES:
        out = d / f"out-{path.name}-{mode}"
        quern.check(d, quern.run(d, "run", "--master", "local[2x2]", "--mode", mode, *options, WORDCOUNT, path, out))
        quern.same(quern.output(out), expected)


def test_the_same_words_in_every_kind_of_file():
    data = text(20000)
    skippable = b"\x5a\x2a\x4d\x18\x05\0\0\0junk\n"
    files = {"one.gz": gzip.compress(data), "members.gz": b"".join(gzip.compress(p) for p in pieces(data)),
             "one.zst": zstd(data), "level.zst": zstd(data, "-19", "--no-check"),
             "frames.zst": skippable + skippable.join(zstd(p) for p in pieces(data))}
    with quern.scratch() as d:
        (d / "text").write_bytes(data)
        expected = quern.word_counts(d / "text")
        for name, compressed in files.items():
            (d / name).write_bytes(compressed)
            count_words(d, d / name, expected)


def test_a_folder_of_all_of_them():
    with quern.scratch() as d:
        (d / "in").mkdir()
        parts = [text(300, seed) for seed in range(60)]
        for i, part in enumerate(parts):
            name = d / "in" / f"f{i}{['', '.gz', '.zst'][i % 3]}"
            name.write_bytes([bytes, gzip.compress, zstd][i % 3](part))
        (d / "text").write_bytes(b"".join(parts))
        count_words(d, d / "in", quern.word_counts(d / "text"))


def test_frames_are_read_by_many_tasks():
    """And a frame without an end to be found, or a gzip file, by one."""
    with quern.scratch() as d:
        data = text(60000)
        frames = b"".join(zstd(data[i:i + 100000]) for i in range(0, len(data), 100000))
        for name, compressed, least, most in ("many.zst", frames, 3, 4), ("one.zst", zstd(data), 1, 1), \
                ("one.gz", gzip.compress(data), 1, 1):
            (d / name).write_bytes(compressed)
            assert len(compressed) > 4 * 65536
            out = d / f"out-{name}"
            result = quern.run(d, "run", "--master", "local[4]", quern.JOBS / "compress.c", name, out, "plain")
            quern.check(d, result)
            parts = sorted(out.glob("part-*"))
            assert least <= len(parts) <= most, parts
            assert b"".join(p.read_bytes() for p in parts) == data


def unpacked(folder, suffix, tool):
    """The text of its parts, by a tool of others."""
    assert (folder / "_SUCCESS").exists()
    parts = sorted(p for p in folder.iterdir() if p.name != "_SUCCESS")
    assert all(p.name.startswith("part-") and p.suffix == suffix for p in parts), parts
    return b"".join(subprocess.run([tool, "-d", "-c", p], stdout=subprocess.PIPE, check=True).stdout for p in parts)


def test_what_is_written_reads_back():
    with quern.scratch() as d:
        data = text(60000)
        (d / "text").write_bytes(data)
        expected = quern.word_counts(d / "text")
        for mode in MODES:
            for codec, suffix in ("gzip", ".gz"), ("zstd", ".zst"):
                out = d / f"out-{codec}-{mode}"
                quern.check(d, quern.run(d, "run", "--master", "local[3]", "--mode", mode, quern.JOBS / "compress.c",
                                         "text", out, codec))
                assert unpacked(out, suffix, codec) == data
        count_words(d, d / "out-gzip-fine", expected)
        count_words(d, d / "out-zstd-coarse", expected)


def test_nothing_compressed_is_a_file_as_well():
    with quern.scratch() as d:
        (d / "text").write_bytes(b"")
        for codec, suffix in ("gzip", ".gz"), ("zstd", ".zst"):
            out = d / f"out-{codec}"
            quern.check(d, quern.run(d, "run", "--master", "local[1]", quern.JOBS / "compress.c", "text", out, codec))
            assert unpacked(out, suffix, codec) == b""
            count_words(d, out, [])


def refused(d, name, *words):
    for mode in MODES:
        result = quern.run(d, "run", "--master", "local[2]", "--mode", mode, WORDCOUNT, name, "out")
        quern.check(d, result, 1)
        quern.one_line(result, name, *words)
        assert not (d / "out").exists()


def test_files_that_are_damaged_or_something_else():
    with quern.scratch() as d:
        data = text(20000)
        for suffix, format, packed in (".gz", "gzip", gzip.compress(data)), (".zst", "zstd", zstd(data)):
            broken = bytearray(packed)
            broken[len(packed) // 2] ^= 4
            for name, content, words in ("plain", data, f"not {format}: "), ("cut", packed[:-9], "truncated"), \
                    ("broken", broken, f"damaged {format}"), ("more", packed + data, f"damaged {format}"), \
                    ("empty", b"", "empty"):
                pathlib.Path(d / (name + suffix)).write_bytes(content)
                refused(d, name + suffix, words)


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
