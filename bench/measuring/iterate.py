"""D8: iteration over cached data, against itself without the cache; Spark's beside it."""
import functools
import math
import statistics

from measuring import spark
from measuring.data import about, source
from measuring.results import note
from measuring.run import ROOT, Run, agree, column, compare, head, show, show_noise, turns

ITERATIONS = 5


def rows_of(run, keeps):
    """`run`, with its median seconds of an iteration, those of the one that fills the memory, and what the iterations
    gave."""
    rows = [tuple(map(float, line.split())) for line in run.out.splitlines()]
    first = [rows.pop(0)] if keeps else []
    run.filling = first[0][0] if first else None
    run.seconds = statistics.median(r[0] for r in rows)
    run.answer = [r[1] for r in first + rows][:ITERATIONS]
    return run


def iterate(o, points, how, *more):
    return rows_of(Run(o.build / "cli/quern", "run", "--quiet", "--master", f"local[{o.slots}]", "--task-memory", "2g",
                       ROOT / "bench/jobs/iterate.c", points, ITERATIONS, how, *more), how != "parsed")


def check(who, run, answer):
    # Sums of doubles, added in whatever order.
    agree(who, [math.isclose(a, b, rel_tol=1e-6) for a, b in zip(run.answer, answer)], [True] * ITERATIONS)
    return run


def sides(o, points, *more):
    answer = iterate(o, points, "parsed", *more).answer
    return answer, {how: lambda how=how: check(how, iterate(o, points, how, *more), answer)
                    for how in ("parsed", "cached", "compressed")}


def show_sides(o, runs, key):
    note(o, key, column(runs, "cached", "seconds"), column(runs, "parsed", "seconds"))
    for how in "cached", "compressed":
        compare(runs, "parsed", how, "seconds", "an iteration, {0} / {1}")
        show(f"{how}, the iteration that fills the memory", [r.filling for r in runs[how]])
    show_noise(o)


def title(o, what, points):
    head(o, f"D8: {ITERATIONS} iterations ({what}) over {about(points)}, {o.slots} cores, persisted or not")


def beside_spark(o, tmp, points):
    """The sum of all numbers, by both."""
    answer, ours = sides(o, points)
    with spark.Session(o, tmp) as session:
        def theirs(how):
            run = rows_of(session.run("Iterate", points, ITERATIONS, how), how == "cached")
            return check(f"Spark, {how}", run, answer)

        for how in "parsed", "cached":
            session.warm(o, "Iterate", points, ITERATIONS, how)
        runs = turns(o, **ours, **{f"Spark {how}": functools.partial(theirs, how) for how in ("parsed", "cached")})
    show_sides(o, runs, "d8.sum")
    compare(runs, "Spark parsed", "Spark cached", "seconds", "an iteration, {0} / {1}")
    compare(runs, "Spark cached", "cached", "seconds", "an iteration, {0} / {1}")
    note(o, "d8.spark", column(runs, "cached", "seconds"), column(runs, "Spark cached", "seconds"), f"Spark {spark.version(o)}")


def d8(o, tmp):
    points = source(o, "points")
    title(o, "sum", points)
    if o.spark is not None:
        beside_spark(o, tmp, points)
    else:
        show_sides(o, turns(o, **sides(o, points)[1]), "d8.sum")
    title(o, "kmeans", points)
    show_sides(o, turns(o, **sides(o, points, "kmeans")[1]), "d8.kmeans")
