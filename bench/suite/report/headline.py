"""The answer, for one who has never seen quern: what a page begins with."""
from .advice import BASE, PRICE, name_of
from .summary import is_number
from .text import number, percent, plain, ratio

MEANS = {"coarse": "Holds all cores that the job will want from before its first task to its end, at work or not.",
         "adaptive": "Leases a slot while there are tasks for it, and gives it back when there are none.",
         "fine": "Takes a core for each task from an offer, and gives it back the moment the task ends."}


def headline(summary):
    """(title, [sentence])."""
    advice = summary.get("advice")
    if summary["header"].get("bench") == "sim":
        return _of_simulation(summary)
    if not advice:
        return f"quern bench {plain(summary['header'].get('bench', ''))}: the figures".replace("  ", " "), []
    title = f"{'Take' if advice['sure'] else 'Perhaps'} {advice['mode']} mode"
    return title, [_in_short(advice), *([f"Not sure: {'; '.join(advice['doubts'])}."] if advice["doubts"] else [])]


def _in_short(advice):
    """One sentence about the mode to take."""
    taken = advice["modes"].get(advice["mode"])
    if not taken or advice["mode"] == BASE:
        return advice["text"]
    time = "takes as long as coarse mode" if taken["price"] <= 1.005 else f"takes {ratio(taken['price'])} times as long as coarse mode"
    return (f"For these workloads it {time} and holds {percent(taken['saved'])} fewer core-seconds, which others can work with meanwhile. "
            f"If nobody else wants the cores, coarse mode is the simplest.")


def _of_simulation(summary):
    costs = {}
    for group in summary["groups"]:
        for name, mode in group["modes"].items():
            cost = mode["figures"].get("cpu_per_task_us")
            if cost and is_number(group.get("agents")):
                costs.setdefault(name, {})[group["agents"]] = cost["median"]
    costs = {name: sorted(of.items()) for name, of in costs.items() if len(of) > 1}
    if not costs:
        return "quern bench sim: the figures", []
    name, of = max(costs.items(), key=lambda item: item[1][-1][1])
    (few, least), (many, most) = of[0], of[-1]
    return (f"On {number(many)} agents a task costs the scheduler {number(most)} us",
            [f"On {number(few)} it is {number(least)} us: {ratio(most / least)} times as much for {number(many / few)} times as many agents. That "
             f"is {name} mode, the dearest of those that were run. Simulated: the real scheduler's core, with agents in virtual time."])


def gains_and_costs(summary):
    """([sentence about what a mode gains], [what it costs]), the most first, of all cases alike."""
    gains, costs = [], []
    for group in summary["groups"]:
        for name, mode in group["modes"].items():
            if name == BASE or not is_number(mode.get("price")):
                continue
            price, saved, share = mode["price"], mode.get("saved", 0), mode.get("neighbour_share")
            if share and "neighbour_share" in group["modes"].get(BASE, {}):
                base = group["modes"][BASE]["neighbour_share"]
                (gains if share > base else costs).append((abs(share - base), name, f"{name_of(group)}: the neighbour gets {percent(share)} of "
                                                           f"its work done, beside coarse {percent(base)}"))
            elif saved > 0.01:
                gains.append((saved, name, f"{name_of(group)}: holds {percent(saved)} less, in {ratio(price)} times the time"))
            if price > PRICE:
                costs.append((price, name, f"{name_of(group)}: takes {ratio(price)} times as long as coarse, and holds "
                              f"{percent(abs(saved))} {'more' if saved < 0 else 'less'}"))
            elif saved < -0.01:
                costs.append((1 - saved, name, f"{name_of(group)}: holds {percent(-saved)} more than coarse"))
    return tuple([(name, text) for _, name, text in sorted(of, reverse=True)] for of in (gains, costs))
