"""Runs as results.jsonl has them, made up: what the tests of the report are given."""
import math
import random

HEADER = {"kind": "header", "format": 1, "bench": "modes", "version": "0.1.0", "date": "2026-11-26T12:00:00Z", "seed": 1,
          "quick": False, "machine": {"cores": 2, "cpu": "A <fast> & good one", "memory_gib": 23.4, "kernel": "6.1.0"},
          "cluster": "embedded", "agents": 2, "slots": 8, "allocation_interval_ms": 1000,
          "options": {"--revive-interval": "20ms", "--lease-idle": "100ms"}, "command": "quern bench modes"}
LENGTHS = 0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 10
MODES = "coarse", "fine", "adaptive"
SLOTS = 8


def run(workload, case, mode, turn=1, wall_s=2.0, held=16.0, used=15.0, **more):
    """One run. `figures` in `more` are added to the usual ones; one that is None is left out."""
    figures = {"wall_s": wall_s, "held_core_s": held, "used_core_s": used, "master_held_core_s": held, "utilization": used / held,
               "gap_p50_ms": 5, "gap_p99_ms": 24, "allocation_runs": 12, "allocation_ms": 3.2, "cpu_scheduler_s": 0.05}
    figures.update(more.pop("figures", {}))
    return dict({"kind": "run", "workload": workload, "case": case, "mode": mode, "turn": turn, "seed": 1, "load_before": 0.2,
                 "others_cores": 0.01, "disturbed": False, "status": 0,
                 "figures": {name: value for name, value in figures.items() if value is not None}}, **more)


def failed(workload, case, mode, turn=1, error="agent 2 was killed"):
    return {"kind": "run", "workload": workload, "case": case, "mode": mode, "turn": turn, "status": 1, "error": error}


def profile(workload, mode, wall_s, idle):
    """[t, held, used]: tasks in waves, and between `idle`, two shares of the wall time, nothing to do."""
    points, steps = [], 120
    for i in range(steps + 1):
        t = wall_s * i / steps
        busy = SLOTS if not idle[0] < i / steps < idle[1] else 1
        busy = 0 if i < 4 or i == steps else busy
        held = SLOTS if mode == "coarse" else busy if mode == "fine" else min(SLOTS, busy + (1 if i % 7 else 0))
        points.append([t, 0 if i == steps else max(held, busy) + 0.2, busy])
    return points


def of_modes(turns=7, seed=1):
    """A whole bench of the modes: sweep at two intervals, tail, waist, think."""
    rng = random.Random(seed)
    runs = []
    for interval in 1000, 100:
        for length in LENGTHS:
            text = f"{1000 * length:g} ms" if length < 1 else f"{length:g} s"
            case = f"192 tasks of {text}{'' if interval == 1000 else ', allocation interval 100 ms'}"
            ideal = 0.3 + 24 * length
            for turn in range(1, turns + 1):
                for mode in MODES:
                    launch = {"coarse": 0, "adaptive": 0.002, "fine": 0.022}[mode] * (1 if interval == 1000 else 0.8)
                    wall = (ideal + 24 * launch + (0.4 if mode == "fine" and length < 0.01 else 0)) * rng.uniform(0.99, 1.02)
                    used = 24 * 8 * length * 1.001 + 0.01
                    held = {"coarse": wall * 8.2, "adaptive": used + 1.1 + 0.2 * wall, "fine": used + 0.3 + 0.2 * wall}[mode]
                    held = max(held, used * 1.001)
                    gap = {"coarse": 0.2, "adaptive": 0.6, "fine": 6}[mode]
                    runs.append(run("sweep", case, mode, turn, wall, held, used, task_s=length,
                                    allocation_interval_ms=interval,
                                    figures={"gap_p50_ms": gap, "gap_p99_ms": 5 * gap, "tasks": 192},
                                    gaps_ms=[round(gap * math.exp(rng.gauss(0, 0.8)), 2) for _ in range(60)]))
    for workload, case, wall, idle, waste in (("tail", "96 tasks, median 200 ms, one of 2 s", 4.5, (0.45, 0.97), 0.35),
                                              ("waist", "96 tasks of 100 ms, 2 of 2 s, 96 of 100 ms", 4.8, (0.3, 0.7), 0.4),
                                              ("think", "30 queries, 2 s of thought before each", 62, (0.02, 0.95), 0.9)):
        for turn in range(1, turns + 1):
            for mode, dearer, wasted in ("coarse", 1, 1), ("fine", 1.07, 0.08), ("adaptive", 1.01, 0.2):
                took = wall * dearer * rng.uniform(0.99, 1.01)
                used = wall * 8 * (1 - waste)
                held = used + wall * 8.2 * waste * wasted
                runs.append(run(workload, case, mode, turn, took, held, used, timeline=profile(workload, mode, took, idle),
                                gaps_ms=[round({"coarse": 0.3, "adaptive": 0.9, "fine": 7}[mode] * math.exp(rng.gauss(0, 0.9)), 2)
                                         for _ in range(60)]))
    return runs


