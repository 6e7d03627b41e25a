"""What the public headers declare, in their order, with the comments that say what it is. Made for headers that are written
as quern.h is: a comment stands before what it speaks of, and `/* ---- Title ----` begins a part."""
import re

PART = re.compile(r"---- (.*) ----$")
TOKEN = re.compile(r"/\*.*?\*/|^[ \t]*#(?:\\\n|[^\n])*|\n[ \t]*\n|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[{};]|[^\s{};\"'/#]+|\s|.",
                   re.DOTALL | re.MULTILINE)
WRITTEN_BY_THE_USER = {"quern_main"}


class Part:
    """A part of a header: its title ('' before the first one), what is said there, and its entries."""

    def __init__(self, title, text):
        self.title, self.text, self.entries = title, text, []


class Entry:
    """Declarations that one comment speaks of. `text` is '' where there is none."""

    def __init__(self, text):
        self.text, self.declarations = text, []


def comment_text(comment):
    """A comment without what makes it one; lines keep how far they are indented."""
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment[2:-2].rstrip().split("\n")]
    lines[0] = lines[0].strip()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def tokens(source):
    """Comments, directives, blank lines ('') and declarations, with what a comment behind one says. What is for C++ or one
    kind of processor is left out."""
    skipped, braces, text, waiting = 0, 0, "", None
    for match in TOKEN.finditer(source):
        token = match[0]
        if waiting is not None:  # a declaration whose line has not ended
            if token.startswith("/*"):
                waiting += " " + token
                continue
            if "\n" not in token:
                continue
            yield waiting
            waiting = None
        if token.lstrip().startswith("#"):
            word = re.match(r"\s*#\s*(\w+)", token)[1]
            if skipped:
                skipped += (word.startswith("if")) - (word == "endif")
            elif word.startswith("if") and word != "ifndef" and not text.strip():
                skipped = 1
            elif word == "define" and not text.strip():
                yield token
        elif skipped:
            continue
        elif not text.strip() and (token.startswith("/*") or re.fullmatch(r"\n[ \t]*\n", token)):
            yield token if token.startswith("/*") else ""
        else:
            text += token
            braces += (token == "{") - (token == "}")
            inline = text.lstrip().startswith("static inline")
            if braces == 0 and (token == ";" or (token == "}" and inline)):
                waiting, text = text.strip(), ""


def shown(declaration):
    """A declaration as a manual shows it: what is defined here, and takes more than a line, without its body."""
    if declaration.startswith("#"):
        return re.match(r"[^\n]*?(?=\s*\\\n|$)", declaration)[0]
    if declaration.startswith("static inline"):
        return re.sub(r"\s*\{.*", ";", declaration, flags=re.DOTALL)
    return declaration


def without_comments(declaration):
    return re.sub(r"/\*.*?\*/", " ", declaration, flags=re.DOTALL).strip()


def parts(*sources):
    """The parts of these headers, one behind the other."""
    found, entry = [Part("", "")], None
    for source in sources:
        found.append(Part("", ""))
        for token in tokens(source):
            if token.startswith("/*"):
                text = comment_text(token)
                first, _, rest = text.partition("\n")
                title = PART.match(first)
                entry = None
                if title:
                    found.append(Part(title[1], rest.strip("\n")))
                else:
                    entry = Entry(text)
                    found[-1].entries.append(entry)
            elif token == "":
                entry = None
            elif not re.match(r"\s*#\s*define\s+\w+_H\b", token):
                if entry is None:
                    entry = Entry("")
                    found[-1].entries.append(entry)
                entry.declarations.append(shown(token))
    return [p for p in found if p.text or p.entries]


def defined(*sources):
    """What quern defines of it: the names of functions, and the declarations of variables."""
    names, variables = [], []
    for text in (without_comments(d) for p in parts(*sources) for e in p.entries for d in e.declarations):
        of_a_type = re.match(r"quern_\w+_fn\s+([^*(]*);$", text)
        if re.match(r"#|static |typedef |enum |struct [^;]*\{|struct \w+;", text):
            continue
        if of_a_type:
            names += re.findall(r"\w+", of_a_type[1])
        elif text.startswith("extern ") and "(" not in text:
            variables.append(text.removeprefix("extern "))
        else:
            names += re.findall(r"\b(quern_\w+)\s*\(", text)[:1]
    return [n for n in names if n not in WRITTEN_BY_THE_USER], variables
