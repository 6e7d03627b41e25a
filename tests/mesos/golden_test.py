#!/usr/bin/env python3
"""Golden files of captures/: what a real Mesos 1.12 and its frameworks sent, as JSON, made from the recorded bytes by
the small decoder here and in schema.py, without the code under test. golden_test.c compares with them.

    golden_test.py PROTOC            compares the files with what would be made now
    golden_test.py PROTOC --write    makes them
"""
import base64
import json
import pathlib
import sys

import schema

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CAPTURES = HERE / "captures"


def body_of(response):
    """The bytes behind the head of an HTTP response, chunks joined."""
    head, _, rest = response.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return rest
    joined = b""
    while rest:  # a recording may end before the stream did
        size, _, rest = rest.partition(b"\r\n")
        size = int(size, 16)
        if size == 0:
            break
        joined += rest[:size]
        assert rest[size:size + 2] == b"\r\n"
        rest = rest[size + 2:]
    return joined


def records_of(stream):
    while stream:
        size, _, stream = stream.partition(b"\n")
        size = int(size)
        assert len(stream) >= size, "the recording ends within a record"
        yield stream[:size]
        stream = stream[size:]


def value_of(field, value, types):
    kind = field["type"]
    if kind == "message":
        return message_of(field["of"], value, types)
    if kind == "string":
        return value.decode()
    if kind == "bytes":
        return base64.b64encode(value).decode()
    number = schema.number_of(kind, value)
    if kind == "bool":
        return bool(number)
    if kind == "enum":
        names = {n: name for name, n in types.enums[field["of"]].items()}
        return names.get(number, number)
    return number


def message_of(name, data, types):
    """A serialised message as Mesos' JSON shows it; fields that the schema does not name are left out."""
    found = schema.group(data)
    out = {}
    for field_name, field in sorted(types.messages[name].items(), key=lambda f: f[1]["number"]):
        values = [value_of(field, v, types) for v in found.get(field["number"], [])]
        if field["label"] == "repeated" and values:
            out[field_name] = values
        elif values:
            out[field_name] = values[-1]
        else:
            assert field["label"] != "required", f"{name}.{field_name} is missing"
    return out


def line(message):
    return json.dumps(message, separators=(",", ":")) + "\n"


class Types:
    """One of the two APIs together with the common messages."""

    def __init__(self, protoc, api):
        common = schema.load(protoc, [ROOT], "mesos/mesos.proto", "mesos.v1")
        own = schema.load(protoc, [ROOT], f"mesos/{api}.proto", f"mesos.v1.{api}")
        for fields in common.messages.values():
            for field in fields.values():
                field["of"] = "/" + field["of"]
        self.messages = {**own.messages, **{"/" + name: m for name, m in common.messages.items()}}
        self.enums = {**own.enums, **{"/" + name: e for name, e in common.enums.items()}}


def goldens(protoc):
    """Yields (name of the golden file, content)."""
    for api in ("scheduler", "executor"):
        types = Types(protoc, api)
        for path in sorted(CAPTURES.glob(f"{api}*.http")):
            events = [message_of("Event", r, types) for r in records_of(body_of(path.read_bytes()))]
            yield path.stem + ".events", "".join(map(line, events))
        calls = sorted(CAPTURES.glob(f"{api}*.pb"))
        yield api + ".calls", "".join(path.name + " " + line(message_of("Call", path.read_bytes(), types))
                                      for path in calls)


def main(protoc, write):
    count, wrong = 0, []
    for name, content in goldens(protoc):
        count += content.count("\n")
        path = CAPTURES / name
        if write:
            path.write_text(content)
        elif not path.exists() or path.read_text() != content:
            wrong.append(name)
    print("\n".join(f"{name} is not what the captures say" for name in wrong) if wrong else f"{count} messages")
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--write" in sys.argv[2:]))
