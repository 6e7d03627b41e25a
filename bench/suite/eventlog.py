#!/usr/bin/env python3
"""Reads the event log of a job (--event-log, docs/event-log.md) and derives from it whatever is said of what the job held and used.

    log = read("job.jsonl.zst")
    figures(log)    what was held, used, waited for: a dict
    slots(log)      everything that was held, from the offer to the return, with the tasks that ran in it
    check(log)      what cannot be, as sentences: [] if the log adds up and agrees with the scheduler's own account

    eventlog.py LOG     prints the figures and what check() says; status 1 if that is anything, 2 if LOG cannot be read"""
import collections
import json
import math
import subprocess
import sys

FORMAT = 1
FREED_MAX = 256     # of an agent: as in scheduler/sched_ledger.c
TOLERANCE = 0.01    # between what follows from the events and the scheduler's own account
ROUNDING = 0.01     # core-seconds: times are in ms
POINTS = 400        # of a timeline


class LogError(Exception):
    """The log cannot be read; a sentence says why."""


class Slot:
    """Something that was held: a Mesos task (kind task: for one task of the job; lease: for many), or an executor's own share.
    Times are seconds since the log's beginning; None: it did not come to that."""

    def __init__(self, event):
        self.id = event["slot"]
        self.kind, self.executor, self.agent, self.host = (event[key] for key in ("kind", "executor", "agent", "host"))
        self.cores, self.memory_mib = event["cores"], event["memory_mib"]
        self.slots = event.get("slots", 1)
        self.accepted = event["t"]
        self.offered = self.running = self.returned = self.why = None

    def until(self, end):
        return end if self.returned is None else self.returned


class Attempt:
    """A try of one of the job's tasks. `slot`: of its own, or None: in the leases of its executor."""
    __slots__ = "id", "stage", "executor", "slot", "cores", "started", "waited", "ended", "state", "ran"

    def __init__(self, event):
        self.id, self.stage, self.executor = event["task"], event["stage"], event["executor"]
        self.slot, self.cores, self.waited = event.get("slot"), event["cores"], event.get("waited")
        self.started = event["t"]
        self.ended = self.state = self.ran = None

    def worked(self, end):
        """From when to when its core was used."""
        if self.ended is None:
            return self.started, end
        return max(self.started, self.ended - self.ran), self.ended


