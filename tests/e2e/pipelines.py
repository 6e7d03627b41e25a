"""Random programs for jobs/pipelines.c, and what they must give: each operation in a few lines of Python.

A set is a list of records (key, value) and whether their order is known; a record without a key has None for one."""
import collections
import itertools
import random
import struct
import zlib

LIMIT, BYTES = 6000, 1 << 20  # of records, and what is in them, that a set may have
U64 = 1 << 64
TROUBLE = ["kill", "abort", "exit", "fail"]


def number(n):
    return struct.pack("<Q", n)


def checksum(value, key=None):
    return zlib.crc32(value, zlib.crc32(key or b""))


def keyed(records):
    return [(k or b"", v) for k, v in records]


def values_of(records):
    of = collections.defaultdict(list)
    for k, v in keyed(records):
        of[k].append(v)
    return of


def xored(values):
    result = b""
    for v in values:
        a, b = (v, result) if len(v) > len(result) else (result, v)
        result = bytes(x ^ y for x, y in zip(a, b)) + a[len(b):]
    return result


def added(values):
    return struct.pack("<QQ", len(values), sum(map(checksum, values)))


def digest(values):
    return b"%d/%d" % (len(values), sum(map(checksum, values)))


class Set:
    """`bare`: no record has a key but an empty one that a shuffle gave it, which text does not show."""

    def __init__(self, records, ordered=False, bare=False):
        self.records, self.ordered, self.bare = records, ordered, bare

    def each(self, function):
        """One step: any number of records for each."""
        return Set([new for k, v in self.records for new in function(k, v)], self.ordered)

    def by_key(self, function):
        """A record for each key."""
        return Set([(k, function(v)) for k, v in values_of(self.records).items()])

    def text(self):
        """Whether its records can be written as lines, and told apart again."""
        return not any(b"\n" in v or k is not None and (b"\n" in k or b"\t" in k) for k, v in self.records)

    def lines(self):
        return [v if k is None or self.bare else k + b"\t" + v for k, v in self.records]

    def small(self):
        return len(self.records) <= LIMIT and sum(len(k or b"") + len(v) for k, v in self.records) <= BYTES

    def wide(self):
        """Whether keys, values are numbers of 8 bytes."""
        return (all(len(k or b"") == 8 for k, _ in self.records), all(len(v) == 8 for _, v in self.records))


def in_order(records, order, by=lambda k: k):
    """As sort_by_key() has them. sorted() leaves equal ones as they came, also in reverse."""
    if order & 4:
        return sorted(records, key=lambda r: (r[1], by(r[0] or b"")), reverse=bool(order & 1))
    return sorted(records, key=lambda r: (by(r[0] or b""), r[1] if order & 2 else b""), reverse=bool(order & 1))


def by_length(key):
    return -len(key), key


# ---- Operations on one set: (set, a, b) -> Set. `a` and `b` are the first two numbers of the operation ----

NARROW = {
    "rekey": lambda s, a, b: s.each(
        lambda k, v: [(b"%d" % n if (n := checksum(v, k) % a) else b"", (k or b"") + b"=" + v)]),
    "swap": lambda s, a, b: s.each(lambda k, v: [(v, k or b"")]),
    "unkey": lambda s, a, b: s.each(lambda k, v: [(None if checksum(v, k) % a else k or b"", v)]),
    "number_key": lambda s, a, b: s.each(lambda k, v: [(number(checksum(v, k) % a), v)]),
    "several": lambda s, a, b: s.each(lambda k, v: [(k, v + m) for m in [b"b", b"a"][2 - checksum(v, k) % 3:]]),
    "several_values": lambda s, a, b: s.each(lambda k, v: [(k, v + m) for m in [b"b", b"a"][2 - checksum(v) % 3:]]),
    "several_alone": lambda s, a, b: s.each(lambda k, v: [(None, v + m) for m in [b"b", b"a"][2 - checksum(v) % 3:]]),
    "some": lambda s, a, b: s.each(lambda k, v: [(k, v)] * (checksum(v, k) % a != 0)),
    "values": lambda s, a, b: s.each(lambda k, v: [(None, v + b"+" + v[:3])]),
    "twice": lambda s, a, b: s.each(lambda k, v: [(k, v + b"+" + v[:3])]),
    "length": lambda s, a, b: s.each(lambda k, v: [(k, number(len(v)))]),
    "shared": lambda s, a, b: s.each(lambda k, v: [(k, v + b"abcdefghijklmnopq"[checksum(v) % 17:][:1])]),
    "partition": lambda s, a, b: s.each(lambda k, v: [(k, v)] * (checksum(v, k) % 3)),
    "unnumbered": lambda s, a, b: s,
    "numbered": lambda s, a, b: Set([(b"%d" % i, (k or b"") + b"#" + v) for i, (k, v) in enumerate(s.records)], True),
    "index": lambda s, a, b: Set([(number(i), v) for i, (_, v) in enumerate(s.records)], True),
    "sample": lambda s, a, b: s if a else Set([], True),
    "cat": lambda s, a, b: Set([(None, line) for line in s.lines()], s.ordered),
    "upper": lambda s, a, b: Set([(None, line.upper()) for line in s.lines()], s.ordered),
    "cat_keys": lambda s, a, b: Set([(line.partition(b"\t")[::2]) for line in s.lines()], s.ordered),
    "persist": lambda s, a, b: s,
    "unpersist": lambda s, a, b: s,
    "checkpoint": lambda s, a, b: s,
    "resources": lambda s, a, b: s,
    "sort_partitions": lambda s, a, b: Set(keyed(s.records)),
}


