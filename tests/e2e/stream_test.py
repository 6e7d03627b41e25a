"""quern stream, and pipes of the API: what commands make of lines, against the same done in Python or by sort and uniq."""
import collections
import gzip
import itertools
import os
import random
import subprocess
import sys

import quern

MODES = quern.MODES
CLUSTERS = itertools.cycle(itertools.product(MODES, ["local[2]", "local[2x2]"]))
WORDS = ["mill", "stone", "grain", "flour", "a", "of", "été", "x" * 70, "\\n", "'quoted'", '"', "$HOME", "*"]

MAP = """#!/usr/bin/env python3
import sys
for line in sys.stdin.buffer:
    for word in line.split():
        sys.stdout.buffer.write(word + b"\\t1\\n")
"""
# Fails where a key comes twice.
REDUCE = """#!/usr/bin/env python3
import itertools, sys
pairs = (line.rstrip(b"\\n").split(b"\\t") for line in sys.stdin.buffer)
seen = set()
for key, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
    assert key not in seen
    seen.add(key)
    sys.stdout.buffer.write(b"%s\\t%d\\n" % (key, sum(int(n) for _, n in group)))
"""
AWK_MAP = "awk '{ for (i = 1; i <= NF; i++) print $i \"\\t1\" }'"
AWK_REDUCE = "awk -F '\\t' '($1 \"\") != (k \"\") && NR > 1 { print k \"\\t\" n; n = 0 } { k = $1; n += $2 } END { if (NR) print k \"\\t\" n }'"


def script(d, name, text):
    path = d / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def text(d, lines=2000, files=3, seed=1):
    """A folder of text."""
    r = random.Random(seed)
    folder = d / "text"
    folder.mkdir()
    for i in range(files):
        (folder / f"part {i}.txt").write_text("".join(" ".join(r.choices(WORDS, k=r.randrange(8))) + "\n"
                                                      for _ in range(lines)))
    return folder


def start(d, *args, cluster=None):
    mode, master = cluster or next(CLUSTERS)
    return quern.start(d, "stream", "--master", master, "--mode", mode, *args)


def run(d, *args, status=0, cluster=None):
    result = quern.finish(start(d, *args, cluster=cluster))
    quern.check(d, result, status)
    return result


def lines_of(folder):
    """The lines of each part, in their order."""
    return [p.read_bytes().split(b"\n")[:-1] for p in sorted(folder.glob("part-*"))]


# ---- Word count ----

def test_word_count_in_python():
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d)
            script(d, "map.py", MAP)
            script(d, "reduce.py", REDUCE)
            # Files that are called ./NAME are sent along.
            run(d, "--map", "./map.py", "--reduce", "exec ./reduce.py", "--reducers", 3, "-i", folder, "-o", d / "out",
                cluster=(mode, "local[2x2]"))
            quern.same(quern.output(d / "out"), quern.word_counts(folder))
            assert len(lines_of(d / "out")) == 3


def test_a_program_in_another_folder_is_sent_along():
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d)
            for name, source in ("tools/map.py", MAP), ("tools/reduce.py", REDUCE), ("other/map.py", REDUCE):
                (d / name).parent.mkdir(exist_ok=True)
                script(d, name, source)
            run(d, "--map", "tools/map.py", "--combine", "./tools/reduce.py", "--reduce", "tools/reduce.py", "-i", folder, "-o",
                d / "out", cluster=(mode, "local[2x1]"))
            quern.same(quern.output(d / "out"), quern.word_counts(folder))
            result = quern.run(d, "stream", "--map", "tools/map.py", "--reduce", "other/map.py", "-i", folder, "-o", d / "two")
            quern.check(d, result, 1)
            quern.one_line(result, "map.py")


def test_word_count_in_awk():
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d)
            run(d, "--map", AWK_MAP, "--reduce", AWK_REDUCE, "-i", folder, "-o", d / "out", cluster=(mode, "local[2]"))
            quern.same(quern.output(d / "out"), quern.word_counts(folder))


