"""What a mode gains and costs: price against gain, and price over the length of tasks."""
from .advice import PRICE
from .chart import Canvas, linear, logarithmic, width_of
from .figure import Figure, is_wide
from .summary import BASE, is_number
from .text import listed, number, ratio, seconds

WORKLOADS = "neighbours", "sim"  # have plots of their own
LATENCY, GAIN = "latency, times coarse's", "core-seconds held, coarse's over the mode's"
DASHES = "solid", "dashed", "dotted"  # gnuplot's first types of lines
LABEL = 28  # letters, at most
FAR = 6  # so many points of a sweep are named


def figures(summary, members):
    """Those of these plots for which there is something to show."""
    del members
    groups = [group for group in summary["groups"] if group.get("workload") not in WORKLOADS]
    return [figure for figure in (_price_gain(groups), *_sweep(groups)) if figure]


def _others(groups):
    """Modes beside coarse, in the order in which they come."""
    return list(dict.fromkeys(name for group in groups for name in group["modes"] if name != BASE))


def _axis(title, values, most):
    """Ratios: by their logarithm if some are far away."""
    return (logarithmic if max(values) / min(values) > 3 else linear)(title, values, most)


# --- price against gain

def _price_gain(groups):
    points = [(group, name, mode["price"], mode["gain"]) for group in groups for name, mode in group["modes"].items()
              if name != BASE and is_number(mode.get("price")) and is_number(mode.get("gain"))]
    if not points:
        return None
    return Figure("price-gain", "What each mode costs, and what it gives back", _price_gain_caption(points),
                  lambda width, height: _draw_price_gain(points, width, height))


def _price_gain_caption(points):
    said = []
    for name in dict.fromkeys(name for _, name, _, _ in points):
        of = [(price, gain) for _, other, price, gain in points if other == name]
        cheap, gaining = (sum(1 for p in of if test(p)) for test in (lambda p: p[0] <= PRICE, lambda p: p[1] > 1))
        said.append(f"{name} stays within {PRICE:.2f} times coarse's time in {cheap} of {len(of)} cases, and holds less in {gaining}")
    return ("Each mark is one workload. Coarse mode is where the dashed lines cross. Higher is better: fewer core-seconds are held for the "
            f"same job. Further to the right is worse: the job takes longer. Here {'; '.join(said)}.")


