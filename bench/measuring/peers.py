"""D5: quern beside Spark. The peer at its best: programs of the JVM (bench/peers), which stays and is warm; of quern the whole
command counts, the start and the end of its cluster with it."""
import dataclasses
import shutil
import typing

from measuring import spark
from measuring.data import COUNT, SORT, counted, gnu_sort, sized, source
from measuring.results import note
from measuring.run import ROOT, Run, agree, checksum, column, compare, head, near, same_bytes, show_noise, turns
from suite.answers import parts, words_of

MEMORY = ("--task-memory", "2g", "--cache-memory", "4g")
CENTRES, ITERATIONS = 10, 10


@dataclasses.dataclass
class Job:
    key: str                # of its rows in measuring/targets.py
    what: str
    quern: tuple            # the job and its arguments; {out} is the folder to write
    spark: tuple            # the same of a program of bench/peers
    check: typing.Callable  # of a side's name, the files that it wrote, and what it printed: ends us if they are wrong
    options: tuple = ()     # of `quern run`

    def of(self, argv, out):
        return [str(a).format(out=out) for a in argv]


def word_count(o, tmp):
    text = source(o, "text")
    answer = counted(o, tmp, text)
    return Job("wordcount", f"word count, {sized(text)}", (ROOT / COUNT, text, "{out}"), ("WordCount", text, "{out}"),
               lambda who, files, _: agree(who, checksum(files), answer))


def sort(o, tmp, name):
    text = source(o, name)
    gnu_sort(o, text, tmp / "reference")
    return Job(f"sort.{name}", f"sort, {sized(text)}", (ROOT / SORT, text, "{out}"), ("Sort", text, "{out}"),
               lambda who, files, _: agree(who, same_bytes(files, tmp / "reference"), True))


def page_rank(o, tmp):
    links = source(o, "links")
    answer = words_of(Run(o.build / "bench/plain-pagerank", links, ITERATIONS).out)
    args = links, ITERATIONS, "{out}"

    def check(who, files, _):
        rows = sorted(words_of("".join(f.read_text() for f in files)), key=lambda row: int(row[0]))
        near(who, rows, answer)

    return Job("pagerank", f"PageRank, {ITERATIONS} iterations, {sized(links)}", (ROOT / "bench/jobs/pagerank.c", *args),
               ("PageRank", *args), check)


def k_means(o, tmp):
    points = source(o, "points")
    args = points, CENTRES, ITERATIONS
    answer = words_of(Run(o.build / "bench/plain-kmeans", *args).out)
    return Job("kmeans", f"k-means, {CENTRES} centres, {ITERATIONS} iterations, {sized(points)}",
               (ROOT / "bench/jobs/kmeans.c", *args), ("KMeans", *args),
               lambda who, _, printed: near(who, words_of(printed), answer),
               ("--cflags=-O3 -march=native",))  # the JVM compiles for this machine as well


def against(o, tmp, job):
    """Both sides of a job in turns."""
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
        note(o, f"d5.{job.key}.{what}", column(runs, "quern", what), column(runs, "Spark", what), f"Spark {spark.version(o)}")
    show_noise(o)


def d5(o, tmp):
    spark.need(o)
    for make in (word_count, lambda o, tmp: sort(o, tmp, "text"), lambda o, tmp: sort(o, tmp, "records"), page_rank, k_means):
        against(o, tmp, make(o, tmp))
