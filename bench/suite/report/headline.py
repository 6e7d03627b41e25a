"""The answer, for one who has never seen quern: what a page begins with."""
from .advice import BASE, PRICE
from .summary import is_number
from .text import listed, number, percent, plain, ratio, seconds

NAMED = "adaptive", "fine", "static"  # whose gains and costs are listed, against coarse's
NOTHING = 0.01                       # a share that is not worth a line
MEANS = {"coarse": "Holds all cores that the job will want from before its first task to its end, at work or not.",
         "adaptive": "Leases a slot while there are tasks for it, and gives it back when there are none.",
         "fine": "Takes a core for each task from an offer, and gives it back the moment the task ends."}


def headline(summary):
    """(title, [sentence])."""
    advice = summary.get("advice")
    if summary["header"].get("bench") == "sim":
        return _of_simulation(summary)
    if summary["header"].get("bench") == "dispatch":
        return _of_dispatch(summary)
    if not advice:
        return f"quern bench {plain(summary['header'].get('bench', ''))}: the figures".replace("  ", " "), []
    title = f"{'Take' if advice['sure'] else 'Perhaps'} {advice['mode']} mode"
    return title, [_in_short(advice), *([f"Not sure: {'; '.join(advice['doubts'])}."] if advice["doubts"] else [])]


def _in_short(advice):
    """What the mode to take is worth, and fine, if that is another one."""
    taken = advice["modes"].get(advice["mode"])
    if not taken or advice["mode"] == BASE:
        return advice["text"]
    if "saved" not in taken:
        return _beside_neighbour(advice, taken)
    time = "takes as long as coarse mode" if taken["price"] <= 1.005 else f"takes {ratio(taken['price'])} times as long as coarse mode"
    return (f"For these workloads it {time} and holds {percent(taken['saved'])} fewer core-seconds, which others can work with meanwhile. "
            f"{_of_fine(advice)}If nobody else wants the cores, take coarse mode.")


def _of_fine(advice):
    fine = advice["modes"].get("fine")
    if not fine or advice["mode"] == "fine":
        return ""
    return f"Fine mode takes {ratio(fine['price'])} times as long, and holds {percent(abs(fine['saved']))} {'more' if fine['saved'] < 0 else 'fewer'}. "


def _beside_neighbour(advice, taken):
    base = advice["modes"].get(BASE, {})
    if "neighbour_share" not in taken or "neighbour_share" not in base:
        return advice["text"]
    return (f"Beside it a batch framework gets {percent(taken['neighbour_share'])} of the work done that it does alone, beside coarse mode "
            f"{percent(base['neighbour_share'])}; a job takes {ratio(taken['price'])} times as long as in coarse mode.")


def _of_dispatch(summary):
    rates = {name: (mode["figures"]["tasks_per_s"]["median"], group.get("slots")) for group in summary["groups"]
             for name, mode in group["modes"].items() if "tasks_per_s" in mode["figures"]}
    rates = {name: of for name, of in rates.items() if of[0] > 0}
    if not rates:
        return "quern bench dispatch: nothing was measured", []
    best = max(rates, key=rates.get)
    others = [f"{plain(name)} {number(rate)}" for name, (rate, _) in rates.items() if name != best]
    said = [f"Of tasks that do nothing, to see what one costs. The others: {listed(others)}." if others else "Of tasks that do nothing."]
    busy = [f"{seconds(slots / rate)} in {name} mode" for name, (rate, slots) in rates.items() if name in MEANS and slots]
    if busy:
        said.append(f"{number(next(iter(rates.values()))[1])} slots are kept at work by tasks of at least {listed(busy)}: shorter ones wait for "
                    "being launched, and are not for that mode.")
    return f"{number(rates[best][0])} tasks a second in {plain(best)} mode", said


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
    """([(mode, what it gains)], [(mode, what it costs)]), the most first, of all cases alike; None if nothing that can be gained was
    measured."""
    gains, costs = [], []
    if not any(name in NAMED and ("saved" in mode or "neighbour_share" in mode)
               for group in summary["groups"] for name, mode in group["modes"].items()):
        return None
    for group in summary["groups"]:
        base = group["modes"].get(BASE, {})
        for name, mode in group["modes"].items():
            if name not in NAMED or not is_number(mode.get("price")):
                continue
            for much, text in _of_neighbour(mode, base) or _of_held(mode):
                (gains if much > 0 else costs).append((abs(much), name, f"{group['name']}: {text}"))
            if mode["price"] > PRICE:
                text = f"takes {ratio(mode['price'])} times as long as coarse{_and_holds(mode)}"
                costs.append((mode["price"], name, f"{group['name']}: {text}"))
    return tuple([(name, text) for _, name, text in sorted(of, reverse=True)] for of in (gains, costs))


def _of_neighbour(mode, base):
    if "neighbour_share" not in mode or "neighbour_share" not in base:
        return []
    return [(mode["neighbour_share"] - base["neighbour_share"], f"the neighbour gets {percent(mode['neighbour_share'])} of its work done, "
             f"beside coarse {percent(base['neighbour_share'])}")]


def _of_held(mode):
    saved = mode.get("saved", 0)
    if saved > NOTHING:
        return [(saved, f"holds {percent(saved)} less, in {ratio(mode['price'])} times the time")]
    return [(saved, f"holds {percent(-saved)} more than coarse")] if saved < -NOTHING and mode["price"] <= PRICE else []


def _and_holds(mode):
    return f", and holds {percent(abs(mode['saved']))} {'more' if mode['saved'] < 0 else 'less'}" if "saved" in mode else ""
