"""`quern run --explain`: what would be run, and that nothing is."""
import sys

import quern


def explain(d, job, *more, status=0):
    result = quern.run(d, "run", "--master", "local[4]", "--explain", quern.EXAMPLES / job, *more)
    quern.check(d, result, status)
    return result


def test_the_plan_of_a_word_count():
    with quern.scratch() as d:
        (d / "in").mkdir()
        for name in "a", "b":
            (d / "in" / name).write_bytes(b"to be or not to be\n" * (1 << 16))
        result = explain(d, "wordcount.c", d / "in", d / "out")
        lines = result.stdout.decode().splitlines()
        assert lines[0] == f"run 1: save_text({d}/out)", lines
        assert lines[1].startswith(f"  stage 1 (4 tasks): text '{d}/in' -> shuffle 1 of 4 partitions, "), lines
        assert lines[2] == "    flat_map words", lines
        assert lines[3].endswith(f"reduced by quern_sum_u64 -> text '{d}/out' as key<TAB>u64"), lines
        assert lines[4] == "  input of stage 1: 2 files of 2.4 MiB in 4 splits", lines
        assert len(lines) == 5 and result.stderr == b""
        assert not (d / "out").exists()


def test_it_ends_where_an_answer_is_wanted():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"a b c\n")
        lines = explain(d, "top_words.c", d / "in", "1").stdout.decode().splitlines()
        assert lines[0].startswith("run 1: ") and lines[-1] == "what follows depends on the answer", lines


def test_what_runs_before_an_action_is_shown():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"a\tb\n" * 100)
        result = quern.run(d, "run", "--master", "local[4]", "--explain", quern.JOBS / "narrow.c", "zip_shuffled",
                           d / "in", d)
        quern.check(d, result)
        lines = result.stdout.decode().splitlines()
        assert [row for row in lines if row.startswith("run ")] == \
            ["run 1: zip_with_index: count", "run 2: sort_by_key: sample", "run 3: collect"], lines
        for row in "    tag 3 partitions round_robin", "    untag", "    zip":
            assert row in lines, (row, lines)
        assert lines[-1] == "what follows depends on the answer", lines


def test_what_could_not_be_run_is_said():
    with quern.scratch() as d:
        (d / "in").write_bytes(b"a b c\n")
        quern.one_line(explain(d, "wordcount.c", d / "nowhere", d / "out", status=1), "nowhere")
        (d / "out").mkdir()
        quern.one_line(explain(d, "wordcount.c", d / "in", d / "out", status=1), "exists already")


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
