"""`quern bench`: python3 FOLDER/suite ARG..."""
import pathlib
import sys

if sys.version_info < (3, 9):
    sys.exit("quern bench: this is Python %d.%d, and the benchmark suite needs 3.9 or later" % sys.version_info[:2])
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from suite import cli  # noqa: E402 that is what was needed to find it

sys.exit(cli.main(sys.argv[1:]))