class Log:
    """What the events (dicts, in their order) come to. `problems`: what cannot be in itself."""

    def __init__(self, events):
        self.job = self.done = None
        self.end = 0
        self.slots, self.attempts = {}, {}
        self.gaps_ms = []
        self.counts = collections.Counter()
        self.problems = []
        self._offers = {}                                   # by id: its time, and how it was answered
        self._waiting = None                                # ms since when tasks wait
        self._freed = collections.defaultdict(list)         # of an agent: ms of ends, see scheduler/sched_ledger.c
        self._room = collections.Counter()                  # of an executor: cores of leases; of a slot: its own
        self._load = collections.Counter()
        self._lost = collections.Counter()                  # of what was there: tasks in it may not be known to have ended
        self._changed = set()                               # of these, since the time was another
        for event in events:
            self._take(event)
        self._settle()

    def _take(self, event):
        if self.job is None and event["event"] != "job":
            raise LogError("it does not begin with the event 'job'")
        if event["t"] != self.end:
            self._settle()
        if event["t"] < self.end:
            self.problems.append(f"time goes back from {self.end} to {event['t']} s")
        self.end = event["t"]
        self.counts[event["event"]] += 1
        getattr(self, "_on_" + event["event"], lambda event: None)(event)

    def _settle(self):
        """At the end of an instant: within it a task ends before or after its slot goes back."""
        for place in self._changed:
            more = self._load[place] - self._room[place]
            self._lost[place] = max(0, min(self._lost[place], more))
            if more > self._lost[place] + 1e-6:
                self.problems.append(f"at {self.end} s tasks run on {self._load[place]:g} cores in '{place}', which has "
                                     f"{self._room[place]:g}")
        self._changed.clear()

    def _on_job(self, event):
        if event["format"] != FORMAT:
            raise LogError(f"it has format {event['format']}, and this reads {FORMAT}")
        self.job = event

    def _on_done(self, event):
        self.done = event

    # Offers

    def _on_offer(self, event):
        self._offers[event["offer"]] = [event["t"], None]

    def _answer(self, offer, how):
        known = self._offers.get(offer)
        if known is None:
            self.problems.append(f"offer '{offer}' is {how}, and was never made")
        elif known[1] not in (None, how) or known[1] == "declined":
            self.problems.append(f"offer '{offer}' is {how}, and was {known[1]}")
        else:
            known[1] = how

    def _on_decline(self, event):
        self._answer(event["offer"], "declined")

    # What is held

    def _add_room(self, slot, sign):
        place = {"task": slot.id, "lease": slot.executor}.get(slot.kind)
        if place is not None:
            self._room[place] += sign * slot.cores
            self._lost[place] += slot.cores if slot.why in ("lost", "killed") else 0
            self._changed.add(place)

    def _on_accept(self, event):
        if event["slot"] in self.slots:
            self.problems.append(f"slot '{event['slot']}' is accepted twice")
        slot = self.slots[event["slot"]] = Slot(event)
        for offer in event["offers"]:
            self._answer(offer, "accepted")
        times = [self._offers[offer][0] for offer in event["offers"] if offer in self._offers]
        slot.offered = min(times, default=None)
        if slot.kind != "executor" and not self._is_held(slot.executor):
            self.problems.append(f"slot '{slot.id}' is on executor '{slot.executor}', which is not held")
        self._add_room(slot, 1)

    def _is_held(self, slot):
        return slot in self.slots and self.slots[slot].returned is None

    def _on_running(self, event):
        if not self._is_held(event["slot"]):
            self.problems.append(f"slot '{event['slot']}' runs and is not held")
        elif self.slots[event["slot"]].running is None:     # an executor may connect again
            self.slots[event["slot"]].running = event["t"]

    def _on_return(self, event):
        slot = self.slots.get(event["slot"])
        if slot is None:
            self.problems.append(f"slot '{event['slot']}' is returned and was never held")
        elif slot.returned is not None:
            self.problems.append(f"slot '{slot.id}' is returned twice")
        else:
            slot.returned, slot.why = event["t"], event["why"]
            self._add_room(slot, -1)

    # Tasks

    def _place(self, attempt):
        return attempt.executor if attempt.slot is None else attempt.slot

    def _agent(self, attempt):
        executor = self.slots.get(attempt.executor)
        return executor.agent if executor is not None else attempt.executor

    def _on_start(self, event):
        attempt = Attempt(event)
        if attempt.id in self.attempts:
            self.problems.append(f"task '{attempt.id}' starts twice")
        for slot in {attempt.executor, self._place(attempt)}:
            if not self._is_held(slot):
                self.problems.append(f"task '{attempt.id}' starts in '{slot}', which is not held")
        self.attempts[attempt.id] = attempt
        self._load[self._place(attempt)] += attempt.cores
        self._changed.add(self._place(attempt))
        self._end_gap(self._freed[self._agent(attempt)], round(event["t"] * 1000))

    def _end_gap(self, freed, now):
        if not freed:
            return
        since = freed.pop()
        if self._waiting is None or since < self._waiting:  # nothing waited meanwhile, and so it is with older ones
            freed.clear()
        else:
            self.gaps_ms.append(now - since)

    def _on_end(self, event):
        attempt = self.attempts.get(event["task"])
        if attempt is None or attempt.ended is not None:
            self.problems.append(f"task '{event['task']}' ends and does not run")
            return
        attempt.ended, attempt.state, attempt.ran = event["t"], event["state"], event["ran"]
        self._load[self._place(attempt)] -= attempt.cores
        self._changed.add(self._place(attempt))
        freed = self._freed[self._agent(attempt)]
        if self._waiting is not None and len(freed) < FREED_MAX:
            freed.append(round(event["t"] * 1000))

    def _on_waiting(self, event):
        self._waiting = round(event["t"] * 1000)

    def _on_waiting_end(self, _event):
        self._waiting = None

    # Sums

    def unanswered(self):
        return [offer for offer, (_, how) in self._offers.items() if how is None]

    def held_core_s(self, kinds=("task", "lease", "executor")):
        return sum(s.cores * (s.until(self.end) - s.accepted) for s in self.slots.values() if s.kind in kinds)

    def held_mib_s(self):
        return sum(s.memory_mib * (s.until(self.end) - s.accepted) for s in self.slots.values())

    def used_core_s(self):
        return sum(a.cores * (a.ran if a.ran is not None else self.end - a.started) for a in self.attempts.values())