def test_a_combiner_makes_less_of_the_same():
    with quern.scratch() as d:
        folder = text(d)
        script(d, "map.py", MAP)
        script(d, "reduce.py", REDUCE)
        common = "--map", "./map.py", "--combine", "./reduce.py", "-i", folder
        run(d, *common, "--reduce", "./reduce.py", "-o", d / "out")
        quern.same(quern.output(d / "out"), quern.word_counts(folder))
        # What comes to the reducers: one line for each key of each map task.
        run(d, *common, "--reduce", "cat", "-o", d / "combined", cluster=("coarse", "local[2]"))
        combined = collections.Counter(line.split(b"\t")[0] for line in quern.output(d / "combined"))
        counts = dict(line.split(b"\t") for line in quern.word_counts(folder))
        assert combined.keys() == counts.keys()
        assert max(combined.values()) <= 3, combined


def test_as_hadoop_users_write_it():
    with quern.scratch() as d:
        folder = text(d)
        script(d, "map.py", MAP)
        (d / "scripts").mkdir()
        script(d, "scripts/sum.py", REDUCE)
        run(d, "-D", "mapreduce.job.reduces=2", "-Dmapred.job.name=words", "-files", "map.py,scripts/sum.py", "-input",
            folder / "part 0.txt", "-input", folder / "part [12].txt", "-output", "out", "-mapper", "map.py", "-combiner",
            "sum.py", "-reducer", "sum.py", "-numReduceTasks", "4")
        quern.same(quern.output(d / "out"), quern.word_counts(folder))
        assert len(lines_of(d / "out")) == 4
        run(d, "-file", "map.py", "-mapper", "python3 map.py", "-reducer", "NONE", "-input", folder, "-output", "plain",
            "-D", "mapreduce.output.fileoutputformat.compress=true")
        got = b"".join(gzip.decompress(p.read_bytes()) for p in (d / "plain").glob("part-*.gz"))
        expected = subprocess.run(["sh", "-c", 'cat "$1"/* | ./map.py | sort', "sh", folder], cwd=d, check=True,
                                  env=dict(os.environ, LC_ALL="C"), stdout=subprocess.PIPE).stdout
        quern.same(sorted(got.split(b"\n")[:-1]), expected.split(b"\n")[:-1])


# ---- Keys ----

def records(n, seed):
    """Lines of host, time and text, and the same as tuples."""
    r = random.Random(seed)
    rows = [(b"host%d" % r.randrange(20), b"%06d" % r.randrange(10**6), b"text %d" % i) for i in range(n)]
    return rows


def test_secondary_sort():
    for separator in b"\t", b"::":
        with quern.scratch() as d:
            rows = records(5000, 2)
            (d / "log").write_bytes(b"".join(separator.join(row) + b"\n" for row in rows))
            run(d, "--map", "cat", "--reduce", "sed \"s/^/$QUERN_TASK_PARTITION /\"", "--key-fields", 2,
                "--partition-fields", 1, "--separator", separator.decode(), "--reducers", 3, "-i", d / "log", "-o", d / "out")
            parts = lines_of(d / "out")
            assert len(parts) == 3
            hosts = [set(line.split(b" ", 1)[1].split(separator)[0] for line in part) for part in parts]
            assert sum(map(len, hosts)) == len(set.union(*hosts)) == 20, hosts
            for number, part in enumerate(parts):
                assert all(line.startswith(b"%d " % number) for line in part)
                keys = [line.split(b" ", 1)[1].rpartition(b"\t")[0] for line in part]
                assert keys == sorted(keys)
            # Between key and value there is a tab, whatever is between fields.
            expected = [host + separator + time + b"\t" + rest for host, time, rest in rows]
            quern.same(sorted(line.split(b" ", 1)[1] for part in parts for line in part), sorted(expected))


def test_the_same_by_hadoops_properties():
    with quern.scratch() as d:
        rows = records(2000, 3)
        (d / "log").write_bytes(b"".join(b".".join(row) + b"\n" for row in rows))
        run(d, "-D", "stream.map.output.field.separator=.", "-D", "stream.num.map.output.key.fields=2", "-D",
            "map.output.key.field.separator=.", "-D", "mapreduce.partition.keypartitioner.options=-k1,1", "-D",
            "mapreduce.partition.keycomparator.options=-r", "-partitioner",
            "org.apache.hadoop.mapred.lib.KeyFieldBasedPartitioner", "-D", "mapred.reduce.tasks=4", "-mapper", "cat",
            "-reducer", "cat", "-input", "log", "-output", "out")
        parts = lines_of(d / "out")
        assert len(parts) == 4
        for part in parts:
            keys = [line.split(b"\t")[0] for line in part]
            assert keys == sorted(keys, reverse=True)
        quern.same(quern.output(d / "out"), sorted(b"%s.%s\t%s" % row for row in rows))
        hosts = [set(line.split(b".")[0] for line in part) for part in parts]
        assert sum(map(len, hosts)) == len(set.union(*hosts))


