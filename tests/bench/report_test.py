#!/usr/bin/env python3
"""The report of a bench from made-up runs: what is counted, price and gain, what is advised and how surely, warnings, tables.

    report_test.py ROOT"""
import csv
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/bench")]

import report_runs  # noqa: E402
from report_runs import HEADER, failed, run  # noqa: E402
from suite import report  # noqa: E402
from suite.report import advice, ideas, text  # noqa: E402


def three(workload="tail", case="tail", **modes):
    """Three turns of {mode: (wall, held)}; every turn a little slower than the one before."""
    return [run(workload, case, mode, turn, wall * (1 + turn / 1000), held, 10.0) for turn in (1, 2, 3)
            for mode, (wall, held) in modes.items()]


def advised(runs):
    return report.summarize(runs, HEADER)["groups"][0].get("advice")


class Summary(unittest.TestCase):
    def mode(self, runs, name, group=0):
        return report.summarize(runs, HEADER)["groups"][group]["modes"][name]

    def test_figures(self):
        runs = [run("tail", "tail", "coarse", turn, wall) for turn, wall in ((1, 2.0), (2, 8.0), (3, 4.0))]
        self.assertEqual(self.mode(runs, "coarse")["figures"]["wall_s"], {"median": 4.0, "min": 2.0, "max": 8.0, "n": 3, "spread": 1.5})

    def test_ratios(self):
        runs = [*three(coarse=(2.0, 30.0), fine=(3.0, 12.0))]
        fine, coarse = self.mode(runs, "fine"), self.mode(runs, "coarse")
        self.assertAlmostEqual(fine["price"], 1.5)
        self.assertAlmostEqual(fine["gain"], 2.5)
        self.assertAlmostEqual(fine["saved"], 0.6)
        self.assertAlmostEqual(fine["waste_removed"], 1 - 2 / 20)
        self.assertEqual((coarse["price"], coarse["gain"], coarse["waste_removed"]), (1, 1, 0))

    def test_turns(self):
        """Runs of one turn are held against each other, whatever the machine does in the next."""
        runs = [run("tail", "tail", mode, turn, wall) for turn, walls in ((1, (2, 2.2)), (2, (4, 4.0)), (3, (3, 3.6)))
                for mode, wall in zip(("coarse", "fine"), walls)]
        fine = self.mode(runs, "fine")
        self.assertAlmostEqual(fine["price"], 1.2)
        self.assertAlmostEqual(fine["price_low"], 1.0)
        self.assertAlmostEqual(fine["price_high"], 1.2)

    def test_disturbed(self):
        runs = [run("tail", "tail", "coarse", 1, 2.0), run("tail", "tail", "coarse", 2, 9.0, disturbed=True)]
        coarse = self.mode(runs, "coarse")
        self.assertEqual((coarse["runs"], coarse["disturbed"], coarse["figures"]["wall_s"]["median"]), (1, 1, 2.0))
        coarse = self.mode(runs[1:], "coarse")
        self.assertEqual((coarse["runs"], coarse["all_disturbed"], coarse["figures"]["wall_s"]["median"]), (1, True, 9.0))

    def test_made_again(self):
        """The later one counts; but a failed one never takes the place of a whole one."""
        runs = [failed("tail", "tail", "coarse"), run("tail", "tail", "coarse", 1, 5.0), failed("tail", "tail", "coarse")]
        coarse = self.mode(runs, "coarse")
        self.assertEqual((coarse["runs"], coarse["failed"], coarse["figures"]["wall_s"]["median"]), (1, 0, 5.0))

    def test_absent(self):
        """What was not measured is nowhere, and no zero; what is no number is not measured."""
        runs = [run("tail", "tail", "coarse", 1, figures={"used_core_s": None, "utilization": float("nan"), "tasks": True, "note": "x"})]
        coarse = self.mode(runs, "coarse")
        self.assertLessEqual({"wall_s", "held_core_s"}, set(coarse["figures"]))
        self.assertFalse({"used_core_s", "utilization", "tasks", "note"} & set(coarse["figures"]))
        self.assertNotIn("waste_removed", coarse)

    def test_groups(self):
        """What differs in its cluster is not compared; modes stand in their order."""
        runs = [run("sweep", "1 s", "fine", 1, allocation_interval_ms=100), run("sweep", "1 s", "coarse", 1),
                run("sweep", "1 s", "coarse", 1, allocation_interval_ms=100), run("sweep", "1 s", "coarse", 1, slots=4)]
        groups = report.summarize(runs, HEADER)["groups"]
        self.assertEqual([(group["allocation_interval_ms"], group["slots"], list(group["modes"])) for group in groups],
                         [(100, 8, ["coarse", "fine"]), (1000, 8, ["coarse"]), (1000, 4, ["coarse"])])

    def test_ledger(self):
        runs = [run("tail", "tail", "coarse", 1, held=22.0, figures={"master_held_core_s": 20.0})]
        self.assertAlmostEqual(self.mode(runs, "coarse")["ledger_off"], 0.1)

    def test_neighbour(self):
        runs = report_runs.of_neighbours()
        coarse, alone = self.mode(runs, "coarse"), self.mode(runs, "alone")
        self.assertAlmostEqual(coarse["neighbour_share"], 2.1 / 7.6, delta=0.03)  # by the second: not all take as long
        self.assertAlmostEqual(self.mode(runs, "static")["price"], 5.1 / 2.4, delta=0.1)  # of a job
        self.assertNotIn("neighbour_share", alone)
        self.assertNotIn("price", alone)  # it has no job whose time could be compared

    def test_dispatch(self):
        """A price is of a task, as each mode has as many as it does in some time; held cannot be compared."""
        runs = report_runs.of_dispatch()
        self.assertAlmostEqual(self.mode(runs, "fine")["price"], 40002 / 302)
        self.assertNotIn("gain", self.mode(runs, "fine"))

    def test_names(self):
        runs = [run("sweep", "8 tasks of 1 s", "fine", task_s=1),
                run("sweep", "8 tasks of 1 s, slow", "fine", task_s=1, allocation_interval_ms=5000), run("tail", "8 tasks, one of 2 s", "fine", task_s=0.2), run("data", "sort", "fine"), run("data", "grep", "fine")]
        found = [(group["name"], group["label"]) for group in report.summarize(runs, HEADER)["groups"]]
        self.assertEqual(found, [("sweep of 1 s tasks, 1 s interval", "1 s, 1 s interval"),
                                 ("sweep of 1 s tasks, 5 s interval", "1 s, 5 s interval"),
                                 ("tail", "tail"), ("data, sort", "sort"), ("data, grep", "grep")])
        runs = [run("sweep", "8 tasks of 1 s", "fine", task_s=1), run("sweep", "9 tasks of 1 s", "fine", task_s=1)]
        self.assertEqual([group["label"] for group in report.summarize(runs, HEADER)["groups"]], ["8 tasks of 1 s", "9 tasks of 1 s"])

    def test_pure(self):
        runs = report_runs.of_modes(turns=2)
        before = json.dumps(runs)
        first = report.summarize(runs, HEADER)
        self.assertEqual(json.dumps(first), json.dumps(report.summarize(runs, HEADER)))
        self.assertEqual(json.dumps(runs), before)

    def test_nothing(self):
        found = report.summarize([], {})
        self.assertEqual((found["groups"], found["advice"]), ([], None))
        self.assertIn("no run", found["warnings"][0])


