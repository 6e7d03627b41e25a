#!/usr/bin/env python3
"""Holds every message, field and enum value of mesos/*.proto against the official schema, as Debian's
golang-github-mesos-mesos-go-dev ships it: the same name, number, type, label and default. What we do not declare is
no fault. Exit 77 when the package is not there."""
import copy
import pathlib
import sys

import schema
import younger

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OFFICIAL = pathlib.Path("/usr/share/gocode/src")
LIB = "github.com/mesos/mesos-go/api/v1/lib"
FILES = {  # ours -> package, the official one, its package
    "mesos/mesos.proto": ("mesos.v1", f"{LIB}/mesos.proto", "mesos"),
    "mesos/scheduler.proto": ("mesos.v1.scheduler", f"{LIB}/scheduler/scheduler.proto", "mesos.scheduler"),
    "mesos/master.proto": ("mesos.v1.master", f"{LIB}/master/master.proto", "mesos.master"),
    "mesos/executor.proto": ("mesos.v1.executor", f"{LIB}/executor/executor.proto", "mesos.executor"),
}


def faults(ours, theirs):
    for message, fields in ours.messages.items():
        if message not in theirs.messages:
            yield f"message {message} is not official"
            continue
        for name, field in fields.items():
            official = theirs.messages[message].get(name)
            if official is None:
                yield f"{message}.{name} is not official"
                continue
            for what in ("number", "type", "label", "of", "default"):
                if field[what] != official[what]:
                    yield f"{message}.{name}: {what} is {field[what]!r}, officially {official[what]!r}"
    for enum, values in ours.enums.items():
        official = theirs.enums.get(enum)
        if official is None:
            yield f"enum {enum} is not official"
            continue
        for name, number in values.items():
            if name not in official:
                yield f"{enum}.{name} is not official"
            elif official[name] != number:
                yield f"{enum}.{name} is {number}, officially {official[name]}"


def wrong_copies(right):
    """Yields (what, copy) of a right schema with one thing wrong, for every thing there is."""
    changes = {"number": 9999, "type": "sfixed32", "label": "none", "of": "Nothing", "default": "wrong"}
    for message, fields in right.messages.items():
        for name in fields:
            for what, value in changes.items():
                wrong = copy.deepcopy(right)
                wrong.messages[message][name][what] = value
                yield f"{message}.{name} with another {what}", wrong
            wrong = copy.deepcopy(right)
            wrong.messages[message]["renamed_" + name] = wrong.messages[message].pop(name)
            yield f"{message}.{name} renamed", wrong
        wrong = copy.deepcopy(right)
        wrong.messages["Renamed" + message] = wrong.messages.pop(message)
        yield f"{message} renamed", wrong
    for enum, values in right.enums.items():
        for name in values:
            wrong = copy.deepcopy(right)
            wrong.enums[enum][name] += 1000
            yield f"{enum}.{name} with another number", wrong
            wrong = copy.deepcopy(right)
            wrong.enums[enum]["RENAMED_" + name] = wrong.enums[enum].pop(name)
            yield f"{enum}.{name} renamed", wrong


def main(protoc):
    if not (OFFICIAL / LIB / "mesos.proto").exists():
        print("skipped: package golang-github-mesos-mesos-go-dev is not installed")
        return 77
    gogo = OFFICIAL / "github.com/gogo/protobuf/protobuf"  # google/protobuf/descriptor.proto
    found, fields, values, tried = [], 0, 0, 0
    for name, (package, official, official_package) in FILES.items():
        ours = schema.load(protoc, [ROOT], name, package)
        theirs = schema.load(protoc, [OFFICIAL, gogo, "/usr/include"], official, official_package)
        for enum, more in younger.ENUMS.get(name, {}).items():
            theirs.enums[enum] = {**more, **theirs.enums.get(enum, {})}
        for message, more in younger.FIELDS.get(name, {}).items():
            there = theirs.messages.setdefault(message, {})
            for field, (number, label, kind, of) in more.items():
                there.setdefault(field, {"number": number, "label": label, "type": kind, "of": of, "default": ""})
        found += [f"{name}: {fault}" for fault in faults(ours, theirs)]
        fields += sum(len(f) for f in ours.messages.values())
        values += sum(len(v) for v in ours.enums.values())
        for what, wrong in wrong_copies(ours):
            tried += 1
            if not list(faults(wrong, theirs)):
                found.append(f"{name}: {what} was not found out")
    print("\n".join(found) if found else
          f"{fields} fields and {values} enum values are as in the official schema; {tried} wrong ones were found out")
    return 1 if found or not fields else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
