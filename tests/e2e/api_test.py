"""Every function of quern.h through the whole system, against the same thing done in Python."""
import collections
import itertools
import math
import random
import sys

import quern

API = quern.JOBS / "api.c"
WORDS = [b"mill", b"stone", b"grain", b"flour", b"a", b"of", b"\xc3\xa9t\xc3\xa9", b"\x00nul", b"x" * 70]
CLUSTERS = itertools.cycle(itertools.product(quern.MODES, ["local[4]", "local[1]", "local[3x2]"]))
U64, I64 = 1 << 64, 1 << 63


def rows(n, seed):
    """Lines of key, number and text, as three columns; keys of any size and content, the empty one as well."""
    r = random.Random(seed)
    keys = [b""] + [r.randbytes(r.randrange(1, 12)).translate(None, b"\t\n\r") for _ in range(200)]
    return [(r.choice(keys), r.randrange(-I64, I64) if r.random() < 0.3 else r.randrange(-1000, 1000),
             b" ".join(r.choices(WORDS, k=r.randrange(0, 8)))) for _ in range(n)]


def write(d, table, files=1):
    """The table as a file, or as a folder of so many; what the lines are."""
    lines = [b"%s\t%d\t%s" % row for row in table]
    path = d / "input"
    if files == 1:
        path.write_bytes(b"".join(line + b"\n" for line in lines))
    else:
        path.mkdir()
        each = -(-len(lines) // files)
        for i in range(files):
            part = lines[i * each:(i + 1) * each]
            # Every second file has no newline at its end.
            (path / f"f{i:03}").write_bytes(b"\n".join(part) + (b"\n" if part and i % 2 else b""))
    return lines


def run(d, what, *more):
    mode, master = next(CLUSTERS)
    result = quern.run(d, "run", "--master", master, "--mode", mode, "--parallelism", "5", API, what, d / "input", *more)
    quern.check(d, result)
    return result


def saved(d, what, *more):
    """The lines that `what` saves, sorted."""
    out = d / f"out-{what}-{'-'.join(more).replace('/', '')}"
    run(d, what, out, *more)
    return quern.output(out)


def pairs(mapping):
    return sorted(b"%s\t%s" % (k, v if isinstance(v, bytes) else b"%d" % v) for k, v in mapping.items())


def groups(table, number=lambda n: n):
    values = collections.defaultdict(list)
    for key, n, _ in table:
        values[key].append(number(n))
    return values


def word_counts(table):
    return collections.Counter(word for _, _, text in table for word in text.split())


def test_narrow_transformations():
    with quern.scratch() as d:
        table = rows(3000, 1)
        lines = write(d, table, files=7)
        quern.same(saved(d, "lines"), sorted(lines))
        quern.same(saved(d, "map"), sorted(line[::-1] for line in lines))
        quern.same(saved(d, "map_pairs"), sorted(b"%s\t%s" % (text, key) for key, _, text in table))
        quern.same(saved(d, "flat_map"), sorted(word for _, _, text in table for word in text.split()))
        quern.same(saved(d, "flat_map_pairs", "mark"),
                   sorted(b"%s\t%s" % (key, v) for key, _, text in table if len(text) > 20 for v in (text, b"mark")))
        quern.same(saved(d, "filter", "grain"), sorted(line for line in lines if b"grain" in line))
        quern.same(saved(d, "filter", "nowhere to be found"), [])
        quern.same(saved(d, "without_key"),
                   sorted(b"%s%d" % (b"" if len(key) % 2 else b"\t", n) for key, n, _ in table))


def signed(n):
    return (n + I64) % U64 - I64


def test_the_known_reductions():
    with quern.scratch() as d:
        table = rows(20000, 2)
        write(d, table)
        unsigned, whole = groups(table, lambda n: n % U64), groups(table)
        for name, expected in {
            "sum_u64": {k: sum(v) % U64 for k, v in unsigned.items()},
            "min_u64": {k: min(v) for k, v in unsigned.items()},
            "max_u64": {k: max(v) for k, v in unsigned.items()},
            "sum_i64": {k: signed(sum(v)) for k, v in whole.items()},
            "min_i64": {k: min(v) for k, v in whole.items()},
            "max_i64": {k: max(v) for k, v in whole.items()},
        }.items():
            quern.same(saved(d, "reduce", name), pairs(expected))
        eighths = groups(table, lambda n: abs(n) % (1 << 20) / (8 if n > 0 else -8))  # as % of C is
        for name, fn in {"sum_double": sum, "min_double": min, "max_double": max}.items():
            got = dict(line.rsplit(b"\t", 1) for line in saved(d, "reduce", name))
            assert {k: float(v) for k, v in got.items()} == {k: fn(v) for k, v in eighths.items()}, name


def test_reductions_of_ones_own():
    with quern.scratch() as d:
        table = rows(5000, 3)
        write(d, table, files=5)
        divisors = {k: math.gcd(*(n % U64 for n in v)) for k, v in groups(table).items()}
        quern.same(saved(d, "divisor"), pairs(divisors))
        texts = collections.defaultdict(list)
        for key, _, text in table:
            texts[key].append(text)
        quern.same(saved(d, "greater"), pairs({k: max(v) for k, v in texts.items()}))
        quern.same(saved(d, "greater", "smaller"), pairs({k: min(v) for k, v in texts.items()}))
        # Records without a key, and with an empty one, are one group.
        numbers = [b"%d" % n for _, n, _ in table]
        quern.same(saved(d, "reduce_without_key"), [b"\t" + max(numbers)])


def test_an_attempt_that_failed_counts_for_nothing():
    # Two each: one task may have to bear them all.
    for ends in [b"fail", b"kill"], [b"exit", b"abort"], [b"kill", b"kill"]:
        with quern.scratch() as d:
            table = [(b"k%d" % (i % 50), i, b"text of the line") for i in range(1000)]
            for i, how in enumerate(ends):
                table[i * 500 + 200] = (b"k", i * 500 + 200, how)
            write(d, table, files=4)
            (d / "memory").mkdir()
            expected = collections.Counter(key for key, _, _ in table)
            quern.same(saved(d, "flaky", str(d / "memory")), pairs(expected))
            assert len(list((d / "memory").iterdir())) == len(ends)


def test_values_of_megabytes():
    with quern.scratch() as d:
        table = rows(40, 4)
        write(d, table)
        texts = collections.defaultdict(list)
        for key, _, text in table:
            texts[key].append(text * 20000)
        quern.same(saved(d, "large_values", "20000"), pairs({k: len(max(v)) for k, v in texts.items()}))


def test_collecting_is_in_the_order_of_the_input():
    for files in 1, 9:
        with quern.scratch() as d:
            table = rows(4000, 5)
            write(d, table, files)
            expected = b"".join(b"%s=%s\n" % (key, text) for key, _, text in table)
            assert run(d, "collect").stdout == expected
            for n in 0, 1, 100, 4000, 10**12:
                assert run(d, "take", str(n)).stdout == b"".join(lines_of(expected)[:n]), n
            assert run(d, "count").stdout == b"4000\n"


def test_some_of_what_a_shuffle_gave():
    with quern.scratch() as d:
        table = [(b"k", i, b"w%d w%d" % (i % 100, i % 37)) for i in range(2000)]
        write(d, table, files=9)
        counts = {b"%s=%d\n" % c for c in word_counts(table).items()}
        for n in 1, 30, 99, 100, 1000:
            got = lines_of(run(d, "take_counts", str(n)).stdout)
            assert len(got) == min(n, len(counts)) and set(got) <= counts and len(set(got)) == len(got), (n, got)


def lines_of(data):
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def test_a_function_that_collects_may_stop():
    with quern.scratch() as d:
        lines = write(d, rows(1000, 6), files=6)
        assert run(d, "stop").stdout == b"".join(b"=%s\n" % line for line in lines[:3]) + b"returned 33\n"


def test_a_loop_of_actions_over_one_shuffle():
    with quern.scratch() as d:
        table = rows(3000, 7)
        write(d, table)
        counts = word_counts(table)
        expected = [sum(1 << i <= n < 2 << i for n in counts.values()) for i in range(14)]
        assert sum(expected) == len(counts)
        assert run(d, "loop", "14").stdout.split() == [b"%d" % n for n in expected]


def test_what_was_shuffled_is_not_made_again():
    with quern.scratch() as d:
        lines = write(d, rows(50, 10), files=5)
        for mode in range(2):
            folder = d / f"seen-{mode}"
            folder.mkdir()
            counts = collections.Counter(lines)
            expected = b"%d %d %d\n" % (len(counts), len(counts), len(set(counts.values())))
            assert run(d, "once", folder).stdout == expected
            assert len(list(folder.iterdir())) == len(lines)


def test_a_shuffle_of_a_shuffle():
    with quern.scratch() as d:
        table = [(b"k", 1, b" ".join(b"w%d" % (i % n) for i in range(300))) for n in range(1, 300)]
        write(d, table)
        expected = collections.Counter(word_counts(table).values())
        for partitions in "1", "3", "50":
            quern.same(saved(d, "histogram", partitions), pairs({b"%d" % k: v for k, v in expected.items()}))


def test_numbers_as_keys():
    with quern.scratch() as d:
        # Printed as numbers, from the eight bytes that they are.
        table = [(b"k%d" % i, n, b"") for i, n in enumerate([0, -1, 1, I64 - 1, -I64, 10**18])]
        write(d, table)
        quern.same(saved(d, "key_typed"), sorted(b"%d\t%s" % (n, key) for key, n, _ in table))


def test_sorts_are_total_and_stable():
    with quern.scratch() as d:
        table = rows(20000, 11)
        write(d, table, files=7)
        for how in "", "d", "v", "dv", "1", "64v", "1000d":
            by = (lambda key, _, text: (key, text)) if "v" in how else (lambda key, _, text: key)
            expected = sorted(table, key=lambda row: by(*row), reverse="d" in how)  # sorted() keeps equal ones
            out = d / f"sort-{how}"
            run(d, "sort", out, how)
            assert quern.parts(out) == b"".join(b"%s\t%s\n" % (key, text) for key, _, text in expected), how
            by = (lambda key, n, _: (n, key)) if "v" in how else (lambda _, n, __: n)
            expected = sorted(table, key=lambda row: by(*row), reverse="d" in how)
            out = d / f"sort_numbers-{how}"
            run(d, "sort_numbers", out, how)
            assert quern.parts(out) == b"".join(b"%d\t%s\n" % (n, key) for key, n, _ in expected), how


def test_unions_of_anything():
    for files in 1, 5:
        with quern.scratch() as d:
            table = rows(2000, 12)
            lines = write(d, table, files)
            texts = [b"%s\t%s" % (key, text) for key, _, text in table]
            by_key = collections.defaultdict(list)
            for key, _, text in table:
                by_key[key].append(text)
            most = [b"%s\t%s" % (key, max(of)) for key, of in by_key.items()]
            for time in "first", "second":  # in both modes
                quern.same(saved(d, "unions", time), sorted(lines + 2 * texts + 2 * most))


def test_a_megabyte_goes_along_with_a_function():
    with quern.scratch() as d:
        lines = write(d, rows(300, 8), files=4)
        weights = [(i * 2654435761 % (1 << 32) >> 20) % 256 for i in range(1 << 20)]
        expected = sum(weights[byte * 4096 + i % 4096] for line in lines for i, byte in enumerate(line))
        assert run(d, "weight").stdout == b"weight=%d\n" % expected


def test_an_empty_input_goes_through_everything():
    with quern.scratch() as d:
        write(d, [])
        for what in "lines", "map", "flat_map", "greater", "large_values", "sort":
            quern.same(saved(d, what, "7"), [])
        assert run(d, "collect").stdout == b""
        assert run(d, "take", "5").stdout == b""
        assert run(d, "count").stdout == b"0\n"
        assert run(d, "loop", "3").stdout == b"0\n0\n0\n"
        quern.same(saved(d, "histogram", "3"), [])


def test_mistakes_do_not_end_a_job_that_looks_at_them():
    with quern.scratch() as d:
        write(d, rows(10, 9))
        result = run(d, "mistakes")
        assert result.stdout == b"4 mistakes, 10 lines\n"
        for words in b"path is empty", b"function is NULL", b"quern_partitions()", b"path is NULL":
            assert result.stderr.count(words) == 1, result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
