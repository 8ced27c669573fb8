"""Lambda's Runtime API for one program: hands it events and takes its answers. So a function is measured as it ships.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
"""

import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


@dataclass
class Invocation:
    """An event that the program was given."""

    event: object
    timeout_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    taken: threading.Event = field(default_factory=threading.Event)
    given_at: float | None = None  # seconds of the monotonic clock
    answers: queue.Queue = field(default_factory=queue.Queue)

    def answer(self) -> tuple[object, float]:
        """The answer and when it came."""
        return self.answers.get(timeout=self.timeout_seconds + 30)

    def is_answered(self) -> bool:
        return not self.answers.empty()


@dataclass
class Environment:
    """One execution environment: a process, and when it asked for events (seconds of the monotonic clock)."""

    process: subprocess.Popen | None = None
    started_at: float | None = None
    polls: queue.Queue = field(default_factory=queue.Queue)
    invocations: queue.Queue = field(default_factory=queue.Queue)
    under_way: dict[str, Invocation] = field(default_factory=dict)

    def start(self, command: list, **how) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(command, **how)

    def first_polled_at(self) -> float:
        """When the program asked for its first event: its init was done."""
        return self.polls.get(timeout=60)

    def invoke(self, event, timeout_seconds: float = 28) -> tuple[object, float]:
        """Gives the program an event. Returns the answer and when it came."""
        return self.begin(event, timeout_seconds).answer()

    def begin(self, event, timeout_seconds: float = 28) -> Invocation:
        """Gives the program an event as soon as it asks for one. It may ask for several at a time."""
        invocation = Invocation(event, timeout_seconds)
        self.under_way[invocation.request_id] = invocation
        self.invocations.put(invocation)
        return invocation

    def cpu_seconds(self) -> float:
        """User and system time so far (proc(5), /proc/pid/stat)."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def processor_milliseconds(self) -> float:
        """The same in nanosecond resolution, for the threads that exist now (/proc/pid/task/tid/schedstat, first field)."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def peak_memory_mib(self) -> float:
        with open(f"/proc/{self.process.pid}/status") as status:
            [peak] = [line for line in status if line.startswith("VmHWM:")]
        return int(peak.split()[1]) / 1024


@contextmanager
def running(command: list, environment: dict[str, str], log):
    """Runs a program as Lambda would, and stops it at the end."""

    lambda_ = Environment()  # made first: a small program asks for an event before the call that starts it returns

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            """GET /2018-06-01/runtime/invocation/next"""
            lambda_.polls.put(time.monotonic())
            invocation = lambda_.invocations.get()
            if invocation is None:  # the environment has ended
                self.close_connection = True
                return
            invocation.taken.set()
            body = json.dumps(invocation.event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + invocation.timeout_seconds) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-2:111111111111:function:measured")
            self.send_header("Content-Length", str(len(body)))
            invocation.given_at = time.monotonic()
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            """POST /2018-06-01/runtime/invocation/{id}/response, or .../error"""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answered_at = time.monotonic()
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            request_id = self.path.split("/")[-2]
            lambda_.under_way.pop(request_id).answers.put((json.loads(body), answered_at))

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """A killed program resets its connections. Any other error is reported."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    server = Server((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"{HOST}:{server.server_address[1]}"
    lambda_.start(command, env=environment | {"AWS_LAMBDA_RUNTIME_API": address}, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield lambda_
    finally:
        lambda_.process.kill()
        lambda_.process.wait()
        lambda_.invocations.put(None)
        server.shutdown()
        server.server_close()
