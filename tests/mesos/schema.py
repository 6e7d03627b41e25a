"""Reads .proto files: runs protoc for a descriptor set, and decodes that without any protobuf library, so that what
uses this is independent of the code under test."""
import pathlib
import struct
import subprocess
import tempfile

TYPES = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 6: "fixed64", 7: "fixed32", 8: "bool",
         9: "string", 11: "message", 12: "bytes", 13: "uint32", 14: "enum", 15: "sfixed32", 16: "sfixed64",
         17: "sint32", 18: "sint64"}
LABELS = {1: "optional", 2: "required", 3: "repeated"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def wire_fields(data):
    """Yields (number, value) of a serialised message: int, or bytes of what has a length or a fixed size."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("a field is cut off")
        else:
            raise ValueError(f"wire type {kind}")
        yield tag >> 3, value


def group(data):
    found = {}
    for number, value in wire_fields(data):
        found.setdefault(number, []).append(value)
    return found


def text(found, number):
    return found[number][-1].decode() if number in found else ""


def short_name(name, package):
    if name.startswith(f".{package}."):
        return name[len(package) + 2:]
    above = package.rpartition(".")[0]
    assert name == "" or name.startswith(f".{above}."), name
    return "/" + name[len(above) + 2:] if name else ""


class Schema:
    """messages: full name -> {field name: {number, type, label, of, default}}; enums: full name -> {name: number}.
    Names are without the file's package, which may differ in what they are compared with; a name of the package above
    it has a "/" before it."""

    def __init__(self):
        self.messages = {}
        self.enums = {}

    def add_file(self, data, package):
        found = group(data)
        assert text(found, 2) == package, f"package {text(found, 2)}, not {package}"
        for m in found.get(4, []):
            self.add_message(m, "", package)
        for e in found.get(5, []):
            self.add_enum(e, "")

    def add_message(self, data, outer, package):
        found = group(data)
        name = outer + text(found, 1)
        fields = {}
        for f in (group(f) for f in found.get(2, [])):
            fields[text(f, 1)] = {
                "number": f[3][-1], "label": LABELS[f[4][-1]], "type": TYPES[f[5][-1]],
                "of": short_name(text(f, 6), package), "default": text(f, 7)}
        self.messages[name] = fields
        for m in found.get(3, []):
            self.add_message(m, name + ".", package)
        for e in found.get(4, []):
            self.add_enum(e, name + ".")

    def add_enum(self, data, outer):
        found = group(data)
        values = {}
        for v in (group(v) for v in found.get(2, [])):
            number = v[2][-1] if 2 in v else 0
            values[text(v, 1)] = number - (1 << 64) if number >= 1 << 63 else number
        self.enums[outer + text(found, 1)] = values


def load(protoc, paths, name, package):
    """The schema of the file `name`, found below one of `paths`."""
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "set"
        subprocess.run([protoc, *(f"--proto_path={p}" for p in paths), f"--descriptor_set_out={out}", name],
                       check=True)
        schema = Schema()
        for file in group(out.read_bytes())[1]:
            schema.add_file(file, package)
        return schema


def number_of(kind, value):
    """The value of a field of a scalar type, from what wire_fields() gave."""
    if kind in ("double", "fixed64", "sfixed64", "float", "fixed32", "sfixed32"):
        return struct.unpack({"double": "<d", "fixed64": "<Q", "sfixed64": "<q", "float": "<f", "fixed32": "<I",
                              "sfixed32": "<i"}[kind], value)[0]
    if kind in ("int32", "int64", "enum"):
        return value - (1 << 64) if value >= 1 << 63 else value
    if kind in ("sint32", "sint64"):
        return (value >> 1) ^ -(value & 1)
    return value
