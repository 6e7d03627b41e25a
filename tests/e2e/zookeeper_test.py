"""--master zk://...: what a person is told when nobody leads, and an embedded master that is found by it."""
import sys

import quern
import zookeeper
from ports import free_port

PI = quern.EXAMPLES / "pi.c"


def run(d, master, *args, **more):
    return quern.run(d, "run", "--master", master, "--master-timeout", "4s", *args, PI, "10", **more)


def test_who_cannot_be_asked():
    with quern.scratch() as d:
        port = free_port()
        url = f"zk://127.0.0.1:{port},127.0.0.1:{port}/mesos"
        result = run(d, url, "--quiet")
        quern.check(d, result, status=3)
        quern.one_line(result, url, f"no ZooKeeper answers at 127.0.0.1:{port}", "gave up after 4 s")
        result = run(d, url)
        quern.check(d, result, status=3)
        waiting, _ = result.stderr.decode().splitlines()
        assert waiting.startswith(f"quern: waiting for a leading master at {url}: no ZooKeeper"), waiting


def test_nobody_leads():
    with quern.scratch() as d, zookeeper.zookeeper(d) as z:
        result = run(d, f"zk://{z.address}/not/there", "--quiet")
        quern.check(d, result, status=3)
        quern.one_line(result, "there is no /not/there in ZooKeeper yet")
        z.do("create /mesos", "create /mesos/log_replicas")
        result = run(d, f"zk://{z.address}/mesos", "--quiet")
        quern.check(d, result, status=3)
        quern.one_line(result, "no master is registered below /mesos")
        z.do("create /mesos/json.info_0000000001 {}")
        result = run(d, f"zk://{z.address}/mesos", "--quiet")
        quern.check(d, result, status=3)
        quern.one_line(result, "/mesos/json.info_0000000001 in ZooKeeper names no master: it has no address")


def test_credentials():
    with quern.scratch() as d, zookeeper.zookeeper(d) as z:
        z.do("create /mesos", "addauth digest us:word", "setAcl /mesos auth::cdrwa")
        for who in "", "us:secret@", "them:secret@":
            result = run(d, f"zk://{who}{z.address}/mesos")
            quern.check(d, result, status=3)
            quern.one_line(result, "ZooKeeper lets us not read /mesos", who.partition(":")[0])
            assert b"secret" not in result.stderr
        (d / "url").write_text(f"zk://us:word@{z.address}/mesos\n")
        result = run(d, f"file://{d}/url", "--quiet")
        quern.check(d, result, status=3)
        quern.one_line(result, "no master is registered", f"zk://us@{z.address}/mesos")
        assert b"word" not in result.stderr


def test_a_master_that_comes_while_the_job_waits():
    with quern.scratch() as d, zookeeper.zookeeper(d) as z:
        with quern.named_agents(d, [], agents=1) as master:
            job = quern.start(d, "run", "--master", f"mesos://zk://{z.address}/a/path", "--total-executor-cores", "1", PI,
                              "10")
            waiting = job.stderr.readline()
            assert b"there is no /a/path in ZooKeeper yet" in waiting, waiting
            info = '{"address":{"hostname":"nowhere.invalid","ip":"%s","port":%s}}' % tuple(master.split(":"))
            z.do("create /a", "create /a/path", f"create /a/path/json.info_0000000007 {info}")
            result = quern.finish(job)
            assert result.returncode == 0 and result.stdout, result


if __name__ == "__main__":
    zookeeper.need()
    quern.main(sys.modules[__name__])
