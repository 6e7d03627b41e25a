"""How figures are written, in every output alike."""
import math


def digits3(value):
    """Three significant digits, never an exponent: 0.0123, 1.20, 12.3, 123, 12,300. Whole numbers as they are, if below 1000."""
    if value == 0 or isinstance(value, int) and abs(value) < 1000:
        return str(value)
    digits = 2 - math.floor(math.log10(abs(value)))
    value = round(value, digits)  # may have become a digit longer: 9.996
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, digits)}f}"


def number(value):
    """The same in a sentence, where 1.20 is 1.2."""
    written = digits3(value)
    return written.rstrip("0").rstrip(".") if "." in written else written


def ratio(value):
    """What is held against 1: two decimals, three digits above ten."""
    return f"{value:.2f}" if abs(value) < 10 else number(value)


def percent(value):
    """Of a share: 0.384 is '38 %'."""
    shown = f"{100 * value:.1f}" if 0.9 < abs(value) < 1 or 0 < abs(value) < 0.02 else f"{100 * value:.0f}"
    return ("0" if float(shown) == 0 else shown) + " %"


def percent1(value):
    """The same in a table: one decimal, always."""
    return f"{100 * value:.1f} %"


def seconds(value):
    """A length of time in the unit in which one says it."""
    return f"{number(1000 * value)} ms" if value < 1 else f"{number(value)} s"


def plain(text):
    """One line without control characters: names come from a file."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def short(text, width):
    text = plain(text)
    return text if len(text) <= width else text[:max(0, width - 2)] + ".."


def listed(words, last="and"):
    """a, b and c."""
    words = list(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def plural(count, one, many=None):
    return f"{count} {one if count == 1 else many or one + 's'}"
