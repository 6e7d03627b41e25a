"""Is anybody starved? Looks at the leading master again and again while nothing is disturbed.

A framework that is not ours and wants more than it has is due its share by DRF: of one role and equal weights, the cluster's cores
divided by the frameworks that want some. It has to come to it within an allocation interval and a task's time; what is shown is the
longest that one was below it at a stretch."""
import contextlib
import threading
import urllib.error

HUNGRY = "No Executor Framework"  # takes whatever it gets
CORES = 1  # of each of its tasks, as of ours: who wants more at a time than others gets it seldom, and that is nobody's fault
CALM = 15  # seconds after a fault: the time in which masters change, agents come back, and tasks are given up
STARVED = 3  # seconds. An interval (1 s), and the longest of our tasks (about 2 s)
PERIOD = 0.25


def cores(resources):
    return sum(r["scalar"]["value"] for r in resources if r["name"] == "cpus")


class Watch:
    def __init__(self, m, log, stop):
        self.m, self.log, self.stop = m, log, stop
        self.quiet_from, self.below_from, self.longest, self.looks, self.runs = CALM, None, 0.0, 0, 0
        self.thread = threading.Thread(target=self.run)

    def disturbed(self):
        self.quiet_from = self.log.now() + CALM

    def look(self):
        """(what the hungry one has, what it is due, the master's allocation runs); None when there is no telling."""
        leader = self.m.leader_now()
        if not leader:
            return None
        frameworks = leader.call("GET_FRAMEWORKS").get("frameworks", [])
        hungry = next((f for f in frameworks if f["framework_info"]["name"] == HUNGRY and f.get("active")), None)
        wanting = [f for f in frameworks if cores(f.get("allocated_resources", [])) > 0 or f is hungry]
        metrics = leader.metrics()
        if hungry is None or "master/cpus_total" not in metrics:
            return None
        due = metrics["master/cpus_total"] / len(wanting)
        return cores(hungry.get("allocated_resources", [])), due // CORES * CORES, metrics["allocator/mesos/allocation_runs"]

    def run(self):
        while not self.stop.wait(PERIOD):
            now, seen = self.log.now(), None
            with contextlib.suppress(AssertionError, OSError, urllib.error.URLError, KeyError):
                seen = self.look()
            if seen is None or now < self.quiet_from:
                self.below_from = None
                continue
            has, due, runs = seen
            self.looks += 1
            if has >= due:
                self.below_from = None
                continue
            self.below_from = self.below_from or (now, runs)
            waited = now - self.below_from[0]
            if waited > self.longest:
                self.longest, self.runs = waited, runs - self.below_from[1]
            if waited > STARVED:
                self.log.failure(f"starved: for {waited:.1f} s, {self.runs} allocation runs, {HUNGRY} has {has} cores of {due}")
                self.below_from = None

    def report(self):
        self.log(f"looked {self.looks} times in quiet; the longest below its share: {self.longest:.1f} s, {self.runs} allocation runs")
