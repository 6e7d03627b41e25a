#!/usr/bin/env python3
"""An executor for tests of the embedded cluster. What a task does is its data:

finish   TASK_RUNNING, then TASK_FINISHED with data "result"
environ  TASK_FINISHED with the MESOS_* variables as JSON
wait     TASK_RUNNING until it is killed
crash    TASK_RUNNING, and once that is acknowledged exit 3, with a grandchild left behind
break    ends its stream and subscribes again, with the task as unacknowledged, then TASK_FINISHED

Messages are echoed. SHUTDOWN ends it, unless a file named "stubborn" is in the sandbox."""
import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mesos_http import Stream, call  # noqa: E402

ENDPOINT = os.environ["MESOS_AGENT_ENDPOINT"]
PATH = os.environ.get("EXECUTOR_PATH", "/api/v1/executor")
SELF = {"framework_id": {"value": os.environ["MESOS_FRAMEWORK_ID"]},
        "executor_id": {"value": os.environ["MESOS_EXECUTOR_ID"]}}


def say(kind, **more):
    status, text = call(ENDPOINT, PATH, {"type": kind, **SELF, **more})
    assert status == 202, (status, text)


def update(task, state, data=None):
    status = {"task_id": task["task_id"], "state": state, "source": "SOURCE_EXECUTOR",
              "uuid": base64.b64encode(uuid.uuid4().bytes).decode()}
    if data is not None:
        status["data"] = base64.b64encode(data).decode()
    say("UPDATE", update={"status": status})


def subscribe(tasks):
    return Stream(ENDPOINT, PATH, {"type": "SUBSCRIBE", **SELF, "subscribe": {"unacknowledged_tasks": tasks}},
                  timeout=600)


def launch(task):
    """Returns whether the stream is to be broken."""
    what = base64.b64decode(task.get("data", "")).decode()
    if what == "environ":
        found = {name: value for name, value in os.environ.items() if name.startswith(("MESOS_", "LIBPROCESS_"))}
        update(task, "TASK_FINISHED", json.dumps(found).encode())
    elif what == "break":
        return True
    else:
        update(task, "TASK_RUNNING")
        if what == "finish":
            update(task, "TASK_FINISHED", b"result")
    return False


def main():
    tasks, broken, events = {}, None, None
    while True:
        if events is None:
            events = subscribe([broken] if broken else [])
        for event in events:
            kind = event["type"]
            if kind == "SUBSCRIBED" and broken:
                update(broken, "TASK_FINISHED", b"after the break")
                broken = None
            elif kind == "LAUNCH":
                task = event["launch"]["task"]
                tasks[task["task_id"]["value"]] = task
                if launch(task):
                    broken = task
                    break
            elif kind == "ACKNOWLEDGED":
                task = tasks[event["acknowledged"]["task_id"]["value"]]
                if base64.b64decode(task.get("data", "")) == b"crash":
                    subprocess.Popen(["sleep", "1000"], start_new_session=True)
                    os._exit(3)
            elif kind == "KILL":
                update(tasks[event["kill"]["task_id"]["value"]], "TASK_KILLED")
            elif kind == "MESSAGE":
                text = base64.b64decode(event["message"]["data"])
                say("MESSAGE", message={"data": base64.b64encode(b"echo:" + text).decode()})
            elif kind == "SHUTDOWN" and not pathlib.Path("stubborn").exists():
                return
        events.close()
        events = None


signal.signal(signal.SIGTERM, signal.SIG_DFL)
main()