def by_place(s, a, b):
    return Set(sorted(s.records, key=lambda r: checksum(r[0] or b"") % b), s.ordered)


def ordered(s, records, order):
    """What a sort gives: its order is known if that of equal ones was, or values count."""
    return Set(keyed(records), s.ordered or bool(order & 2))


WIDE = {
    "greatest": lambda s, a, b: s.by_key(max),
    "xored": lambda s, a, b: s.by_key(xored),
    "sum": lambda s, a, b: s.by_key(lambda values: number(sum(struct.unpack("<Q", v)[0] for v in values) % U64)),
    "aggregate": lambda s, a, b: s.by_key(added),
    "fold": lambda s, a, b: s.by_key(xored),
    "combine": lambda s, a, b: s.by_key(lambda values: number(sum(map(len, values)))),
    "count_keys": lambda s, a, b: s.by_key(lambda values: number(len(values))),
    "count_values": lambda s, a, b: Set(
        [(v, number(n)) for v, n in collections.Counter(v for _, v in s.records).items()]),
    "sort": lambda s, a, b: ordered(s, in_order(s.records, a), a),
    "sort_numbers": lambda s, a, b: ordered(s, in_order(s.records, a, lambda k: struct.unpack("<Q", k)[0]), a),
    "sort_by": lambda s, a, b: ordered(s, in_order(s.records, a, by_length), a),
    "group": lambda s, a, b: s.by_key(digest),
    "group_each": lambda s, a, b: Set(keyed(s.records)),
    "group_key": lambda s, a, b: s.by_key(lambda values: b"there"),
    "distinct": lambda s, a, b: Set(list(set(s.records))),
    "repartition": lambda s, a, b: Set(s.records),
    "coalesce": lambda s, a, b: s,
    "by_hash": lambda s, a, b: Set(keyed(s.records)),
    "by_place": by_place,
    "place_and_sort": lambda s, a, b: Set(s.records),
}


def joined(left, right, all_left=False, all_right=False):
    a, b = values_of(left.records), values_of(right.records)
    new = [(k, v + b"|" + w) for k in a for v in a[k] for w in b.get(k, [])]
    if all_left:
        new += [(k, v + b"|-") for k in a if k not in b for v in a[k]]
    if all_right:
        new += [(k, b"-|" + w) for k in b if k not in a for w in b[k]]
    return Set(new)


def cogrouped(left, right):
    a, b = values_of(left.records), values_of(right.records)
    return Set([(k, digest(a.get(k, [])) + b"|" + digest(b.get(k, []))) for k in {*a, *b}])


BOTH = {
    "cogroup": cogrouped,
    "join": joined,
    "left_join": lambda a, b: joined(a, b, True),
    "right_join": lambda a, b: joined(a, b, False, True),
    "full_join": lambda a, b: joined(a, b, True, True),
    "packed_join": lambda a, b: joined(a, b, True, True),
    "subtract_keys": lambda a, b: Set([(k, v) for k, v in keyed(a.records) if k not in values_of(b.records)]),
    "cartesian": lambda a, b: Set([(k, v + b"*" + (q or b"") + b"=" + w) for k, v in a.records for q, w in b.records]),
    "union": lambda a, b: Set(a.records + b.records, a.ordered and b.ordered),
    "subtract": lambda a, b: Set([r for r in a.records if r not in set(b.records)]),
    "intersection": lambda a, b: Set(list(set(a.records) & set(b.records))),
}