def number_of(key):
    head = "".join(itertools.takewhile(lambda c: c in "+-.0123456789", key))
    return float(head) if head else 0.0


def test_numeric_keys():
    with quern.scratch() as d:
        r = random.Random(4)
        keys = [str(r.randrange(-1000, 1000)) for _ in range(500)] + [f"{r.random():.3f} apples" for _ in range(100)] + \
            ["none", "", "-0.5x", "12e"]
        r.shuffle(keys)
        (d / "numbers").write_text("".join(f"{key}\tvalue {i}\n" for i, key in enumerate(keys)))
        for options in ["--numeric"], ["--numeric", "--reverse"], ["-D", "mapreduce.partition.keycomparator.options=-nr"]:
            out = d / "-".join(["out", *options]).replace(".", "")
            run(d, "--map", "cat", "--combine", "cat", "--reduce", "cat", "--reducers", 1, *options, "-i", d / "numbers",
                "-o", out)
            (part,) = lines_of(out)
            got = [line.decode().split("\t")[0] for line in part]
            expected = sorted(keys, key=lambda key: (number_of(key), key.encode()), reverse=options != ["--numeric"])
            assert got == expected, [(g, e) for g, e in zip(got, expected) if g != e][:5]


# ---- Lines ----

def test_without_a_reducer_lines_are_as_they_are():
    with quern.scratch() as d:
        r = random.Random(5)
        lines = [r.randbytes(r.randrange(200)).replace(b"\n", b"\t") for _ in range(3000)] + [b"", b"\t", b"\x00" * 100000]
        (d / "binary").write_bytes(b"\n".join(lines))  # and no newline at the end
        for options in [], ["--reducers", "0", "--reduce", "false"], ["--compress", "zstd"]:
            out = d / ("out" + "".join(options))
            run(d, "--map", "cat", *options, "-i", d / "binary", "-o", out)
            if options == ["--compress", "zstd"]:
                subprocess.run(["zstd", "-dq", "--rm", *out.glob("part-*.zst")], check=True)
            quern.same(quern.output(out), sorted(lines))


def test_what_neither_reads_nor_writes_in_turn():
    with quern.scratch() as d:
        (d / "lines").write_bytes(b"".join(b"%07d a line of some length, so that there are megabytes\n" % i for i in range(60000)))
        lines = (d / "lines").read_bytes().split(b"\n")[:-1]
        # Twice as much as it reads; a lot before it reads; and on the other stream.
        run(d, "--map", "sed p; seq 200000 >&2", "--reduce", "seq 100000; cut -f 1 | uniq -d", "--reducers", 1, "-i", d / "lines",
            "-o", d / "out", cluster=("fine", "local[2]"))
        quern.same(quern.output(d / "out"), sorted([b"%d" % (i + 1) for i in range(100000)] + lines))


def test_a_command_may_leave_input_unread():
    for mode in MODES:
        with quern.scratch() as d:
            (d / "lines").write_bytes(b"".join(b"line %06d of many\n" % i for i in range(200000)))
            run(d, "--map", "head -n 2", "-i", d / "lines", "-o", d / "out", cluster=(mode, "local[1]"))
            out = quern.output(d / "out")
            assert out[:2] == [b"line 000000 of many", b"line 000001 of many"] and len(out) % 2 == 0, out


def test_words_for_the_shell():
    with quern.scratch() as d:
        (d / "in put").write_bytes(b"it's \"one\"\tsecond field\n")
        script(d, "my map.sh", "#!/bin/sh\nexec sed \"s/^/$1: /\"\n")
        run(d, "--files", d / "my map.sh", "--map", "\"./my map.sh\" 'a \"b\" $c' | tr a-z A-Z", "-i", d / "in put", "-o",
            d / "out")
        assert quern.output(d / "out") == [b"A \"B\" $C: IT'S \"ONE\"\tSECOND FIELD"], quern.output(d / "out")


