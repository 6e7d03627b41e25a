"""Agents with host names of their own, which nothing can look up: frameworks see the names, and jobs
run all the same."""
import json
import sys
import urllib.request

import quern

NAMES = ["dn1.quern.test", "DN2.quern.test."]
TEXT = b"".join(b"line %d of what is counted\n" % i for i in range(1000))


def test_names_that_nothing_looks_up():
    with quern.scratch() as d:
        (d / "in.txt").write_bytes(TEXT)
        with quern.named_agents(d, NAMES, agents=3) as master:
            with urllib.request.urlopen(f"http://{master}/state", timeout=quern.TIMEOUT) as page:
                state = json.load(page)
            assert sorted(a["hostname"] for a in state["slaves"]) == sorted([*NAMES, "127.0.0.1"]), state["slaves"]
            for mode in quern.MODES:
                result = quern.run(d, "run", "--master", master, "--mode", mode, "--verbose", quern.EXAMPLES / "wordcount.c",
                                   d / "in.txt", d / mode)
                assert result.returncode == 0, result.stderr.decode()
                quern.same(quern.output(d / mode), quern.word_counts(d / "in.txt"))
                assert b"locality" not in result.stderr  # a local file is nowhere in particular


@quern.embedded("an option of its command")
def test_more_names_than_agents():
    with quern.scratch() as d:
        result = quern.run(d, "local", "--port=0", "--agents=1", "--hostname=a,b")
        assert result.returncode == 2, result
        quern.one_line(result, "--hostname", "2 names", "1 agent")
        result = quern.run(d, "local", "--port=0", "--agents=3", "--hostname=a,,b")
        assert result.returncode == 2, result
        quern.one_line(result, "--hostname", "no name of a host")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