def of_neighbours(turns=5, seed=1):
    """A batch framework alone, and beside jobs that take `job` seconds each, all together `wall`."""
    rng = random.Random(seed)
    runs = []
    for turn in range(1, turns + 1):
        for mode, cores, wall, job, held in (("alone", 7.6, 30, None, None), ("static", 3.8, 44, 5.1, 120), ("coarse", 2.1, 33, 2.4, 210),
                                             ("fine", 5.6, 34, 2.7, 96), ("adaptive", 5.3, 33, 2.45, 104)):
            cores, wall = cores * rng.uniform(0.96, 1.04), wall * rng.uniform(0.99, 1.01)
            figures = {"wall_s": wall, "neighbour_core_s": cores * wall, "neighbour_cores": cores}
            made = run("neighbours", "12 jobs, one every 4 s, beside tasks of 1 s", mode, turn, wall, held or 1, 90)
            if job:
                figures.update(job_mean_s=job * rng.uniform(0.99, 1.01), throughput_cores=cores + 90 / wall)
                made["figures"].update(figures)
            else:
                made["figures"] = figures
            runs.append(made)
    return runs


def of_dispatch(turns=3):
    return [run("dispatch", "null tasks", mode, turn, 1.0, 5.0, 1.0, figures={
        "tasks_per_s": rate + turn, "cpu_per_task_us": 1e6 / rate, "cpu_per_task_scheduler_us": 2e5 / rate,
        "cpu_per_task_executors_us": 6e5 / rate})
            for turn in range(1, turns + 1) for mode, rate in (("coarse", 40000), ("adaptive", 30000), ("fine", 300), ("bare", 310))]


def of_jobs(workload, cases, turns=3, seed=1):
    """Jobs that compute: `cases` are {case: seconds in coarse mode}."""
    rng = random.Random(seed)
    runs = []
    for case, wall in cases.items():
        for turn in range(1, turns + 1):
            for mode, dearer, wasted, gap in ("coarse", 1, 0.3, 0.3), ("fine", 1.2, 0.03, 7), ("adaptive", 1.02, 0.08, 0.9):
                took = wall * dearer * rng.uniform(0.99, 1.01)
                used = wall * SLOTS * 0.7
                runs.append(run(workload, case, mode, turn, took, used * (1 + wasted), used, timeline=profile(workload, mode, took, (0.5, 0.6)),
                                gaps_ms=[round(gap * math.exp(rng.gauss(0, 0.9)), 2) for _ in range(60)],
                                figures={"tasks": 64, "cpu_executors_s": used, "cpu_cluster_s": 0.02}))
    return runs


def of_job():
    return of_jobs("job", {"wordcount.c": 3.0})


def of_data():
    return of_jobs("data", {f"{name} of 1.07 GB (local files)": wall for name, wall in
                            (("wordcount", 4.1), ("grep", 1.3), ("sort", 6.2), ("join", 5.5), ("pagerank", 21.0), ("kmeans", 9.4))})


IDEAS = {"lease of 100 ms": (0, 0), "lease of 20 ms": (-0.06, 0.02), "lease of 1 s": (0.11, 0.02), "packed": (0.004, 0.02),
         "revive every 100 ms": (0.02, 0.015)}


def of_sim(seeds=8):
    rng = random.Random(5)
    runs = []
    for agents in 100, 1000, 10000, 50000:
        for mode in MODES:
            for seed in range(1, seeds + 1):
                cost = {"coarse": 4, "adaptive": 6, "fine": 9}[mode] * (1 + 0.06 * math.log10(agents)) * rng.uniform(0.97, 1.03)
                runs.append(run("sim", f"{agents} agents", mode, seed, 40, 400, 380, agents=agents, slots=4 * agents, task_s=0.1,
                                figures={"cpu_per_task_us": cost, "bytes_per_task": 310, "bytes_per_agent": 1400}))
    for seed in range(1, seeds + 1):
        for idea, (shift, noise) in IDEAS.items():
            factor = 1 + shift + (rng.gauss(0, noise) if noise else 0)
            wall = 40 * (1 - 0.3 * (factor - 1))
            runs.append(run("sim", "ideas, adaptive", idea, seed, wall, 400 * factor, 380, agents=1000, slots=4000, task_s=0.1,
                            figures={"job_mean_s": 0.8 * wall, "cpu_per_task_us": 6 * rng.uniform(0.97, 1.03)}))
    return runs