def test_what_commands_see():
    with quern.scratch() as d:
        (d / "a.txt").write_bytes(b"x\n")
        what = "echo \"$A|$B|$QUERN_STAGE|$QUERN_TASK_PARTITION|$QUERN_TASK_ATTEMPT|$mapreduce_task_partition|" \
            "$mapreduce_task_ismap|$mapreduce_map_input_file|$mapreduce_map_input_start|$mapreduce_map_input_length|$(cd $TMPDIR && pwd)\""
        for mode in MODES:
            out = d / mode
            run(d, "--map", what, "--reduce", what + "; cat", "--reducers", 1, "--env", "A=with space", "-cmdenv", "B==", "-i",
                d / "a.txt", "-o", out, cluster=(mode, "local[1]"))
            reduced, mapped = (line.split(b"|") for line in sorted(quern.output(out), key=lambda line: b"true" in line))
            assert mapped[:2] == reduced[:2] == [b"with space", b"="]
            assert mapped[3:] == [b"0", b"0", b"0", b"true", str(d / "a.txt").encode(), b"0", b"2", mapped[10]], mapped
            assert any(mapped[10].startswith(str(folder).encode() + b"/") for folder in quern.sandboxes(d)), mapped
            assert reduced[3:] == [b"0", b"0", b"0", b"false", b"", b"", b"", reduced[10]], reduced
            assert mapped[2] != reduced[2]


# ---- Failures ----

def test_a_failing_command_fails_the_job():
    for mode, (command, how) in zip(MODES * 2, [
            ("echo first >&2; echo 'no such luck' >&2; exit 3", "exited with status 3; it said: no such luck"),
            ("cat; kill -SEGV $$", "was killed by SIGSEGV"),
            ("head -n 1; exit 1", "exited with status 1"),
            ("./not-there", "exited with status 127")]):
        with quern.scratch() as d:
            folder = text(d)
            result = run(d, "-q", "--map", command, "--reduce", "cat", "--task-max-failures", 2, "-i", folder, "-o", d / "out",
                         status=1, cluster=(mode, "local[2]"))
            for words in command[:20], how:
                assert words in result.stderr.decode(), (words, result.stderr)
            assert not (d / "out").exists()
            result = run(d, "-q", "--map", "cat", "--reduce", command, "--task-max-failures", 1, "-i", folder, "-o", d / "out",
                         status=1, cluster=(mode, "local[2]"))
            assert how in result.stderr.decode(), result.stderr


def test_a_failure_that_passes_changes_nothing():
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d)
            script(d, "map.py", MAP)
            script(d, "reduce.py", REDUCE)
            # Prints half, fails; the second time it does not.
            once = f"if [ $QUERN_TASK_ATTEMPT = 0 ]; then head -n 100 | %s; exit 9; fi; exec %s"
            run(d, "--map", once % ("./map.py", "./map.py"), "--combine", "./reduce.py",
                "--reduce", once % ("./reduce.py", "./reduce.py"), "-i", folder, "-o", d / "out", cluster=(mode, "local[2]"))
            quern.same(quern.output(d / "out"), quern.word_counts(folder))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return int(f.read().rpartition(")")[2].split()[1])


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read()


def test_a_killed_command_or_worker_costs_one_attempt():
    for mode, victim in itertools.product(MODES, ["command", "worker"]):
        with quern.scratch() as d:
            folder = text(d)
            gate = quern.Gate(d / "gate")
            # The one that waits is far below the shell that the worker has started.
            script(d, "deep.sh", f"""#!/bin/sh
if [ $1 -gt 0 ]; then ./deep.sh $(($1 - 1)); exit; fi
echo $$ >{d}/gate/at; : <{d}/gate/open; exec cat
""")
            process = start(d, "--map", "./deep.sh 5", "--reduce", "cat", "-i", folder, "-o", d / "out", cluster=(mode, "local[2]"))
            try:
                command = [gate.at(process)[0]]
                while b"quern-executor" not in command_line(parent(command[-1])):
                    command.append(parent(command[-1]))
                assert len(command) > 4, command
                quern.kill(command[-1] if victim == "command" else parent(command[-1]))
                for pid in command:
                    quern.wait_for("the end of the command", lambda pid=pid: not alive(pid))
                gate.open()
                result = quern.finish(process)
            finally:
                gate.close()
            quern.check(d, result)
            lines = sorted(line for p in folder.iterdir() for line in p.read_bytes().split(b"\n")[:-1])
            quern.same(quern.output(d / "out"), sorted(line + b"\t" for line in lines))


