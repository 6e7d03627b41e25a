"""The examples, as a newcomer would run them, against the tools that everybody has."""
import collections
import itertools
import math
import pathlib
import random
import re
import shutil
import subprocess
import sys

import quern

WORDS = "the mill grinds the grain to flour and the flour to bread, slowly but".split() + ["naïve", "quern", "y" * 40]
PLAIN = pathlib.Path(__file__).resolve().parent / "plain"
MODES = itertools.cycle(quern.MODES)


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
        ranked = sorted(((n, word) for word, n in counts.items()), reverse=True)
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
            f"  stage 1 (2 tasks): text '{d}/all' -> shuffle 1 of 3 partitions, combined by quern_sum_u64", plan
        assert plan[begin + 2].startswith("    flat_map words"), plan
        assert plan[begin + 3] == \
            f"  stage 2 (3 tasks): shuffle 1, reduced by quern_sum_u64 -> text '{d}/out' as key<TAB>u64", plan
        assert any(re.fullmatch(r"quern: peak memory of a worker: [0-9]+\.[0-9] MiB", line) for line in plan), plan


def plain(d, name, input, *args):
    """What a plain C program says of a file."""
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-o", d / name, PLAIN / f"{name}.c", "-lm"], check=True)
    return subprocess.run([d / name, *map(str, args)], stdin=open(d / input, "rb"), check=True,
                          stdout=subprocess.PIPE).stdout.decode()


def near(got, wanted):
    """Two lists of rows of words are equal, numbers but for 1e-9 of them."""
    assert len(got) == len(wanted), f"{len(got)} rows instead of {len(wanted)}"
    for g, w in zip(got, wanted):
        assert len(g) == len(w), f"{g} instead of {w}"
        for x, y in zip(g, w):
            assert x == y or abs(float(x) - float(y)) <= 1e-9 * max(1, abs(float(y))), f"{g} instead of {w}"


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_pagerank():
    with quern.scratch() as d:
        r = random.Random(7)
        with open(d / "links", "w") as f:
            for _ in range(20000):  # some pages are linked to by most, some link nowhere, some are linked to by none
                f.write(f"{int(r.paretovariate(0.5)) % 3000} {int(r.paretovariate(0.7)) % 3000}\n")
            f.write("\n7 7\n")
        example(d, "pagerank", "links", "out", 10)
        got = sorted(rows(quern.parts(d / "out").decode()))
        near(got, sorted(rows(plain(d, "pagerank", "links", 3000, 10))))
        assert len(got) > 1000
        example(d, "pagerank", "links", "one", 1)
        near(sorted(rows(quern.parts(d / "one").decode())), sorted(rows(plain(d, "pagerank", "links", 3000, 1))))


def points(path, n, numbers, groups, seed=1):
    r = random.Random(seed)
    middles = [[r.uniform(-10, 10) for _ in range(numbers)] for _ in range(groups)]
    with open(path, "w") as f:
        for _ in range(n):
            f.write(" ".join(repr(r.gauss(x, 2)) for x in r.choice(middles)) + "\n")


def test_kmeans():
    with quern.scratch() as d:
        points(d / "points", 20000, 5, 7)
        for k, rounds in (7, 10), (7, 0), (1, 3), (20, 5):
            near(rows(example(d, "kmeans", "points", k, rounds).decode()), rows(plain(d, "kmeans", "points", 5, k, rounds)))
        (d / "bad").write_text("1 2\n3 4\n5 6 7\n")
        result = quern.run(d, "run", "--master", "local[2]", quern.EXAMPLES / "kmeans.c", "bad", 2)
        quern.check(d, result, 1)
        assert b"a point of 3 numbers among those of 2" in result.stderr, result.stderr


def descend(examples, rounds, step):
    """What logistic.c computes."""
    weights = [0.0] * len(examples[0])
    for _ in range(rounds):
        slope = [0.0] * len(weights)
        for label, *numbers in examples:
            x = [1.0, *numbers]
            error = 1 / (1 + math.exp(-sum(w * n for w, n in zip(weights, x)))) - label
            slope = [s + error * n for s, n in zip(slope, x)]
        weights = [w - step * s / len(examples) for w, s in zip(weights, slope)]
    return weights


def test_logistic():
    with quern.scratch() as d:
        r = random.Random(5)
        examples = []
        for _ in range(3000):
            x = [r.gauss(0, 1) for _ in range(4)]
            examples.append([float(x[0] - 2 * x[2] + 0.5 + r.gauss(0, 0.5) > 0), *x])
        (d / "examples").write_text("".join(" ".join(map(repr, e)) + "\n" for e in examples))
        got = rows(example(d, "logistic", "examples", 15, 0.5).decode())
        near(got, [[w] for w in descend(examples, 15, 0.5)])
        assert float(got[1][0]) > 0 > float(got[3][0]), got


