"""Runs gnuplot, and makes its SVG part of a page: one that follows the page's colours, light or dark."""
import re
import shutil
import subprocess
from xml.sax.saxutils import escape, quoteattr

from .text import plain

# Role -> colour on white. The page has its own, by CSS variables of these names, for light and for dark. Told apart by those who
# see red and green alike as well, and each mode has a mark of its own beside it.
COLOURS = {"coarse": "#ad4c08", "fine": "#1d5fd1", "adaptive": "#0a7d63", "alone": "#5b6470", "static": "#9b3d8f",
           "ink": "#1b2430", "muted": "#57626f", "grid": "#e1e6eb", "axis": "#9aa5b1", "paper": "#ffffff"}
MARKS = {"coarse": 5, "fine": 7, "adaptive": 9, "alone": 11, "static": 13}  # gnuplot's point types
PATIENCE = 60  # seconds
PROGRAM = "gnuplot"


class Failed(Exception):
    """Gnuplot is not there, or does not do what it is told. Says why in one line."""


def quote(text):
    """As a string of gnuplot's in which nothing has a meaning."""
    return "'" + plain(text).replace("'", "''") + "'"


def missing():
    """A line on what to install, or None: it is there."""
    return None if shutil.which(PROGRAM) else "gnuplot was not found: install it (Debian: gnuplot-nox) for the plots"


def run(script):
    why = missing()
    if why:
        raise Failed(why)
    try:
        done = subprocess.run([PROGRAM, "--default-settings", "-"], input=script.encode(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"gnuplot: {plain(error)}") from error
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip(" \t^")]
        raise Failed(f"gnuplot: {plain(said[-1] if said else 'status ' + str(done.returncode))}")


def bold(svg):
    """Gnuplot's SVG has the style of a font in its family's name."""
    return svg.replace('font-family=":Bold"', 'font-family="sans-serif" font-weight="bold"')


def inline(svg, name, series, description):
    """The SVG of a plot as an element of a page. `name` is unlike any other's on it; `series` are the names of what was plotted, in
    order: each becomes the title of its group, <g class="series" data-series=NAME>."""
    body = bold(svg[svg.index("<svg"):])
    body = re.sub(r"<desc>.*?</desc>|<filter\b.*?</filter>", "", body, flags=re.S)
    body = re.sub(r"<title>.*?</title>", "", body, count=1, flags=re.S)  # of the whole: the page has a caption
    names = iter(series)

    def group(_):
        said = next(names, "")
        return f'<g class="series" data-series={quoteattr(said)}><title>{escape(said)}</title>'

    body = re.sub(r'<g id="[^"]*_plot_\w+"\s*>\s*<title>[^<]*</title>', group, body)
    body = re.sub(r"\b(id=['\"])(gp|gnuplot)", rf"\g<1>{name}-\g<2>", body)
    body = re.sub(r"(href='#)(gp)", rf"\g<1>{name}-\g<2>", body)
    body = re.sub(r"rgb\(\s*(\d+),\s*(\d+),\s*(\d+)\)|#[0-9a-fA-F]{6}\b", _variable, body)
    body = re.sub(r"\s*font-family=\"[^\"]*\"", "", body)
    body = re.sub(r">\s*\n\s*<", ">\n<", body)
    return body.replace("<svg", f'<svg role="img" aria-label={quoteattr(plain(description))}', 1).strip()


_ROLES = {colour: role for role, colour in COLOURS.items()}


def _variable(match):
    colour = match[0].lower() if match[0].startswith("#") else "#{:02x}{:02x}{:02x}".format(*map(int, match.groups()))
    return f"var(--{_ROLES[colour]})" if colour in _ROLES else match[0]
