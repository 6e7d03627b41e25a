"""Values, whole partitions, samples, numbers, and where records go (jobs/narrow.c), against the same thing done in
Python: in every mode, and while tasks fail and workers die."""
import collections
import itertools
import random
import sys

import quern

JOB = quern.JOBS / "narrow.c"
WORDS = [b"mill", b"stone", b"grain", b"flour", b"a", b"of", b"#hash", b"\xc3\xa9t\xc3\xa9", b"\x00nul"]
CLUSTERS = itertools.cycle(itertools.product(quern.MODES, ["local[4]", "local[2]", "local[3x2]"]))

CHOSEN = {}  # the mode and cluster of a folder
OUTPUTS = itertools.count()


def records(n, seed, keyless=0.2):
    """Key (None: the record has none; it may be empty) and value. Some of both are there often."""
    r = random.Random(seed)
    keys = [b""] + [r.randbytes(r.randrange(1, 12)).translate(None, b"\t\n\r") for _ in range(40)]
    return [(None if r.random() < keyless else r.choice(keys), b" ".join(r.choices(WORDS, k=r.randrange(0, 5))))
            for _ in range(n)]


def troubled(table):
    """The same with two records whose first attempts fail and die."""
    n = len(table)
    return table[:n // 3] + [(b"k", b"!fail1")] + table[n // 3:n // 2] + [(None, b"!kill2")] + table[n // 2:]


def line(record):
    return record[1] if record[0] is None else record[0] + b"\t" + record[1]


def lines(table):
    return sorted(map(line, table))


def write(d, table, files=7):
    path = d / "input"
    path.mkdir()
    (d / "memory").mkdir()
    each = -(-len(table) // files)
    for i in range(files):
        (path / f"f{i:03}").write_bytes(b"".join(line(r) + b"\n" for r in table[i * each:(i + 1) * each]))


def start(d, what, *more):
    """In one mode for each folder, on one cluster: how the input is divided depends on it."""
    if d not in CHOSEN:
        CHOSEN[d] = next(CLUSTERS)
    mode, master = CHOSEN[d]
    return quern.run(d, "run", "--master", master, "--mode", mode, "--task-max-failures", "8", JOB, what, d / "input",
                     d / "memory", *more)


def run(d, what, *more):
    result = start(d, what, *more)
    quern.check(d, result)
    return result.stdout


def parts(d, what, *more):
    """The lines of each part that `what` saves, in their order."""
    out = d / f"out-{next(OUTPUTS)}"
    run(d, what, out, *more)
    quern.output(out)  # it is whole
    return [p.read_bytes().split(b"\n")[:-1] for p in sorted(out.glob("part-*"))]


def saved(d, what, *more):
    return sorted(itertools.chain(*parts(d, what, *more)))


def forget(d):
    """Tasks fail for the first time again."""
    for path in (d / "memory").iterdir():
        path.unlink()


def test_values():
    with quern.scratch() as d:
        table = troubled(records(3000, 1))
        write(d, table)
        turned = lines((k, v[::-1]) for k, v in table)
        quern.same(saved(d, "map_values"), turned)
        assert len(list((d / "memory").iterdir())) == 2
        quern.same(saved(d, "map_values_keys"), turned)
        quern.same(saved(d, "flat_map_values"), lines((k, w) for k, v in table for w in v.split()))
        result = start(d, "map_values_wrong", d / "out")
        quern.check(d, result, 1)
        assert b"emitted no record" in result.stderr, result.stderr


def test_a_value_that_is_mapped_keeps_the_type_of_its_key():
    with quern.scratch() as d:
        table = [(None, b"%d" % n) for n in range(-50, 50)]
        write(d, table)
        quern.same(saved(d, "map_values_typed"), lines((v, v[::-1]) for _, v in table))


def test_foreach():
    with quern.scratch() as d:
        table = records(2000, 2)
        write(d, table)
        run(d, "foreach", d / "seen")
        quern.same(sorted((d / "seen").read_bytes().split(b"\n")[:-1]),
                   sorted((k or b"") + b"=" + v for k, v in table))
        run(d, "foreach_partition", d / "counts")
        counts = [tuple(map(int, row.split())) for row in (d / "counts").read_text().splitlines()]
        assert sorted(p for p, _ in counts) == list(range(len(counts))) and len(counts) > 1, counts
        assert sum(n for _, n in counts) == len(table), counts


def has(part):
    """What jobs/narrow.c's numbered() says at the end of a partition, and what is before it."""
    number, n = part[-1].split(b" has ")
    return int(number), int(n), part[:-1]


def test_map_partitions():
    for n, seed in (3000, 3), (20000, 4), (0, 5):
        with quern.scratch() as d:
            # Some records are large; one partition fails in the function.
            table = [(k, v * 3000 if i % 500 == 7 else v) for i, (k, v) in enumerate(records(n, seed))]
            if table:
                table = troubled(table)
                table[n // 4] = (b"k", b"?fail3")
                table[n // 4 * 3] = (b"k", b"?kill4")
            write(d, table)
            got = [has(part) for part in parts(d, "map_partitions")]
            assert [p for p, _, _ in got] == list(range(len(got)))
            assert all(n == len(rest) for _, n, rest in got)
            quern.same(list(itertools.chain(*(rest for _, _, rest in got))), [line(r) for r in table])
            assert len(list((d / "memory").iterdir())) == (4 if table else 0)
            forget(d)
            # One behind the other: the second sees what the first has added.
            for (p, n, rest), (first_p, first_n, first) in zip(map(has, parts(d, "map_partitions_twice")), got):
                assert (p, n) == (first_p, first_n + 1), (p, n)
                quern.same(rest, first + [b"%d has %d" % (first_p, first_n)])


def test_a_function_need_not_take_all_of_a_partition():
    with quern.scratch() as d:
        table = records(30000, 6)
        write(d, table)
        whole = [rest for _, _, rest in map(has, parts(d, "map_partitions"))]
        values = [[r.partition(b"\t")[2] if b"\t" in r else r for r in part] for part in whole]
        for n in 0, 3:
            assert parts(d, "first_few", n) == [part[:n] for part in values]
        expected = [[b"%d %d" % (len(a), len(b)) for a, b in zip([b""] + part, part)] for part in values]
        assert parts(d, "neighbours") == expected


def test_taking_ends_a_function_that_does_not_end():
    with quern.scratch() as d:
        write(d, records(20000, 7))
        assert run(d, "take_endless", "-", "1000").split() == [b"%d" % n for n in range(1000)]
        assert run(d, "take_endless", "-", "1") == b"0\n"
        some = list(itertools.chain(*parts(d, "first_few", 3)))
        assert len(some) > 3 and run(d, "take_partitions", "-", "7").split(b"\n")[:-1] == [b"=" + v for v in some[:7]]


def test_what_is_sorted_sees_whole_partitions():
    """The sample of a sort reads plain text in some places only: not when a function wants a partition."""
    with quern.scratch() as d:
        table = [(b"%06d" % i, b"x" * 300) for i in random.Random(8).sample(range(20000), 20000)]
        write(d, table, files=2)
        got = list(itertools.chain(*parts(d, "map_partitions_sorted")))
        assert sum(int(row.split(b" has ")[1]) for row in got if b" has " in row) == len(table)
        quern.same([row for row in got if b" has " not in row], lines(table))


def test_partitions_of_a_union_are_numbered_by_set():
    with quern.scratch() as d:
        table = records(2000, 9)
        write(d, table)
        got = [has(part) for part in parts(d, "map_partitions_union")]
        half = len(got) // 2
        assert got[:half] == got[half:] and [p for p, _, _ in got[:half]] == list(range(half))
        twice = parts(d, "sample_union", 0.3, 5)
        assert twice[:half] == parts(d, "sample", 0.3, 5)


def test_samples():
    with quern.scratch() as d:
        n = 20000
        table = [(None if i % 3 else b"k", b"%d" % i) for i in range(n)]
        write(d, troubled(table))
        everything = collections.Counter(lines(troubled(table)))
        for fraction in 0, 0.01, 0.5, 1:
            got = saved(d, "sample", fraction, 42)
            assert not collections.Counter(got) - everything
            # Five standard deviations: the seed is the same each time, so this either holds or does not.
            assert abs(len(got) - n * fraction) <= 5 * (n * fraction * (1 - fraction)) ** 0.5 + 2, (fraction, len(got))
        quern.same(saved(d, "sample", 0.5, 42), got := saved(d, "sample", 0.5, 42))
        other = saved(d, "sample", 0.5, 43)
        both = len(set(got) & set(other))
        assert abs(both - n / 4) < 5 * (n * 3 / 16) ** 0.5, both  # they have nothing to do with each other
        for fraction in 0.1, 1, 40:
            times = collections.Counter(saved(d, "sample_again", fraction, 7))
            assert set(times) <= set(everything)
            counts = [times[row] for row in everything]
            mean = sum(counts) / len(counts)
            spread = sum((c - mean) ** 2 for c in counts) / len(counts)
            # Of a Poisson distribution mean and variance are the same.
            assert abs(mean - fraction) < 5 * (fraction / n) ** 0.5, (fraction, mean)
            assert abs(spread - fraction) < 5 * ((fraction + 2 * fraction ** 2) / n) ** 0.5, (fraction, spread)


def test_distinct():
    with quern.scratch() as d:
        table = troubled(records(20000, 10, keyless=0.4))
        table += [(b"", b"x"), (None, b"x"), (b"x", b""), (b"", b""), (None, b"")] * 30
        write(d, table)
        quern.same(saved(d, "distinct"), lines(set(table)))


def test_numbers():
    with quern.scratch() as d:
        table = troubled(records(5000, 11))
        write(d, table)
        kept = [r for r in table if not r[1].startswith(b"#")]
        # A record without a key has an empty one when a function emits its key again.
        numbered = [b"%s\t%d %s" % (k or b"", i, v) for i, (k, v) in enumerate(kept) if i % 3 != 2]
        got = list(itertools.chain(*parts(d, "zip")))
        quern.same(got, numbered)
        ordered = sorted(table, key=lambda r: r[0] or b"")
        quern.same(list(itertools.chain(*parts(d, "zip_sorted"))), [b"%d\t%s" % (i, v) for i, (_, v) in enumerate(ordered)])
        for n in 0, 3, 4000, 10000:
            assert run(d, "take_zip", "-", n) == b"".join(b"%d=%s\n" % (i, v) for i, (_, v) in enumerate(table[:n])), n


def test_numbers_of_numbers():
    with quern.scratch() as d:
        table = records(1000, 12)
        write(d, table)
        first = [(k, b"%d %s" % (i, v)) for i, (k, v) in enumerate(table) if i % 3 != 2]
        expected = [b"%s\t%d %s" % (k or b"", i, v) for i, (k, v) in enumerate(first + first) if i % 3 != 2]
        quern.same(list(itertools.chain(*parts(d, "zip_twice"))), expected)


def test_numbers_of_what_was_shuffled():
    with quern.scratch() as d:
        table = troubled(records(1000, 13))
        write(d, table)
        rows = run(d, "zip_shuffled").split(b"\n")[:-1]
        assert rows.pop() == b"%d" % len(table)
        assert [int(row.partition(b"=")[0]) for row in rows] == list(range(len(table)))
        quern.same(sorted(row.partition(b"=")[2] for row in rows), sorted(v for _, v in table))


def test_a_set_that_changes_cannot_be_numbered():
    with quern.scratch() as d:
        write(d, [(None, b"x")] * 3, files=1)
        result = start(d, "zip_changed", d / "times", d / "out")
        quern.check(d, result, 1)
        assert b"as many records as when they were counted" in result.stderr, result.stderr


def test_repartition():
    with quern.scratch() as d:
        table = troubled(records(10000, 14))
        write(d, table)
        for n in 1, 3, 16:
            got = parts(d, "repartition", n)
            quern.same(sorted(itertools.chain(*got)), lines(table))
            sizes = [len(part) for part in got]
            assert len(got) == n and max(sizes) - min(sizes) <= 7, sizes
            forget(d)
            # The same records in the same places, whatever failed on the way and whoever was first.
            assert parts(d, "repartition", n) == got
    with quern.scratch() as d:
        write(d, [])
        assert list(itertools.chain(*parts(d, "repartition", 4))) == []


def test_coalesce():
    with quern.scratch() as d:
        table = troubled(records(5000, 15))
        write(d, table)
        before = [rest for _, _, rest in map(has, parts(d, "map_partitions"))]
        forget(d)
        for n in 1, 2, 3, 50:
            got = parts(d, "coalesce", n)
            expected = [[] for _ in range(n)]
            for i, part in enumerate(before):
                expected[i * n // len(before)] += part
            assert got == expected, n
        quern.same(list(itertools.chain(*parts(d, "coalesce_union", 3))),
                   [line(r) for r in table if not r[1].startswith(b"#")] + [line(r) for r in table])


def places(table, n, place):
    parts = [[] for _ in range(n)]
    for r in table:
        parts[place(r[0] or b"") % n].append(r)
    return parts


def test_partitions_of_ones_own():
    with quern.scratch() as d:
        table = troubled(records(5000, 16))
        write(d, table)
        for n in 1, 4, 9:
            expected = places(table, n, lambda k: len(k) + 7)
            assert parts(d, "partition_by", n) == [list(map(line, part)) for part in expected], n
        for n in 0, 4:
            got = parts(d, "partition_by_hash", n)
            quern.same(sorted(itertools.chain(*got)), lines((k or b"", v) for k, v in table))  # each has a key now
            seen = [{row.partition(b"\t")[0] for row in part} for part in got]
            assert len(got) == n or n == 0 and len(got) > 1
            assert sum(map(len, seen)) == len(set().union(*seen))
        result = start(d, "partition_by_nothing", d / "out", 3)
        quern.check(d, result, 1)
        assert b"chose partition 3: there are 3" in result.stderr, result.stderr


def test_partitions_that_are_sorted():
    with quern.scratch() as d:
        table = troubled(records(8000, 17))
        write(d, table)
        for how in "a", "d", "av", "dv":
            def key(r):
                return (r[0] or b"", r[1]) if "v" in how else r[0] or b""
            expected = places(table, 5, lambda k: len(k) + 7)
            for part in expected:
                part.sort(key=key, reverse="d" in how)  # equal ones stay as they came
            got = parts(d, "partition_and_sort", 5, how)
            if "v" in how:  # a record without a key is like one with an empty one
                assert [sorted(part) for part in got] == [sorted(map(line, part)) for part in expected]
                unkeyed = [[row.lstrip(b"\t") for row in part] for part in got]
                assert unkeyed == [[line(r).lstrip(b"\t") for r in part] for part in expected], how
            else:
                assert got == [list(map(line, part)) for part in expected], how
        got = parts(d, "partition_and_sort_hash", 4, "a")
        assert all(part == sorted(part, key=lambda row: row.partition(b"\t")[0] if b"\t" in row else b"")
                   for part in got)
        seen = [{row.partition(b"\t")[0] if b"\t" in row else b"" for row in part} for part in got]
        assert sum(map(len, seen)) == len(set().union(*seen))
        quern.same(sorted(itertools.chain(*got)), lines(table))


def test_partitions_that_are_sorted_by_number():
    with quern.scratch() as d:
        r = random.Random(18)
        numbers = [r.randrange(-10**15, 10**15) if r.random() < 0.5 else r.randrange(-20, 20) for _ in range(5000)]
        write(d, [(None, b"%d" % n) for n in numbers])
        for how in "a", "d":
            expected = [[] for _ in range(3)]
            for n in numbers:
                expected[n % 2**64 % 3].append(n)
            for part in expected:
                part.sort(reverse=how == "d")
            assert parts(d, "partition_and_sort_numbers", 3, how) == \
                [[b"%d\t%d" % (n, n) for n in part] for part in expected], how


def test_mistakes():
    with quern.scratch() as d:
        write(d, records(100, 19))
        result = start(d, "mistakes")
        quern.check(d, result)
        assert result.stdout == b"8 mistakes, 100 records\n", result.stdout
        for words in b"1.5 is not from 0 to 1", b"-1 is not from 0 to 1000", b"0 partitions", b"1000001 partitions", \
                b"quern_partition_by()", b"no such order", b"quern_map_partitions(): the function is NULL", \
                b"quern_foreach(): the function is NULL":
            assert words in result.stderr, (words, result.stderr)


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