class Advice(unittest.TestCase):
    def test_adaptive(self):
        found = advised(three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0), fine=(2.06, 19.5)))
        self.assertEqual((found["mode"], found["sure"]), ("adaptive", True))

    def test_fine(self):
        """When it gives back that much more than adaptive, and is as fast."""
        self.assertEqual(advised(three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0), fine=(2.06, 15.0)))["mode"], "fine")
        self.assertEqual(advised(three(coarse=(2.0, 30.0), adaptive=(2.04, 29.0), fine=(2.06, 20.0)))["mode"], "fine")

    def test_fine_is_slow(self):
        self.assertEqual(advised(three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0), fine=(2.2, 11.0)))["mode"], "adaptive")

    def test_nothing_to_save(self):
        found = advised(three(coarse=(2.0, 30.0), adaptive=(2.0, 28.0), fine=(2.0, 27.5)))
        self.assertEqual((found["mode"], found["sure"]), ("coarse", True))

    def test_all_slow(self):
        self.assertEqual(advised(three(coarse=(2.0, 30.0), adaptive=(2.4, 20.0), fine=(3.0, 15.0)))["mode"], "coarse")

    def test_thresholds(self):
        self.assertEqual(advice.choose({"coarse": (1, 0), "adaptive": (1.05, 0.10)}), "adaptive")
        self.assertEqual(advice.choose({"coarse": (1, 0), "adaptive": (1.051, 0.10)}), "coarse")
        self.assertEqual(advice.choose({"coarse": (1, 0), "adaptive": (1.05, 0.099)}), "coarse")
        self.assertEqual(advice.choose({"coarse": (1, 0), "adaptive": (1, 0.30), "fine": (1, 0.34)}), "adaptive")
        self.assertEqual(advice.choose({"coarse": (1, 0), "adaptive": (1, 0.30), "fine": (1, 0.36)}), "fine")

    def test_few_runs(self):
        found = advised([r for r in three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0)) if r["turn"] < 3])
        self.assertEqual((found["mode"], found["sure"]), ("adaptive", False))
        self.assertIn("2 runs", found["doubts"][0])

    def test_disturbed(self):
        runs = [dict(r, disturbed=r["mode"] == "adaptive") for r in three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0))]
        self.assertFalse(advised(runs)["sure"])

    def test_failed(self):
        runs = three(coarse=(2.0, 30.0), adaptive=(2.04, 20.0)) + [failed("tail", "tail", "fine")]
        self.assertFalse(advised(runs)["sure"])

    def test_within_the_spread(self):
        """Turns on both sides of a threshold make the choice a guess."""
        runs = three(coarse=(2.0, 30.0), adaptive=(2.06, 20.0)) + [run("tail", "tail", "coarse", 4, 2.0, 30.0),
                                                                   run("tail", "tail", "adaptive", 4, 2.3, 20.0)]
        found = advised(runs)
        self.assertEqual((found["mode"], found["sure"]), ("adaptive", False))
        self.assertIn("both sides of 1.05", found["doubts"][0])
        runs = three(coarse=(2.0, 30.0), adaptive=(2.0, 26.5)) + [run("tail", "tail", "coarse", 4, 2.0, 30.0),
                                                                  run("tail", "tail", "adaptive", 4, 2.0, 28.0)]
        self.assertIn("both sides of 10", advised(runs)["doubts"][0])

    def test_alone(self):
        """Without coarse, or with nothing else, there is nothing to choose."""
        self.assertIsNone(advised(three(coarse=(2.0, 30.0))))
        self.assertIsNone(advised(three(fine=(2.0, 30.0), adaptive=(2.0, 30.0))))

    def test_neighbours(self):
        found = report.summarize(report_runs.of_neighbours(), dict(HEADER, bench="neighbours"))
        self.assertEqual(found["advice"]["mode"], "adaptive")  # fine lets the neighbour do more, and its jobs take 1.12 times the time
        self.assertIn("beside a static partition", found["advice"]["text"])
        runs = [r for r in report_runs.of_neighbours() if r["mode"] in ("coarse", "fine")]
        self.assertEqual(report.summarize(runs, HEADER)["advice"]["mode"], "coarse")

    def test_overall(self):
        """Each workload counts once, however many cases it has; where another mode is better is said."""
        runs = three(coarse=(2.0, 30.0), adaptive=(2.0, 15.0))
        for i in range(5):
            runs += three("sweep", f"{i} s", coarse=(2.0, 11.0), adaptive=(2.0, 10.9))
        found = report.summarize(runs, HEADER)["advice"]
        self.assertEqual((found["mode"], found["sure"]), ("adaptive", True))
        self.assertAlmostEqual(found["modes"]["adaptive"]["saved"], 1 - (0.5 * 10.9 / 11) ** 0.5)
        self.assertEqual(found["otherwise"], {"coarse": ["sweep (in 5 of its 5 cases)"]})

    def test_worst(self):
        runs = three(coarse=(2.0, 30.0), fine=(2.0, 15.0)) + three("sweep", "0 ms", coarse=(1.0, 10.0), fine=(5.0, 5.0))
        found = report.summarize(runs, HEADER)["advice"]
        self.assertEqual(found["mode"], "coarse")
        self.assertEqual(found["modes"]["fine"]["worst_where"], "sweep")
        self.assertIn("at worst 5.00: sweep", found["text"])


