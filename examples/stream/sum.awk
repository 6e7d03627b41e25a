#!/usr/bin/awk -f
# A reducer, and a combiner: adds up the numbers of each key. Lines come sorted by key, so equal ones are together.
BEGIN { FS = OFS = "\t" }
NR > 1 && $1 != key { print key, sum; sum = 0 }
{ key = $1; sum += $2 }
END { if (NR > 0) print key, sum }
