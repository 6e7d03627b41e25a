"""In the place of spark-submit: speaks as bench/peers/Session.java does, with answers of other programs.

    fake_spark.py BUILD OPTION... SESSION.jar [PROGRAM ARG...]

The environment's WRONG names a program whose answers are to be wrong."""
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(sys.argv[1])


def output_of(*argv):
    return subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.PIPE, env=dict(os.environ, LC_ALL="C")).stdout


def write(folder, content):
    os.mkdir(folder)
    (pathlib.Path(folder) / "part-00000").write_bytes(content)


def word_count(text, out):
    output_of(BUILD / "bench/limit-wordcount", 1, text, out + ".counts")
    return pathlib.Path(out + ".counts").read_bytes()


def iterate(points, n, how):
    total = sum(map(float, pathlib.Path(points).read_text().split()))
    return b"0.5 %.17g\n" % total * (int(n) + (how == "cached"))


# Of each: what it gives, and whether that goes to the folder that the last argument names, not to stdout.
PROGRAMS = {
    "WordCount": (word_count, True),
    "WordCountCold": (word_count, True),
    "Sort": (lambda text, out: output_of("sort", text), True),
    "PageRank": (lambda links, n, out: output_of(BUILD / "bench/plain-pagerank", links, n), True),
    "KMeans": (lambda *args: output_of(BUILD / "bench/plain-kmeans", *args), False),
    "Iterate": (iterate, False),
    "NullTasks": (lambda n: b"1000\n", False),
    "Sleep": (lambda n, ms: b"1\n", False),
}


def wrong(answer):
    """The answer with another first digit in its last word."""
    at = answer.rindex(answer.split()[-1])
    return answer[:at] + (b"7" if answer[at:at + 1] != b"7" else b"8") + answer[at + 1:]


def run(name, *args):
    program, to_folder = PROGRAMS[name]
    answer = program(*args)
    if os.environ.get("WRONG") == name:
        answer = wrong(answer)
    if to_folder:
        write(args[-1], answer)
    else:
        sys.stdout.write(answer.decode())


def main():
    once = sys.argv[next(i for i, arg in enumerate(sys.argv) if arg.endswith(".jar")) + 1:]
    if once:
        run(*once)
        return
    print(".", flush=True)
    for line in sys.stdin:
        run(*line.rstrip("\n").split("\t"))
        print(".", flush=True)


main()