def decompressed(path):
    """The bytes of a .zst file; of one that was cut off, those that are there."""
    try:
        result = subprocess.run(["zstd", "-dcq", "--", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except FileNotFoundError:
        raise LogError(f"'{path}' is compressed, and there is no `zstd` to read it with") from None
    if result.returncode != 0 and not result.stdout and b"premature" not in result.stderr:
        raise LogError(f"'{path}': {result.stderr.decode(errors='replace').strip()}")
    return result.stdout


def lines_of(path):
    if str(path).endswith(".zst"):
        with open(path, "rb"):  # that it can be read at all
            pass
        yield from decompressed(path).splitlines(keepends=True)
        return
    with open(path, "rb") as f:
        yield from f


def events(path):
    """The events of a log, one by one. A last line that was not written to its end is left out."""
    number, broken = 0, None
    for number, line in enumerate(lines_of(path), 1):
        if broken is not None:
            raise LogError(f"'{path}', line {broken}: no event")
        try:
            event = json.loads(line)
            whole = line.endswith(b"\n") and isinstance(event["t"], (int, float)) and isinstance(event["event"], str)
        except (ValueError, KeyError, TypeError):
            whole = False
        if whole:
            yield event
        else:
            broken = number
    if number == 0 or (number == 1 and broken):
        raise LogError(f"'{path}' has no event in it")


def read(path):
    """The log in that file, compressed if its name ends with .zst. LogError says what is wrong with it."""
    try:
        return Log(events(path))
    except OSError as e:
        raise LogError(f"'{path}': {e.strerror}") from None
    except LogError as e:
        raise e if str(path) in str(e) else LogError(f"'{path}': {e}") from None
    except (KeyError, TypeError) as e:
        raise LogError(f"'{path}': an event lacks {e}") from None


def percentile(values, p):
    """The least of them that p percent of them do not exceed; values are sorted."""
    return values[max(0, math.ceil(len(values) * p / 100) - 1)]


def steps(log):
    """[[t, held, used], ...]: cores from t on, at every change."""
    changes = collections.defaultdict(lambda: [0.0, 0.0])
    for slot in log.slots.values():
        changes[slot.accepted][0] += slot.cores
        changes[slot.until(log.end)][0] -= slot.cores
    for attempt in log.attempts.values():
        begin, end = attempt.worked(log.end)
        changes[round(begin, 6)][1] += attempt.cores
        changes[end][1] -= attempt.cores
    held = used = 0.0
    points = []
    for t in sorted(changes):
        held, used = held + changes[t][0], used + changes[t][1]
        points.append([t, abs(round(held, 3)), abs(round(used, 3))])
    return points


def thinned(points, end, most=POINTS):
    """Steps, at most so many: means of as many equal parts of the time, where there are more. Areas stay as they are."""
    if len(points) <= most:
        return points
    begin = points[0][0]
    width = (end - begin) / most
    sums = [[0.0, 0.0] for _ in range(most)]
    for (t, held, used), follower in zip(points, [*points[1:], [end, 0, 0]]):
        while t < follower[0]:
            part = min(int((t - begin) / width), most - 1)
            to = follower[0] if part == most - 1 else min(follower[0], max(begin + (part + 1) * width, math.nextafter(t, math.inf)))
            sums[part][0] += held * (to - t)
            sums[part][1] += used * (to - t)
            t = to
    return [[round(begin + i * width, 6), round(held / width, 4), round(used / width, 4)] for i, (held, used) in enumerate(sums)]


def figures(log):
    """What was held, used and waited for. What there was nothing of to be measured is not there. `gaps_ms` are all of them."""
    held, used = log.held_core_s(), log.used_core_s()
    states = collections.Counter(a.state for a in log.attempts.values())
    waits = sorted(a.waited * 1000 for a in log.attempts.values() if a.waited is not None)
    gaps = sorted(log.gaps_ms)
    points = steps(log)
    found = {"wall_s": log.end, "held_core_s": held, "executor_core_s": log.held_core_s(["executor"]), "used_core_s": used,
             "held_mib_s": log.held_mib_s(), "tasks": states["finished"], "attempts": len(log.attempts),
             "slots": sum(s.kind != "executor" for s in log.slots.values()),
             "executors": sum(s.kind == "executor" for s in log.slots.values()),
             "offers": log.counts["offer"], "declined": log.counts["decline"], "revives": log.counts["revive"],
             "peak_held_cores": max((held for _, held, _ in points), default=0.0),
             "gaps": len(gaps), "gaps_ms": gaps, "timeline": thinned(points, log.end)}
    if held > 0:
        found["utilization"] = used / held
    for name, values in ("gap", gaps), ("wait", waits):
        if values:
            found[f"{name}_p50_ms"], found[f"{name}_p99_ms"] = percentile(values, 50), percentile(values, 99)
    return found


def in_lanes(leases, attempts, end):
    """{lease: its attempts}: the log says in which executor a task ran, not in which of its leases, which are all alike. Each
    is put where it fits and where there is the least time left afterwards; if nowhere, into the lease that is there longest."""
    coming = collections.deque(sorted(leases, key=lambda lease: lease.accepted))
    lanes = []  # [lease, when it is free]: one for each of a lease's slots
    found = collections.defaultdict(list)
    for attempt in sorted(attempts, key=lambda a: a.started):
        ended = end if attempt.ended is None else attempt.ended
        while coming and coming[0].accepted <= attempt.started:
            lease = coming.popleft()
            lanes += [[lease, 0.0] for _ in range(lease.slots)]
        lanes = [lane for lane in lanes if lane[0].until(end) >= attempt.started]
        free = [(max(ended - lane[0].until(end), 0), lane[0].until(end), -lane[1], i) for i, lane in enumerate(lanes)
                if lane[1] <= attempt.started]
        cores = attempt.cores
        for lane in (lanes[i] for *_, i in sorted(free)):
            if cores > 1e-6:
                lane[1] = ended
                cores -= lane[0].cores / lane[0].slots
                if attempt not in found[lane[0].id]:
                    found[lane[0].id].append(attempt)
    return found


def slots(log):
    """Everything that was held, in order: a dict each, of its times (offered, accepted, running, returned; those that are known),
    why it was returned, and `tasks`: [id, started, ended, state] of those that ran in it. An executor's are those of its leases."""
    own, shared = {}, collections.defaultdict(list)
    for attempt in log.attempts.values():
        if attempt.slot is not None:
            own[attempt.slot] = [attempt]
        else:
            shared[attempt.executor].append(attempt)
    for executor, attempts in shared.items():
        leases = [s for s in log.slots.values() if s.kind == "lease" and s.executor == executor]
        own.update(in_lanes(leases, attempts, log.end))
    rows = []
    for slot in log.slots.values():
        row = {"slot": slot.id, "kind": slot.kind, "executor": slot.executor, "agent": slot.agent, "host": slot.host,
               "cores": slot.cores, "memory_mib": slot.memory_mib}
        times = {"offered": slot.offered, "accepted": slot.accepted, "running": slot.running, "returned": slot.returned,
                 "why": slot.why}
        row.update((name, value) for name, value in times.items() if value is not None)
        if slot.kind != "executor":
            row["tasks"] = [[a.id, a.started, a.ended, a.state] for a in own.get(slot.id, [])]
        rows.append(row)
    return rows


def compared(log):
    """What follows from the events, against the scheduler's own account."""
    problems = []
    sums = {"held_core_s": log.held_core_s(), "executor_core_s": log.held_core_s(["executor"]), "used_core_s": log.used_core_s(),
            "held_mib_s": log.held_mib_s()}
    for name, value in sums.items():
        said = log.done.get(name)
        if said is not None and abs(value - said) > TOLERANCE * said + ROUNDING * (1024 if name == "held_mib_s" else 1):
            problems.append(f"{name} is {value:.3f} by the events, and {said:.3f} by the scheduler's account")
    counts = {"gaps": len(log.gaps_ms), "offers": log.counts["offer"], "declined": log.counts["decline"],
              "revives": log.counts["revive"]}
    for name, value in counts.items():
        if log.done.get(name, value) != value:
            problems.append(f"{name}: {value} by the events, and {log.done[name]} by the scheduler's account")
    return problems


def check(log):
    """What cannot be, in the order in which it was found; [] if the log adds up. That of a job that was killed does not."""
    problems = list(log.problems)
    if log.done is None:
        return [*problems, f"it ends after {log.end} s without the event 'done': the job was killed, or its disk was full"]
    problems += [f"slot '{s.id}' is never returned" for s in log.slots.values() if s.returned is None]
    problems += [f"task '{a.id}' never ends" for a in log.attempts.values() if a.ended is None]
    problems += [f"offer '{offer}' is never answered" for offer in log.unanswered()]
    held, used = log.held_core_s(), log.used_core_s()
    if used > held * (1 + TOLERANCE) + ROUNDING:
        problems.append(f"more is used than held: {used:.3f} of {held:.3f} core-seconds")
    return problems + compared(log)


def main(arguments):
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr if arguments not in (["-h"], ["--help"]) else sys.stdout)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        log = read(arguments[0])
    except LogError as e:
        print(f"eventlog.py: {e}", file=sys.stderr)
        return 2
    for name, value in figures(log).items():
        if not isinstance(value, list):
            print(f"{name:16} {value:.6g}" if isinstance(value, float) else f"{name:16} {value}")
    problems = check(log)
    for problem in problems:
        print(f"problem: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
