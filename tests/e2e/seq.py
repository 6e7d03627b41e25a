"""Reads seq files, by docs/seq-format.md alone: nothing here is quern's. Slow."""
import struct
import subprocess

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
                      0x27D4EB2F165667C5)


def rotl(x, n):
    return (x << n | x >> (64 - n)) & MASK


def mix(acc, lane):
    return rotl((acc + lane * P2) & MASK, 31) * P1 & MASK


def xxh64(seed, data):
    """As its specification says it."""
    n, at = len(data), 0
    if n >= 32:
        v = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        for lanes in struct.iter_unpack("<4Q", data[:n // 32 * 32]):
            v = [mix(a, lane) for a, lane in zip(v, lanes)]
        at = n // 32 * 32
        h = (rotl(v[0], 1) + rotl(v[1], 7) + rotl(v[2], 12) + rotl(v[3], 18)) & MASK
        for a in v:
            h = ((h ^ mix(0, a)) * P1 + P4) & MASK
    else:
        h = (seed + P5) & MASK
    h = (h + n) & MASK
    while n - at >= 8:
        h = (rotl(h ^ mix(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if n - at >= 4:
        h = (rotl(h ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * P5 & MASK, 11) * P1 & MASK
    h = (h ^ h >> 33) * P2 & MASK
    h = (h ^ h >> 29) * P3 & MASK
    return h ^ h >> 32


def length(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return n, at


def records_of(data):
    at = 0
    while at < len(data):
        key, at = length(data, at)
        value, at = length(data, at)
        end = at + max(key - 1, 0)
        assert end + value <= len(data)
        yield (data[at:end] if key else None, data[end:end + value])
        at = end + value


def read_block(data, at, seed):
    """Its records, whether it is the last, and where the next one begins."""
    stored, raw, count, flags, total = struct.unpack_from("<IIIIQ", data, at)
    body = data[at + 24:at + 24 + stored]
    assert flags < 4 and len(body) == stored
    assert total == xxh64(xxh64(seed & MASK, data[at:at + 16]), body), f"the sum of the block at {at}"
    if not flags & 2:
        body = subprocess.run(["zstd", "-qdc"], input=body, stdout=subprocess.PIPE, check=True).stdout
    assert len(body) == raw
    records = list(records_of(body))
    assert len(records) == count
    return records, bool(flags & 1), at + 24 + stored, raw > stored


class File:
    """types, has_key, records, stretches, compressed blocks of a file."""

    def __init__(self, data):
        magic, version, key, value, self.has_key, zero, mark, total = struct.unpack_from("<8sIBBBB16sQ", data)
        assert (magic, version, zero) == (b"QUERNSEQ", 1, 0)
        assert total == xxh64(0, data[:32])
        self.types, self.records, self.stretches, self.compressed = (key, value), [], 0, 0
        at = 40
        while data[at:at + 16] == mark:
            seed = xxh64(0, mark + struct.pack("<Q", at))
            at, last, number = at + 16, False, 0
            while not last:
                records, last, at, smaller = read_block(data, at, seed + number)
                self.records += records
                self.compressed += smaller
                number += 1
            self.stretches += 1
        inverted, count, offset, total = struct.unpack_from("<16sQQQ", data, at)
        assert inverted == bytes(byte ^ 255 for byte in mark)
        assert (count, offset, at + 40) == (len(self.records), at, len(data))
        assert total == xxh64(xxh64(0, mark + struct.pack("<Q", at)), data[at:at + 32])


assert xxh64(0, b"") == 0xEF46DB3751D8E999 and xxh64(0, b"abc") == 0x44BC2CF5AD770999
