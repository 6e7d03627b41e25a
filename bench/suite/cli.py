"""`quern bench COMMAND ...`: reads the command line and hands it to the module of the command."""
import importlib
import os
import signal
import sys

from suite import options
from suite.errors import FAILED, INTERRUPTED, USAGE, BenchError, sentence

ABOUT = "Measures what the modes gain and what they cost, on an embedded cluster or on yours."
# Command: its module, what it takes beside options, what it does, and what else there is to be said of it.
COMMANDS = {
    "modes": ("suite.modes", "[WORKLOAD...]", "sleeping tasks in every mode: which mode for which job",
              "WORKLOAD: sweep (tasks of one length after the other), tail (lengths that differ much), waist (a stage of few\n"
              "tasks between two of many), think (an interactive session); all of them if none is named."),
    "neighbours": ("suite.neighbours", "", "jobs beside a batch framework, and beside a static partition",
                   "Jobs arrive at random while another framework takes whatever it is offered; that one alone is measured as\n"
                   "well, and both with half of the cores each."),
    "dispatch": ("suite.dispatch", "", "tasks that do nothing: how many a second, and their CPU time",
                 "Beside fine mode, a framework that launches and acknowledges and does nothing else."),
    "data": ("suite.data", "[JOB...]", "word count, grep, sort, join, PageRank and k-means over real input",
             "JOB: wordcount, grep, sort, join, pagerank, kmeans; all of them if none is named. Answers are compared before a\n"
             "time counts."),
    "job": ("suite.jobs", "-- JOB [ARG...]", "a job of yours in every mode",
            "JOB is what `quern run` takes: a .c file or a shared object. In an ARG, {out} stands for a new folder below a\n"
            "temporary one, which each run has one of."),
    "sim": ("suite.sim", "[PART...]", "many agents and frameworks in virtual time",
            "PART: scale (what a task costs the scheduler, in CPU time and memory, as the cluster grows), ideas (options held\n"
            "against each other over seeds), calibration (the same experiment in virtual time and on an embedded cluster);\n"
            "all of them if none is named."),
}
FOOT = ("Results are in the folder --output: results.jsonl, and the report made of it. Ctrl-C keeps what is done;\n"
        "the same command with the same -o goes on.\n\n"
        "Exit status: 0 done, 1 some of it failed, 2 the command line is wrong, 3 no cluster, 130 interrupted.")


def commands_text():
    return "Commands:\n" + "".join(f"  {name:11} {c[2]}\n" for name, c in COMMANDS.items())


def general():
    return options.Parser("quern bench", "quern bench COMMAND [OPTION...] [ARG...]", f"{ABOUT}\n\n{commands_text()}\n"
                          "`quern bench COMMAND --help` tells more.", FOOT, None)


def parser_of(command):
    _, arguments, text, more = COMMANDS[command]
    p = options.Parser(f"quern bench {command}", f"quern bench {command} [OPTION...] {arguments}".rstrip(),
                       f"{text[0].upper()}{text[1:]}.\n\n{more}", FOOT, command)
    if command == "job":
        p.add_argument("words", nargs="...", help=options.argparse.SUPPRESS)
    elif arguments:
        p.add_argument("words", nargs="*", help=options.argparse.SUPPRESS)
    return p


def parse(argv):
    """The options of the command that is named; exits if it is --help or wrong."""
    command, *rest = argv or [None]
    if command not in COMMANDS:
        p = general()
        if command is None:
            p.print_help(sys.stderr)
            sys.exit(USAGE)
        if command.startswith("-"):
            p.parse_args(argv)
        p.error(f"there is no command '{command}'")
    p = parser_of(command)
    o = p.parse_args(rest)
    o.command, o.argv = command, argv
    if not hasattr(o, "words"):
        o.words = []
    return o


def on_sigterm(*_):
    raise KeyboardInterrupt


def run(argv):
    o = parse(argv)
    return importlib.import_module(COMMANDS[o.command][0]).main(o)


def main(argv):
    """The exit status."""
    if "QUERN" not in os.environ or "QUERN_BENCH" not in os.environ:
        print("quern bench: this is run by `quern bench`, which says where everything is", file=sys.stderr)
        return USAGE
    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        return run(argv)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more for whoever has gone
        return FAILED
    except (BenchError, OSError) as e:
        print(f"quern bench: {sentence(e)}", file=sys.stderr)
        return getattr(e, "status", FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