FUNCTIONLESS = {"dup", "exchange", "drop", "text", "pairs", "records", "fixed", "range", "index", "sample", "cat",
                "upper", "cat_keys", "persist", "unpersist", "checkpoint", "resources", "sort_partitions", "sum",
                "count_keys", "count_values", "sort", "sort_numbers", "distinct", "repartition", "coalesce", "by_hash",
                "subtract_keys", "union", "subtract", "intersection", "save", "save_seq", "collect", "count", "take",
                "top", "least", "empty"}

# Give no keys to a set in which no record has one, as far as text shows.
KEEP_KEYS = {"several_values", "some", "twice", "length", "shared", "sample", "persist", "unpersist", "checkpoint",
             "resources", "sort_partitions", "sort", "sort_numbers", "sort_by", "distinct", "repartition", "coalesce",
             "by_hash", "by_place", "place_and_sort"}

# ---- Actions: the set, a, b -> what they give, and how it is compared ----


def exactly(got, wanted):
    assert got == wanted


def as_set(s):
    """Compares with the records of `s`, in order if that is known."""
    def compare(got, wanted):
        assert got == wanted if s.ordered else collections.Counter(got) == collections.Counter(wanted)
    return compare


def some_of(n):
    def compare(got, wanted):
        assert len(got) == min(n, len(wanted))
        assert not collections.Counter(got) - collections.Counter(wanted)
    return compare


def results(*numbers):
    return [(b"", b"".join(map(number, numbers)))]


def action(s, name, a, order):
    """What it gives, and what compares that."""
    values = [v for _, v in s.records]
    if name in ("collect", "save_seq"):
        return (keyed(s.records) if name == "collect" else s.records), as_set(s)
    if name == "save":
        return s.lines(), as_set(s)
    if name == "take":
        return (keyed(s.records)[:a], exactly) if s.ordered else (keyed(s.records), some_of(a))
    if name in ("top", "least"):
        return keyed(in_order(s.records, order ^ (name == "top")))[:a], exactly
    if name == "foreach":
        return results(len(values), sum(checksum(v, k) for k, v in s.records)), exactly
    return {
        "count": lambda: results(len(values)),
        "empty": lambda: results(not values),
        "reduce": lambda: [(b"", xored(values))] if values else [],
        "fold_all": lambda: [(b"", max(values, default=b""))],
        "aggregate_all": lambda: [(b"", added(values))],
    }[name](), exactly


ACTIONS = ["save", "save_seq", "collect", "collect", "count", "take", "top", "least", "foreach", "reduce", "fold_all",
           "aggregate_all", "empty"]

# ---- Programs ----


