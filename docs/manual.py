#!/usr/bin/env python3
"""Makes the man page quern.h(3) of the public headers: what they declare and what their comments say of it.

    manual.py PAGE VERSION TEMPLATE HEADER...
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "job"))
import declarations  # noqa: E402


def escaped(text):
    return text.replace("\\", "\\e")


def line(text):
    """A line of running text: nothing at its beginning is taken for a request."""
    text = re.sub(r"`([^`]+)`", r"\\fI\1\\fR", escaped(text))
    text = re.sub(r"(?<![\w*])\*(\w[^*]*)\*(?![\w*])", r"\\fI\1\\fR", text)
    return "\\&" + text if text.startswith((".", "'")) else text


def literal(text, offset):
    yield f".Bd -literal{offset}"
    for row in text.expandtabs(8).split("\n"):
        row = escaped(row).replace("-", "\\-")
        yield "\\&" + row if row.startswith((".", "'")) else row
    yield ".Ed"


def prose(text):
    """A comment: paragraphs, and what is indented as it stands."""
    for number, paragraph in enumerate(re.split(r"\n[ \t]*\n", text)):
        rows = paragraph.split("\n")
        if all(re.match(r"    |\t", row) for row in rows):
            yield from literal("\n".join(re.sub(r"^(    |\t)", "", row) for row in rows), " -offset indent")
        else:
            if number > 0:
                yield ".Pp"
            yield from (line(row.strip()) for row in rows)


def described(entry):
    """Declarations, and below them what is said of them."""
    if entry.declarations:
        yield from literal("\n".join(entry.declarations), "")
        yield ".Bd -ragged -offset indent -compact"
        yield from prose(entry.text)
        yield ".Ed"
    else:
        yield ".Pp"
        yield from prose(entry.text)


def page(sources):
    for number, part in enumerate(declarations.parts(*sources)):
        title = part.title or "Types"
        if not part.title and not part.entries[0].declarations:
            # What a header says of itself: "quern.h: ..." of the first is the description of all.
            title, _, text = part.entries.pop(0).text.partition(": ")
            part.text = text[0].upper() + text[1:]
        if number > 0:
            yield f".Ss {line(title)}"
        if part.text:
            yield from prose(part.text)
        if number == 0:
            yield ".Ss Types"
        for entry in part.entries:
            yield from described(entry)


def main():
    output, version, template, *headers = sys.argv[1:]
    headers.sort(key=lambda path: (not path.endswith("/quern.h"), path))
    sources = [pathlib.Path(h).read_text(encoding="utf-8") for h in headers]
    text = pathlib.Path(template).read_text(encoding="utf-8").replace("@VERSION@", version)
    text = text.replace("@HEADERS@", "\n".join(row.rstrip() for row in page(sources)))
    pathlib.Path(output).write_text(text, encoding="utf-8")


main()
