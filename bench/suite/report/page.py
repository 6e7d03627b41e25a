"""The page: one file with everything in it. It begins with the answer and ends with the recommendation."""
import html
import pathlib

from .advice import ALONE, RULE
from .columns import columns_of
from .headline import MEANS, gains_and_costs, headline
from .summary import BASE, MODES
from .terminal import setting
from .text import listed, number, percent, plain, ratio, seconds

MOST = 8  # of the gains, and of the costs; the rest is in the tables

WORDS = [("held", "core-seconds that Mesos had allocated to the job: tasks and executors, from launch to end"),
         ("used", "core-seconds in which tasks ran"),
         ("price", "the job's wall time over that in coarse mode: 1.05 is 5 % longer"),
         ("gain", "core-seconds held in coarse mode over those in this mode: 2 is half as many"),
         ("waste", "held and not used; removed is the share of coarse's waste that a mode does not have"),
         ("gap", "from the end of a slot's task to the start of the next one in it, while tasks wait"),
         ("allocation interval", "how often the master of Mesos hands out free cores by itself")]


def page(summary, plots, no_plots=""):
    """`plots` as plots.draw() returns them; `no_plots` says why there are none."""
    title, sentences = headline(summary)
    css = (pathlib.Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    parts = [*_answer(summary, title, sentences), *_warnings(summary), *_plots(plots, no_plots), *_balance(summary), *_tables(summary),
             *_method(summary), *_recommendation(summary, sentences)]
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, '
            f'initial-scale=1">\n<meta name="color-scheme" content="light dark">\n<title>{_esc(title)}</title>\n<style>\n{css}</style>\n'
            '</head>\n<body>\n<main>\n' + "\n".join(parts) + "\n</main>\n</body>\n</html>\n")


def _esc(text):
    return html.escape(plain(text)).replace(" %", "\u00a0%")


def _mode(name):
    """A mode's name behind its mark, in its colour."""
    kind = _esc(name) if name in MODES or name in ("alone", "static") else "other"
    return f'<span class="mode {kind}">{_esc(name)}</span>'


def _section(name, title, *body):
    return [f'<section id="{name}">', f"<h2>{_esc(title)}</h2>", *body, "</section>"]


# --- the answer

def _answer(summary, title, sentences):
    header = summary["header"]
    kicker = ", ".join(filter(None, [f"quern bench {plain(header.get('bench', ''))}", plain(header.get("cluster", "")),
                                     setting(header), plain(header.get("date", ""))[:10]]))
    yield f'<header id="answer">\n<p class="kicker">{_esc(kicker)}</p>\n<h1>{_esc(title)}</h1>'
    for sentence in sentences:
        yield f'<p class="lead">{_esc(sentence)}</p>'
    modes = (summary.get("advice") or {}).get("modes")
    if modes and header.get("bench") != "sim":
        yield '<div class="cards">'
        yield from (_card(name, modes[name], summary["advice"]["mode"]) for name in MODES if name in modes)
        yield "</div>"
        if any("saved" in mode for mode in modes.values()):
            yield '<p class="note">Means over the workloads below, each counting once, against coarse mode in the same turns.</p>'
    yield "</header>"


def _card(name, mode, taken):
    big = [("1", "the measure of the others")] if name == BASE else [(ratio(mode["price"]), "times coarse's time")]
    if name != BASE and "saved" in mode:
        big.append((percent(abs(mode["saved"])), f"{'more' if mode['saved'] < -0.005 else 'fewer'} core-seconds held"))
    if "utilization" in mode:
        big.append((percent(mode["utilization"]), "of that at work" if name != BASE else "of what it holds at work"))
    if "neighbour_share" in mode:
        big.append((percent(mode["neighbour_share"]), "of the neighbour's work"))
    worst = ""
    if name != BASE and mode.get("cases", 1) > 1:
        worst = f" At worst {ratio(mode['worst_price'])} times: {_esc(mode['worst_where'])}."
    return (f'<article class="card {name}{" taken" if name == taken else ""}">\n<h3>{_mode(name)}</h3>\n'
            + "".join(f'<p class="big"><b>{_esc(figure)}</b> {_esc(text)}</p>\n' for figure, text in big)
            + f"<p>{_esc(MEANS[name])}{worst}</p>\n</article>")


