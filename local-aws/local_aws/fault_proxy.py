"""A proxy between the functions and the AWS emulator. It forwards calls byte for byte, records them, and makes them fail by rules.
The Host header is forwarded too, so signatures stay valid.

    .venv/bin/python -m local_aws.fault_proxy --port P --control-port C --emulator http://127.0.0.1:E

On port C (faults.py is the client):

    POST   /rules         adds a rule, with the fields of `Rule` below -> {"id": 7}
    GET    /rules         the current rules, each with the number of calls it has met (`met`)
    DELETE /rules/7       removes a rule; DELETE /rules removes all of them
    GET    /calls?after=N the calls after number N -> {"calls": [...], "last": the number of the last one}

The first rule that fits a call applies to it. The proxy keeps no body of a request or an answer, because bodies hold data keys.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field, fields
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"
LARGEST_HEAD = 1 << 20
CALLS_KEPT = 100_000

# No answer: `refused` closes the connection, `reset` resets it, `hang` leaves it open until the caller closes it.
# AWS's answer: `slow` sends it after `seconds`; `truncated` sends half of it; `lost` lets AWS act and then resets the connection.
# Another answer: `garbage` is a 200 that is no answer of the service; the others are the service's own errors, `error` the rule's.
FAULTS = ("500", "503", "throttle", "hang", "reset", "slow", "garbage", "truncated", "refused", "lost", "error")

# The services by their names in the credential scope of a signature, with the names of their errors.
ERRORS = {
    "kms": {"500": "KMSInternalException", "503": "ServiceUnavailableException", "throttle": "ThrottlingException"},
    "dynamodb": {"500": "InternalServerError", "503": "ServiceUnavailable", "throttle": "ProvisionedThroughputExceededException"},
    "events": {"500": "InternalException", "503": "ServiceUnavailableException", "throttle": "ThrottlingException"},
    "lambda": {"500": "ServiceException", "503": "ServiceUnavailableException", "throttle": "TooManyRequestsException"},
    "sts": {"500": "InternalFailure", "503": "ServiceUnavailable", "throttle": "Throttling"},
}
STATUSES = {"500": 500, "503": 503, "throttle": 400}
THROTTLED = {"lambda": 429}  # instead of the status above
# The text of every error. Tests check that no function passes it on to its caller.
MESSAGE = "Said by the fault proxy"


@dataclass
class Rule:
    """Which calls fail, and how. A field that is not set fits every call."""

    fault: str
    service: str | None = None  # kms, sts, dynamodb, events, lambda
    region: str | None = None
    action: str | None = None  # IAM's name for it
    match: list[str] = field(default_factory=list)  # the request contains one of these: a vault's or key's id, a role's name, ...
    caller: str | None = None  # the ARN of the calling session contains this: a role's name, ...
    times: int | None = None  # only this many calls, then no more
    seconds: float = 1.0  # for `slow`
    status: int = 400  # for `error`, like the fields below
    code: str = "AccessDenied"
    message: str = MESSAGE
    date_offset_seconds: int = 0  # the error of the clock in the answer
    met: int = 0

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"fault is one of {', '.join(FAULTS)}")

    def fits(self, call: "Call", request: "Message") -> bool:
        if self.times is not None and self.met >= self.times:
            return False
        for wanted, has in ((self.service, call.service), (self.region, call.region), (self.action, call.action)):
            if wanted is not None and wanted != has:
                return False
        if self.caller is not None and self.caller not in (call.caller or ""):
            return False
        return not self.match or any(it in request.text for it in self.match)


@dataclass
class Call:
    """One call of a function, as the control API reports it. `status` is None until there is an answer."""

    number: int
    at: float
    service: str | None
    region: str | None
    action: str | None
    resource: str | None  # as an IAM policy names it
    item: str | None  # for a table: the item's keys
    caller: str | None  # the ARN of the session that calls
    access_key: str | None  # of the calling session
    fault: str | None = None
    status: int | None = None
    milliseconds: float | None = None


class Message:
    """A request or an answer, as it was received."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.head, self.body = head, body
        first, *lines = head.decode("latin-1").split("\r\n")
        self.first = first.split(" ", 2)
        named = (line.partition(":") for line in lines if line)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in named}

    @property
    def text(self) -> str:
        """The body as text. The fields of a form are decoded."""
        text = self.body.decode("utf-8", "replace")
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return "\n".join(f"{name}={value}" for name, value in parse_qsl(text))
        return text

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"


