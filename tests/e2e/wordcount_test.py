"""Word count over every awkward kind of text, both modes, several clusters, against sort | uniq -c."""
import itertools
import random
import sys

import quern

WORDS = ["the", "offer", "agent", "executor", "split", "stage", "shuffle", "a", "of", "x" * 300, "naïve", "quern"]
MODES = quern.MODES


def prose(lines, seed=1):
    r = random.Random(seed)
    return "".join(" ".join(r.choice(WORDS) + (str(int(r.expovariate(0.01))) if r.random() < 0.3 else "")
                            for _ in range(r.randrange(0, 14))) + "\n" for _ in range(lines)).encode()


def count_words(d, mode, master, *inputs, expected=None, options=()):
    out = d / f"out-{mode}"
    result = quern.run(d, "run", "--master", master, "--mode", mode, *options, quern.EXAMPLES / "wordcount.c",
                       inputs[0], out)
    quern.check(d, result)
    quern.same(quern.output(out), expected if expected is not None else quern.word_counts(*inputs))


def both_modes(data, master="local[4]", options=()):
    with quern.scratch() as d:
        path = d / "text"
        path.write_bytes(data)
        for mode in MODES:
            count_words(d, mode, master, path, options=options)


def test_counts_are_right_on_every_shape_of_cluster():
    with quern.scratch() as d:
        path = d / "text"
        path.write_bytes(prose(40000))
        expected = quern.word_counts(path)
        for master, mode in itertools.product(["local[1]", "local[4]", "local[3x2]"], MODES):
            count_words(d / "", mode, master, path, expected=expected)
            (d / f"out-{mode}").rename(d / f"out-{mode}-{master}")


def test_file_urls_are_paths():
    with quern.scratch() as d:
        (d / "text").write_bytes(prose(100))
        quern.check(d, quern.run(d, "run", "--master", "local[1]", quern.EXAMPLES / "wordcount.c", f"file://{d}/text",
                                 f"file://{d}/out"))
        quern.same(quern.output(d / "out"), quern.word_counts(d / "text"))


def test_an_empty_file_gives_an_empty_output():
    both_modes(b"")


def test_a_file_without_a_final_newline_loses_nothing():
    both_modes(b"one two\ntwo three\nthree four")


def test_one_line_of_100_megabytes():
    both_modes(prose(1, 7) .replace(b"\n", b" ") + b"word " * (20 << 20))


def test_bytes_that_are_not_utf8():
    r = random.Random(3)
    both_modes(bytes(r.choice(b"\x80\xff\xc3\xfe\xe2ab \n\t\r\x0b\x0c") for _ in range(300000)))


def test_nul_bytes_are_part_of_words():
    r = random.Random(4)
    both_modes(bytes(r.choice(b"\0\0ab \n") for _ in range(200000)))


def test_ten_thousand_small_files():
    with quern.scratch() as d:
        folder = d / "many"
        folder.mkdir()
        for i in range(10000):
            (folder / f"f{i:05}").write_bytes(prose(i % 4, i))
        expected = quern.word_counts(folder)
        for mode in MODES:
            count_words(d, mode, "local[4]", folder, expected=expected)


def test_a_gigabyte():
    """Of one text again and again, so that the right counts are multiples of its own."""
    copies, base = 64, prose(400000, 11)
    base += b"padding " * ((16 << 20) // 8 - len(base) // 8)
    with quern.scratch() as d:
        path = d / "text"
        with open(path, "wb") as f:
            for _ in range(copies):
                f.write(base + b"\n")
        assert path.stat().st_size > 10**9
        (d / "once").write_bytes(base)
        expected = sorted(word + b"\t%d" % (int(count) * copies) for word, _, count in
                          (line.rpartition(b"\t") for line in quern.word_counts(d / "once")))
        for mode in MODES:
            count_words(d, mode, "local[2x2]", path, expected=expected)


def test_splits_and_partitions_of_any_number_give_the_same():
    both_modes(prose(20000, 9), options=("--parallelism", "37"))


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
