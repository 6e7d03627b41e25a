"""The options of `quern bench`: a table, of which the parsers and --help are made."""
import argparse
import dataclasses
import math
import re
import typing

from suite.errors import USAGE

MODES = "coarse", "fine", "adaptive"
UNITS = {"ms": 1, "s": 1000, "secs": 1000, "m": 60e3, "min": 60e3, "h": 3600e3, "": 1000}
SIZES = {"": 1 << 20, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
MEASURING = "modes", "neighbours", "dispatch", "data", "job"  # commands that run jobs on a cluster
ALL = *MEASURING, "sim"
FRAMEWORKS_MAX, RATE_MAX = 64, 0.5  # as of quern-bench-sim


def duration_ms(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", text)
    if not match or match[2] not in UNITS:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration (30s, 500ms, 2m)")
    ms = float(match[1]) * UNITS[match[2]]
    return int(ms) if ms == int(ms) else ms


def durations_ms(text):
    return [duration_ms(word) for word in text.split(",")]


def interval_ms(text):
    for ms in durations_ms(text):
        if not 1 <= ms <= 3600e3:
            raise argparse.ArgumentTypeError(f"'{text}' is not from 1ms to 1h")
    return durations_ms(text)


def size_bytes(text):
    match = re.fullmatch(r"(\d+)([kmgt]?)b?", text.lower())
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no size (512m, 2g)")
    return int(match[1]) * SIZES[match[2]]


def count(text):
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 1 on")
    return int(text)


def frameworks(text):
    if count(text) > FRAMEWORKS_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is not from 1 to {FRAMEWORKS_MAX}")
    return int(text)


def rate(text):
    if not re.fullmatch(r"\d+(?:\.\d+)?", text) or not float(text) <= RATE_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is no rate from 0 to {RATE_MAX}")
    return float(text)


def seed(text):
    if not re.fullmatch(r"\d{1,18}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 0 on")
    return int(text)


def modes(text):
    words = text.split(",")
    for word in words:
        if word not in MODES:
            raise argparse.ArgumentTypeError(f"there is no mode '{word}'; there are {', '.join(MODES)}")
    if len(set(words)) != len(words):
        raise argparse.ArgumentTypeError(f"'{text}' has one of them twice")
    return words


def setting(text):
    name, equal, _ = text.partition("=")
    if not equal or not re.fullmatch(r"[a-z][a-z-]*", name):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE, of an option of `quern run`")
    return text


@dataclasses.dataclass
class Option:
    name: str
    metavar: typing.Optional[str]           # None: it takes no argument
    text: str                               # as in --help
    convert: typing.Callable = str
    short: typing.Optional[str] = None
    commands: tuple = MEASURING
    default: typing.Any = None
    several: bool = False                   # may be given several times
    same: bool = True                       # a bench that goes on must have been given the same


OPTIONS = [
    Option("master", "URL", "where to measure, as of `quern run`: HOST:PORT, zk://... (an embedded cluster of its own)"),
    Option("agents", "N", "agents of an embedded cluster (2)", count),
    Option("cores", "N", "cores for tasks of each of its agents (4)", count),
    Option("slots", "N", "cores that jobs may have (8, or those that there are)", count),
    Option("allocation-interval", "TIME[,TIME...]", "of an embedded or simulated cluster's master (1s; of a full `modes`, 1s and then "
           "100ms)", interval_ms, commands=ALL),
    Option("modes", "MODE[,MODE...]", "which to compare (coarse,fine,adaptive)", modes, default=list(MODES), commands=ALL),
    Option("lengths", "TIME[,TIME...]", "modes: of the sweep's tasks (0,10ms,50ms,100ms,250ms,500ms,1s,2s,10s)", durations_ms,
           commands=("modes",)),
    Option("input", "FOLDER", "data: files text, records, links, points; what is missing is made there (a temporary folder)",
           commands=("data",)),
    Option("hdfs", "URL", "data: a folder in HDFS, where the input is put and read from (local files)", commands=("data",)),
    Option("size", "SIZE", "data: of the text that is made, others in proportion (1g)", size_bytes, commands=("data",)),
    Option("frameworks", "N", "sim: of scale and ideas, that run the same jobs (1; ideas 4, quick 3)", frameworks, commands=("sim",)),
    Option("failures", "RATE", "sim: of scale and ideas, share of tasks that fail, with executors and agents now and then (0)", rate,
           commands=("sim",)),
    Option("option", "NAME=VALUE", "an option of `quern run`, for every job; may be given several times", setting, short="O",
           several=True),
    Option("quick", None, "less of everything, for an answer within minutes", commands=ALL),
    Option("turns", "N", "how often each is run, in turns (7, quick 3; sim 3, its ideas with 20 seeds, quick 8)", count, commands=ALL),
    Option("noisy", None, "keep runs that something else on this machine disturbed, as --quick does", same=False, commands=ALL),
    Option("seed", "N", "of what is drawn at random (1)", seed, default=1, commands=ALL),
    Option("output", "FOLDER", "results and report; if it has some of the same command, that goes on (quern-bench-DATE)",
           short="o", same=False, commands=ALL),
]


def of(command):
    return [o for o in OPTIONS if command is None or command in o.commands]


class Formatter(argparse.RawDescriptionHelpFormatter):
    """As the other commands of quern write it: "  -o, --output=FOLDER     text"."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=29, width=100)

    def _format_action_invocation(self, action):
        if not action.option_strings:
            return super()._format_action_invocation(action)
        shorts = [o for o in action.option_strings if not o.startswith("--")]
        name = next(o for o in action.option_strings if o.startswith("--"))
        return f"{shorts[0] + ', ' if shorts else '    '}{name}{'=' + action.metavar if action.metavar else ''}"

    def add_usage(self, usage, actions, groups, prefix=None):
        super().add_usage(usage, actions, groups, "Usage: ")


class Parser(argparse.ArgumentParser):
    """Ends with one line and status 2."""

    def __init__(self, prog, usage, description, epilog, command):
        super().__init__(prog=prog, usage=usage, description=description, epilog=epilog, formatter_class=Formatter, add_help=False,
                         allow_abbrev=False)
        self._optionals.title = "Options"
        for o in of(command):
            names = [f"-{o.short}"] * bool(o.short) + [f"--{o.name}"]
            how = {"action": "store_true"} if o.metavar is None else {"metavar": o.metavar, "type": o.convert, "default": o.default}
            if o.several:
                how.update(action="append", default=[])
            self.add_argument(*names, dest=o.name.replace("-", "_"), help=o.text.replace("%", "%%"), **how)
        self.add_argument("-h", "--help", action="help", help="give this help")

    def error(self, message):
        message = re.sub(r"^argument (?:-\w/)?(--[a-z-]+): ", r"\1: ", message)
        self.exit(USAGE, f"{self.prog}: {message}; `{self.prog} --help` tells more\n")


def arguments(o):
    """What a bench that goes on must have in common with the one that began: {name: value} of what was said."""
    names = [option.name.replace("-", "_") for option in of(o.command) if option.same] + ["words"]
    given = {name: getattr(o, name) for name in names if getattr(o, name) not in (None, [], False)}
    return {name: value if not isinstance(value, float) or math.isfinite(value) else str(value) for name, value in given.items()}
