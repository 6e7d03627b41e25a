"""Executors on a real Apache Mesos: an agent that is restarted, a container with an image, the fetcher's cache."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile

import executors_test
import mesos
import quern

MODES = quern.MODES
TEXT = b"".join(b"line %d of the text that is counted\n" % i for i in range(20000))


def started(m, mode, *job, options=()):
    return quern.start(m.d, "run", "--master", m.address, "--mode", mode, "--total-executor-cores", "4", *options, *job)


def restarted(m, agent):
    """Again, as the same agent: it has found its executors, or ended them, and the master knows it."""
    def known():
        return m.metric("master/messages_reregister_slave") or 0

    before = known()
    agent.restart()
    quern.wait_for("the agent is back", lambda: known() > before and m.metric("master/slaves_active") == 1)


def test_tasks_go_on_while_their_agent_is_restarted():
    for mode in MODES:
        with mesos.mesos(1, cores=4, master_flags=["--max_agent_ping_timeouts=60"]) as m:
            (m.d / "in").mkdir()
            for i in range(4):
                (m.d / "in" / f"f{i}").write_bytes(TEXT)
            gate = quern.Gate(m.d / "gate")
            job = started(m, mode, quern.JOBS / "gate.c", m.d / "in", m.d / "out", gate.folder)
            workers = gate.at(job, 4)
            restarted(m, m.agents[0])
            assert all(os.path.exists(f"/proc/{pid}") for pid in workers), "a worker did not outlive its agent"
            gate.open()
            quern.check(m.d, quern.finish(job))
            assert gate.passed() == 4, "tasks ran again"
            gate.close()
            quern.same(quern.output(m.d / "out"), quern.word_counts(m.d / "in"))
            m.settled()


def test_without_checkpointing_they_run_again():
    for mode in MODES:
        with mesos.mesos(1, cores=4, master_flags=["--max_agent_ping_timeouts=60"]) as m:
            (m.d / "in").write_bytes(TEXT)
            gate = quern.Gate(m.d / "gate")
            job = started(m, mode, quern.JOBS / "gate.c", m.d / "in", m.d / "out", gate.folder,
                          options=["--checkpoint", "false"])
            gate.at(job, 1)
            restarted(m, m.agents[0])
            gate.open()
            quern.check(m.d, quern.finish(job))
            gate.close()
            quern.same(quern.output(m.d / "out"), quern.word_counts(m.d / "in"))
            m.settled()


def test_the_bundle_is_fetched_once():
    with mesos.mesos(1, cores=4) as m:
        (m.d / "in").write_bytes(TEXT)
        options = ["--executor-uri", f"file://{executors_test.BUNDLE}", "--fetcher-cache"]
        for mode in MODES:
            quern.check(m.d, quern.finish(started(m, mode, quern.EXAMPLES / "wordcount.c", m.d / "in", m.d / mode,
                                                  options=options)))
            quern.same(quern.output(m.d / mode), quern.word_counts(m.d / "in"))
            m.settled()
        kept = [p for p in (m.d / "agent0-cache").rglob("*") if p.is_file()]
        assert len(kept) == 1 and kept[0].stat().st_size == executors_test.BUNDLE.stat().st_size, kept


def image(root, archive, name):
    """A folder as `docker save` would write it, of one layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root, ".")
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]}}).encode()
    layer_id = hashlib.sha256(layer.getvalue()).hexdigest()
    files = {
        f"{layer_id}/layer.tar": layer.getvalue(), f"{layer_id}/VERSION": b"1.0",
        f"{layer_id}/json": json.dumps({"id": layer_id, "architecture": "amd64", "os": "linux",
                                        "created": "2020-01-01T00:00:00Z", "config": {}}).encode(),
        "config.json": config, "repositories": json.dumps({name: {"latest": layer_id}}).encode(),
        "manifest.json": json.dumps([{"Config": "config.json", "RepoTags": [f"{name}:latest"],
                                      "Layers": [f"{layer_id}/layer.tar"]}]).encode()}
    with tarfile.open(archive, "w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))


def test_executors_run_in_an_image():
    missing = next((what for what, there in [
        ("root", os.geteuid() == 0), ("dash", shutil.which("dash")), ("cgroups", os.path.exists("/sys/fs/cgroup/freezer")
                                                                      or os.path.exists("/sys/fs/cgroup/cgroup.controllers")),
        # Mesos wants to hide it in a container, and has none without. This way one can say that this Mesos does not.
        ("/proc/sysrq-trigger", os.path.exists("/proc/sysrq-trigger") or os.environ.get("QUERN_MESOS_CONTAINERS"))]
        if not there), None)
    if missing:
        raise quern.Skipped(f"Mesos' containers need {missing}")
    with tempfile.TemporaryDirectory(prefix="quern-images-") as images:
        images = pathlib.Path(images)
        shutil.unpack_archive(executors_test.BUNDLE, images / "bundle")
        executors_test.bare_root(images / "root", [images / "bundle/quern-executor"])
        image(images / "root", images / "bare.tar", "bare")
        flags = ["--image_providers=docker", f"--docker_registry={images}", f"--docker_store_dir={images}/store",
                 "--isolation=filesystem/linux,docker/runtime,cgroups/cpu,cgroups/mem", "--launcher=linux"]
        with mesos.mesos(1, cores=4, agent_flags=flags) as m:
            (m.d / "in").write_bytes(TEXT)
            for mode in MODES:
                job = started(m, mode, quern.EXAMPLES / "wordcount.c", m.d / "in", m.d / mode,
                              options=["--container-image", "bare", "--container-volume", f"{m.d}:{m.d}",
                                       "--executor-command", "[ ! -e /etc/passwd ] && exec ./quern-executor"])
                quern.check(m.d, quern.finish(job))
                quern.same(quern.output(m.d / mode), quern.word_counts(m.d / "in"))
                m.settled()


if __name__ == "__main__":
    mesos.main(sys.modules[__name__])