class Warnings(unittest.TestCase):
    def warnings(self, runs, **header):
        return "\n".join(report.summarize(runs, dict(HEADER, **header))["warnings"])

    def test_none(self):
        self.assertEqual(self.warnings(three(coarse=(2.0, 30.0), fine=(2.0, 20.0))), "")

    def test_each(self):
        runs = three(coarse=(2.0, 30.0))
        self.assertIn("quick", self.warnings(runs, quick=True))
        self.assertIn("Fewer than 3 runs", self.warnings(runs[:2]))
        self.assertIn("1 run left out", self.warnings(runs + [run("tail", "tail", "coarse", 4, disturbed=True)]))
        self.assertIn("Not to be quoted", self.warnings([dict(r, disturbed=True) for r in runs]))
        self.assertIn("1 run of tail in fine failed: agent 2 was killed", self.warnings(runs + [failed("tail", "tail", "fine")]))
        self.assertIn("Coarse mode was not run", self.warnings(three(fine=(2.0, 20.0))))

    def test_books(self):
        """A slot counted twice, or a lease never returned, is seen."""
        twice = [run("tail", "tail", "coarse", turn, held=20.0, used=22.0) for turn in (1, 2, 3)]
        self.assertIn("More used than held, tail in coarse", self.warnings(twice))
        kept = [run("tail", "tail", "coarse", turn, held=20.0, figures={"master_held_core_s": 23.0}) for turn in (1, 2, 3)]
        self.assertIn("(tail, coarse: -13 %)", self.warnings(kept))
        near = [run("tail", "tail", "coarse", turn, held=20.0, figures={"master_held_core_s": 20.9}) for turn in (1, 2, 3)]
        self.assertEqual(self.warnings(near), "")

    def test_books_of_short_jobs(self):
        """What 20 samples a second may miss is no reason for a warning: when exactly a job takes its slots and gives them back, and
        that for each round of tasks in a mode that does so in between."""
        def said(mode, held, **more):
            return "ledger" in self.warnings([run("tail", "tail", mode, turn, held=held, figures={
                "master_held_core_s": held / 1.1, "used_core_s": held, **more}) for turn in (1, 2, 3)])

        self.assertEqual([said("coarse", held) for held in (4.0, 9.0, 10.0, 40.0)], [False, False, True, True])
        self.assertEqual([said("coarse", 10.0, tasks=tasks) for tasks in (8, 8000)], [True, True])
        self.assertEqual([said("fine", 40.0, tasks=tasks) for tasks in (8, 128, 8 * 17, 8000)], [True, True, False, False])
        self.assertEqual([said("coarse", 10.0, jobs=jobs) for jobs in (1, 2)], [True, False])
        self.assertTrue(said("fine", 400.0, tasks=8 * 1000))