def _warnings(summary):
    if summary["warnings"]:
        yield '<section id="warnings" class="warnings">\n<h2>Before you believe this</h2>\n<ul>'
        yield from (f"<li>{_esc(warning)}</li>" for warning in summary["warnings"])
        yield "</ul>\n</section>"


# --- plots

def _plots(plots, no_plots):
    if no_plots:
        yield from _section("plots", "Plots", f'<p class="warnings">No plots: {_esc(no_plots)}.</p>')
    if not plots:
        return
    yield '<section id="plots">\n<h2>In pictures</h2>'
    row = ""
    for figure, pictures in plots:
        if figure.row != row:
            yield ("</div>\n" if row else "") + ('<div class="row">' if figure.row else "")
            row = figure.row
        yield _figure(figure, pictures)
    yield ("</div>\n" if row else "") + "</section>"


def _figure(figure, pictures):
    drawn = "\n".join(f'<div class="plot {size}">{svg}</div>' for size, svg in pictures.items())
    return (f'<figure id="{_esc(figure.name)}">\n<h3>{_esc(figure.title)}</h3>\n{drawn}\n<figcaption>{_esc(figure.caption)}</figcaption>\n'
            "</figure>")


# --- gains and costs, as large as each other

def _balance(summary):
    found = gains_and_costs(summary)
    if not found:
        return
    gains, costs = found
    yield '<section id="balance">\n<h2>Gains and costs</h2>\n<div class="halves">'
    for title, items, none in (("What is gained", gains, "No mode holds less than coarse."),
                               ("What it costs", costs, "No mode takes much longer than coarse, or holds more.")):
        yield f"<div>\n<h3>{title}</h3>\n<ul>"
        yield from (f"<li>{_mode(name)} {_esc(text)}</li>" for name, text in items[:MOST])
        yield f"<li>and {len(items) - MOST} more, in the tables</li>" if len(items) > MOST else "" if items else f"<li>{none}</li>"
        yield "</ul>\n</div>"
    yield "</div>\n</section>"


# --- tables

def _tables(summary):
    yield '<section id="figures">\n<h2>All figures</h2>'
    if any("advice" in group for group in summary["groups"]):
        yield '<p class="note">Tinted is the mode that the rule at the end of this page takes. Point at a title to read more.</p>'
    for workload in dict.fromkeys(group.get("workload") for group in summary["groups"]):
        yield from _table(workload, [group for group in summary["groups"] if group.get("workload") == workload])
    yield "</section>"


def _table(workload, groups):
    columns = columns_of([mode for group in groups for mode in group["modes"].values()])
    yield f'<h3>{_esc(workload)}</h3>\n<div class="scroll" tabindex="0">\n<table class="modes">\n<thead><tr><th>mode</th>'
    yield "".join(f'<th title="{_esc(column.what)}">{_esc(column.title)}</th>' for column in columns) + "</tr></thead>"
    for group in groups:
        case = plain(group.get("case", ""))
        title = " ".join(filter(None, [f"<b>{_esc(case)}</b>" if case != workload else "", f"<small>{_esc(setting(group))}</small>"]))
        yield f'<tbody>\n<tr class="case"><th colspan="{len(columns) + 1}"><span>{title}</span></th></tr>'
        for name, mode in group["modes"].items():
            cells = "".join(f"<td>{_esc(column.cell(mode) or '–')}</td>" for column in columns)
            taken = ' class="taken"' if group.get("advice", {}).get("mode") == name else ""
            yield f"<tr{taken}><th>{_mode(name)}</th>{cells}</tr>"
        yield "</tbody>"
    yield "</table>\n</div>"