def test_logs():
    with quern.scratch() as d:
        r = random.Random(11)
        names = {f"192.0.2.{i}": r.choice(["Ann & Co", "Bert", "Cleo"]) for i in range(50)}
        totals = collections.defaultdict(lambda: [0, 0, 0])
        (d / "logs").mkdir()
        for file in range(3):
            with open(d / "logs" / f"access.{file}", "w") as f:
                for _ in range(3000):
                    address, status, size = f"192.0.2.{r.randrange(70)}", r.choice([200, 304, 404, 500]), r.randrange(9000)
                    f.write(f'{address} - - [25/Nov/2026:09:14:01 +0000] "GET /a b?c HTTP/1.1" {status} {size or "-"}\n')
                    total = totals[names.get(address, "-")]
                    for i, n in enumerate((1, status >= 400, size)):
                        total[i] += n
        (d / "customers").write_text("".join(f"{a}\t{n}\n" for a, n in names.items()))
        example(d, "logs", "logs", "customers", "out")
        lines = "".join(f"{name}\t{t[0]} {t[1]} {t[2]}\n" for name, t in sorted(totals.items()))
        assert quern.parts(d / "out").decode() == lines
        with open(d / "logs" / "access.2", "a") as f:
            f.write("what is this\n")
        result = quern.run(d, "run", "--master", "local[2]", quern.EXAMPLES / "logs.c", "logs", "customers", "none")
        quern.check(d, result, 1)
        assert b"not a line of an access log" in result.stderr, result.stderr
        result = quern.run(d, "run", "--master", "local[2]", "--max-bad-records", "1", quern.EXAMPLES / "logs.c", "logs",
                           "customers", "without")
        quern.check(d, result)
        assert quern.parts(d / "without").decode() == lines


def test_inverted_index():
    with quern.scratch() as d:
        folder(d)
        index = collections.defaultdict(set)
        for path in (d / "in").glob("[0-9].txt"):
            path.write_bytes(path.read_bytes() + b"only-in-%s\n" % path.name.encode())
            for word in path.read_bytes().split():
                index[word].add(path.name.encode())
        example(d, "inverted_index", "in", "out")
        assert quern.parts(d / "out") == b"".join(word + b"\t" + b"\t".join(sorted(index[word])) + b"\n" for word in sorted(index))


def scatter(n):
    mask = 2**64 - 1
    n = (n + 1) * 0x9e3779b97f4a7c15 & mask
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9 & mask
    n = (n ^ (n >> 27)) * 0x94d049bb133111eb & mask
    return n ^ (n >> 31)


def test_pi():
    with quern.scratch() as d:
        within = sum((scatter(2 * n) >> 32)**2 + (scatter(2 * n + 1) >> 32)**2 < 2**64 for n in range(50000))
        assert example(d, "pi", 50000).decode() == f"{4 * within / 50000:.6f}: {within} of 50000\n"
        assert abs(float(example(d, "pi", 1000000).split(b":")[0]) - math.pi) < 0.01


def test_terasort_generate():
    with quern.scratch() as d:
        example(d, "terasort_generate", 5000, "in")
        lines = quern.output(d / "in")
        assert len(lines) == 5000 and {len(line) for line in lines} == {99} and len({line[:10] for line in lines}) > 4990
        assert {int(line[12:44], 16) for line in lines} == set(range(5000))


def test_terasort():
    with quern.scratch() as d:
        example(d, "terasort_generate", 30000, "in")
        example(d, "terasort", "in", "out")
        assert len(list((d / "out").glob("part-*"))) > 1
        (d / "all").write_bytes(quern.parts(d / "in"))
        assert quern.parts(d / "out") == tool(d, "sort", "-s", "-k1.1,1.10", "-t", "\n", "all")


def test_terasort_validate():
    with quern.scratch() as d:
        example(d, "terasort_generate", 30000, "in")
        example(d, "terasort", "in", "out")
        right = example(d, "terasort_validate", "in", "out")
        assert right.startswith(b"30000 lines in order, sum "), right
        parts = sorted((d / "out").glob("part-*"))
        content = [p.read_bytes() for p in parts]
        lines = content[0].splitlines(keepends=True)

        def verdict(*words, **changed):
            for p, data in zip(parts, content):
                p.write_bytes(changed.get(p.name.replace("-", "_"), data))
            result = quern.run(d, "run", "--master", "local[2]", quern.EXAMPLES / "terasort_validate.c", "in", "out")
            quern.check(d, result, 1)
            assert all(word in result.stderr.decode() for word in words), result.stderr

        verdict("not in order", part_00000=b"".join([lines[1], lines[0], *lines[2:]]))
        verdict("not in order", part_00000=content[1], part_00001=content[0])
        verdict("lines with sum", part_00000=b"".join(lines[1:]))
        verdict("lines with sum", part_00000=b"".join([lines[1], *lines[1:]]))


def test_stream():
    with quern.scratch() as d:
        folder(d)
        for name in "words.py", "sum.py", "words.awk", "sum.awk":
            shutil.copy(quern.EXAMPLES / "stream" / name, d)
        for way, (words, total) in {"py": ("./words.py", "./sum.py"), "awk": ("awk -f words.awk", "awk -f sum.awk")}.items():
            for combine in [], ["--combine", total]:
                out = f"{way}{len(combine)}"
                result = quern.run(d, "stream", "--master", "local[3]", "--mode", next(MODES), "--map", words, *combine,
                                   "--reduce", total, "--files", f"words.{way},sum.{way}", "-i", "in", "-o", out)
                quern.check(d, result)
                quern.same(quern.output(d / out), quern.word_counts(d / "all"))


def test_sort():
    with quern.scratch() as d:
        folder(d)
        example(d, "sort", "in", "out")
        assert quern.parts(d / "out") == tool(d, "sort", "all")
        example(d, "sort", "in", "reverse", "-r")
        assert quern.parts(d / "reverse") == tool(d, "sort", "-r", "all")


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
            assert f"]({name}.c)" in (quern.EXAMPLES / "README.md").read_text(), f"{name}.c is not in the README"
            result = quern.run(d, "run", "--master", "local[1]", quern.EXAMPLES / f"{name}.c")
            quern.check(d, result, 1)
            assert b"usage: " in result.stderr, result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
