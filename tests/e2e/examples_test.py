"""The examples, as a newcomer would run them, against the tools that everybody has."""
import re
import collections
import itertools
import math
import random
import subprocess
import sys

import quern

WORDS = "the mill grinds the grain to flour and the flour to bread, slowly but".split() + ["naïve", "quern", "y" * 40]
MODES = itertools.cycle(["coarse", "fine"])


def text(lines=4000, seed=1):
    r = random.Random(seed)
    return "".join(r.choice(" \t").join(r.choices(WORDS, k=r.randrange(0, 9))) + "\n" for _ in range(lines)).encode()


def example(d, name, *args, status=0):
    result = quern.run(d, "run", "--master", "local[4]", "--mode", next(MODES), "--parallelism", "6",
                       quern.EXAMPLES / f"{name}.c", *args)
    quern.check(d, result, status)
    return result.stdout


def tool(d, *command):
    return subprocess.run(command, cwd=d, env=dict(quern.environment(d), LC_ALL="C"), stdout=subprocess.PIPE,
                          check=False).stdout


def folder(d):
    (d / "in").mkdir()
    for i in range(3):
        (d / "in" / f"{i}.txt").write_bytes(text(seed=i))
    (d / "in" / "_not_this_one").write_bytes(b"hidden\n")
    (d / "all").write_bytes(b"".join(text(seed=i) for i in range(3)))


def test_wordcount():
    with quern.scratch() as d:
        folder(d)
        example(d, "wordcount", "in", "out")
        quern.same(quern.output(d / "out"), quern.word_counts(d / "all"))


def test_linecount():
    with quern.scratch() as d:
        folder(d)
        assert example(d, "linecount", "in").strip() == tool(d, "wc", "-l", "all").split()[0]
        assert example(d, "linecount", "in/[12].txt") == b"8000\n"


def test_grep():
    with quern.scratch() as d:
        folder(d)
        expected = tool(d, "grep", "-F", "flour and", "all")
        assert expected and example(d, "grep", "flour and", "in") == expected
        example(d, "grep", "flour and", "in", "out")
        quern.same(quern.output(d / "out"), sorted(expected.splitlines()))
        assert example(d, "grep", "no such text", "in") == b""


def test_cut():
    with quern.scratch() as d:
        folder(d)
        for field, lines in (1, 10), (3, 5000), (9, 100):
            fields = [(line.split(b"\t") + [b""] * 9)[field - 1] for line in (d / "all").read_bytes().split(b"\n")]
            assert example(d, "cut", field, "in", lines) == b"".join(f + b"\n" for f in fields[:lines])
        assert len(example(d, "cut", 1, "in").splitlines()) == 10


def test_longest():
    with quern.scratch() as d:
        folder(d)
        best = {}
        for word in (d / "all").read_bytes().split():
            best[word[:1]] = min(best.get(word[:1], word), word, key=lambda w: (-len(w), w))
        example(d, "longest", "in", "out")
        quern.same(quern.output(d / "out"), sorted(k + b"\t" + v for k, v in best.items()))
        assert (d / "out" / "part-00000").exists() and not (d / "out" / "part-00001").exists()


def test_top_words():
    with quern.scratch() as d:
        folder(d)
        counts = collections.Counter((d / "all").read_bytes().split())
        ranked = sorted(((n, word) for word, n in counts.items()), key=lambda c: (-c[0], c[1]))
        lines = [b"%d\t%s\n" % c for c in ranked]
        assert example(d, "top_words", "in") == b"".join(lines[:10])
        assert example(d, "top_words", "in", "3") == b"".join(lines[:3])
        least = ranked[5][0]
        assert example(d, "top_words", "in", "10000", least) == b"".join(b"%d\t%s\n" % c for c in ranked if c[0] >= least)


def test_a_shared_object_is_a_job_as_well():
    with quern.scratch() as d:
        folder(d)
        subprocess.run(["cc", "-shared", "-fPIC", "-Wl,--build-id", "-I", quern.EXAMPLES.parent / "job" / "include", "-o",
                        d / "count.so", quern.EXAMPLES / "linecount.c"], check=True)
        for name in d / "count.so", "count.so", "./count.so":
            result = quern.run(d, "run", "--master", "local[2]", name, "all")
            quern.check(d, result)
            assert result.stdout == b"12000\n"
        assert not (d / "cache").exists(), "something was compiled"


def test_verbose_shows_the_plan():
    with quern.scratch() as d:
        (d / "all").write_bytes(text())
        result = quern.run(d, "run", "--verbose", "--parallelism", "3", "--master", "local[2]",
                           quern.EXAMPLES / "wordcount.c", "all", "out")
        quern.check(d, result)
        plan = result.stderr.decode().split("\n")
        begin = plan.index("quern: run 1: save_text(out)")
        assert plan[begin + 1] == \
            f"  stage 1: text '{d}/all' -> shuffle 1 of 3 partitions, combined by quern_sum_u64", plan
        assert plan[begin + 2].startswith("    flat_map job+0x"), plan
        assert plan[begin + 3] == \
            f"  stage 2: shuffle 1, reduced by quern_sum_u64 -> text '{d}/out' as key<TAB>u64", plan
        assert any(re.fullmatch(r"quern: peak memory of a worker: [0-9]+\.[0-9] MiB", line) for line in plan), plan


