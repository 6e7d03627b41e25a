"""Actions that make few values of many, aggregations by key, accumulators and bad records, against the same thing done
in Python; with tasks that die."""
import collections
import itertools
import math
import random
import sys

import quern

JOB = quern.JOBS / "actions.c"
WORDS = [b"mill", b"stone", b"grain", b"flour", b"of", b"\xc3\xa9t\xc3\xa9", b"\x01", b"x" * 70]
CLUSTERS = list(itertools.product(quern.MODES, ["local[3]", "local[2x1]"]))
ROUNDS = itertools.cycle(CLUSTERS)


def rows(n, seed):
    r = random.Random(seed)
    keys = [b""] + [r.randbytes(r.randrange(1, 9)).translate(None, b"\t\n\r") for _ in range(60)]
    return [(r.choice(keys), r.randrange(-1000, 1000) if r.random() < 0.9 else r.randrange(-1 << 40, 1 << 40),
             b" ".join(r.choices(WORDS, k=r.randrange(0, 5)))) for _ in range(n)]


def write(d, table, files=5):
    path = d / "input"
    path.mkdir()
    lines = [b"%s\t%d\t%s" % row for row in table]
    for i in range(files):
        (path / f"f{i}").write_bytes(b"".join(line + b"\n" for line in lines[i::files]))
    return [line for i in range(files) for line in lines[i::files]]


def run(d, what, *more, options=(), cluster=None, status=0):
    mode, master = cluster or next(ROUNDS)
    result = quern.run(d, "run", "--master", master, "--mode", mode, "--parallelism", "3", *options, JOB, what,
                       d / "input", *more)
    quern.check(d, result, status)
    return result


def printed(result):
    """name -> the lines of that name, without it."""
    found = collections.defaultdict(list)
    for line in result.stdout.split(b"\n")[:-1]:
        name, _, rest = line.partition(b"\t")
        found[name.decode()].append(rest)
    return found


def saved(d, what):
    out = d / f"out-{what}"
    run(d, what, out)
    return quern.output(out)


def test_one_value_of_all():
    with quern.scratch() as d:
        table = rows(4000, 1)
        lines = write(d, table)
        numbers = [n for _, n, _ in table]
        for cluster in CLUSTERS[:1] + CLUSTERS[3:]:
            got = printed(run(d, "one_value", cluster=cluster))
            assert got["reduce"] == [b"\t" + max(text for _, _, text in table)]
            assert got["sum"] == got["fold"] == [b"\t%d" % sum(numbers)]
            assert "never" not in got
            assert got["fold_none"] == [b"\tzero"]
            assert got["aggregate"] == [b"\t%d/%d" % (len(table), 3 * sum(len(t) for _, _, t in table))]
            assert got["first"] == [b"\t" + lines[0]]
            assert got["is_empty"] == [b"\t1 0"]
            count, total, mean, least, most, squares = got["stats"][0].split()
            exact = sum(numbers) / len(numbers)
            assert (int(count), float(least), float(most)) == (len(numbers), min(numbers), max(numbers))
            assert math.isclose(float(total), sum(numbers), rel_tol=1e-12)
            assert math.isclose(float(mean), exact, rel_tol=1e-12)
            assert math.isclose(float(squares), math.fsum((n - exact) ** 2 for n in numbers), rel_tol=1e-9)
            assert got["stats_none"][0].split() == [b"0", b"0", b"nan", b"nan", b"nan", b"0"]


def test_the_first_in_an_order():
    with quern.scratch() as d:
        table = rows(3000, 2)
        lines = write(d, table)
        pairs = [(line.split(b"\t")[0], int(line.split(b"\t")[1])) for line in lines]
        for n in 10, 1, len(pairs) + 5, 0:
            got = printed(run(d, "tops", str(n)))

            def same(name, wanted):
                quern.same(got[name], [b"%s\t%d" % pair for pair in wanted[:n]])

            by_value = sorted(pairs, key=lambda p: (p[1], p[0]))
            same("least_value", by_value)
            same("top_value", by_value[::-1])
            same("top_key_value", sorted(pairs)[::-1])
            # Equal keys in the order of the set, in either direction.
            same("least_key", sorted(pairs, key=lambda p: p[0]))
            same("greatest_key", sorted(pairs, key=lambda p: p[0], reverse=True))


