"""What a plot on the page is, besides its picture."""
from .gnuplot import COLOURS

WIDE, NARROW = (920, 430), (360, 400)  # pixels: for a screen, for a phone


class Figure:
    """`draw(width, height)` returns the Canvas; `caption` says what is to be seen. Those of a `row` stand beside each other, and are drawn
    in one size."""

    def __init__(self, name, title, caption, draw, row="", height=None):
        self.name, self.title, self.caption, self.draw, self.row, self.height = name, title, caption, draw, row, height

    def canvases(self):
        """{"wide": Canvas, "narrow": Canvas}, or of a row {"any": Canvas}."""
        if self.row:
            return {"any": self.draw(NARROW[0], self.height or NARROW[1])}
        return {name: self.draw(width, self.height or height) for name, (width, height) in (("wide", WIDE), ("narrow", NARROW))}


def roles(names):
    """Name -> the colour it has: modes have their own."""
    return {name: name if name in COLOURS else "muted" for name in names}


def is_wide(width):
    return width > 600