def test_sort():
    with quern.scratch() as d:
        folder(d)
        example(d, "sort", "in", "out")
        assert quern.parts(d / "out") == tool(d, "sort", "all")
        example(d, "sort", "in", "reverse", "-r")
        assert quern.parts(d / "reverse") == tool(d, "sort", "-r", "all")


def near(rows, expected):
    """Rows of numbers that are to be the same but for their last digits."""
    assert len(rows) == len(expected), (len(rows), len(expected))
    for row, other in zip(rows, expected):
        assert len(row) == len(other) and all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(row, other)), (row, other)


def kmeans(points, k, n):
    """What a plain loop finds."""
    centres = points[:k]
    for _ in range(n):
        mine = [[] for _ in centres]
        for p in points:
            distances = [sum((a - b) ** 2 for a, b in zip(p, centre)) for centre in centres]
            mine[distances.index(min(distances))].append(p)
        centres = [[sum(column) / len(some) for column in zip(*some)] if some else centre
                   for some, centre in zip(mine, centres)]
    return centres


def test_kmeans():
    with quern.scratch() as d:
        r = random.Random(7)
        texts = [[r.choice(["%.5f", "%.17g", "%+.3e", "%d"]) % r.gauss(r.choice([-50, 3, 2000]), 9) for _ in range(3)]
                 for _ in range(900)]
        texts[1] = texts[0]  # a centre that no point goes to: the one before is as near
        (d / "points").write_text("".join(" ".join(row) + "\n" for row in texts))
        for k, n in (5, 7), (1, 1), (12, 3):
            rows = [list(map(float, line.split())) for line in example(d, "kmeans", "points", k, n).splitlines()]
            near(rows, kmeans([list(map(float, row)) for row in texts], k, n))
        for line, reason in ("1 2 x", "'x' is not a number"), ("1 2 -", "'-' is not"), ("1 2", "2 numbers"):
            (d / "wrong").write_text("1 2 3\n" + line + "\n")
            result = quern.run(d, "run", "--master", "local[2]", "--task-max-failures", "1", quern.EXAMPLES / "kmeans.c",
                               "wrong", 1, 1)
            quern.check(d, result, 1)
            assert reason in result.stderr.decode(), result.stderr
        (d / "few").write_text("1 2 3\n")
        assert b"there are only 1 points" in quern.run(d, "run", "--master", "local[1]", quern.EXAMPLES / "kmeans.c", "few", 2,
                                                 1).stderr


def pagerank(links, n):
    """What a plain loop finds."""
    ranks, out = {page: 1 for link in links for page in link}, collections.Counter(page for page, _ in links)
    for _ in range(n):
        given = collections.Counter()
        for page, to in links:
            given[to] += ranks[page] / out[page]
        ranks = {page: 0.15 + 0.85 * given[page] for page in ranks}
    return sorted(ranks.items())


def test_pagerank():
    with quern.scratch() as d:
        r = random.Random(8)
        # Some twice, some to themselves; pages without links, and some to which there are none.
        links = [(int(300 * r.random() ** 2), 50 + int(300 * r.random() ** 3)) for _ in range(3000)]
        (d / "in").mkdir()
        for i in range(3):
            (d / "in" / str(i)).write_text("".join("%d\t%d\n" % link for link in links[i::3]))
        for n in 1, 2, 9:
            example(d, "pagerank", "in", n, f"out{n}")
            near(sorted(tuple(map(float, line.split(b"\t"))) for line in quern.output(d / f"out{n}")), pagerank(links, n))


def test_flags_reach_the_compiler():
    with quern.scratch() as d:
        (d / "all").write_bytes(text())
        (d / "words.h").write_bytes(b"enum { ADDED = 4 };\n")
        (d / "job.c").write_bytes(b'''#include <math.h>
#include <quern/quern.h>
#include <stdio.h>
#include "words.h"
int quern_main(quern_job *job, int argc, char **argv)
{
	uint64_t n;
	int r = argc == 2 ? quern_count(quern_text(job, argv[1]), &n) : 1;
	(void)printf("%s %.0f\\n", GREETING, r == 0 ? floor(sqrt((double)n * (double)n)) + ADDED : -1);
	return r;
}
''')
        result = quern.run(d, "run", "--master", "local[2]", "--cflags", "-I '%s' -lm '-DGREETING=\"good day\"'" % d,
                           "job.c", "all")
        quern.check(d, result)
        assert result.stdout == b"good day 4004\n", result


def test_every_example_says_how_it_is_used():
    with quern.scratch() as d:
        names = sorted(p.stem for p in quern.EXAMPLES.glob("*.c"))
        assert len(names) >= 6
        for name in names:
            assert f"def test_{name}()" in open(__file__).read(), f"no test of {name}.c"
            result = quern.run(d, "run", "--master", "local[1]", quern.EXAMPLES / f"{name}.c")
            quern.check(d, result, 1)
            assert b"usage: " in result.stderr, result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