# --- how it was measured

def _method(summary):
    header, machine, load = summary["header"], summary["header"].get("machine", {}), summary["load"]
    groups = summary["groups"]

    def each(name, write):
        return ", ".join(write(value) for value in sorted({group[name] for group in groups if group.get(name) is not None}))

    facts = [("command", f"<code>{_esc(header['command'])}</code>" if header.get("command") else ""),
             ("cluster", _esc(header.get("cluster", ""))), ("agents", each("agents", number)), ("slots", each("slots", number)),
             ("task length", each("task_s", lambda s: seconds(s) if s else "none")),
             ("allocation interval", each("allocation_interval_ms", lambda ms: seconds(ms / 1000))),
             ("options", "<code>" + _esc(" ".join(f"{k} {v}" for k, v in header.get("options", {}).items()) or "as by default") + "</code>"),
             ("runs", f"{sum(mode['runs'] for group in groups for mode in group['modes'].values())}, the modes in turns"),
             ("load before a run", _load(load.get("load_before"), "")), ("used by something else", _load(load.get("others_cores"), " cores")),
             ("machine", _esc(", ".join(filter(None, [
                 f"{number(machine['cores'])} cores" if machine.get("cores") else "", plain(machine.get("cpu", "")),
                 f"{number(machine['memory_gib'])} GiB" if machine.get("memory_gib") else "", plain(machine.get("kernel", ""))])))),
             ("version", _esc(header.get("version", ""))), ("seed", _esc(header.get("seed", ""))), ("date", _esc(header.get("date", "")))]
    yield from _section("method", "How it was measured",
                        "<p>The job runs once in each mode, then once more in each, and so on: what disturbs one disturbs all. Figures are "
                        "medians of the runs of a mode; a ratio is of medians. The spread is from the least to the most, over the median. "
                        "Runs during which something else used more than a tenth of a core are left out.</p>",
                        "<dl>", *(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value), "</dl>",
                        "<h3>Words</h3>", "<dl>", *(f"<dt>{word}</dt><dd>{_esc(what)}</dd>" for word, what in WORDS), "</dl>")


def _load(found, unit):
    if not found:
        return ""
    return f"{number(found['median'])}{unit} in the middle, {number(found['max'])}{unit} at most"


# --- the recommendation

def _recommendation(summary, sentences):
    advice = summary.get("advice")
    if not advice:
        said = sentences or ["These runs do not hold modes against each other."]
        yield from _section("recommendation", "What follows", *(f"<p>{_esc(sentence)}</p>" for sentence in said))
        return
    perhaps = "" if advice["sure"] else ", perhaps"
    yield f'<section id="recommendation">\n<h2>Which mode to take for this: {_mode(advice["mode"])}{perhaps}</h2>'
    yield f"<p>{_esc(advice['text'])}</p>"
    for mode, where in advice["otherwise"].items():
        yield f"<p>But {_mode(mode)} for {_esc(listed(where))}.</p>"
    if advice["doubts"]:
        yield f"<p><b>Not sure:</b> {_esc('; '.join(advice['doubts']))}.</p>"
    yield f"<p>{_esc(ALONE)}</p>"
    yield '<div class="scroll" tabindex="0">\n<table class="text">'
    yield '<thead><tr><th>workload</th><th>mode</th><th>because</th></tr></thead>\n<tbody>'
    for group in summary["groups"]:
        found = group.get("advice")
        if found:
            doubts = f"<br><b>Not sure:</b> {_esc('; '.join(found['doubts']))}." if found["doubts"] else ""
            yield f"<tr><th>{_esc(group['name'])}</th><td>{_mode(found['mode'])}</td><td>{_esc(found['text'])}.{doubts}</td></tr>"
    yield "</tbody>\n</table>\n</div>"
    yield f'<p class="note">The rule. {_esc(RULE)}</p>\n</section>'