# ---- Counters ----

def test_counters_are_those_of_tasks_that_succeed():
    count = "awk '{ print; print \"reporter:counter:group,lines,1\" >\"/dev/stderr\" } END { " \
        "print \"reporter:counter:group,less,-2\" >\"/dev/stderr\"; print \"reporter:status:all read\" >\"/dev/stderr\" }'"
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d, lines=300, files=4)
            # What an attempt that fails has counted does not count.
            command = f"if [ $QUERN_TASK_ATTEMPT = 0 ]; then head -n 50 | {count}; exit 1; else {count}; fi"
            result = quern.run(d, "run", "-q", "--master", "local[2]", "--mode", mode, quern.JOBS / "pipe.c", "counters", folder,
                               "-", command)
            quern.check(d, result)
            lines, less = map(int, result.stdout.split())
            assert lines == 1200 and less < 0 and less % 2 == 0, result.stdout
            result = run(d, "--map", count, "-i", folder, "-o", d / "out", cluster=(mode, "local[1]"))
            assert b"group:lines: 1200\n" in result.stderr and b"reporter" not in result.stderr, result.stderr


# ---- Pipes among other steps ----

def pipe_job(d, what, *more, options=(), mode=None):
    result = quern.run(d, "run", "--master", "local[2]", "--mode", mode or next(CLUSTERS)[0], *options, quern.JOBS / "pipe.c", what,
                       d / "text", *more)
    quern.check(d, result)
    return result


def test_a_pipe_gets_keys_and_numbers_as_people_read_them():
    with quern.scratch() as d:
        folder = text(d)
        pipe_job(d, "counts", d / "out", "sed 's/^/= /'")
        quern.same(quern.output(d / "out"), sorted(b"= " + line for line in quern.word_counts(folder)))


def test_a_pipe_gets_lines_that_were_sorted_as_lines():
    for mode in MODES:
        with quern.scratch() as d:
            lines = [b"line %d" % (i * 7 % 100) for i in range(100)]
            (d / "text").write_bytes(b"".join(line + b"\n" for line in lines))
            pipe_job(d, "sort_before", d / "out", "uniq", mode=mode)  # equal ones are side by side
            quern.same(quern.output(d / "out"), sorted(lines))


def test_bad_records_behind_a_pipe_are_left_out_alone():
    for mode in MODES:
        with quern.scratch() as d:
            lines = [b"line %d" % i for i in range(5000)]
            (d / "text").write_bytes(b"".join(line + b"\n" for line in lines))
            result = pipe_job(d, "chain", d / "out", options=["--max-bad-records", "1000"], mode=mode)
            quern.same(quern.output(d / "out"), sorted(line for line in lines if not line.endswith(b"7")))
            assert b"500 bad records were left out" in result.stderr, result.stderr
            assert b"record 8: value '     8\\x09line 7'" in result.stderr, result.stderr


def test_a_pipe_is_ended_when_enough_was_taken():
    for mode in MODES:
        with quern.scratch() as d:
            (d / "text").write_bytes(b"x\n" * 100000)
            assert pipe_job(d, "take", "-", "yes", mode=mode).stdout == b"y\ny\ny\n"


def test_what_a_pipe_made_is_kept_as_a_whole():
    for mode in MODES:
        with quern.scratch() as d:
            folder = text(d, files=2)
            ran = d / "ran"
            result = pipe_job(d, "persisted", "-", f"echo $QUERN_TASK_PARTITION >>{ran}; sed p", mode=mode)
            assert result.stdout == b"8000 8000\n", result.stdout
            tasks = ran.read_bytes().split()
            assert len(tasks) == len(set(tasks)), tasks
            pipe_job(d, "sort_behind", d / "out", "sed p", mode=mode)
            lines = [line for p in folder.iterdir() for line in p.read_bytes().split(b"\n")[:-1] for _ in range(2)]
            assert [line for part in lines_of(d / "out") for line in part] == sorted(line + b"\tvalue" for line in lines)