class Terminal(unittest.TestCase):
    def test_width(self):
        for runs in report_runs.of_modes(turns=1), report_runs.of_neighbours(), report_runs.of_sim(), report_runs.of_dispatch():
            found = report.terminal(report.summarize(runs, HEADER))
            self.assertEqual([line for line in found.splitlines() if len(line) > 100], [])

    def test_says(self):
        found = report.terminal(report.summarize(three(coarse=(2.0, 30.0), fine=(3.0, 12.0)), HEADER))
        for part in ("8 slots on 2 agents", "allocation interval 1 s", "--revive-interval 20ms", "1.500", "2.50", "Take coarse",
                     "fine: 1.50 times coarse's time, holds 60 % less"):
            self.assertIn(part, found.replace("\n ", ""))

    def test_task_length(self):
        runs = [dict(r, task_s=0.1) for r in three("sweep", "100 ms", coarse=(2.0, 30.0))]
        self.assertIn("tasks of 100 ms, allocation interval 1 s, task/interval 0.1", report.terminal(report.summarize(runs, HEADER)))

    def test_hostile(self):
        """Names cannot move the cursor, nor make a line of their own."""
        found = report.terminal(report.summarize([run("tail\x1b[2J", "a\nb" + "x" * 200, "mode\r" + "y" * 200)], {}))
        self.assertEqual([c for c in found if not c.isprintable() and c != "\n"], [])
        self.assertEqual([line for line in found.splitlines() if len(line) > 100], [])

    def test_failed(self):
        self.assertIn("no run came to its end", report.terminal(report.summarize([failed("tail", "tail", "fine")], HEADER)))


