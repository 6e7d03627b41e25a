"""What ends a command of the suite: one line for its user."""

FAILED, USAGE, NO_CLUSTER, INTERRUPTED = 1, 2, 3, 130  # exit statuses, as those of `quern run`


class BenchError(Exception):
    """Says what went wrong, and what to do, in a line. `status`: the command's exit status."""

    def __init__(self, text, status=FAILED):
        super().__init__(text)
        self.status = status


def sentence(e):
    """What a BenchError or an OSError says."""
    return f"{e.filename}: {e.strerror}" if isinstance(e, OSError) and e.filename else str(e)
