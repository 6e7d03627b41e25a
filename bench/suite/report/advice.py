"""Which mode to take: from what was measured, by thresholds that are said along with it."""
from .summary import BASE, geometric_mean, is_number, median_of, work_of
from .text import listed, number, percent, plain, plural, ratio

PRICE = 1.05    # a mode that takes longer than this, times coarse, is not taken for what it gives back
SAVED = 0.10    # the least of what coarse holds, or of the neighbour's work, that makes another mode worth its name
FURTHER = 0.05  # fine launches a Mesos task for each task: to be taken before adaptive, it gives back this much more
RUNS = 3        # fewer say little

RULE = (f"A mode other than coarse is taken when it takes at most {PRICE:.2f} times coarse's time and holds at least "
        f"{percent(SAVED)} fewer core-seconds than coarse does (beside a neighbour: the neighbour gets at least {percent(SAVED)} more "
        f"done). Of two such modes it is adaptive, unless fine gives back another {percent(FURTHER)}: fine gives the master a launch "
        f"for each task. Otherwise it is coarse. Fewer than {RUNS} runs of each mode, disturbed runs, and turns that lie on both sides of "
        "a threshold make it a guess, and are said.")
ALONE = "Where nobody else wants the cores, take coarse: what another mode gives back is of use to nobody."


def advise(summary):
    """Adds `advice` to the groups in which there is something to choose, and to the summary itself: `mode`, `sure`, `text`,
    `doubts` (sentences)."""
    for group in summary["groups"]:
        found = _of_neighbours(group) if _has_neighbour(group) else _of_group(group)
        if found:
            group["advice"] = found
    summary["advice"] = _overall(summary["groups"])


def choose(modes):
    """The name of the mode to take: {name: (price, saved)} -> name."""
    fit = {name: saved for name, (price, saved) in modes.items() if name != BASE and price <= PRICE and saved >= SAVED}
    if "adaptive" in fit and fit.get("fine", 0) < fit["adaptive"] + FURTHER:
        return "adaptive"
    return max(fit, key=fit.get, default=BASE)


def _has_neighbour(group):
    return any("neighbour_core_s" in mode["figures"] for mode in group["modes"].values())


def _of_group(group):
    modes = {name: mode for name, mode in group["modes"].items() if is_number(mode.get("price")) and is_number(mode.get("saved"))}
    if BASE not in modes or len(modes) < 2:
        return None
    mode = choose({name: (m["price"], m["saved"]) for name, m in modes.items()})
    return _found(group, mode, modes, [f"{name}: {ratio(m['price'])} times coarse's time, {_holds(m['saved'])}"
                                                for name, m in modes.items() if name != BASE])


def _of_neighbours(group):
    """Saved is here what the neighbour gets done beyond what it does beside coarse, as a share of that."""
    base = group["modes"].get(BASE)
    if not base or not work_of(base):
        return None
    modes = {name: dict(mode, saved=work_of(mode) / work_of(base) - 1) for name, mode in group["modes"].items()
             if name not in ("alone", "static") and is_number(mode.get("price")) and work_of(mode) is not None}
    for mode in modes.values():
        mode.pop("saved_low", None)
    if len(modes) < 2:
        return None
    mode = choose({name: (m["price"], m["saved"]) for name, m in modes.items()})
    static = group["modes"].get("static")
    sides = dict(modes, **({"a static partition": static} if static else {}))
    work = [f"{_work(m)} beside {name}" for name, m in sides.items() if work_of(m) is not None]
    return _found(group, mode, modes, [f"the neighbour gets {listed(work)} done"] + [
        f"{name} takes {ratio(m['price'])} times coarse's time" for name, m in modes.items() if name != BASE])


def _work(mode):
    if "neighbour_share" in mode:
        return f"{percent(mode['neighbour_share'])} of its work"
    return f"{number(median_of(mode, 'neighbour_core_s'))} core-seconds"


def _holds(saved):
    if abs(saved) < 0.005:
        return "holds as much"
    return f"holds {percent(abs(saved))} {'more' if saved < 0 else 'less'}"


def _found(group, mode, modes, figures):
    doubts = _doubts(group["modes"], modes)
    return {"mode": mode, "sure": not doubts, "text": "; ".join(figures), "doubts": doubts}


def _doubts(all_modes, modes):
    """Why the figures of a group do not carry far."""
    doubts = []
    fewest = min(mode["runs"] for mode in modes.values())
    if fewest < RUNS:
        doubts.append(f"only {plural(fewest, 'run')} of a mode, and fewer than {RUNS} say little")
    if any(mode["all_disturbed"] for mode in modes.values()):
        doubts.append("something else used the machine during the runs of a mode")
    if any(mode["failed"] for mode in all_modes.values()):
        doubts.append("runs failed")
    for name, mode in modes.items():
        if name == BASE:
            continue
        if mode.get("saved", 0) >= SAVED and mode.get("price_low", PRICE) <= PRICE < mode.get("price_high", PRICE):
            doubts.append(f"{name} took {ratio(mode['price_low'])} to {ratio(mode['price_high'])} times coarse's time over the turns, "
                          f"which is on both sides of {PRICE:.2f}")
        if mode.get("saved_low", SAVED) < SAVED <= mode.get("saved_high", 0):
            doubts.append(f"{name} held from {percent(mode['saved_low'])} to {percent(mode['saved_high'])} less over the turns, which is on "
                          f"both sides of {percent(SAVED)}")
    return doubts