def _draw_price_gain(points, width, height):
    canvas = Canvas(width, height)
    most = 9 if is_wide(width) else 5
    prices, gains = ([point[i] for point in points] + [1] for i in (2, 3))
    slower, less = (" (further right: slower)", " (higher: holds less)") if is_wide(width) else ("", "")
    chart = canvas.chart(48, 74, 20, 50, _axis(LATENCY + slower, [min(prices) * 0.98, max(prices) * 1.02], most),
                         _axis(GAIN + less, gains, 7))
    names = list(dict.fromkeys(point[1] for point in points))
    canvas.legend(8, 18, [BASE, *names])
    x, y = chart.at(1, 1)
    chart.rule(x, chart.top, x, chart.bottom)
    chart.rule(chart.left, y, chart.right, y)
    chart.points(BASE, BASE, [(1, 1)], 1.4)
    swept = [point for point in points if point[0].get("workload") == "sweep"]
    for name in names:
        for text, of, size in (name, [point for point in points if point not in swept], 1.2), (f"{name}, sweep", swept, 0.8):
            rows = [point[2:] for point in of if point[1] == name]
            if rows:
                chart.points(text, name, rows, size)
    # Of the many of a sweep those that are far out have their names, as they are what one asks about.
    far = sorted(swept, key=lambda point: -point[2] * point[3])[:FAR if is_wide(width) else FAR // 2]
    for group, name, price, gain in [point for point in points if point not in swept] + far:
        canvas.find_room(group["label"][:LABEL], [chart.at(price, gain)], name, chart.box, must=group.get("workload") != "sweep")
    return canvas


# --- sweep

def _sweep(groups):
    """One figure: price over the length of tasks in allocation intervals, a line for each mode and interval."""
    cases = [group for group in groups if group.get("workload") == "sweep" and is_number(group.get("task_s"))
             and is_number(group.get("allocation_interval_ms")) and group["allocation_interval_ms"] > 0]
    lines = {}
    for group in cases:
        for name, mode in group["modes"].items():
            if name != BASE and is_number(mode.get("price")) and group["task_s"] > 0:
                interval = group["allocation_interval_ms"]
                x = 1000 * group["task_s"] / interval
                lines.setdefault((name, interval), []).append((x, mode["price"], mode.get("price_low"), mode.get("price_high")))
    if lines:
        yield Figure("sweep", "What tasks cost by their length", _sweep_caption(cases, lines),
                     lambda width, height: _draw_sweep({key: sorted(rows) for key, rows in lines.items()}, width, height))


def _sweep_caption(cases, lines):
    said = []
    for name in dict.fromkeys(name for name, _ in lines):
        rows = sorted(row for (other, _), of in lines.items() if other == name for row in of)
        beyond = [x for x, price, _, _ in rows if price > PRICE]
        said.append(f"{name} is within {PRICE:.2f} times coarse's time at every length" if not beyond else
                    f"{name} is not within {PRICE:.2f} times coarse's time for tasks up to {number(max(beyond))} allocation intervals "
                    f"(at worst {ratio(max(row[1] for row in rows))})")
    text = ("What a mode costs for each task is paid for by long tasks. Lines are medians, upright strokes the least and the most in one "
            f"turn. Coarse is the dashed line. Here {'; '.join(said)}.")
    none = [group for group in cases if group["task_s"] == 0]
    if none:
        worst = {name: max(group["modes"][name]["price"] for group in none if "price" in group["modes"].get(name, {}))
                 for name in _others(none) if any("price" in group["modes"].get(name, {}) for group in none)}
        text += (" Tasks of no length have no place on this axis: "
                 f"{listed(f'{name} takes {ratio(price)} times as long as coarse' for name, price in worst.items())} for them.")
    return text


def _draw_sweep(lines, width, height):
    canvas = Canvas(width, height)
    several = len({interval for _, interval in lines}) > 1
    values = [value for rows in lines.values() for row in rows for value in row[1:] if value]
    chart = canvas.chart(48, 48, 20, 50,
                         logarithmic("task length / allocation interval", [row[0] for rows in lines.values() for row in rows],
                                     9 if is_wide(width) else 5),
                         _axis(LATENCY, values + [1], 7))
    y = chart.at(chart.x.low, 1)[1]
    chart.rule(chart.left, y, chart.right, y, BASE)
    intervals = list(dict.fromkeys(interval for _, interval in lines))
    for (name, interval), rows in lines.items():
        chart.line(_line_name(name, interval, several), name, [row[:2] for row in rows], 1 + intervals.index(interval))
        chart.whiskers(f"{_line_name(name, interval, several)}, turns", name,
                       [(row[0], row[2], row[3]) for row in rows if row[2] is not None])
    in_full = several and is_wide(width)
    for (name, interval), rows in lines.items():
        chart.name_line(_line_name(name, interval, in_full), name, sorted((row[:2] for row in rows), key=lambda row: -row[1]))
    if several and not in_full:
        kinds = (f"{dash}: {seconds(interval / 1000)} interval" for dash, interval in zip(DASHES, intervals))
        canvas.text(8, 10, ", ".join(kinds), "muted")
    canvas.find_room(BASE, [(chart.right - width_of(BASE) / 2 - i, y) for i in range(0, int(chart.right - chart.left) - 60, 40)],
                     BASE, chart.box, bold=True, must=True)
    return canvas


def _line_name(name, interval, several):
    return f"{name}, {seconds(interval / 1000)} interval" if several else name