class Files(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.folder = pathlib.Path(self.tmp.name)

    def test_csv(self):
        runs = three(coarse=(2.0, 30.0), fine=(3.0, 12.0)) + three("sweep", "1 s, \"x\"", coarse=(2.0, 30.0))
        runs[-1]["figures"]["tasks"] = 64
        report.write(self.folder, HEADER, runs)
        rows = list(csv.DictReader(io.StringIO((self.folder / "summary.csv").read_text())))
        self.assertEqual([(row["workload"], row["case"], row["mode"], row["runs"]) for row in rows],
                         [("tail", "tail", "coarse", "3"), ("tail", "tail", "fine", "3"), ("sweep", '1 s, "x"', "coarse", "3")])
        self.assertAlmostEqual(float(rows[1]["price"]), 1.5)
        self.assertAlmostEqual(float(rows[1]["wall_s"]), 3.006)
        self.assertAlmostEqual(float(rows[1]["wall_s_min"]), 3.003)
        self.assertEqual((rows[1]["tasks"], rows[2]["tasks"]), ("", "64"))

    def test_json(self):
        found = report.write(self.folder, HEADER, three(coarse=(2.0, 30.0), fine=(3.0, 12.0)))
        self.assertEqual(json.loads((self.folder / "summary.json").read_text()), found)

    def test_page(self):
        """It begins with the answer and ends with the recommendation, and says what was measured and how."""
        report.write(self.folder, HEADER, three(coarse=(2.0, 30.0), adaptive=(2.0, 20.0), fine=(3.0, 12.0)))
        page = (self.folder / "report.html").read_text()
        places = [page.index(part) for part in ("<h1>Take adaptive mode", 'id="plots"', 'id="balance"', 'id="figures"', 'id="method"',
                                                'id="recommendation"')]
        self.assertEqual(places, sorted(places))
        for part in ("takes as long as coarse mode and holds 33\u00a0% fewer", "Fine mode takes 1.50 times as long, and holds 60\u00a0% fewer",
                     "quern bench modes", "--lease-idle", "A &lt;fast&gt; &amp; good one", "tail: takes 1.50 times as long as coarse",
                     "at most 1.05 times", "10\u00a0%"):
            self.assertIn(part, page)

    def test_dispatch(self):
        found = report.write(self.folder, dict(HEADER, bench="dispatch"), report_runs.of_dispatch())
        # CPU time of scheduler and executors apart, in every output.
        self.assertIn(" us/task sched us exec us ", report.terminal(found))
        fine, = (row for row in csv.DictReader(io.StringIO((self.folder / "summary.csv").read_text())) if row["mode"] == "fine")
        self.assertEqual((fine["cpu_per_task_scheduler_us"], fine["cpu_per_task_executors_us"]), ("666.666667", "2000"))
        self.assertIn("<th title=\"\">cpu per task executors, us</th>", (self.folder / "report.html").read_text())
        page = (self.folder / "report.html").read_text()
        self.assertIn("<h1>40,000 tasks a second in coarse mode</h1>", page)
        for part in ("adaptive 30,000, fine 302 and bare 312", "8 slots are kept at work by tasks of at least", "26.5 ms in fine mode"):
            self.assertEqual(page.count(part), 2, "it begins and ends with it")

    def test_losses(self):
        """A case in which a mode loses is there, as one in which it gains."""
        report.write(self.folder, HEADER, three(coarse=(2.0, 30.0), adaptive=(2.0, 33.0), fine=(3.0, 12.0)))
        page = (self.folder / "report.html").read_text()
        for part in ("tail: holds 60\u00a0% less", "tail: takes 1.50 times", "tail: holds 10\u00a0% more than coarse"):
            self.assertIn(part, page)

    def test_without_gnuplot(self):
        with mock.patch.dict(os.environ, {"PATH": "/nonexistent"}):
            found = report.write(self.folder, HEADER, three(coarse=(2.0, 30.0), fine=(3.0, 12.0)))
        self.assertIn("gnuplot-nox", found["warnings"][-1])
        page = (self.folder / "report.html").read_text()
        self.assertIn("No plots: gnuplot was not found", page)
        self.assertNotIn("<svg", page)
        self.assertIn("1.500", page)
        self.assertFalse((self.folder / "plots").exists() and list((self.folder / "plots").iterdir()))

    def test_notes(self):
        """What happened beside runs is said once, and of which."""
        runs = three(coarse=(2.0, 30.0), fine=(3.0, 12.0))
        for each in runs[2:]:
            each["note"] = "the cluster is left with 1 of 2 agents"
        found = report.write(self.folder, HEADER, runs)
        self.assertEqual([warning for warning in found["warnings"] if "left with" in warning],
                         ["Not as at the start, in 4 runs, all of them: the cluster is left with 1 of 2 agents."])
        found = report.summarize([{name: value for name, value in each.items() if name != "note"} for each in runs], HEADER)
        self.assertFalse([warning for warning in found["warnings"] if "at the start" in warning])

    def test_gnuplot_fails(self):
        (self.folder / "bin").mkdir()
        program = self.folder / "bin/gnuplot"
        program.write_text("#!/bin/sh\necho 'line 0: out of paper' >&2\nexit 1\n")
        program.chmod(0o755)
        with mock.patch.dict(os.environ, {"PATH": f"{self.folder}/bin:{os.environ['PATH']}"}):
            found = report.write(self.folder, HEADER, three(coarse=(2.0, 30.0), fine=(3.0, 12.0)))
        self.assertIn("out of paper", found["warnings"][-1])

    def test_nothing_is_left(self):
        """Of what was on its way."""
        report.write(self.folder, HEADER, report_runs.of_neighbours())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["plots", "report.html", "summary.csv", "summary.json"] if shutil.which("gnuplot") else
                         ["report.html", "summary.csv", "summary.json"])

    def test_odd(self):
        """Whatever there is of a bench, there is a report of it."""
        whole = report_runs.of_modes(turns=1)
        for runs in ([], [failed("tail", "tail", "fine")], [run("tail", "tail", "fine", 1)], [run("x", "", "coarse", 1, 0.0, 1.0, 0.0)],
                     [run("job", "sort.c", mode, 1, timeline=[[0, 1, 1], [1, "x", 0], None]) for mode in report_runs.MODES],
                     [run("tail", "tail", "coarse", 1, gaps_ms=[0, 0, -1, "x"])], [r for r in whole if r["workload"] == "think"],
                     [r for r in whole if r.get("task_s") == 0], [r for r in whole if r.get("task_s") == 1]):
            found = report.write(self.folder, HEADER, runs)
            self.assertEqual([warning for warning in found["warnings"] if "gnuplot:" in warning], [])
            self.assertTrue(report.terminal(found).startswith("quern bench modes"))