def test_a_command_before_a_sort_sees_whole_partitions():
    with quern.scratch() as d:
        (d / "text").mkdir()
        n = 300000  # lines: more than a sample of a text would read
        (d / "text" / "numbers").write_bytes(b"".join(b"%d\n" % i for i in range(1, n + 1)))
        pipe_job(d, "sort_behind", d / "out", "awk 'NR > 1 && $1 != last + 1 { exit 3 } { last = $1; print }'")
        assert [line for part in lines_of(d / "out") for line in part] == sorted(b"%d\tvalue" % i for i in range(1, n + 1))


def test_partitions_are_sorted_where_they_are():
    with quern.scratch() as d:
        r = random.Random(6)
        (d / "text").mkdir()
        parts = [[b"%08d %s" % (r.randrange(10**8), b"x" * 40) for _ in range(n)] for n in (150000, 0, 150000)]
        for i, part in enumerate(parts):
            (d / "text" / f"{i}").write_bytes(b"".join(line + b"\n" for line in part))
        # More than the memory of a task.
        pipe_job(d, "sort_partitions", d / "out", options=["--task-memory", "160m" if quern.SANITIZED else "16m"])
        got = lines_of(d / "out")
        for part in got:
            assert part == sorted(part, reverse=True)
        quern.same(sorted(line for part in got for line in part), sorted(line + b"\tvalue" for part in parts for line in part))


# ---- Command lines ----

def test_mistakes_are_said_before_anything_runs():
    good = ["--map", "cat", "-i", "in", "-o", "out"]
    for args, words in [
            ([], ["no --map"]),
            (["--map", "cat", "-o", "out"], ["no --input"]),
            (["--map", "cat", "-i", "in"], ["no --output"]),
            ([*good, "--combine", "cat"], ["--combine without --reduce"]),
            ([*good, "--reducers", "2"], ["--reducers without --reduce"]),
            ([*good, "--reduce", "cat", "--partition-fields", "2"], ["--partition-fields", "1 fields only"]),
            ([*good, "--reducers", "many"], ["reducers", "many"]),
            ([*good, "--key-fields", "0"], ["key-fields"]),
            ([*good, "--separator", ""], ["separator"]),
            ([*good, "--compress", "lzo"], ["lzo", "gzip and zstd"]),
            ([*good, "-outputformat", "Text"], ["-outputformat", "leave it out"]),
            ([*good, "-inputs", "x"], ["-inputs", "-i nputs"]),
            ([*good, "--env", "=x"], ["NAME=VALUE"]),
            ([*good, "-D", "stream.map.output=x"], ["unknown property 'stream.map.output'", "stream.num.map.output.key.fields"]),
            ([*good, "-D", "nothing"], ["KEY=VALUE"]),
            ([*good, "-D", "mapreduce.job.reduces=-1"], ["mapreduce.job.reduces", "-1"]),
            ([*good, "-D", "mapreduce.partition.keypartitioner.options=-k2,2"], ["-k1,N"]),
            ([*good, "-D", "mapreduce.partition.keycomparator.options=-k2"], ["-n and -r"]),
            ([*good, "-D", "mapreduce.map.output.key.field.separator=."], ["separated"]),
            ([*good, "-D", "quern.task.cores=none"], ["quern.task.cores", "none"]),
            ([*good, "--mode", "slow"], ["slow"]),
            ([*good, "--nonsense"], ["nonsense"])]:
        with quern.scratch() as d:
            (d / "in").write_bytes(b"x\n")
            result = quern.run(d, "stream", *args)
            quern.check(d, result, 2)
            for word in words:
                assert word in result.stderr.decode(), (args, word, result.stderr)
            assert not (d / "out").exists()
    with quern.scratch() as d:
        (d / "in").write_bytes(b"x\n")
        for args, word in [(["--map", "  ", "-i", "in", "-o", "out"], "command is empty"),
                           (["--map", "cat", "-i", "missing", "-o", "out"], "missing")]:
            result = run(d, "-q", *args, status=1)
            assert word in result.stderr.decode(), result.stderr


if __name__ == "__main__":
    quern.main(sys.modules[__name__])
