"""D5: quern beside Spark. The peer at its best: programs of the JVM (bench/peers), which stays and is warm; of quern the whole
command counts, the start and the end of its cluster with it."""
import dataclasses
import shutil
import typing

from measuring import spark
from measuring.data import COUNT, SORT, counted, gnu_sort, sized, source
from measuring.run import (ROOT, Run, agree, checksum, compare, head, near, parts, same_bytes, show_noise, table_row,
                           turns, words_of)

MEMORY = ("--task-memory", "2g", "--cache-memory", "4g")
CENTRES, ITERATIONS = 10, 10


@dataclasses.dataclass
class Job:
    what: str
    wanted: int             # how many times as fast as Spark
    quern: tuple            # the job and its arguments; {out} is the folder to write
    spark: tuple            # the same of a program of bench/peers
    check: typing.Callable  # of a side's name, the files that it wrote, and what it printed: ends us if they are wrong
    options: tuple = ()     # of `quern run`

    def of(self, argv, out):
        return [str(a).format(out=out) for a in argv]


def word_count(o, tmp):
    text = source(o, "text")
    answer = counted(o, tmp, text)
    return Job(f"word count, {sized(text)}", 10, (ROOT / COUNT, text, "{out}"), ("WordCount", text, "{out}"),
               lambda who, files, _: agree(who, checksum(files), answer))


def sort(o, tmp, name):
    text = source(o, name)
    gnu_sort(o, text, tmp / "reference")
    return Job(f"sort, {sized(text)}", 4, (ROOT / SORT, text, "{out}"), ("Sort", text, "{out}"),
               lambda who, files, _: agree(who, same_bytes(files, tmp / "reference"), True))


def page_rank(o, tmp):
    links = source(o, "links")
    answer = words_of(Run(o.build / "bench/plain-pagerank", links, ITERATIONS).out)
    args = links, ITERATIONS, "{out}"

    def check(who, files, _):
        rows = sorted(words_of("".join(f.read_text() for f in files)), key=lambda row: int(row[0]))
        near(who, rows, answer)

    return Job(f"PageRank, {ITERATIONS} iterations, {sized(links)}", 3, (ROOT / "bench/jobs/pagerank.c", *args),
               ("PageRank", *args), check)


def k_means(o, tmp):
    points = source(o, "points")
    args = points, CENTRES, ITERATIONS
    answer = words_of(Run(o.build / "bench/plain-kmeans", *args).out)
    return Job(f"k-means, {CENTRES} centres, {ITERATIONS} iterations, {sized(points)}", 3,
               (ROOT / "bench/jobs/kmeans.c", *args), ("KMeans", *args),
               lambda who, _, printed: near(who, words_of(printed), answer),
               ("--cflags=-O3 -march=native",))  # the JVM compiles for this machine as well


def against(o, tmp, job):
    """Both sides of a job in turns. Returns the rows of the table."""
    head(o, f"D5: {job.what}, {o.slots} cores, beside Spark {spark.version(o)}")
    quern_out = tmp / "out"

    def ours():
        shutil.rmtree(quern_out, ignore_errors=True)
        run = Run(o.build / "cli/quern", "run", "--quiet", "--master", f"local[{o.slots}]", *MEMORY,
                  *job.options, *job.of(job.quern, quern_out))
        job.check("quern", parts(quern_out), run.out)
        return run

    with spark.Session(o, tmp) as session:
        argv = job.of(job.spark, session.out)

        def theirs():
            run = session.run(*argv)
            job.check("Spark", parts(session.out), run.out)
            return run

        ours()  # the job is compiled then
        session.warm(o, *argv)
        runs = turns(o, quern=ours, Spark=theirs)
    for what in "wall", "cpu":
        compare(runs, "Spark", "quern", what)
    show_noise(o)
    peer = f"Spark {spark.version(o)} `local[{o.slots}]`, warm"
    return [table_row("D5", f"{job.what}: wall", "d5", runs, "quern", "Spark", "wall", peer, f">= {job.wanted} times"),
            table_row("D5", "the same: CPU of all processes", "d5", runs, "quern", "Spark", "cpu", peer, "")]


def d5(o, tmp):
    spark.need(o)
    rows = [row for make in (word_count, lambda o, tmp: sort(o, tmp, "text"), lambda o, tmp: sort(o, tmp, "records"),
                             page_rank, k_means) for row in against(o, tmp, make(o, tmp))]
    print("\n".join(["For bench/RESULTS.md:", *rows]), flush=True)