def test_aggregations_by_key():
    with quern.scratch() as d:
        table = rows(5000, 3)
        write(d, table)
        groups = collections.defaultdict(list)
        for row in table:
            groups[row[0]].append(row)
        for what in "aggregate_by_key", "combine_by_key":
            quern.same(saved(d, what), sorted(
                b"%s\t%d/%d" % (k, len(g), 2 * sum(len(t) for _, _, t in g)) for k, g in groups.items()))
        quern.same(saved(d, "fold_by_key"), sorted(
            b"%s\t%d" % (k, max(0, *(n for _, n, _ in g))) for k, g in groups.items()))
        quern.same(saved(d, "count_by_key"), sorted(b"%s\t%d" % (k, len(g)) for k, g in groups.items()))
        counts = collections.Counter(text for _, _, text in table)
        quern.same(saved(d, "count_by_value"), sorted(b"%s\t%d" % pair for pair in counts.items()))


def totals(table, times):
    return b"%d %d %d %d %d 0" % (
        times * len(table), min(n for _, n, _ in table), max(len(b"%s\t%d\t%s" % row) for row in table),
        times * sum(n < 0 for _, n, _ in table), times * sum(n >= 0 for _, n, _ in table))


def test_accumulators_count_once_whoever_dies():
    for number, cluster in enumerate(CLUSTERS):
        with quern.scratch() as d:
            table = rows(2000, 4 + number) + [(b"k", 13, b"")]
            write(d, table)
            result = run(d, "totals", d / "mark", cluster=cluster, options=["-v"])
            assert (d / "mark").exists()
            assert b"(1 of 4)" in result.stderr, result.stderr  # somebody died
            got = printed(result)
            assert got["before"] == [b"0 %d -inf 0 0 0" % ((1 << 63) - 1)]
            assert got["reduced"] == got["again"] == [totals(table, 1)]
            assert got["sorted"] == [totals(table, 2)]
            assert got["numbered"] == [totals(table, 3)]
            said = result.stderr.decode()
            assert f"quern: lines: {3 * len(table)}\n" in said and "quern: sign:negative: " in said, said


def test_accumulators_of_large_results_and_outputs():
    for number, cluster in enumerate(CLUSTERS):
        with quern.scratch() as d:
            table = rows(3000, 8 + number) + [(b"k", 13, b"")]
            write(d, table)
            result = run(d, "results", d / "mark", d / "out", cluster=cluster)
            assert (d / "mark").exists()
            # Those of accumulators are for -v; counters with names of their own are shown.
            shown = result.stderr.decode().splitlines()
            assert sorted(line.rsplit(": ", 1)[0] for line in shown) == ["quern: sign:negative", "quern: sign:other"], shown
            got = printed(result)
            assert got["collected"] == [totals(table, 1)]
            assert got["saved"] == [totals(table, 2)]


def with_bad(n, bad, seed):
    """A table, and so many lines that are bad, spread over it."""
    table = rows(n, seed)
    r = random.Random(seed)
    for i in range(bad):
        table.insert(r.randrange(len(table) + 1), i)
    return table


def write_bad(d, table):
    (d / "input").mkdir()
    lines = [b"bad %d" % row if isinstance(row, int) else b"%s\t%d\t%s" % row for row in table]
    for i in range(4):
        (d / "input" / f"f{i}").write_bytes(b"\n".join(lines[i::4]) + b"\n")
    return sorted(b"%s\t%d" % row[:2] for row in table if not isinstance(row, int))


def test_bad_records_are_left_out_and_shown():
    for number, cluster in enumerate(CLUSTERS):
        with quern.scratch() as d:
            good = write_bad(d, with_bad(1000, 12, 20 + number))
            result = run(d, "numbers", d / "out", cluster=cluster, options=["--max-bad-records", "12"])
            quern.same(quern.output(d / "out"), good)
            lines = result.stderr.decode().splitlines()
            assert lines[0] == "quern: warning: 12 bad records were left out; the first:", lines
            assert len(lines) == 6, lines
            for line in lines[1:]:
                assert "there is no field 1: it has 1 (input '" in line and ": value 'bad " in line, line


