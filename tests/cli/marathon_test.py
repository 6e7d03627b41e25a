#!/usr/bin/env python3
"""Holds the example of an app for Marathon against what Marathon takes, and its command against what quern takes. Usage:
marathon_test.py QUERN DOCS"""
import json
import pathlib
import re
import shlex
import subprocess
import sys

# Of AppDefinition and ArtifactSource in Marathon's API (docs/docs/rest-api/public/api/v2/types/).
APP = {"id": str, "cmd": str, "cpus": (int, float), "mem": (int, float), "disk": (int, float), "instances": int, "fetch": list,
       "env": dict, "backoffSeconds": int, "backoffFactor": (int, float), "maxLaunchDelaySeconds": int,
       "taskKillGracePeriodSeconds": int, "upgradeStrategy": dict}
FETCH = {"uri": str, "executable": bool, "extract": bool, "cache": bool, "destPath": str}


def main(quern, docs):
    app = json.loads((pathlib.Path(docs) / "marathon.json").read_text(encoding="utf-8"))
    for name, value in app.items():
        assert name in APP, f"Marathon knows no {name}"
        assert isinstance(value, APP[name]), f"{name}: {value!r}"
    assert re.fullmatch(r"(/[a-z0-9-]+)+", app["id"]), app["id"]
    for artifact in app["fetch"]:
        assert all(isinstance(value, FETCH[name]) for name, value in artifact.items()), artifact
    fetched = {artifact["uri"].rpartition("/")[2] for artifact in app["fetch"]}

    subprocess.run(["sh", "-n", "-c", app["cmd"]], check=True)
    words = shlex.split(app["cmd"])
    assert words[:3] == ["exec", "./bin/quern", "run"], words  # exec: the signal of the one who stops it is the driver's
    assert "quern-driver.tar.gz" in fetched
    known = subprocess.run([quern, "run", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    rest = words[3:]
    while rest[0].startswith("--"):
        assert re.search(rf"  {rest[0]}=", known), f"{rest[0]} is no option with a value"
        rest = rest[2:]
    assert rest[0].startswith("./") and rest[0][2:] in fetched, rest
    print("the app is one, and what it starts is known")


main(*sys.argv[1:])
