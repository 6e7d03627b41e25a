"""Charts: where things are, in pixels, so that texts find room; and the gnuplot script that draws them there."""
import math

from .gnuplot import COLOURS, MARKS, quote
from .text import number

FONT = 12          # pixels
LETTER = 0.60      # of the font's size: a letter's width, rather too much
BOLD = 1.12        # as much wider is a bold one
LINE = 1.3         # the same: a line's height

# Where a text may stand beside a point: right, left, above, below, and between these.
NEAR = ((9, 0, "left"), (-9, 0, "right"), (0, -13, "center"), (0, 13, "center"), (7, -11, "left"), (7, 11, "left"), (-7, -11, "right"),
        (-7, 11, "right"))
FAR = tuple((2 * x, 2 * y, anchor) for x, y, anchor in NEAR)


class Axis:
    """A range and its ticks, [(value, text)]. The title has the unit."""

    def __init__(self, title, low, high, ticks, log=False):
        self.title, self.low, self.high, self.ticks, self.log = title, low, high, ticks, log

    def share(self, value):
        """Where on the axis, 0 to 1."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(title, values, most=6, write=number):
    """From the tick below the least to the one above the most."""
    low, high = min(values), max(values)
    high = high if high > low else low + (abs(low) or 1)
    rough = (high - low) / max(1, most - 1)
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10, 20) if unit * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(i * step, 12) for i in range(first, last + 1)]
    return Axis(title, ticks[0], ticks[-1], [(tick, write(tick)) for tick in ticks])


def logarithmic(title, values, most=7, write=number):
    """Ticks at 1, 2, 5 of each decade, or as many of them as there is room for. Values are positive."""
    low, high = min(values), max(values)
    high = max(high, low * 1.5)
    decades = range(math.floor(math.log10(low) - 1e-9), math.ceil(math.log10(high) + 1e-9) + 1)
    every = [[m * 10.0 ** d for d in decades for m in of] for of in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))]
    every += [[10.0 ** d for d in decades if d % n == 0] for n in (2, 3, 4, 6)]
    inside = [[tick for tick in ticks if low * 0.999 <= tick <= high * 1.001] for ticks in every]
    ticks = next(ticks for ticks in inside if len(ticks) <= most)
    pad = (high / low) ** 0.03
    return Axis(title, low / pad, high * pad, [(tick, write(tick)) for tick in ticks], log=True)


class Canvas:
    """A picture: charts, and texts that are in no other's way."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.charts, self.taken, self.lines, self.points = [], [], [], []

    def chart(self, left, top, right, bottom, x, y):
        """Margins are distances from the picture's edges."""
        self.charts.append(Chart(self, left, top, self.width - right, self.height - bottom, x, y))
        return self.charts[-1]

    def text(self, x, y, text, colour="ink", anchor="left", bold=False):
        """Puts a text with its middle line at y."""
        self.taken.append(box(x, y, text, anchor, bold))
        self.lines.append(f"set label {quote(text)} at screen {x / self.width:.5f},{1 - y / self.height:.5f} {anchor} front "
                          f"textcolor rgb '{COLOURS[colour]}'" + (" font ':Bold'" if bold else ""))

    def mark(self, x, y, role):
        self.lines.append(f"set label '' at screen {x / self.width:.5f},{1 - y / self.height:.5f} point pt {MARKS.get(role, 7)} ps 0.9 "
                          f"lc rgb '{COLOURS.get(role, COLOURS['muted'])}'")

    def legend(self, x, y, roles):
        """Marks with their names in a row."""
        for role in roles:
            self.mark(x + 5, y, role)
            self.text(x + 15, y, role, role, bold=True)
            x += 15 + width_of(role, bold=True) + 18

    def find_room(self, text, spots, colour, within, bold=False, must=False):
        """Writes the text beside the first of the spots [(x, y)] where it hides nothing: no text, no point; at best no line either. One
        that must be there may hide points, and be further away, but hide no text. Says whether there was such a spot."""
        tries = [(NEAR, self.taken + self.points + self.curves()), (NEAR, self.taken + self.points)]
        tries += [(NEAR, self.taken), (FAR, self.taken)] if must else []
        for places, obstacles in tries:
            for x, y in spots:
                for dx, dy, anchor in places:
                    room = box(x + dx, y + dy, text, anchor, bold)
                    if inside(room, within) and not any(overlap(room, other) for other in obstacles):
                        self.text(x + dx, y + dy, text, colour, anchor, bold)
                        return True
        return False

    def curves(self):
        return [piece for chart in self.charts for piece in chart.curve_boxes]

    @property
    def series(self):
        """Names of all that was plotted, in the order of the SVG's groups."""
        return [name for chart in self.charts for name, _ in chart.plots]

    def script(self, outputs):
        """For gnuplot: `outputs` are (terminal, file); "svg" or "png"."""
        lines = []
        for terminal, file in outputs:
            lines += ["reset"] + self._terminal(terminal) + [f"set output {quote(file)}"]
            lines += [f"$d{i}_{j} << EOD\n{data}\nEOD" for i, chart in enumerate(self.charts)
                      for j, (_, (data, _)) in enumerate(chart.plots)]
            lines += ["set multiplot", "unset key"]
            for i, chart in enumerate(self.charts):
                lines += ["unset label", "unset arrow"] + (self.lines if i == 0 else []) + chart.script(i)
            lines += ["unset multiplot", "unset output"]
        return "\n".join(lines) + "\n"

    def _terminal(self, kind):
        if kind == "png":
            return [f"set terminal pngcairo size {2 * self.width},{2 * self.height} noenhanced font 'sans,{FONT * 0.75}' fontscale 2 "
                    f"linewidth 2 pointscale 2 background '{COLOURS['paper']}'"]
        back = f" background '{COLOURS['paper']}'" if kind == "svg" else ""
        return [f"set terminal svg size {self.width},{self.height} dynamic noenhanced font 'sans-serif,{FONT}'{back}"]


