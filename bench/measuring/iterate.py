"""D8: iteration over cached data, against itself without the cache; Spark's beside it."""
import functools
import math
import statistics

from measuring import spark
from measuring.data import about, sized, source
from measuring.run import ROOT, Run, agree, compare, head, show, show_noise, table_row, turns

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


def show_sides(o, runs):
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
    show_sides(o, runs)
    compare(runs, "Spark parsed", "Spark cached", "seconds", "an iteration, {0} / {1}")
    compare(runs, "Spark cached", "cached", "seconds", "an iteration, {0} / {1}")
    return [table_row("D8", f"an iteration over persisted {sized(points)}: a sum", "d8", runs, "cached", "Spark cached",
                      "seconds", f"Spark {spark.version(o)} `local[{o.slots}]`, warm, the same", "")]


def d8(o, tmp):
    points, rows = source(o, "points"), []
    title(o, "sum", points)
    if o.spark is not None:
        rows = beside_spark(o, tmp, points)
    else:
        show_sides(o, turns(o, **sides(o, points)[1]))
    title(o, "kmeans", points)
    show_sides(o, turns(o, **sides(o, points, "kmeans")[1]))
    if rows:
        print("\n".join(["For bench/RESULTS.md:", *rows]), flush=True)
