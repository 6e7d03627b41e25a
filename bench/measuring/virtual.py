"""S1 and S2: what a decision costs the scheduler, on clusters in virtual time (bench/sim/)."""
import json

from measuring.modes import MODES
from measuring.results import note
from measuring.run import Run, head, show, show_noise, turns

FEW, MANY, PER_AGENT = 100, 10000, 40
LENGTHS = "500-1500"  # milliseconds, of tasks


def figures(run):
    return json.loads(run.out)["figures"]


def simulate(o, mode, agents):
    return Run(o.build / "bench/quern-bench-sim", f"--agents={agents}", f"--mode={mode}", f"{agents * PER_AGENT}:{LENGTHS}")


def s1(o, _tmp):
    few, many = (FEW, MANY) if not o.quick else (10, 100)
    head(o, f"S1: CPU time of the scheduler for a task, {PER_AGENT} for each agent of four cores")
    for mode in MODES:
        runs = turns(o, few=lambda m=mode: simulate(o, m, few), many=lambda m=mode: simulate(o, m, many))
        cost = {side: [figures(run)["cpu_per_task_us"] for run in of] for side, of in runs.items()}
        medians = {agents: show(f"{mode}, {agents} agents", cost[side], "us") for side, agents in (("few", few), ("many", many))}
        print(f"  {mode}: {medians[many] / medians[few]:.2f} times", flush=True)
        note(o, f"s1.{mode}", cost["many"])
        note(o, f"s1.{mode}.growth", cost["many"], cost["few"])
    show_noise(o)


def s2(o, _tmp):
    agents = MANY if not o.quick else 100
    head(o, f"S2: memory of the scheduler's core, {agents} agents")
    run = figures(simulate(o, MODES[0], agents))
    for key, name, what in (("task", "bytes_per_task", "a task that waits"), ("agent", "bytes_per_agent", "an agent with nothing on it")):
        show(what, [run[name]], "bytes")
        note(o, f"s2.{key}", [run[name]])
