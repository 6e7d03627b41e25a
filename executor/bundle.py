#!/usr/bin/env python3
"""Packs a program and the libraries that it needs, but not those of glibc, into a tar file.

    bundle.py [NAME=]PROGRAM OUTPUT [NAME=FILE...]

The tar file, compressed if OUTPUT ends in .gz, holds PROGRAM under NAME, or its own name, lib/*.so*, and every FILE under its NAME. Equal files give an equal tar file, so that it can be cached
by its content. glibc is left out because its parts belong to the running system's loader: a host's has to be as new as the
one that PROGRAM was linked with.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

# Of the package libc6: what the loader and the kernel have to agree with.
GLIBC = re.compile(
    r"^(ld-linux.*|libc|libm|libmvec|libdl|libpthread|librt|libresolv|libutil|libanl|libnsl|libnss_.*|libc_malloc_debug|"
    r"libBrokenLocale|libthread_db)\.so"
)


def libraries(program):
    """Name and path of every library that loading the program brings in, whatever needs it."""
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in listing.splitlines():
        words = line.split()
        if len(words) < 3 or words[1] != "=>":
            continue  # the loader, the kernel's own object
        name, path = words[0], words[2]
        if not path.startswith("/"):
            sys.exit(f"bundle: {program} needs {name}, which is not found")
        if not GLIBC.match(name):
            found[name] = path
    return found


def without_symbols(path, folder):
    """A copy without debugging information, if there is a strip to make one."""
    copy = os.path.join(folder, "stripped")
    strip = shutil.which("strip")
    if strip is None or subprocess.run([strip, "-o", copy, path], capture_output=True).returncode != 0:
        return path
    return copy


def add(tar, path, name, mode):
    info = tar.gettarinfo(os.path.realpath(path), name)
    info.mode = mode
    info.mtime = 0
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    with open(path, "rb") as f:
        tar.addfile(info, f)


def opened(output):
    """The file to write the tar file to. Compression is quick rather than good: it is done at every build."""
    if not output.endswith(".gz"):
        return open(output, "wb")
    return gzip.GzipFile(filename="", fileobj=open(output, "wb"), mode="wb", compresslevel=1, mtime=0)


def named(argument):
    """NAME and path of NAME=PATH, or of a PATH alone."""
    name, equals, path = argument.partition("=")
    return (name, path) if equals else (os.path.basename(argument), argument)


def main():
    name, program = named(sys.argv[1])
    output, more = sys.argv[2], [named(argument) for argument in sys.argv[3:]]
    with tempfile.TemporaryDirectory() as folder, opened(output) as f, \
            tarfile.open(fileobj=f, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, without_symbols(program, folder), name, 0o755)
        for library, path in sorted(libraries(program).items()):
            add(tar, path, "lib/" + library, 0o755)
        for name, path in more:
            add(tar, path, name, 0o644)


if __name__ == "__main__":
    main()