class Proxy:
    def __init__(self, emulator: str) -> None:
        self.emulator = urlsplit(emulator)
        self.rules: dict[int, Rule] = {}
        self.rule_ids = itertools.count(1)
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.call_numbers = itertools.count(1)
        self.callers: dict[str, str | None] = {}
        self.connections: set[asyncio.Task] = set()  # the event loop keeps only weak references to waiting tasks

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection of a function. Each has its own connection to the emulator."""
        upstream = Upstream(self.emulator.hostname, self.emulator.port)
        task = asyncio.current_task()
        self.connections.add(task)
        try:
            while (request := await read_message(reader)) is not None:
                if not await self.answer(request, reader, writer, upstream) or not request.keeps_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller is gone and needs no answer
        finally:
            self.connections.discard(task)
            upstream.close()
            writer.close()

    async def answer(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: "Upstream"
    ) -> bool:
        """Answers one request. Returns whether the connection can be used again."""
        started_at = time.monotonic()
        call = await self.call_of(request)
        rule = next((rule for rule in self.rules.values() if rule.fits(call, request)), None)
        if call.service:
            self.calls.append(call)
        if rule is None:
            answer = await upstream.ask(request)
            return self.send(answer.head + answer.body, call, answer, started_at, writer)
        rule.met += 1
        call.fault = rule.fault
        match rule.fault:
            case "hang":
                await reader.read()
                return False
            case "refused":
                return False
            case "reset":
                reset(writer)
                return False
            case "lost":
                await upstream.ask(request)
                reset(writer)
                return False
            case "slow":
                await asyncio.sleep(rule.seconds)
                answer = await upstream.ask(request)
                return self.send(answer.head + answer.body, call, answer, started_at, writer)
            case "truncated":
                body = (await upstream.ask(request)).body
                cut = raw_answer(200, "application/x-amz-json-1.1", body)[: -(len(body) // 2 + 1)]
                self.send(cut, call, None, started_at, writer)
                return False
            case "garbage":
                raw = raw_answer(200, "text/html", f"<!doctype html><p>{MESSAGE}".encode())
            case "error":
                date = formatdate(time.time() + rule.date_offset_seconds, usegmt=True)
                raw = error_answer(call.service, rule.status, rule.code, rule.message, date)
            case fault:
                code = ERRORS.get(call.service, ERRORS["kms"])[fault]
                status = THROTTLED.get(call.service, STATUSES[fault]) if fault == "throttle" else STATUSES[fault]
                raw = error_answer(call.service, status, code, MESSAGE, formatdate(usegmt=True))
        return self.send(raw, call, Message(raw.partition(b"\r\n\r\n")[0], b""), started_at, writer)

    def send(self, raw: bytes, call: Call, answer: Message | None, started_at: float, writer: asyncio.StreamWriter) -> bool:
        writer.write(raw)
        call.milliseconds = round((time.monotonic() - started_at) * 1000, 3)
        if answer is None:
            return False
        call.status = int(answer.first[1])
        return answer.keeps_alive

    async def call_of(self, request: Message) -> Call:
        credential = request.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        access_key, _, region, service = credential[:4] if len(credential) == 5 else (None, None, None, None)
        caller = await self.caller_of(access_key) if access_key else None
        asked = asked_of(service, request)
        account = caller.split(":")[4] if caller else ""
        return Call(
            next(self.call_numbers),
            time.time(),
            service,
            region,
            action_of(request, asked),
            resource_of(service, region, account, request, asked),
            item_of(service, asked),
            caller,
            access_key,
        )

    async def caller_of(self, access_key: str) -> str | None:
        """The ARN of the session that an access key belongs to. The emulator knows it (launch.py)."""
        if access_key not in self.callers:
            upstream = Upstream(self.emulator.hostname, self.emulator.port)
            head = f"GET /_latchkey/callers/{access_key} HTTP/1.1\r\nhost: {self.emulator.netloc}\r\n\r\n".encode()
            answer = await upstream.ask(Message(head, b""))
            upstream.close()
            self.callers[access_key] = json.loads(answer.body)["arn"] if answer.first[1] == "200" else None
        return self.callers[access_key]

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection of a test."""
        try:
            while (request := await read_message(reader)) is not None:
                status, answer = self.controlled(request)
                writer.write(raw_answer(status, "application/json", json.dumps(answer).encode()))
                await writer.drain()
                if not request.keeps_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def controlled(self, request: Message) -> tuple[int, dict]:
        method, url = request.first[0], urlsplit(request.first[1])
        match method, url.path.strip("/").split("/"):
            case "POST", ["rules"]:
                try:
                    rule = Rule(**json.loads(request.body))
                except (TypeError, ValueError) as error:
                    return 400, {"error": str(error), "a rule has": [it.name for it in fields(Rule)]}
                rule_id = next(self.rule_ids)
                self.rules[rule_id] = rule
                return 200, {"id": rule_id}
            case "GET", ["rules"]:
                return 200, {"rules": [{"id": rule_id} | asdict(rule) for rule_id, rule in self.rules.items()]}
            case "DELETE", ["rules"]:
                self.rules.clear()
                return 200, {}
            case "DELETE", ["rules", rule_id] if rule_id.isdigit():
                rule = self.rules.pop(int(rule_id), None)
                return (200, asdict(rule)) if rule else (404, {"error": "there is no such rule"})
            case "GET", ["calls"]:
                after = int(parse_qs(url.query).get("after", ["0"])[0])
                last = self.calls[-1].number if self.calls else 0
                return 200, {"calls": [asdict(call) for call in self.calls if call.number > after], "last": last}
        return 404, {"error": "there is /rules, /rules/<id> and /calls"}