class Chart:
    """A plot in its box."""

    def __init__(self, canvas, left, top, right, bottom, x, y):
        self.canvas, self.left, self.top, self.right, self.bottom, self.x, self.y = canvas, left, top, right, bottom, x, y
        self.plots, self.rules, self.curve_boxes = [], [], []
        self.title_axes()

    def title_axes(self):
        """The y axis' title is above it: to be read without turning one's head."""
        if self.y.title:
            self.canvas.text(max(2, self.left - 40), self.top - 18, self.y.title, "muted")
        if self.x.title:
            self.canvas.text(min((self.left + self.right) / 2, self.canvas.width - 4 - width_of(self.x.title) / 2), self.bottom + 36,
                             self.x.title, "muted", "center")

    def at(self, x, y):
        """Pixels of a value, from the picture's upper left."""
        return (self.left + self.x.share(x) * (self.right - self.left), self.bottom - self.y.share(y) * (self.bottom - self.top))

    @property
    def box(self):
        return self.left, self.top, self.right, self.bottom

    def add(self, name, role, rows, style):
        """Plots rows of numbers as `style` of gnuplot's says; {lc} in it is the role's colour, {pt} its mark."""
        data = "\n".join(" ".join(f"{value:.6g}" for value in row) for row in rows)
        colour = f"lc rgb '{COLOURS.get(role, COLOURS['muted'])}'"
        self.plots.append((name, (data, style.replace("{lc}", colour).replace("{pt}", f"pt {MARKS.get(role, 7)}"))))

    def points(self, name, role, rows, size=1.0):
        self.add(name, role, rows, f"using 1:2 with points {{pt}} ps {size} {{lc}}")
        self._keep_clear(rows)

    def line(self, name, role, rows, dash=1, marks=True):
        self.add(name, role, rows, f"using 1:2 with {'linespoints' if marks else 'lines'} lw 2 dt {dash} {{lc}}"
                 + (" {pt} ps 0.8" if marks else ""))
        if marks:
            self._keep_clear(rows)
        for (x0, y0), (x1, y1) in zip(*([self.at(*row) for row in of] for of in (rows[:-1], rows[1:]))):
            steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / 6))
            self.curve_boxes += [around(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps, 2) for i in range(steps + 1)]

    def name_line(self, text, role, rows):
        """Writes what a line is beside one of its points, the first ones rather, or between two of them."""
        spots = [self.at(*row) for row in rows]
        between = [((x0 + x1) / 2, (y0 + y1) / 2) for (x0, y0), (x1, y1) in zip(spots, spots[1:])]
        self.canvas.find_room(text, spots + between, role, self.box, bold=True, must=True)

    def area(self, name, role, rows, opacity):
        """Down to zero, of steps: [(x, y)], each y from its x to the next."""
        corners = []
        for (x, y), (following, _) in zip(rows, rows[1:]):
            corners += [(x, y), (following, y)]
        corners = [(rows[0][0], 0), *corners, (rows[-1][0], 0)]
        self.add(name, role, corners, f"using 1:2 with filledcurves closed fs transparent solid {opacity} noborder {{lc}}")

    def whiskers(self, name, role, rows):
        """Upright: (x, low, high)."""
        self.add(name, role, [(x, low, high - low) for x, low, high in rows], "using 1:2:(0):3 with vectors nohead lw 1 {lc}")

    def bars(self, name, role, rows):
        """Lying: (length, middle, half of its thickness)."""
        self.add(name, role, rows, "using (0):2:(0):1:($2-$3):($2+$3) with boxxyerror fs solid noborder {lc}")

    def rule(self, x0, y0, x1, y1, colour="axis"):
        """A dashed line between two pixels."""
        w, h = self.canvas.width, self.canvas.height
        self.rules.append(f"set arrow from screen {x0 / w:.5f},{1 - y0 / h:.5f} to screen {x1 / w:.5f},{1 - y1 / h:.5f} nohead back dt 2 "
                          f"lw 1 lc rgb '{COLOURS[colour]}'")

    def _keep_clear(self, rows):
        self.canvas.points += [around(*self.at(*row[:2]), 5) for row in rows]

    def script(self, index):
        w, h = self.canvas.width, self.canvas.height
        tick = f"textcolor rgb '{COLOURS['muted']}'"
        lines = [f"set lmargin at screen {self.left / w:.5f}", f"set rmargin at screen {self.right / w:.5f}",
                 f"set tmargin at screen {1 - self.top / h:.5f}", f"set bmargin at screen {1 - self.bottom / h:.5f}",
                 f"set border 1 lw 1 lc rgb '{COLOURS['axis']}'", "unset logscale", "set tics scale 0"]
        for name, axis in (("x", self.x), ("y", self.y)):
            lines += [f"set logscale {name}"] if axis.log else []
            ticks = ", ".join(f"{quote(text.replace('%', '%%'))} {value:.9g}" for value, text in axis.ticks)
            lines += [f"set {name}range [{axis.low:.9g}:{axis.high:.9g}] noextend",
                      f"set {name}tics ({ticks}) nomirror {tick}" if ticks else f"unset {name}tics"]
        # Lines to read values by: across, or upright where the values lie.
        lines += ["unset grid", f"set grid {'y' if self.y.ticks else 'x'}tics back lw 1 lt 1 lc rgb '{COLOURS['grid']}'", *self.rules]
        plots = [f"$d{index}_{j} {style} title {quote(name)}" for j, (name, (_, style)) in enumerate(self.plots)]
        return lines + ["plot " + ", \\\n ".join(plots)]


def width_of(text, bold=False):
    return len(text) * FONT * LETTER * (BOLD if bold else 1)


def box(x, y, text, anchor, bold=False):
    """Left, top, right, bottom."""
    width = width_of(text, bold)
    left = x - {"left": 0, "center": width / 2, "right": width}[anchor]
    return left, y - FONT * LINE / 2, left + width, y + FONT * LINE / 2


def around(x, y, r):
    return x - r, y - r, x + r, y + r


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(a, within):
    return a[0] >= within[0] and a[1] >= within[1] and a[2] <= within[2] and a[3] <= within[3]
