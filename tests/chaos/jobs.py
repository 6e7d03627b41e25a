"""The jobs of chaos.py: one after the other in one mode, each with an answer that other tools know."""
import os
import random
import subprocess
import threading

import quern

KINDS = ["words", "sort", "stream"]
SLOW = "./sum.py; sleep 1"  # tasks that something can happen to


class Jobs:
    def __init__(self, m, d, mode, seed, log, stop):
        self.m, self.mode, self.log, self.stop = m, mode, log, stop
        self.d = d / mode
        (self.d / "tmp").mkdir(parents=True)
        self.r = random.Random(f"{seed}-{mode}")
        self.text, self.done, self.last = self.write(), 0, False
        self.counts = quern.word_counts(self.text)
        self.sorted = subprocess.run(["sh", "-c", "cat \"$1\"/* | sort", "sh", self.text], env=dict(os.environ, LC_ALL="C"),
                                     stdout=subprocess.PIPE, check=True).stdout
        self.thread = threading.Thread(target=self.run)

    def write(self):
        folder = self.d / "text"
        folder.mkdir()
        for i in range(16):  # each a split of its own
            lines = [b" ".join(b"w%d" % int(20000 ** self.r.random()) for _ in range(self.r.randrange(1, 20)))
                     for _ in range(self.r.randrange(2000, 6000))]
            (folder / f"f{i}").write_bytes(b"".join(line + b"\n" for line in lines))
        return folder

    def command(self, kind, out):
        # In the end both ways to name the masters are taken.
        master = self.m.zk if self.m.zk and os.environ.get("QUERN_CHAOS_ZK") and self.r.random() < 0.5 else self.m.address
        common = [f"--master={master}", f"--mode={self.mode}", "--verbose", "--max-registered-wait=2m", "--master-timeout=2m",
                  f"--total-executor-cores={2 if self.mode == 'coarse' else 8}", f"--name={self.mode}-{self.done}"]
        if kind == "stream":
            scripts = quern.EXAMPLES / "stream"
            return ["stream", *common, "--map", "./words.py", "--reduce", SLOW, "--reducers", "20", "--files",
                    f"{scripts}/words.py,{scripts}/sum.py", "-i", self.text, "-o", out]
        return ["run", *common, "--task-memory=64m", quern.EXAMPLES / ("wordcount.c" if kind == "words" else "sort.c"), self.text, out]

    def check(self, kind, out):
        if kind == "sort":
            assert quern.parts(out) == self.sorted, "not the sorted lines"
        else:
            quern.same(quern.output(out), self.counts)

    def listen(self, process, path):
        """What a job says, with the times of chaos.log."""
        with open(path, "w", encoding="utf-8") as out, process.stderr:
            for line in process.stderr:
                print(f"{self.log.now():.3f}", line.decode(errors="replace").rstrip(), file=out, flush=True)

    def one(self):
        kind, out = self.r.choice([*KINDS, "stream"]), self.d / f"out{self.done}"
        begun = self.log.now()
        process = quern.start(self.d, *self.command(kind, out))
        self.log("job", f"{self.mode}-{self.done}", kind, "begins")
        said = self.d / f"stderr{self.done}"
        reader = threading.Thread(target=self.listen, args=(process, said))
        reader.start()
        try:
            status = process.wait(timeout=quern.TIMEOUT)
        except subprocess.TimeoutExpired:
            self.log.failure(f"{self.mode}-{self.done}", kind, f"did not end in {quern.TIMEOUT} s: pid {process.pid}")
            process.kill()
            status = process.wait()
        reader.join()
        process.stdout.close()
        try:
            assert status == 0, f"status {status}"
            self.check(kind, out)
            self.log("job", f"{self.mode}-{self.done}", kind, f"is right, {self.log.now() - begun:.1f} s")
            subprocess.run(["rm", "-rf", out], check=True)
        except AssertionError as e:
            last = said.read_text(errors="replace").strip().split("\n")[-1]
            self.log.failure(f"{self.mode}-{self.done}", kind, str(e)[:300], "|", last, f"| see {said}")
        self.done += 1

    def run(self):
        while not self.last and not self.stop.is_set():
            self.one()

    def report(self):
        self.log(f"{self.mode}: {self.done} jobs")
        left = quern.working_in(self.d) + [p for p in (self.d / "tmp").iterdir()]
        if left:
            self.log.failure(f"{self.mode} left behind:", *left)