class Upstream:
    """A connection to the emulator. It is opened when it is first needed, and kept open."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: Message) -> Message:
        was_used = self.writer is not None
        try:
            return await self.ask_once(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not was_used:
                raise
        # The emulator closes a connection that was idle for some seconds, perhaps just now.
        self.close()
        return await self.ask_once(request)

    async def ask_once(self, request: Message) -> Message:
        if self.writer is not None and self.reader.at_eof():
            self.close()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=LARGEST_HEAD)
        self.writer.write(request.head + request.body)
        answer = await read_message(self.reader, to_head=request.first[0] == "HEAD")
        if answer is None:
            raise ConnectionError("closed without an answer")
        if not answer.keeps_alive:
            self.close()
        return answer

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def read_message(reader: asyncio.StreamReader, *, to_head: bool = False) -> Message | None:
    """The next message, or None if the connection ends before one begins."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    message = Message(head, b"")
    if to_head or message.first[1] in ("204", "304"):
        return message
    if "chunked" in message.headers.get("transfer-encoding", ""):
        while not message.body.endswith(b"0\r\n\r\n"):
            line = await reader.readuntil(b"\r\n")
            message.body += line + await reader.readexactly(int(line.partition(b";")[0], 16) + 2)
        return message
    message.body = await reader.readexactly(int(message.headers.get("content-length", 0)))
    return message


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection with a reset, without lingering."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def asked_of(service: str | None, request: Message) -> dict:
    """What a request asks for, in whatever protocol the service speaks."""
    if service == "sts":
        return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    with contextlib.suppress(ValueError):
        asked = json.loads(request.body)
        return asked if isinstance(asked, dict) else {}
    return {}


def action_of(request: Message, asked: dict) -> str | None:
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    return "InvokeFunction" if invoked_function(request) else asked.get("Action")


def invoked_function(request: Message) -> str | None:
    """The function that is invoked, with its alias if the request names one. Source: Lambda API reference, Invoke."""
    url = urlsplit(request.first[1])
    match url.path.strip("/").split("/"):
        case ["2015-03-31", "functions", name, "invocations"]:
            return ":".join([unquote(name), *parse_qs(url.query).get("Qualifier", [])])
    return None


def resource_of(service: str | None, region: str | None, account: str, request: Message, asked: dict) -> str | None:
    match service:
        case "kms":
            return asked.get("KeyId")
        case "sts":
            return asked.get("RoleArn")
        case "lambda":
            return f"arn:aws:lambda:{region}:{account}:function:{invoked_function(request)}"
        case "dynamodb" if "TableName" in asked:
            index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
            return f"arn:aws:dynamodb:{region}:{account}:table/{asked['TableName']}{index}"
        case "events" if asked.get("Entries"):
            return f"arn:aws:events:{region}:{account}:event-bus/{asked['Entries'][0].get('EventBusName', 'default')}"
    return None


def item_of(service: str | None, asked: dict) -> str | None:
    keys = asked.get("Key") or asked.get("Item") or {}
    if service != "dynamodb" or not keys:
        return None
    return " / ".join(str(keys.get(name, {}).get("S")) for name in ("pk", "sk"))


def error_answer(service: str | None, status: int, code: str, message: str, date: str) -> bytes:
    """An error in the service's protocol. STS uses XML, the others JSON."""
    headers = {"date": date, "x-amzn-requestid": "00000000-0000-4000-8000-000000000000"}
    if service == "lambda":
        headers["x-amzn-errortype"] = code
    if service == "sts":
        error = (
            f"<Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        )
        text = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}<RequestId>0</RequestId></ErrorResponse>'
        return raw_answer(status, "text/xml", text.encode(), headers)
    body = json.dumps({"__type": code, "message": message}).encode()
    return raw_answer(status, "application/x-amz-json-1.1", body, headers)


def raw_answer(status: int, media_type: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    named = {"content-type": media_type, "content-length": str(len(body))} | (headers or {})
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run(port: int, control_port: int, emulator: str) -> None:
    proxy = Proxy(emulator)
    async with (
        await asyncio.start_server(proxy.serve, HOST, port, limit=LARGEST_HEAD, backlog=1024) as calls,
        await asyncio.start_server(proxy.control, HOST, control_port, limit=LARGEST_HEAD) as control,
    ):
        await asyncio.gather(calls.serve_forever(), control.serve_forever())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--emulator", required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments.port, arguments.control_port, arguments.emulator))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
