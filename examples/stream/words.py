#!/usr/bin/env python3
"""A mapper: for each word a line "WORD<TAB>1".

    quern stream --map ./words.py --combine ./sum.py --reduce ./sum.py --files words.py,sum.py -i INPUT -o OUTPUT
"""
import sys

for line in sys.stdin.buffer:
    for word in line.split():
        sys.stdout.buffer.write(word + b"\t1\n")
