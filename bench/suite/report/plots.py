"""All plots of a bench: drawn by gnuplot, as files and for the page."""
import os
import tempfile

from . import gnuplot, plots_bars, plots_modes, plots_use


def draw(folder, summary, members):
    """Writes plots/NAME.svg and .png into the folder. Returns [(Figure, {"wide" | "narrow" | "any": SVG for the page})], in the page's order.
    Raises gnuplot.Failed."""
    figures = [figure for part in (plots_modes, plots_use, plots_bars) for figure in part.figures(summary, members)]
    if figures:
        os.makedirs(os.path.join(folder, "plots"), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".plots-") as tmp:
        return [(figure, _draw(figure, folder, tmp)) for figure in figures]


def _draw(figure, folder, tmp):
    pictures = {}
    for size, canvas in figure.canvases().items():
        page = os.path.join(tmp, "page.svg")
        outputs = [("page", page)]
        if size != "narrow":
            outputs += [(kind, os.path.join(tmp, f"{figure.name}.{kind}")) for kind in ("svg", "png")]
        gnuplot.run(canvas.script(outputs))
        pictures[size] = gnuplot.inline(_read(page), f"{figure.name}-{size}", canvas.series, figure.caption)
        for kind, made in outputs[1:]:
            if kind == "svg":
                _rewrite(made, gnuplot.bold)
            os.replace(made, os.path.join(folder, "plots", os.path.basename(made)))
    return pictures


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _rewrite(path, change):
    text = change(_read(path))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