def _overall(groups):
    """Over all workloads: the geometric mean of their ratios, each workload counting once however many cases it has."""
    judged = [group for group in groups if "advice" in group]
    if not judged:
        return None
    if all(_has_neighbour(group) for group in judged):
        return _overall_neighbours(judged)
    judged = [group for group in judged if not _has_neighbour(group)]
    modes = {}
    for name in dict.fromkeys(name for group in judged for name in group["modes"]):
        having = [group for group in judged if is_number(group["modes"].get(name, {}).get("price"))
                  and is_number(group["modes"][name].get("gain"))]
        if len(having) == len(judged):
            modes[name] = _mean(having, name)
    mode = choose({name: (m["price"], m["saved"]) for name, m in modes.items()})
    doubts = list(dict.fromkeys(doubt for group in judged for doubt in _general(group)))
    guesses = [group for group in judged if group["advice"]["mode"] == mode and not group["advice"]["sure"]]
    if not doubts and 2 * len(guesses) > sum(1 for group in judged if group["advice"]["mode"] == mode):
        doubts = [f"{group['name']}: {'; '.join(group['advice']['doubts'])}" for group in guesses]
    return {"mode": mode, "sure": not doubts, "modes": modes, "text": _sentences(mode, modes), "doubts": doubts,
            "otherwise": _otherwise(judged, mode)}


def _otherwise(groups, mode):
    """Where another mode is to be taken: {mode: [workload, with the number of its cases]}."""
    found = {}
    for workload in dict.fromkeys(group.get("workload") for group in groups):
        cases = [group for group in groups if group.get("workload") == workload]
        for other in dict.fromkeys(group["advice"]["mode"] for group in cases):
            of = [group for group in cases if group["advice"]["mode"] == other]
            if other != mode:
                found.setdefault(other, []).append(of[0]["name"] if len(of) == 1 else
                                                   f"{plain(workload)} (in {len(of)} of its {len(cases)} cases)")
    return found


def _general(group):
    return [doubt for doubt in group["advice"]["doubts"] if "turns" not in doubt]


def _mean(groups, name):
    """Of a mode: price, what is saved and utilization over all workloads, and where the price is worst."""
    by_workload = {}
    for group in groups:
        by_workload.setdefault(group.get("workload"), []).append(group["modes"][name])
    worst = max(groups, key=lambda group: group["modes"][name]["price"])
    found = {"price": _mean_of(by_workload, lambda mode: mode["price"]), "saved": 1 - 1 / _mean_of(by_workload, lambda mode: mode["gain"]),
             "worst_price": worst["modes"][name]["price"], "worst_where": worst["name"], "workloads": len(by_workload),
             "cases": len(groups)}
    if all(median_of(group["modes"][name], "utilization") for group in groups):
        found["utilization"] = _mean_of(by_workload, lambda mode: median_of(mode, "utilization"))
    return found


def _mean_of(by_workload, ratio_of):
    return geometric_mean([geometric_mean([ratio_of(mode) for mode in modes]) for modes in by_workload.values()])


def _sentences(mode, modes):
    said = []
    for name in sorted(modes, key=lambda name: name != mode):
        if name == BASE:
            continue
        m = modes[name]
        worst = f" (at worst {ratio(m['worst_price'])}: {m['worst_where']})" if m["cases"] > 1 else ""
        said.append(f"{name.capitalize()} took {ratio(m['price'])} times coarse's time{worst} and {_held(m['saved'])}.")
    if mode == BASE:
        tempting = [name for name, m in modes.items() if name != BASE and m["saved"] >= SAVED]
        said.append("What the others give back is not worth their time here." if tempting else
                    "There is little to give back here: coarse's cores were nearly always at work.")
    return " ".join(said)


def _held(saved):
    if abs(saved) < 0.005:
        return "held as many core-seconds"
    return f"held {percent(abs(saved))} {'more' if saved < 0 else 'fewer'} core-seconds"


def _overall_neighbours(groups):
    votes = [group["advice"]["mode"] for group in groups]
    mode = max(dict.fromkeys(votes), key=votes.count)
    modes = groups[0]["modes"] if len(groups) == 1 else {}
    modes = {name: {key: m[key] for key in ("price", "neighbour_share") if key in m} for name, m in modes.items() if "price" in m}
    doubts = list(dict.fromkeys(doubt for group in groups for doubt in group["advice"]["doubts"]))
    return {"mode": mode, "sure": not doubts, "modes": modes, "doubts": doubts,
            "text": ". ".join(f"{group['name'].capitalize()}: {group['advice']['text']}" for group in groups) + ".",
            "otherwise": _otherwise(groups, mode)}