class Ideas(unittest.TestCase):
    def test_interval(self):
        """Of Student: 1, 2, 3 have a mean of 2 and half a width of 4.303 / sqrt 3."""
        found = ideas.interval([1, 2, 3])
        self.assertAlmostEqual(found["mean"], 2)
        self.assertAlmostEqual(found["high"] - 2, 4.303 / 3 ** 0.5)
        self.assertIsNone(ideas.interval([1]))

    def test_found(self):
        found = report.summarize(report_runs.of_sim(), dict(HEADER, bench="sim"))["ideas"][0]
        held = {idea: figures["held_core_s"] for idea, figures in found["ideas"].items()}
        self.assertEqual(found["base"], "lease of 100 ms")
        self.assertLess(held["lease of 20 ms"]["high"], 0)
        self.assertGreater(held["lease of 1 s"]["low"], 0)
        self.assertLess(held["packed"]["low"], 0)
        self.assertGreater(held["packed"]["high"], 0)


class Text(unittest.TestCase):
    def test_numbers(self):
        for value, wanted in ((0, "0"), (1.2, "1.2"), (9.996, "10"), (0.01234, "0.0123"), (1234567, "1,230,000"), (-2.5, "-2.5"),
                              (0.9999, "1"), (12, "12"), (99.96, "100"), (1e-7, "0.0000001")):
            self.assertEqual(text.number(value), wanted)
        self.assertEqual([text.digits3(value) for value in (1.2, 12.0, 12, 1200.0)], ["1.20", "12.0", "12", "1,200"])
        self.assertEqual([text.percent(value) for value in (0.384, 0.985, 0.004, 0, 1, 1.5, -0.0001)],
                         ["38 %", "98.5 %", "0.4 %", "0 %", "100 %", "150 %", "0 %"])
        self.assertEqual([text.seconds(value) for value in (0.1, 1, 0.0005, 90)], ["100 ms", "1 s", "0.5 ms", "90 s"])


if __name__ == "__main__":
    unittest.main()
