"""The examples, as a newcomer would run them, against the tools that everybody has."""
import re
import collections
import itertools
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
