"""Against a real Apache Mesos, found by MESOS_HOME (sbin/mesos-master, sbin/mesos-agent): both modes give the right
answer, an agent that dies with all of its processes costs only time, and no framework stays registered."""
import signal
import sys

import quern
from mesos import gone, main, mesos

MODES = quern.MODES
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(200))


def started(m, mode, *job, command="run"):
    return quern.start(m.d, command, "--master", m.address, "--mode", mode, "--total-executor-cores", "4",
                       *job)


def test_words_are_counted_in_both_modes():
    with mesos() as m:
        text = m.d / "text"
        text.write_bytes(TEXT * 3000)
        for mode in MODES:
            quern.check(m.d, quern.finish(started(m, mode, quern.EXAMPLES / "wordcount.c", text, m.d / mode)))
            quern.same(quern.output(m.d / mode), quern.word_counts(text))
            gone(m)


def test_lines_are_sorted_in_both_modes():
    with mesos() as m:
        text = m.d / "text"
        text.write_bytes(b"".join(b"%x\n" % (i * 2654435761 % (1 << 32)) for i in range(300000)))
        expected = b"".join(sorted(text.read_bytes().splitlines(keepends=True)))
        for mode in MODES:
            job = started(m, mode, "--task-memory", "64m", quern.EXAMPLES / "sort.c", text, m.d / mode)
            quern.check(m.d, quern.finish(job))
            assert quern.parts(m.d / mode) == expected
            gone(m)


def test_what_is_persisted_is_computed_once():
    with mesos() as m:
        (m.d / "in").mkdir()
        for i in range(4):
            (m.d / "in" / f"f{i}").write_bytes(TEXT + b"x" * 70000 + b"\n")
        for mode in MODES:
            seen = m.d / f"seen-{mode}"
            result = quern.finish(started(m, mode, quern.JOBS / "cache.c", m.d / "in", seen, "plain", "count", "count"))
            quern.check(m.d, result)
            assert result.stdout.split() == [b"804", b"804"], result.stdout
            assert seen.stat().st_size == 804
            gone(m)


def test_files_come_by_the_fetcher():
    with mesos() as m:
        text = m.d / "text"
        text.write_bytes(TEXT * 300)
        scripts = quern.EXAMPLES / "stream"
        for mode in MODES:
            job = started(m, mode, "--map", "./words.py", "--reduce", "./sum.py", "--files",
                          f"{scripts}/words.py,{scripts}/sum.py", "-i", text, "-o", m.d / mode, command="stream")
            quern.check(m.d, quern.finish(job))
            quern.same(quern.output(m.d / mode), quern.word_counts(text))
            gone(m)


def test_ranks_of_pages():
    with mesos() as m:
        links = m.d / "links"
        links.write_bytes(b"".join(b"%d %d\n" % (i % 3000, i * 2654435761 % 3000) for i in range(30000)))
        wanted = None
        for mode in MODES:
            quern.check(m.d, quern.finish(started(m, mode, quern.EXAMPLES / "pagerank.c", links, m.d / mode, "5")))
            ranks = dict(line.split(b"\t") for line in quern.output(m.d / mode))
            assert len(ranks) == 3000 and abs(sum(map(float, ranks.values())) - 3000) < 1e-6
            ranks = {page: round(float(rank), 9) for page, rank in ranks.items()}
            assert wanted in (None, ranks)
            wanted = ranks
            gone(m)


def test_an_agent_dies_with_everything_on_it():
    for mode in MODES:
        with mesos() as m:
            folder, out = m.d / "text", m.d / "out"
            folder.mkdir()
            for i in range(8):
                (folder / f"part{i}").write_bytes(TEXT * 10)
            gate = quern.Gate(m.d / "gate")
            job = started(m, mode, quern.JOBS / "gate.c", folder, out, gate.folder)
            try:
                gate.at(job, 3)  # on both agents
                m.agents[0].kill_all()
                gate.open()
                quern.check(m.d, quern.finish(job))
                quern.same(quern.output(out), quern.word_counts(folder))
                gone(m)
            finally:
                job.kill()
                job.wait()
                gate.close()


def test_a_killed_driver_is_forgotten_by_the_cluster():
    for mode in MODES:
        with mesos(1) as m:
            (m.d / "text").write_bytes(TEXT)
            gate = quern.Gate(m.d / "gate")
            job = started(m, mode, quern.JOBS / "gate.c", m.d / "text", m.d / "out", gate.folder)
            gate.at(job)
            job.send_signal(signal.SIGKILL)
            job.wait()
            gone(m)
            m.settled()
            gate.close()


def test_an_interrupt_takes_the_framework_down():
    with mesos(1) as m:
        (m.d / "text").write_bytes(TEXT)
        gate = quern.Gate(m.d / "gate")
        job = started(m, "fine", quern.JOBS / "gate.c", m.d / "text", m.d / "out", gate.folder)
        gate.at(job)
        job.send_signal(signal.SIGINT)
        quern.check(m.d, quern.finish(job), status=130)
        assert not (m.d / "out").exists()
        gone(m)
        gate.close()


if __name__ == "__main__":
    main(sys.modules[__name__])
