"""A little of each input, for --quick."""
import subprocess

from measuring.run import ROOT

TEXTS = {"text": "docs/*.md", "source": "executor/*.[ch]"}  # of this repository
REPEATED = 2_000_000  # bytes that those are at least
SEEDED = {"records": 20_000, "points": 20_000, "links": 10_000}


def make(o, folder):
    """Files as bench/data makes them, of one to three megabytes. Returns the folder."""
    for name, pattern in TEXTS.items():
        once = b"".join(path.read_bytes() for path in sorted(ROOT.glob(pattern)))
        (folder / name).write_bytes(once * (REPEATED // len(once) + 1))
    for name, n in SEEDED.items():
        with open(folder / name, "wb") as f:
            subprocess.run([o.build / f"bench/bench-{name}", str(n), "1"], check=True, stdout=f)
    return folder
