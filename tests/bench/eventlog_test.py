#!/usr/bin/env python3
"""What bench/suite/eventlog.py derives from an event log, and what it says of one that does not add up: logs written here, and those
of a cluster in virtual time (tests/scheduler/event_log_sim.c), where the scheduler's own account is known to the millisecond.

    eventlog_test.py BENCH SIM"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, sys.argv[1])
SIM = sys.argv[2]

from suite import eventlog  # noqa: E402

MODES = "coarse", "fine", "adaptive"


def event(t, what, **more):
    return {"t": t, "event": what, **more}


def accept(t, slot, kind="task", cores=1.0, executor="x", offers=("o1",), **more):
    return event(t, "accept", slot=slot, kind=kind, executor=executor, agent="a", host="h", cores=cores, memory_mib=100,
                 offers=list(offers), **more)


def start(t, task, slot=None, **more):
    return event(t, "start", task=task, stage=1, executor="x", cores=1.0, **({"slot": slot} if slot else {}), **more)


def end(t, task, ran, state="finished"):
    return event(t, "end", task=task, state=state, ran=ran)


def given_back(t, slot, why="finished"):
    return event(t, "return", slot=slot, why=why)


def offer(t, o, cores=2.1):
    return event(t, "offer", offer=o, agent="a", host="h", cores=cores, memory_mib=1000.0)


FINE = [
    event(0, "job", format=1, name="j", mode="fine", unix=1e9, cores=2, task_cores=1),
    event(0.1, "framework", framework="f", suppressed=False),
    event(0.2, "run", run=1, stages=1),
    event(0.2, "waiting", slots=3),
    event(0.2, "revive"),
    offer(0.3, "o1"),
    accept(0.3, "x", "executor", 0.1),
    accept(0.3, "1.0.0"),
    start(0.3, "1.0.0", "1.0.0", waited=0.1),
    accept(0.3, "1.1.0"),
    start(0.3, "1.1.0", "1.1.0", waited=0.1),
    event(0.4, "running", slot="x"),
    given_back(1.3, "1.0.0"),
    end(1.3, "1.0.0", 0.8),
    event(1.3, "revive"),
    offer(1.31, "o2", 1),
    accept(1.31, "1.2.0", offers=["o2"]),
    start(1.31, "1.2.0", "1.2.0", waited=1.11),
    event(1.31, "waiting_end"),
    event(1.31, "suppress"),
    given_back(1.8, "1.1.0"),
    end(1.8, "1.1.0", 1.4),
    given_back(2.31, "1.2.0"),
    end(2.31, "1.2.0", 0.9),
    event(2.31, "run_end", run=1, status="finished"),
    given_back(2.4, "x", "end"),
    # 0.21 of the executor, 1 + 1.5 + 1 of the tasks
    event(2.5, "done", status="finished", held_core_s=3.71, executor_core_s=0.21, used_core_s=3.1, held_mib_s=560.0, gaps=1,
          gap_p50_ms=10, gap_p99_ms=10, offers=2, declined=0, revives=2)]

LEASES = [
    event(0, "job", format=1, name="j", mode="adaptive", unix=1e9, cores=3, task_cores=1),
    event(0, "waiting", slots=5),
    offer(0, "o1", 4),
    accept(0, "x", "executor", 0.1),
    accept(0, "lease-0", "lease", 2.0, slots=2),
    accept(0, "lease-1", "lease", slots=1),
    event(0.1, "running", slot="x"),
    event(0.1, "running", slot="lease-0"),
    event(0.1, "running", slot="lease-1"),
    start(0.1, "1.0.0", waited=0.1),
    start(0.1, "1.1.0", waited=0.1),
    start(0.1, "1.2.0", waited=0.1),
    end(1.1, "1.0.0", 1.0),
    start(1.1, "1.3.0", waited=1.1),
    end(1.1, "1.2.0", 1.0),
    given_back(1.1, "lease-1", "age"),
    end(1.2, "1.1.0", 1.1),
    start(1.3, "1.4.0", waited=1.3),
    event(1.3, "waiting_end"),
    end(2.1, "1.3.0", 1.0),
    end(2.3, "1.4.0", 1.0),
    given_back(2.5, "lease-0", "idle"),
    given_back(3, "x", "end"),
    event(3, "done", status="finished", held_core_s=6.4, executor_core_s=0.3, used_core_s=5.1, held_mib_s=660.0, gaps=2,
          gap_p50_ms=0, gap_p99_ms=100, offers=1, declined=0, revives=0)]


def close(got, wanted):
    assert abs(got - wanted) < 1e-9, f"{got} instead of {wanted}"


def problems(events):
    return eventlog.check(eventlog.Log(copy.deepcopy(events)))


def expect(events, *words):
    found = problems(events)
    assert any(all(word in p for word in words) for p in found), f"nothing with {words} in {found}"


def without(events, name, **more):
    """All but the first event of that name, with these values."""
    for i, e in enumerate(events):
        if e["event"] == name and all(e.get(k) == v for k, v in more.items()):
            return events[:i] + events[i + 1:]
    raise AssertionError(f"no {name} {more}")


def added(events, *more):
    """With these events, where they belong."""
    return sorted([*events[:-1], *more], key=lambda e: e["t"]) + events[-1:]


def changed(events, name, values, **more):
    i = next(i for i, e in enumerate(events) if e["event"] == name and all(e.get(k) == v for k, v in more.items()))
    return events[:i] + [{**events[i], **values}] + events[i + 1:]


def test_figures_of_a_fine_job():
    f = eventlog.figures(eventlog.Log(FINE))
    for name, wanted in {"held_core_s": 3.71, "executor_core_s": 0.21, "used_core_s": 3.1, "held_mib_s": 560.0, "wall_s": 2.5,
                         "utilization": 3.1 / 3.71, "peak_held_cores": 2.1, "gap_p50_ms": 10, "gap_p99_ms": 10,
                         "wait_p50_ms": 100, "wait_p99_ms": 1110}.items():
        close(f[name], wanted)
    assert (f["tasks"], f["attempts"], f["slots"], f["executors"], f["revives"], f["gaps_ms"]) == (3, 3, 3, 1, 2, [10]), f
    assert f["timeline"][0] == [0.3, 2.1, 0.0], f["timeline"]
    assert f["timeline"][-1] == [2.4, 0.0, 0.0], f["timeline"]
    assert [0.4, 2.1, 1.0] in f["timeline"] and [0.5, 2.1, 2.0] in f["timeline"], f["timeline"]  # 0.8 s before 1.3, 1.4 before 1.8
    assert problems(FINE) == [], problems(FINE)


def test_figures_of_leases():
    log = eventlog.Log(LEASES)
    f = eventlog.figures(log)
    close(f["held_core_s"], 0.3 + 5.0 + 1.1)
    close(f["used_core_s"], 5.1)
    assert f["gaps_ms"] == [0, 100], f["gaps_ms"]
    assert problems(LEASES) == [], problems(LEASES)
    rows = {row["slot"]: row for row in eventlog.slots(log)}
    assert sorted(t[0] for t in rows["lease-0"]["tasks"]) == ["1.1.0", "1.2.0", "1.3.0", "1.4.0"] or \
        sorted(t[0] for t in rows["lease-0"]["tasks"]) == ["1.0.0", "1.1.0", "1.3.0", "1.4.0"], rows
    assert len(rows["lease-1"]["tasks"]) == 1 and "tasks" not in rows["x"], rows
    assert (rows["lease-1"]["offered"], rows["lease-1"]["accepted"], rows["lease-1"]["running"], rows["lease-1"]["returned"],
            rows["lease-1"]["why"]) == (0, 0, 0.1, 1.1, "age"), rows


def test_what_there_is_nothing_of_is_not_there():
    f = eventlog.figures(eventlog.Log([FINE[0], event(1, "done", status="failed")]))
    assert f["held_core_s"] == f["tasks"] == 0
    assert not {"utilization", "gap_p50_ms", "wait_p50_ms"} & set(f), f


def test_a_slot_that_is_never_returned():
    expect(without(FINE, "return", slot="1.0.0"), "1.0.0", "never returned")
    expect(without(FINE, "return", slot="1.0.0"), "held_core_s", "account")
    expect(without(LEASES, "return", slot="lease-0"), "lease-0", "never returned")
    expect(without(LEASES, "return", slot="x"), "'x'", "never returned")
    # the scheduler has forgotten it, and counts on
    expect(changed(LEASES, "done", {"held_core_s": 6.4 + 2 * 0.5}), "held_core_s is 6.4", "7.4")


def test_a_slot_that_is_counted_twice():
    expect(added(FINE, accept(0.3, "1.1.0")), "1.1.0", "accepted twice")
    expect(added(FINE, given_back(2.0, "1.0.0")), "1.0.0", "returned twice")
    expect(added(LEASES, accept(0, "lease-2", "lease"), given_back(1.1, "lease-2", "age")), "held_core_s is 7.5", "6.4")
    expect(changed(FINE, "done", {"held_core_s": 4.71}), "held_core_s is 3.71", "4.71")
    expect(changed(FINE, "done", {"used_core_s": 3.9}), "used_core_s is 3.1", "3.9")
    expect(changed(FINE, "done", {"held_mib_s": 660.0}), "held_mib_s")


def test_tasks_that_cannot_be_there():
    expect(added(FINE, start(1.0, "1.9.0", "1.0.0"), end(1.2, "1.9.0", 0.1)), "2 cores in '1.0.0', which has 1")
    expect(added(FINE, start(1.4, "1.9.0", "1.0.0"), end(1.5, "1.9.0", 0.1)), "1.9.0", "starts in '1.0.0', which is not held")
    expect(added(LEASES, start(0.5, "1.9.0"), end(0.6, "1.9.0", 0.1)), "4 cores in 'x', which has 3")
    expect(added(LEASES, start(1.25, "1.9.0"), end(1.35, "1.9.0", 0.1)), "3 cores in 'x', which has 2")
    expect(added(LEASES, start(2.6, "1.9.0"), end(2.7, "1.9.0", 0.1)), "1 cores in 'x', which has 0")
    expect(without(FINE, "end", task="1.2.0"), "1.2.0", "never ends")
    expect(without(FINE, "start", task="1.2.0"), "1.2.0", "does not run")
    expect(added(FINE, end(2.4, "1.2.0", 0.1)), "1.2.0", "does not run")
    expect(added(FINE, start(1.9, "1.2.0", "1.2.0")), "1.2.0", "starts twice")


def test_more_is_used_than_held():
    more = changed(changed(FINE, "end", {"ran": 3.0}, task="1.0.0"), "done", {"used_core_s": 5.3})
    expect(more, "more is used than held", "5.3", "3.71")


def test_offers_that_do_not_add_up():
    expect(added(FINE, offer(1.0, "o9")), "o9", "never answered")
    expect(added(FINE, event(1.0, "decline", offer="o1", reason="")), "o1", "declined, and was accepted")
    expect(added(FINE, offer(1.0, "o9"), event(1.0, "decline", offer="o9", reason=""), event(1.1, "decline", offer="o9", reason="")),
           "o9", "declined, and was declined")
    expect(changed(FINE, "accept", {"offers": ["o7"]}, slot="1.2.0"), "o7", "never made")
    expect(changed(FINE, "done", {"offers": 3}), "offers: 2 by the events, and 3")
    expect(without(FINE, "revive"), "revives: 1 by the events, and 2")


def test_what_is_lost_explains_tasks_of_which_nothing_is_known():
    lost = changed(LEASES, "return", {"why": "lost", "t": 0.5}, slot="lease-1")
    lost = sorted(lost, key=lambda e: e["t"])
    assert not any("cores in 'x'" in p for p in problems(lost)), problems(lost)
    expect(added(lost, start(0.7, "1.9.0"), end(0.8, "1.9.0", 0.1)), "4 cores in 'x', which has 2")
    taken = sorted(changed(LEASES, "return", {"why": "idle", "t": 0.5}, slot="lease-1"), key=lambda e: e["t"])
    expect(taken, "3 cores in 'x', which has 2")


def test_gaps_count_while_tasks_wait_alone():
    idle = [event(0, "job", format=1), accept(0, "x", "executor", 0.1), accept(0, "l", "lease"), start(0, "1.0.0"),
            end(1, "1.0.0", 1), event(5, "waiting", slots=1), start(6, "1.1.0"), event(6, "waiting_end"), end(7, "1.1.0", 1)]
    assert eventlog.Log(idle).gaps_ms == []
    waits = [idle[0], event(0, "waiting", slots=1), *(e for e in idle[1:] if e["event"] != "waiting")]
    assert eventlog.Log(waits).gaps_ms == [5000]


def test_timelines_are_thinned_without_a_change_of_their_areas():
    points = [[i * 0.37 % 11 + i, i % 5, i % 3] for i in range(3000)]
    points = sorted(points)
    thin = eventlog.thinned(points, 3100.0)
    assert len(thin) == eventlog.POINTS

    def area(p, column):
        return sum(a[column] * (b[0] - a[0]) for a, b in zip(p, [*p[1:], [3100.0]]))
    for column in 1, 2:
        assert abs(area(points, column) - area(thin, column)) < 1e-3 * area(points, column)


# ---- Files ----

def text_of(events):
    return "".join(json.dumps(e) + "\n" for e in events).encode()


def refused(path, *words):
    try:
        eventlog.read(path)
    except eventlog.LogError as e:
        assert "\n" not in str(e) and all(word in str(e) for word in (str(path), *words)), e
    else:
        raise AssertionError(f"{path} was read")


def test_a_log_that_was_cut_off():
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "log"
        whole = text_of(FINE)
        for cut in 1, 2, len(text_of(FINE[-1:])) - 1, len(text_of(FINE[-1:])):
            path.write_bytes(whole[:-cut])
            log = eventlog.read(path)
            assert log.done is None and len(log.attempts) == 3 and eventlog.figures(log)["tasks"] == 3
            assert any("done" in p for p in eventlog.check(log))
        path.write_bytes(text_of(FINE[:9]))  # one task has begun, and is held and used until the last event
        f = eventlog.figures(eventlog.read(path))
        assert (f["attempts"], f["tasks"], f["held_core_s"]) == (1, 0, 0), f


def test_what_is_no_log():
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "log"
        refused(path, "No such file")
        for data, words in {b"": ["no event"], b"\n": ["no event"], b"{}\n": ["no event"], b"[1]\n{}\n": ["line 1"],
                            text_of(FINE[1:]): ["does not begin"], text_of(FINE[:3]) + b"xyz\n" + text_of(FINE[3:]): ["line 4"],
                            text_of([{**FINE[0], "format": 2}]): ["format 2"],
                            text_of([FINE[0], event(1, "return")]): ["lacks 'slot'"],
                            b"\xff\xfe\n" + text_of(FINE): ["line 1"]}.items():
            path.write_bytes(data)
            refused(path, *words)
        refused(d)
        name = pathlib.Path(d) / "log.zst"
        refused(name, "No such file")
        name.write_bytes(text_of(FINE))
        refused(name)


def test_what_is_newer_is_passed_over():
    events = added(FINE, event(1.0, "of_another_year", slot="?"))
    assert problems([{**e, "new": [1]} for e in events]) == []


def test_compressed_logs():
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "log.zst"
        frames = [subprocess.run(["zstd", "-qc"], input=text_of(part), stdout=subprocess.PIPE, check=True).stdout
                  for part in (FINE[:12], FINE[12:])]
        path.write_bytes(b"".join(frames))
        log = eventlog.read(path)
        assert eventlog.check(log) == [] and len(log.attempts) == 3
        for cut in 1, 20, len(frames[1]) - 1, len(frames[1]):
            path.write_bytes(b"".join(frames)[:-cut])
            log = eventlog.read(path)
            assert len(log.attempts) >= 2 and (log.done is None or cut == 1), cut  # 1: of the checksum
        before, os.environ["PATH"] = os.environ["PATH"], d
        try:
            refused(path, "zstd")
        finally:
            os.environ["PATH"] = before


def test_as_a_program():
    program = [sys.executable, eventlog.__file__]
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "log"
        path.write_bytes(text_of(FINE))
        run = subprocess.run([*program, path], stdout=subprocess.PIPE, check=True).stdout.decode()
        assert "held_core_s      3.71\n" in run and "problem" not in run, run
        path.write_bytes(text_of(without(FINE, "return", slot="1.0.0")))
        run = subprocess.run([*program, path], stdout=subprocess.PIPE, check=False)
        assert run.returncode == 1 and b"problem: slot '1.0.0' is never returned" in run.stdout, run
        run = subprocess.run([*program, f"{path}-not"], stderr=subprocess.PIPE, check=False)
        assert run.returncode == 2 and run.stderr.count(b"\n") == 1 and b"No such file" in run.stderr, run
        assert subprocess.run(program, stderr=subprocess.PIPE, check=False).returncode == 2


# ---- In virtual time ----

def simulated(mode, seed, *how):
    """The events of a job on ten agents of two slots each."""
    run = subprocess.run([SIM, mode, str(seed), *how], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def agrees(events, what):
    log = eventlog.Log(events)
    found = eventlog.check(log)
    assert found == [], f"{what}: {found}"
    f = eventlog.figures(log)
    for name in "held_core_s", "executor_core_s", "used_core_s", "held_mib_s":  # not to a hundredth: exactly
        assert abs(f[name] - log.done[name]) < 1e-6 * (1 + f[name]), f"{what}: {name} is {f[name]}, not {log.done[name]}"
    for name in "gap_p50_ms", "gap_p99_ms":  # which the scheduler knows to an eighth
        if name in f:
            assert log.done[name] <= f[name] <= log.done[name] * 9 / 8, f"{what}: {name} is {f[name]}, not {log.done[name]}"
    return log, f


def test_the_schedulers_account_follows_from_the_events():
    for mode in MODES:
        for seed in range(1, 6):
            log, f = agrees(simulated(mode, seed), (mode, seed))
            assert f["tasks"] == 60 + 20 + 40 + 40 + 80
            taken_back = sum(1 for end in log.attempts.values() if end.state == "killed")  # from a slot they waited for
            assert f["attempts"] == f["tasks"] + taken_back and (mode != "fine" or taken_back == 0)
            rows = [row for row in eventlog.slots(log) if row["kind"] != "executor"]
            if mode == "fine":
                assert all(len(row["tasks"]) == 1 and row["why"] == "finished" for row in rows)
            else:  # every task has a lease to be in; those of the second stage take two slots
                tasks = [task for row in rows for task in row["tasks"]]
                assert {task[0] for task in tasks} == set(log.attempts)
            whys = {row["why"] for row in rows}
            assert whys == {"coarse": {"end"}, "fine": {"finished"}}.get(mode, whys) and (mode != "adaptive" or "idle" in whys)


def test_and_so_it_does_whatever_goes_wrong():
    lost = 0
    for mode in MODES:
        for seed in range(1, 9):
            log, f = agrees(simulated(mode, seed, "faults"), (mode, seed))
            lost += f["attempts"] - f["tasks"]
    assert lost > 100, lost


def test_without_revive_gaps_are_as_long_as_the_master_waits():
    """A second is the allocation interval of the master; a freed slot does not make it allocate."""
    for seed in range(1, 4):
        _, f = agrees(simulated("fine", seed), seed)
        _, without_revive = agrees(simulated("fine", seed, "no-revive"), seed)
        assert f["gap_p50_ms"] <= 50, f["gap_p50_ms"]
        assert without_revive["gap_p50_ms"] >= 500, without_revive["gap_p50_ms"]
        assert without_revive["wall_s"] > 1.5 * f["wall_s"]
        assert f["revives"] > 100 > 10 > without_revive["revives"], (f["revives"], without_revive["revives"])


def test_a_planted_mistake_is_caught_in_every_mode():
    for mode in MODES:
        events = simulated(mode, 1)
        kind = "task" if mode == "fine" else "lease"
        slots = [e for e in events if e["event"] == "accept" and e["kind"] == kind]
        first = slots[0]["slot"]
        expect(without(events, "return", slot=first), first, "never returned")
        expect(added(events, {**slots[0], "slot": "twin"}, given_back(slots[0]["t"] + 5, "twin")), "held_core_s", "account")
        expect(without(events, "accept", slot=first), first, "never held")
        last = [e for e in events if e["event"] == "start"][-1]
        expect(added(events, {**last, "task": "0.0.0"}, end(last["t"] + 0.01, "0.0.0", 0.01)), "cores in")


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # noqa: the others run
            failed += 1
            traceback.print_exc()
            print(f"not ok {number} - {name}", flush=True)
    print(f"1..{len(tests)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
