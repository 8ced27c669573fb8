"""A function as it ships, killed at one of its calls. Its `bootstrap` runs under a small Runtime API. A proxy between it and AWS
kills it before a call is made, or after the call took effect and before it is answered."""

import os
import queue
import signal
import socket
import tempfile
import threading
from dataclasses import dataclass, field
from http.client import HTTPResponse
from urllib.parse import parse_qs, urlsplit

from benches import runtime_api
from local_aws import watch
from local_aws.layout import STAGE

BEFORE, AFTER = "before the call", "after the call"
DEATHS = (BEFORE, AFTER)


@dataclass(frozen=True)
class Death:
    """The call at which a function is killed, counted from 1, and whether before or after it."""

    nth: int
    when: str


@dataclass
class Outcome:
    """The result of an invocation: the function's answer, or None if it was killed, and the calls that it made. The call at which
    it was killed is included."""

    answer: dict | None
    calls: list[str] = field(default_factory=list)


class Proxy:
    """Forwards each request byte for byte, and kills the process at the call that `death` names."""

    def __init__(self, endpoint: str, death: Death | None):
        upstream = urlsplit(endpoint)
        self.upstream = (upstream.hostname, upstream.port)
        self.death = death
        self.process = None
        self.calls: list[str] = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as incoming:
            try:
                while request := read_request(incoming):
                    if (answer := self.hand_on(*request)) is None:
                        return
                    connection.sendall(answer)
            except OSError:
                return  # the process was killed or has ended

    def hand_on(self, call: str, request: bytes) -> bytes | None:
        """Returns the answer, or None if the process was killed."""
        with self.lock:
            if self.process.poll() is not None:
                return None
            self.calls.append(call)
            dies = self.death is not None and len(self.calls) == self.death.nth
            if dies and self.death.when == BEFORE:
                return self.kill()
        with socket.create_connection(self.upstream, timeout=30) as upstream:
            upstream.sendall(request)
            answer = read_answer(upstream)
        return self.kill() if dies else answer

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def read_request(incoming) -> tuple[str, bytes] | None:
    """The next request: the name of its operation and its bytes. None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (line := incoming.readline()):
            return None
        head += line
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    assert "transfer-encoding" not in headers, headers
    body = incoming.read(int(headers.get("content-length", 0)))
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    return target or parse_qs(body.decode())["Action"][0], head + body


def read_answer(upstream: socket.socket) -> bytes:
    """The answer, with a content length in place of chunks."""
    answer = HTTPResponse(upstream)
    answer.begin()
    body = answer.read()
    dropped = ("transfer-encoding", "content-length", "connection")
    headers = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() not in dropped]
    head = [f"HTTP/1.1 {answer.status} {answer.reason}", *headers, f"content-length: {len(body)}"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


class Functions:
    """The stack's functions. Each invocation runs in its own process."""

    def __init__(self, stack: dict):
        self.stack = stack
        self.environments: dict[str, dict[str, str]] = {}

    def invoke(self, name: str, event: dict, death: Death | None = None) -> Outcome:
        if name not in self.environments:
            self.environments[name] = watch.function_environment(self.stack, f"{STAGE}-latchkey-{name}", name)
        proxy = Proxy(self.stack["aws_endpoint"], death)
        environment = self.environments[name] | {"AWS_ENDPOINT_URL": proxy.endpoint}
        program = watch.programs()[name]
        with tempfile.TemporaryFile() as log, runtime_api.running([program], environment, log) as function:
            proxy.process = function.process
            answer = answer_of(function, function.begin(event))
        proxy.close()
        return Outcome(answer, proxy.calls)


def answer_of(function: runtime_api.Environment, invocation: runtime_api.Invocation) -> dict | None:
    """The function's answer, or None if its process ended without one."""
    while True:
        ended = function.process.poll() is not None
        try:
            return invocation.answers.get(timeout=0.01)[0]
        except queue.Empty:
            if ended:
                assert function.process.returncode == -signal.SIGKILL, function.process.returncode
                return None
