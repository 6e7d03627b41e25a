"""Groups and joins through the whole system, against loops over the same records in Python."""
import collections
import itertools
import os
import random
import re
import sys

import quern

GROUP = quern.JOBS / "group.c"
MODES = quern.MODES
CLUSTERS = itertools.cycle(itertools.product(MODES, ["local[4]", "local[1]", "local[2x2]"]))


def rows(n, seed, keys=300, value=lambda r: b"%d" % r.randrange(1000)):
    """Keys and values: few keys come often, most hardly ever; the empty one is among them."""
    r = random.Random(seed)
    names = [b""] + [r.randbytes(r.randrange(1, 30)).translate(None, b"\t\n\r") or b"k" for _ in range(keys)]
    return [(names[int(r.random() ** 3 * len(names))], value(r)) for _ in range(n)]


def sides(n=1500, m=900):
    """Two of them: some keys are on both sides, some on one."""
    left, right = rows(n, 1), rows(m, 1, keys=300)
    return [(k, v) for k, v in left if not k.startswith(b"a")], [(k, b"r" + v) for k, v in right if not k.startswith(b"b")]


def write(path, table, files=3):
    path.mkdir()
    each = max(-(-len(table) // files), 1)
    for i in range(files):
        part = table[i * each:(i + 1) * each]
        # Records with an empty key come without a tab, so without a key, every other time.
        (path / f"f{i}").write_bytes(b"".join(b"%s\t%s\n" % (k, v) if k or n % 2 else b"%s\n" % v
                                              for n, (k, v) in enumerate(part)))


class Sides:
    """Two inputs, and what a job makes of them."""

    def __init__(self, d, left, right):
        self.d, self.left, self.right = d, left, right
        write(d / "left", left)
        write(d / "right", right)
        self.number = 0

    def run(self, what, *options, right=None, swapped=False, cluster=None):
        mode, master = cluster or next(CLUSTERS)
        self.number += 1
        self.out, marks = self.d / f"out-{self.number}", self.d / f"marks-{self.number}"
        marks.mkdir()
        inputs = self.d / "left", right or self.d / "right"
        self.result = quern.run(self.d, "run", "--master", master, "--mode", mode, "--parallelism", "5", *options,
                                GROUP, what, *(reversed(inputs) if swapped else inputs), self.out, marks)
        quern.check(self.d, self.result)
        self.marks = sorted(p.name for p in marks.iterdir())
        return quern.output(self.out)


def values(table):
    of = collections.defaultdict(list)
    for key, value in table:
        of[key].append(value)
    return of


def joined(left, right, all_left=False, all_right=False):
    a, b = values(left), values(right)
    lines = [b"%s\t%s|%s" % (k, v, w) for k in a for v in a[k] for w in b.get(k, [])]
    if all_left:
        lines += [b"%s\t%s|(none)" % (k, v) for k in a if k not in b for v in a[k]]
    if all_right:
        lines += [b"%s\t(none)|%s" % (k, w) for k in b if k not in a for w in b[k]]
    return sorted(lines)


def totals(table):
    return sorted(b"%s\t%d %d" % (k, len(v), sum(map(len, v))) for k, v in values(table).items())


def test_groups():
    with quern.scratch() as d:
        s = Sides(d, *sides())
        quern.same(s.run("group"), totals(s.left))
        quern.same(s.run("each"), sorted(b"%s\t%s" % row for row in s.left))
        quern.same(s.run("keys"), sorted(b"%s\tthere" % key for key in values(s.left)))
        a, b = values(s.left), values(s.right)
        quern.same(s.run("cogroup"),
                   sorted(b"%s\t%d %d" % (k, len(a.get(k, [])), len(b.get(k, []))) for k in {*a, *b}))


def test_joins():
    with quern.scratch() as d:
        s = Sides(d, *sides())
        quern.same(s.run("join"), joined(s.left, s.right))
        quern.same(s.run("join_divided"), joined(s.left, s.right))
        quern.same(s.run("left"), joined(s.left, s.right, all_left=True))
        quern.same(s.run("right"), joined(s.left, s.right, all_right=True))
        quern.same(s.run("full"), joined(s.left, s.right, True, True))
        quern.same(s.run("packed"), joined(s.left, s.right, True, True))
        quern.same(s.run("self"), joined(s.left, s.left))
        keys = {key for key, _ in s.right}
        quern.same(s.run("subtract_by_key"), sorted(b"%s\t%s" % row for row in s.left if row[0] not in keys))


def as_written(table):
    """Whether a record has a key, see write(): its place in its file decides that of an empty one."""
    each = max(-(-len(table) // 3), 1)
    return [(key if key or n % each % 2 else b"(none)", value) for n, (key, value) in enumerate(table)]


def test_whole_records():
    with quern.scratch() as d:
        left, right = sides(3000, 2500)
        # Some of the left ones are on the right as well, some of both several times.
        r = random.Random(3)
        right += [r.choice(left) for _ in range(500)] + [r.choice(right) for _ in range(100)]
        r.shuffle(right)
        s = Sides(d, left, right)
        a, b = as_written(left), set(as_written(right))

        def lines(table):
            return sorted(b"%s\t%s" % row if row[0] != b"(none)" else row[1] for row in table)

        quern.same(s.run("subtract"), lines(row for row in a if row not in b))
        quern.same(s.run("intersection"), lines(set(a) & b))


def test_all_pairs():
    with quern.scratch() as d:
        s = Sides(d, *sides(150, 110))
        expected = sorted(b"%s\t%s|%s=%s" % (k, v, q, w) for k, v in as_written(s.left) for q, w in as_written(s.right))
        for partitions in "", "1", "2", "7", "16", "40":
            quern.same(s.run("cartesian" + partitions), expected)
    with quern.scratch() as d:
        s = Sides(d, sides(50)[0] + [(b"a key", b"kill"), (b"another", b"fail")], sides(50)[1])
        expected = sorted(b"%s\t%s|%s=%s" % (k, v, q, w) for k, v in as_written(s.left) for q, w in as_written(s.right))
        for mode in MODES:
            quern.same(s.run("cartesian9", cluster=(mode, "local[2x2]")), expected)
            assert s.marks == ["fail", "kill"], s.marks


def test_a_side_without_records():
    with quern.scratch() as d:
        s = Sides(d, sides(200)[0], [])
        quern.same(s.run("join"), [])
        quern.same(s.run("full"), joined(s.left, [], True, True))
        quern.same(s.run("right"), [])
        quern.same(s.run("subtract_by_key"), sorted(b"%s\t%s" % row for row in s.left))
    with quern.scratch() as d:
        s = Sides(d, [], [])
        for what in "group", "cogroup", "join", "full", "subtract_by_key", "subtract", "intersection", "cartesian":
            quern.same(s.run(what), [])


def test_joins_with_what_was_reduced():
    with quern.scratch() as d:
        left, right = sides()
        s = Sides(d, [(k or b"none", v) for k, v in left], right)
        sums = [(k, b"%d" % sum(map(int, v))) for k, v in values(s.left).items()]
        for what in "reduced", "reduced_divided":
            quern.same(s.run(what), joined(sums, s.right, True, True))
        pairs = [tuple(line.split(b"\t", 1)) for line in joined(s.right, s.right)]
        quern.same(s.run("reduced_twice"), joined(sums, pairs, True, True))


def test_sorts_in_an_order_of_ones_own():
    with quern.scratch() as d:
        left, _ = sides(4000)
        s = Sides(d, left, [])
        for how in "", "d", "v", "dv":
            by = (lambda key, value: (len(key), key[::-1], value)) if "v" in how else (lambda key, _: (len(key), key[::-1]))
            expected = sorted(left, key=lambda row: by(*row), reverse="d" in how)  # sorted() keeps equal ones
            s.run("sort" + how)
            # Which line has a tab is not the order's business.
            got = [line if b"\t" in line else b"\t" + line for line in quern.parts(s.out).split(b"\n")[:-1]]
            quern.same(got, [b"%s\t%s" % row for row in expected])
            if how == "":
                assert sum(p.stat().st_size > 0 for p in s.out.glob("part-*")) > 1


def test_page_ranks():
    r = random.Random(5)
    pages = [b"p%d" % i for i in range(60)]
    edges = [(page, r.choice(pages)) for page in pages[:50] for _ in range(r.randrange(1, 8))]
    links, ranks = values(edges), dict.fromkeys((page for page, _ in edges), 1.0)
    for _ in range(6):
        # Every page that has links or a rank keeps its share.
        new = dict.fromkeys({*links, *ranks}, 0.15)
        for page, rank in ranks.items():
            for target in links.get(page, []):
                new[target] = new.get(target, 0) + 0.85 * rank / len(links[page])
        ranks = new
    with quern.scratch() as d:
        s = Sides(d, edges, [])
        got = dict(line.split(b"\t") for line in s.run("rank", right="6"))
        assert got.keys() == ranks.keys()
        for page, rank in ranks.items():
            assert abs(float(got[page]) - rank) <= 1e-9 * rank, (page, got[page], rank)


def test_tasks_that_die_once():
    for cluster in itertools.product(MODES, ["local[2]", "local[2x2]"]):
        with quern.scratch() as d:
            left, right = sides(400, 300)
            # On keys that are on both sides.
            for key, how in zip(sorted({k for k, _ in right} & {k for k, _ in left})[:2], (b"kill", b"fail")):
                left.append((key, how))
            s = Sides(d, left, right)
            quern.same(s.run("group", cluster=cluster), totals(left))
            assert s.marks == ["fail", "kill"], s.marks
            quern.same(s.run("full", cluster=cluster), joined(left, right, True, True))
            assert s.marks == ["fail", "kill"], s.marks
            a, b = values(left), values(right)
            quern.same(s.run("cogroup", cluster=cluster),
                       sorted(b"%s\t%d %d" % (k, len(a.get(k, [])), len(b.get(k, []))) for k in {*a, *b}))
            assert s.marks == ["fail", "kill"], s.marks


def test_map_output_that_is_lost():
    for mode in MODES:
        with quern.scratch() as d:
            left, right = sides(400, 300)
            write(d / "left", left, files=8)
            write(d / "right", right, files=8)
            between = d / "between"
            between.mkdir()
            os.mkfifo(between / "go")
            job = quern.start(d, "run", "--master", "local[2x2]", "--mode", mode, GROUP, "twice", d / "left", d / "right",
                              d / "out", between)
            try:
                quern.wait_for("the first join", lambda: (between / "there").exists() or job.poll() is not None)
                executors = [pid for pid, command in quern.descendants(job.pid)
                             if b"quern-executor" in command.split(b"\0")[0]]
                quern.kill(executors[0])
                with open(between / "go", "wb"):
                    pass
                result = quern.finish(job)
            finally:
                if job.poll() is None:
                    job.kill()
                job.wait()
            quern.check(d, result)
            quern.same(quern.output(d / "out"), joined(left, right, True, True))


def test_keys_larger_than_memory():
    beside = 32  # MiB that a worker may need beside what its task was given
    for mode in MODES:
        with quern.scratch() as d:
            r = random.Random(9)
            # One key with 50 MB of values that do not compress, some others.
            big = [(b"big", r.randbytes(1500).translate(None, b"\n\t")) for _ in range(35000)]
            few = [(b"k%d" % i, b"v") for i in range(50)]
            s = Sides(d, [(b"big", b"one"), (b"big", b"two")] + few, big + few)
            lengths = sorted([b"big\t%d" % (3 + len(v)) for _, v in big] * 2 + [b"%s\t2" % k for k, _ in few])
            peaks = []
            for what, swapped, expected in [("lengths", False, lengths), ("lengths", True, lengths),
                                            ("group", True, totals(big + few))]:
                quern.same(s.run(what, "--task-memory", "16m", "--verbose", swapped=swapped,
                                 cluster=(mode, "local[2]")), expected)
                peaks.append(float(re.search(rb"peak memory of a worker: ([0-9.]+) MiB", s.result.stderr)[1]))
            # What a sanitizer or valgrind needs is not the program's.
            assert quern.SANITIZED or quern.WRAPPER or max(peaks) <= 16 + beside, peaks


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