class Program:
    """The operations for the job; what each action of them gives; the inputs, as bytes or as a folder's files."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.ops, self.expected, self.inputs, self.stack = [], {}, [], []
        self.cluster = self.r.choice(["local[2]", "local[3x1]", "local[2x2]"])
        self.memory = self.r.choice([1, 2, 16])  # MiB of a task
        self.options = ["--parallelism", self.r.choice([1, 2, 3, 5, 8]), "--task-memory", f"{self.memory}m",
                        "--shuffle-compression", self.r.choice(["off", "1"]), "--task-max-failures", "30",
                        "--cache-memory", self.r.choice(["1m", "64m"])]
        self.troubles = self.r.choice([0.2, 0.4, 0.8])
        for _ in range(self.r.randrange(3, 16)):
            self.grow()
        while len(self.stack) > 1 or not self.expected:
            if not self.stack:
                self.source()
            elif len(self.stack) > 1:
                self.two(self.r.choice([*BOTH, "union", "union"]))
            else:
                self.act()
        self.act()

    def emit(self, name, a=0, b=0, c=0):
        how = "-"
        if name not in FUNCTIONLESS and self.r.random() < self.troubles:
            how = self.r.choice(TROUBLE * 2 + ["executor"] * 2)
        self.ops.append(f"{name}:{a}:{b}:{c}:{how}:{self.r.choice([1, 1, 1, 2, 3, 10, 50, 300])}")

    def grow(self):
        kind = self.r.random()
        if not self.stack or kind < 0.12 and len(self.stack) < 4:
            self.source()
        elif kind < 0.2 and len(self.stack) < 4:
            self.emit("dup")
            self.stack.append(self.stack[-1])
        elif len(self.stack) > 1 and kind < 0.25:
            self.emit("exchange")
            self.stack[-2:] = self.stack[:-3:-1]
        elif len(self.stack) > 1 and kind < 0.5:
            self.two(self.r.choice(list(BOTH)))
        elif kind < 0.58:
            self.act()
        elif kind < 0.8:
            self.one(self.r.choice(list(WIDE)), WIDE)
        else:
            self.one(self.r.choice(list(NARROW)), NARROW)

    # -- Inputs --

    def table(self, clean=b""):
        """Few keys come often; the bytes of `clean` are in none of it."""
        r = self.r
        n, size = r.choice([(0, 9), (1, 9), (7, 9), (60, 9), (60, 9), (300, 30), (300, 30), (2000, 60), (40, 9000)])
        keys = [None, b""] + [r.randbytes(r.randrange(1, 13)).translate(None, clean) for _ in range(r.randrange(1, 60))]
        words = [r.randbytes(r.randrange(size)).translate(None, clean) for _ in range(r.choice([3, 500]))]
        return [(keys[int(r.random() ** 3 * len(keys))], r.choice(words)) for _ in range(n)]

    def source(self):
        r, place, pieces = self.r, len(self.inputs), self.r.choice([0, 0, 1, 3, 7])
        kind = r.choice(["text", "pairs", "pairs", "pairs", "records", "records", "fixed", "range"])
        if kind == "range":
            first, n = r.choice([0, 250, 2**31]), r.choice([0, 1, 40, 700])
            self.emit(kind, first, pieces, n)
            self.stack.append(Set([(None, number(i)) for i in range(first, first + n)], True, True))
            return
        if kind == "records":
            table = self.table()
            self.inputs.append(b"".join(struct.pack("<II", 2**32 - 1 if k is None else len(k), len(v)) + (k or b"") + v
                                        for k, v in table))
        elif kind == "fixed":
            width = r.choice([1, 8, 100])
            table = [(None, r.choice([r.randbytes(width), b"f" * width])) for _ in range(r.choice([0, 5, 400]))]
            self.inputs.append(b"".join(v for _, v in table))
        else:
            table = self.table(b"\t\n")
            lines = [(k + b"\t" if k is not None else b"") + v for k, v in table]
            cuts = sorted(r.randrange(len(lines) + 1) for _ in range(r.choice([0, 0, 3])))
            self.inputs.append([b"".join(line + b"\n" for line in lines[i:j])
                                for i, j in itertools.pairwise([0, *cuts, len(lines)])])
            table = [(None, line) if kind == "text" else line.partition(b"\t")[::2] for line in lines]
        self.emit(kind, place, pieces, width if kind == "fixed" else 0)
        self.stack.append(Set(table, True, kind in ("text", "fixed")))

    # -- Transformations and actions, where they are possible --

    def partitions(self):
        return self.r.choice([0, 0, 0, 1, 2, 5, 9])

    def one(self, name, table):
        s, r = self.stack[-1], self.r
        a, b, c = r.choice([2, 3, 7, 50]), self.partitions(), 0
        if name in ("cat", "upper", "cat_keys") and not s.text() or name in ("numbered", "index") and not s.ordered:
            return
        if name == "sum" and not s.wide()[1] or name == "sort_numbers" and not s.wide()[0]:
            return
        if name in ("sort", "sort_by", "sort_numbers", "sort_partitions", "place_and_sort"):
            a = r.randrange(4)
        if name in ("sample", "persist"):
            a = r.random() < 0.8
        if name == "resources":
            a, c = (r.randrange(3), r.randrange(2 * self.memory)) if self.cluster != "local[3x1]" else (1, self.memory)
        if name in ("repartition", "coalesce", "by_place", "place_and_sort"):
            b = b or 4
        new = table[name](s, a, b)
        new = Set(new.records, new.ordered, s.bare and name in KEEP_KEYS or name in ("cat", "upper"))
        if new.small():
            self.emit(name, int(a), b, c)
            self.stack[-1] = new

    def two(self, name):
        a, b = self.stack[-2:]
        left, right = values_of(a.records), values_of(b.records)
        pairs = len(a.records) * len(b.records) if name == "cartesian" else sum(
            len(left[k]) * len(right.get(k, [])) for k in left)
        if pairs > LIMIT and (name == "cartesian" or "join" in name):
            return
        new = BOTH[name](a, b)
        new.bare = a.bare and (b.bare or name != "union") and name in ("union", "subtract", "intersection")
        if new.small():
            self.emit(name, 0, self.partitions(), 1000)
            self.stack[-2:] = [new]
        elif name == "union":  # too much to go on with
            self.stack.pop()
            self.emit("drop")

    def act(self):
        s, name = self.stack[-1], self.r.choice(ACTIONS)
        n = self.r.choice([0, 1, 5, 100])
        order = self.r.choice([0, 1, 2, 3, 4, 5] if s.ordered else [2, 3, 4, 5])
        if name == "save" and not s.text():
            name = "save_seq"
        if name in ("save", "save_seq"):
            n = self.r.randrange(2)
        self.expected[len(self.ops)] = (name, action(s, name, n, order))
        self.emit(name, n, 0, order)
