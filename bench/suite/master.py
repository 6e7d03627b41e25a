"""What a Mesos master says of itself, by its own pages and the v1 operator API."""
import base64
import json
import socket
import time
import urllib.error
import urllib.request

from suite.errors import NO_CLUSTER, BenchError
from suite.options import UNITS

TIMEOUT = 30  # seconds for an answer
INTERVAL = 0.05  # seconds between two samples of what frameworks hold


def authorization(principal, secret_file):
    """The header's value, or None."""
    if principal is None:
        return None
    secret = b""
    if secret_file:
        try:
            with open(secret_file, "rb") as f:
                secret = f.read().strip()
        except OSError as e:
            raise BenchError(f"secret file '{secret_file}': {e.strerror}") from None
    return "Basic " + base64.b64encode(principal.encode() + b":" + secret).decode()


def cores_of(resources):
    """Cores among resources as the API has them."""
    return sum(r["scalar"]["value"] for r in resources if r.get("name") == "cpus" and "scalar" in r)


class Master:
    def __init__(self, address, auth=None):
        self.address = address
        self.headers = {"Authorization": auth} if auth else {}

    def _open(self, path, body=None):
        headers = dict(self.headers, Accept="application/json", **({"Content-Type": "application/json"} if body else {}))
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as page:
                return json.load(page)
        except urllib.error.HTTPError as e:
            raise BenchError(f"the master at {self.address} refuses {path}: {e.code} {e.reason}", NO_CLUSTER) from None
        except (OSError, ValueError) as e:
            raise BenchError(f"no Mesos master answers at {self.address}: {getattr(e, 'reason', e)}", NO_CLUSTER) from None

    def page(self, path):
        return self._open(path)

    def call(self, kind):
        return self._open("/api/v1", json.dumps({"type": kind}).encode())[kind.lower()]

    def metrics(self):
        return self.page("/metrics/snapshot")

    def leads(self):
        return self.metrics().get("master/elected") == 1

    def version(self):
        """As people say it: "embedded", or "Apache Mesos 1.11.0"."""
        page = self.page("/version")
        return "embedded" if "quern" in str(page).lower() else f"Apache Mesos {page.get('version', '?')}"

    def agents(self):
        """Of each that is active: (cores that it has, cores that are free)."""
        found = []
        for agent in self.call("GET_AGENTS").get("agents", []):
            if agent.get("active"):
                total = cores_of(agent.get("total_resources", []))
                found.append((total, total - cores_of(agent.get("allocated_resources", []))))
        return found

    def agent_hosts(self):
        return {agent["agent_info"]["hostname"] for agent in self.call("GET_AGENTS").get("agents", [])}

    def allocation_interval_ms(self):
        """None if it does not say."""
        try:
            flags = self.page("/flags")["flags"]
        except (BenchError, KeyError):
            return None
        text = flags.get("allocation_interval", "")
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        try:
            return float(number) * UNITS[text[len(number):]]
        except (ValueError, KeyError):
            return None


def held_by(answer):
    """{name of a framework: cores that its tasks and executors hold}, of the body of an answer to GET_FRAMEWORKS."""
    frameworks = json.loads(answer)["get_frameworks"].get("frameworks", [])
    found = {}
    for f in frameworks:
        name = f["framework_info"]["name"]
        found[name] = found.get(name, 0.0) + cores_of(f.get("allocated_resources", []))
    return found


class Sampler:
    """Asks, while other things go on, what frameworks hold, up to 20 times a second, and adds it up. It does not wait: go()
    does what can be done, fileno() is what it waits for (None: nothing), due() when it wants to go again."""

    def __init__(self, master):
        self.master = master
        self.socket = None
        self.received = b""
        self.next = time.monotonic()
        self.asked = None
        self.samples = []   # (when, {name: cores})
        self.failed = None  # why there are no more

    def fileno(self):
        return self.socket.fileno() if self.socket is not None else None

    def due(self):
        return None if self.failed or self.socket is not None else self.next

    def go(self):
        try:
            if self.failed:
                return
            if self.socket is not None:
                self._receive()
            elif time.monotonic() >= self.next:
                self._ask()
        except (OSError, ValueError, KeyError, IndexError) as e:
            self.stop()
            self.failed = str(e)

    def _ask(self):
        host, _, port = self.master.address.rpartition(":")
        body = b'{"type":"GET_FRAMEWORKS"}'
        head = {"Host": self.master.address, "Content-Type": "application/json", "Accept": "application/json",
                "Connection": "close", "Content-Length": len(body), **self.master.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.asked = time.monotonic()
        self.next = self.asked + INTERVAL
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=5)
        self.socket.sendall(f"POST /api/v1 HTTP/1.0\r\n{lines}\r\n".encode() + body)
        self.socket.setblocking(False)
        self.received = b""

    def _receive(self):
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if data and not (found and lengths and len(body) >= lengths[0]):
            return
        if head.split(b" ", 2)[1] != b"200":
            raise ValueError(head.split(b"\r\n")[0].decode(errors="replace"))
        self.samples.append(((self.asked + time.monotonic()) / 2, held_by(body)))
        self.stop()

    def stop(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def held_core_s(self, wanted, begin, end):
        """Core-seconds that the frameworks for whose names wanted() is true held from `begin` to `end`: between two samples, the
        mean of both. None if it was not seen all along."""
        if self.failed or not self.samples:
            return None
        points = [(t, sum(cores for name, cores in held.items() if wanted(name))) for t, held in self.samples if begin <= t <= end]
        points = [(begin, 0.0 if not points else points[0][1]), *points, (end, points[-1][1] if points else 0.0)]
        return sum((b - a) * (x + y) / 2 for (a, x), (b, y) in zip(points, points[1:]))
