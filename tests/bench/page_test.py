#!/usr/bin/env python3
"""The report's page in a real browser: on a screen and on a phone, light and dark, every plot has the data of the runs, axes with
units, and texts that stay in their boxes and out of each other's way.

    page_test.py ROOT"""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/bench")]

import report_runs  # noqa: E402
from suite import report  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chrome-headless-shell"))), None)
SKIPPED = 77
VIEWS = {"screen": (1280, ""), "screen, dark": (1280, "0"), "phone": (390, ""), "phone, dark": (360, "0"), "small": (320, "")}
LEAST_LETTERS = 9  # pixels: the height of a line in a plot


def look(page, width, scheme):
    """What the probe says of the page."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "page.html"
        probe = (ROOT / "tests/bench/page_probe.js").read_text()
        copy.write_text(page.replace("</body>", f"<script>{probe}</script></body>"))
        done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                               "--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--window-size={width},900", *([f"--blink-settings=preferredColorScheme={scheme}"] if scheme else []),
                               "--dump-dom", copy.as_uri()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout.decode(), re.S)
    if not found:
        raise AssertionError(f"the probe did not run: {done.stderr.decode(errors='replace')[-2000:]}")
    return json.loads(html.unescape(found[1]))


class Page(unittest.TestCase):
    """Of one bench: `runs`, and what its plots have to show."""
    bench, runs, axes, series = "modes", [], {}, {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        report.write(cls.folder.name, dict(report_runs.HEADER, bench=cls.bench), cls.runs)
        cls.page = (pathlib.Path(cls.folder.name) / "report.html").read_text()
        cls.views = {name: look(cls.page, *view) for name, view in VIEWS.items()}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def each(self, check):
        """check(figure, its plot in a view), of all views."""
        for view, found in self.views.items():
            self.assertEqual(list(found["plots"]), list(self.axes), view)
            for name, plots in found["plots"].items():
                with self.subTest(view=view, plot=name):
                    self.assertEqual(len(plots), 1, "one variant is to be seen")
                    check(name, plots[0])

    def test_fits(self):
        for view, found in self.views.items():
            with self.subTest(view=view):
                self.assertEqual(found["width"], VIEWS[view][0])
                self.assertEqual(found["dark"], VIEWS[view][1] == "0")
                self.assertFalse(found["scrolls"], "the page scrolls sideways")
                self.assertEqual(found["outside"], [])
                self.assertEqual(found["boxes"], 0)
                self.assertEqual(found["overlaps"], [])
                self.assertEqual(found["pale"], [])
        self.assertNotEqual(self.views["screen"]["background"], self.views["screen, dark"]["background"])

    def test_texts(self):
        def check(_, plot):
            self.assertEqual(plot["overlaps"], [])
            self.assertEqual(plot["outside"], [])
            self.assertEqual(plot["pale"], [])
            self.assertGreaterEqual(min(plot["heights"]), LEAST_LETTERS)

        self.each(check)

    def test_axes(self):
        def check(name, plot):
            for axis in self.axes[name]:
                self.assertTrue(any(text == axis or text.startswith(axis + " (") for text in plot["texts"]), (axis, plot["texts"]))
            ticks = [text for text in plot["texts"] if re.fullmatch(r"(<= )?[-+]?[\d.,]+", text)]
            self.assertGreaterEqual(len(ticks), 3, ticks)

        self.each(check)

    def test_data(self):
        def check(name, plot):
            drawn = {series["name"]: series for series in plot["series"]}
            self.assertEqual(sorted(drawn), sorted(self.series[name]))
            for series, wanted in self.series[name].items():
                for what, number in wanted.items():
                    self.assertEqual(drawn[series][what], number, (series, what))
                self.assertGreaterEqual(drawn[series]["contrast"], 3, series)
                self.assertEqual(drawn[series]["outside"], 0, series)

        self.each(check)

    def test_self_contained(self):
        for found in self.views.values():
            self.assertEqual(found["missing"], 0)
        self.assertNotRegex(self.page, r"url\(|@import|https?://(?!www\.w3\.org/)")

    def test_captions(self):
        for name, caption in self.views["screen"]["captions"].items():
            self.assertGreater(len(caption), 80, name)

    def test_files(self):
        paths = sorted(pathlib.Path(self.folder.name).glob("plots/*"))
        self.assertEqual([path.name for path in paths], sorted(f"{name}.{kind}" for name in self.axes for kind in ("svg", "png")))
        for path in paths:
            self.assertEqual(path.read_bytes()[:5], b"<?xml" if path.suffix == ".svg" else b"\x89PNG\r")


def marks(number):
    return {"marks": number}


def areas(runs, workload):
    """A step is two corners; and one at each end, on the axis; closed."""
    wanted = {}
    for mode in "coarse", "adaptive", "fine":
        having = sorted((run for run in runs if (run["workload"], run["mode"]) == (workload, mode)), key=lambda run: run["figures"]["wall_s"])
        steps = len(having[(len(having) - 1) // 2]["timeline"])
        wanted |= {f"{mode}, {what}": {"corners": 2 * (steps - 1) + 2, "shapes": 1} for what in ("held", "used")}
    return wanted


MODES, OTHERS = report_runs.MODES, ("fine", "adaptive")
PRICE, GAIN, GAP = "latency, times coarse's", "core-seconds held, coarse's over the mode's", "gap of a slot, ms"
CORES = ["time, s", "cores: pale is held, full is used"]
OVER_TIME = {f"cores-{i + 1}-{workload}": workload for i, workload in enumerate(("tail", "waist", "think"))}
RUNS = report_runs.of_modes(turns=3)
LENGTHS = sum(1 for length in report_runs.LENGTHS if length > 0)  # those that have a place on an axis of logarithms


class Modes(Page):
    runs = RUNS
    axes = {"price-gain": [PRICE, GAIN], "sweep": ["task length / allocation interval", PRICE], **dict.fromkeys(OVER_TIME, CORES),
            "gaps": [GAP, "gaps up to that length, %"]}
    series = {"price-gain": {"coarse": marks(1), **dict.fromkeys(OTHERS, marks(3)),
                             **{f"{mode}, sweep": marks(2 * len(report_runs.LENGTHS)) for mode in OTHERS}},
              "sweep": {f"{mode}, {interval} interval{more}": marks(0 if more else LENGTHS)
                        for mode in OTHERS for interval in ("1 s", "100 ms") for more in ("", ", turns")},
              **{name: areas(RUNS, workload) for name, workload in OVER_TIME.items()},
              "gaps": dict.fromkeys(MODES, {})}

    def test_names(self):
        """What a line is, is said at the line."""
        def check(name, plot):
            if name == "sweep":
                texts = set(plot["texts"])
                self.assertTrue({f"{mode}, {interval} interval" for mode in OTHERS for interval in ("1 s", "100 ms")} | {"coarse"} <= texts or
                                {*MODES, "solid: 1 s interval, dashed: 100 ms interval"} <= texts, texts)
            elif name in ("gaps", "price-gain"):
                self.assertLessEqual({"coarse", "adaptive", "fine"}, set(plot["texts"]))
            if name == "price-gain":
                for workload in OVER_TIME.values():  # of both modes where there is room
                    self.assertGreaterEqual(plot["texts"].count(workload), 2 if plot["width"] > 600 else 1, workload)

        self.each(check)

    def test_distribution(self):
        def check(name, plot):
            if name == "gaps":
                for series in plot["series"]:
                    self.assertGreater(series["corners"], 50, series["name"])

        self.each(check)


class Neighbours(Page):
    bench, runs = "neighbours", report_runs.of_neighbours()
    axes = {"neighbours-1": ["work of the neighbour, core-seconds a second"]}
    series = {"neighbours-1": {name: wanted for mode in ("alone", "static", *MODES)
                               for name, wanted in ((mode, {"shapes": 1}), (f"{mode}, runs", {"corners": 2}))}}


class Job(Page):
    bench, runs = "job", report_runs.of_job()
    axes = {"price-gain": [PRICE, GAIN], "cores-1-job": CORES, "gaps": Modes.axes["gaps"]}
    series = {"price-gain": dict.fromkeys(MODES, marks(1)), "cores-1-job": areas(runs, "job"), "gaps": dict.fromkeys(MODES, {})}


class Data(Page):
    """Six jobs over the same input: many marks in one plot, long names in the tables."""
    bench, runs = "data", report_runs.of_data()
    axes = {"price-gain": [PRICE, GAIN], "gaps": Modes.axes["gaps"]}
    series = {"price-gain": {"coarse": marks(1), **dict.fromkeys(OTHERS, marks(6))}, "gaps": dict.fromkeys(MODES, {})}


class Dispatch(Page):
    """It has no plots, but more columns than others."""
    bench, runs = "dispatch", report_runs.of_dispatch()


IDEAS = {"ideas-1-job_mean_s": "a job's time", "ideas-1-held_core_s": "core-seconds held", "ideas-1-cpu_per_task_us": "CPU for a task"}
IDEA_SERIES = {f"{idea}{more}": marks(0 if more else 1) for idea in list(report_runs.IDEAS)[1:] for more in ("", ", interval")}


class Simulation(Page):
    bench, runs = "sim", report_runs.of_sim()
    axes = {"cost": ["agents", "scheduler's CPU time for a task, us"], **{name: [f"change of {what}, %"] for name, what in IDEAS.items()}}
    series = {"cost": {f"{mode}{more}": marks(0 if more else 4) for mode in MODES for more in ("", ", seeds")},
              **dict.fromkeys(IDEAS, IDEA_SERIES)}


HOSTILE = "<script>document.title='bad'</script> `touch x` 'quoted' \"%s\" {/Symbol a}_b " + "w" * 90


HOSTILE_RUNS = [dict(run, case=HOSTILE) for run in report_runs.of_modes(turns=1) if run["workload"] == "waist"]


class Hostile(Page):
    """Names that are markup, very long, or gnuplot's own: nothing of them is executed, and all that holds for others holds."""
    runs = HOSTILE_RUNS
    axes = {"price-gain": [PRICE, GAIN], "cores-1-waist": CORES, "gaps": Modes.axes["gaps"]}
    series = {"price-gain": dict.fromkeys(MODES, marks(1)), "cores-1-waist": areas(HOSTILE_RUNS, "waist"),
              "gaps": dict.fromkeys(MODES, {})}

    def test_escaped(self):
        self.assertNotIn("<script", self.page)
        self.assertIn("&lt;script&gt;", self.page)


PARTS = Modes, Neighbours, Job, Data, Dispatch, Simulation, Hostile


def main():
    missing = [name for name, there in (("chromium-headless-shell", BROWSER), ("gnuplot", shutil.which("gnuplot"))) if not there]
    if missing:
        print(f"skipped: {' and '.join(missing)} not found")
        return SKIPPED
    os.environ.setdefault("HOME", "/tmp")
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(part) for part in PARTS)
    return 0 if unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful() else 1


sys.exit(main())
