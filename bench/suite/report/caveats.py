"""What a reader must know before the figures are believed."""
import math

from ..master import INTERVAL
from .advice import RUNS
from .summary import BASE, median_of
from .text import listed, percent, plain, plural

LEDGER = 0.05  # the scheduler's ledger and what the master said may differ by so much: the latter is asked for now and then
CERTAIN = 3    # standard deviations, that chance is not blamed for
USED = 0.01    # used beyond held by more than this is no matter of rounding


def warn(summary):
    """Adds `warnings`, a list of sentences."""
    groups, header = summary["groups"], summary["header"]
    summary["warnings"] = [*_whole(header, groups), *_disturbed(groups), *_failed(groups), *_noted(groups), *_few(groups), *_books(groups)]


def _whole(header, groups):
    if not groups:
        yield "There is no run at all."
    elif header.get("quick"):
        yield "A quick run: few and short. Good for a first look; quote figures of a full one."
    if groups and header.get("bench") in ("modes", "job") and not any(BASE in group["modes"] for group in groups):
        yield "Coarse mode was not run: there is nothing to hold price and gain against."


def _disturbed(groups):
    left_out = sum(mode["disturbed"] for _, _, mode in _modes(groups) if not mode["all_disturbed"])
    kept = [(group, name) for group, name, mode in _modes(groups) if mode["all_disturbed"]]
    if left_out:
        yield f"{plural(left_out, 'run')} left out: something else used more than a tenth of a core meanwhile."
    if kept:
        yield f"Not to be quoted, as something else used more than a tenth of a core in every run: {_where(kept, groups)}."


def _failed(groups):
    for group, name, mode in _modes(groups):
        if mode["failed"]:
            reasons = "; ".join(plain(error) for error in mode["errors"])
            yield f"{plural(mode['failed'], 'run')} of {group['name']} in {name} failed: {reasons}"


def _noted(groups):
    """What happened to the cluster, or to a neighbour: once, however many runs it was beside."""
    for note in dict.fromkeys(note for _, _, mode in _modes(groups) for note in mode["notes"]):
        having = [(group, name, mode["notes"].count(note)) for group, name, mode in _modes(groups) if note in mode["notes"]]
        where = _where([(group, name) for group, name, _ in having], groups)
        yield f"Not as at the start, in {plural(sum(count for *_, count in having), 'run')}, {where}: {note}."


def _few(groups):
    few = [(group, name) for group, name, mode in _modes(groups) if 0 < mode["runs"] < RUNS]
    if few:
        yield f"Fewer than {RUNS} runs, of which a median says little, and the spread less: {_where(few, groups)}."


def _books(groups):
    off = [(f"{mode['ledger_off']:+.0%}".replace("%", " %"), group, name) for group, name, mode in _modes(groups)
           if abs(mode.get("ledger_off", 0)) > LEDGER and _long_enough(group, name, mode)]
    if off:
        said = "; ".join(f"{group['name']}, {name}: {much}" for much, group, name in off)
        yield (f"What is held by the scheduler's ledger is more than {percent(LEDGER)} off what the master said meanwhile ({said}). It is asked "
               f"{1 / INTERVAL:.0f} times a second, which for jobs of that length is often enough: one of the two is wrong.")
    for group, name, mode in _modes(groups):
        held, used = median_of(mode, "held_core_s"), median_of(mode, "used_core_s")
        if held is not None and used is not None and used > held * (1 + USED):
            yield f"More used than held, {group['name']} in {name}: a slot was counted twice, or not at all."


def _long_enough(group, name, mode):
    """Whether a job holds its slots for so long that what happens between two of the master's answers is within LEDGER.

    When a slot is taken or given back is known to half an INTERVAL before or after, any of it as likely: a standard deviation of
    INTERVAL / sqrt(12), times the cores that change hands then. A job in coarse mode takes all of its slots once, and gives them
    back once. In other modes it may do so with each task; of tasks as long as each other those in all slots end together, so it
    is all slots twice in each round of tasks. Rounds are independent: their variances add up."""
    slots, held, tasks = group.get("slots"), median_of(mode, "held_core_s"), median_of(mode, "tasks")
    if not slots or held is None:
        return True
    rounds = median_of(mode, "jobs") or 1
    if name != BASE and tasks:
        rounds = max(rounds, math.ceil(tasks / slots))
    return CERTAIN * slots * INTERVAL * math.sqrt(2 * rounds / 12) <= LEDGER * held


def _where(some, groups):
    """Names a list of (group, mode): all of them if they are."""
    if len(some) == len(_modes(groups)):
        return "all of them"
    by_group = {}
    for group, name in some:
        by_group.setdefault(group["name"], (group, []))[1].append(name)
    return "; ".join(f"{name}{'' if len(modes) == len(group['modes']) else f' ({listed(modes)})'}"
                     for name, (group, modes) in by_group.items())


def _modes(groups):
    return [(group, name, mode) for group in groups for name, mode in group["modes"].items()]
