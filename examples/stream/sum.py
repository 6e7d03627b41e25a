#!/usr/bin/env python3
"""A reducer, and a combiner: adds up the numbers of each key. Lines come sorted by key, so equal ones are together."""
import itertools
import sys

pairs = (line.rstrip(b"\n").rpartition(b"\t") for line in sys.stdin.buffer)
for word, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
    sys.stdout.buffer.write(b"%s\t%d\n" % (word, sum(int(number) for _, _, number in group)))