def test_more_bad_records_than_may_be_fail_at_once():
    for number, cluster in enumerate(CLUSTERS):
        with quern.scratch() as d:
            write_bad(d, with_bad(1000, 12, 30 + number))
            for most in "11", "1":
                result = run(d, "numbers", d / "out", cluster=cluster, status=1,
                             options=["--max-bad-records", most])
                said = result.stderr.decode()
                assert "there is no field 1" in said and "bad " in said, said
                assert not (d / "out").exists()
            result = run(d, "numbers", d / "out", cluster=cluster, status=1)
            quern.one_line(result, "there is no field 1: it has 1", "input '", "record ", "value 'bad ")
            # It was tried once.
            assert "failed 4 times" not in result.stderr.decode()


def test_failures_name_the_record():
    with quern.scratch() as d:
        table = rows(200, 40) + [(b"ke\x01y", 13, b"text")]
        table = [row for row in table if row[1] != 13][:200] + table[-1:]
        lines = write(d, table, files=1)
        result = run(d, "fail", d / "out", status=1)
        quern.one_line(result, "failed 4 times, at last", "thirteen (input '", f"record {len(lines)}: ",
                       r"value 'ke\x01y\x0913\x09text')")


def test_what_combines_has_no_record_to_be_left_out():
    with quern.scratch() as d:
        write(d, rows(500, 50))
        result = run(d, "bad_reduction", d / "out", status=1, options=["--max-bad-records", "1000"])
        quern.one_line(result, "never two")


def test_a_key_may_be_left_out():
    with quern.scratch() as d:
        table = rows(300, 60) + [(b"alone%d" % i, i, b"") for i in range(7)]
        write(d, table)
        counts = collections.Counter(key for key, _, _ in table)
        alone = [key for key, n in counts.items() if n == 1]
        result = run(d, "several", d / "out", options=["--max-bad-records", str(len(alone))])
        quern.same(quern.output(d / "out"), sorted(b"%s\t%d" % pair for pair in counts.items() if pair[1] > 1))
        said = result.stderr.decode()
        assert f"{len(alone)} bad records were left out" in said and "it is alone (shuffle " in said, said
        assert "key 'alone" in said, said
        result = run(d, "several", d / "other", status=1, options=["--max-bad-records", str(len(alone) - 1)])
        assert "it is alone" in result.stderr.decode()


def test_what_is_behind_a_partitions_function():
    for number, cluster in enumerate(CLUSTERS[1:3]):
        with quern.scratch() as d:
            table = with_bad(1000, 12, 70 + number)
            good = write_bad(d, table)
            result = run(d, "partitions", d / "out", cluster=cluster, options=["--max-bad-records", "12"])
            quern.same(quern.output(d / "out"), good)
            assert printed(result)["taken"] == [b"%d" % len(table)]
            assert b"12 bad records were left out" in result.stderr
            # In the function itself there is nothing to go on with.
            (d / "input" / "g").write_bytes(b"fail this\n")
            result = run(d, "partitions", d / "again", cluster=cluster, status=1,
                         options=["--max-bad-records", "100"])
            said = result.stderr.decode()
            assert "a partition has no one record (record 1: value 'fail this')" in said, said


def test_bad_records_are_left_out_alone():
    for number, (mode, master) in enumerate(CLUSTERS):
        with quern.scratch() as d:
            r = random.Random(number)
            lines = [[b"x" * r.randrange(1, 4) if r.random() < 0.02 else b"w" * r.randrange(1, 5)
                      for _ in range(r.randrange(8))] for _ in range(60)]
            (d / "in").write_bytes(b"".join(b" ".join(line) + b"\n" for line in lines))
            all_of = [word for line in lines for word in line]
            good = sum(word[:1] == b"w" for word in all_of)
            bad = len(all_of) - good
            lengths = collections.Counter(map(len, all_of))
            wanted = {
                "fused": {"records": good},
                "persisted": {"records": good, "all": len(all_of)},
                "zip": {"records": 2 * good},
                "join": {"records": sum(lengths[len(word)] for word in all_of if word[:1] == b"w")},
                "cartesian": {"records": len(all_of) ** 2 - bad ** 2},
                "sort": {"records": good, "before": len(all_of), "behind": good},
                "zip_kept": {"records": 2 * good, "before": len(all_of), "behind": good},
            }
            assert bad > 0
            for what, numbers in wanted.items():
                result = quern.run(d, "run", "-q", "--master", master, "--mode", mode, "--max-bad-records", "100000",
                                   quern.JOBS / "bad_alone.c", what, d / "in")
                quern.check(d, result)
                got = {name: int(n) for name, n in map(str.split, result.stdout.decode().splitlines())}
                assert got == numbers, (what, got, numbers)


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
