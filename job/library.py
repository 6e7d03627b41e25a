#!/usr/bin/env python3
"""Makes what libquern.so is of the headers, and the list of its names for the programs that load jobs.

    library.py SOURCE LIST HEADER...

libquern.so has every function of the API, so that a job can be linked against it, and no code: that is in `quern` and
`quern-executor`, whose symbols come first when they load a job. So a job always runs with the code of the executor that the
driver has sent, whatever is installed where it was built or where it runs.
"""
import pathlib
import re
import sys

import declarations

HEAD = """/* Made by job/library.py of the public headers. */
#include <stdio.h>
#include <stdlib.h>

static void outside(const char *function)
{
	(void)fprintf(stderr, "%s(): a job's functions run within `quern run` only\\n", function);
	abort();
}
"""


def main():
    source, listing, *headers = map(pathlib.Path, sys.argv[1:])
    functions, variables = declarations.defined(*(h.read_text(encoding="utf-8") for h in headers))
    bodies = [f"\nvoid {name}(void);\nvoid {name}(void)\n{{\n\toutside(\"{name}\");\n}}\n" for name in functions]
    bodies += [f"\nextern {v}\n{v}\n" for v in variables]
    source.write_text(HEAD + "".join(bodies), encoding="utf-8")
    names = functions + [re.search(r"\b(quern_\w+)", v)[1] for v in variables]
    listing.write_text("{\n" + "".join(f"\t{name};\n" for name in names) + "};\n", encoding="utf-8")


main()
