"""The v1 HTTP API in JSON, as a scheduler or an executor in a test speaks it: streams of records, and calls."""
import http.client
import json
import time


class Stream:
    """A subscription: iterating gives the events, and ends with the stream."""

    def __init__(self, endpoint, path, call, headers=(), timeout=60):
        self.timeout = timeout
        self.connection = http.client.HTTPConnection(endpoint, timeout=timeout)
        self.connection.request("POST", path, json.dumps(call),
                                {"Content-Type": "application/json", "Accept": "application/json", **dict(headers)})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.id = self.response.headers.get("Mesos-Stream-Id")
        if self.status != 200:
            raise RuntimeError(f"SUBSCRIBE: {self.status} {self.response.read()!r}")

    def __iter__(self):
        while True:
            length = self.response.readline()
            if not length:
                return
            yield json.loads(self._exactly(int(length)))

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.response.read(n - len(data))
            if not piece:
                raise EOFError(f"a record of {n} bytes ends after {len(data)}")
            data += piece
        return data

    def until(self, wanted):
        """Reads up to the first event for which `wanted` is true, and returns it. Heartbeats are no sign of life."""
        deadline = time.monotonic() + self.timeout
        passed = []
        for event in self:
            if wanted(event):
                return event
            passed.append(event)
            if time.monotonic() > deadline:
                raise TimeoutError(f"it did not come; these did: {passed}")
        raise EOFError(f"the stream ended after {passed}")

    def close(self):
        self.response.close()
        self.connection.close()


def request(endpoint, method, path, body=None, headers=(), timeout=60):
    """One request: (status, headers, body)."""
    connection = http.client.HTTPConnection(endpoint, timeout=timeout)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def call(endpoint, path, message, headers=()):
    """One call: (status, text)."""
    status, _, body = request(endpoint, "POST", path, json.dumps(message),
                              {"Content-Type": "application/json", **dict(headers)})
    return status, body.decode()
