"""One execution environment with several invocations at a time, as on Lambda Managed Instances. The deployed encrypt-item runs
under our own Runtime API with AWS_LAMBDA_MAX_CONCURRENCY, and with a KMS that can hold up the calls for one key."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benches import runtime_api
from local_aws import watch
from local_aws.layout import STAGE
from tests.e2e.e2e_support import base64_of

AT_A_TIME = 8


class HeldKms:
    """KMS, except that a call that names the held key waits until the key is let go."""

    def __init__(self, endpoint: str):
        self.endpoint = endpoint
        self.held_key_id = None
        self.call_is_held = threading.Event()
        self.let_go = threading.Event()

    def hold(self, key_id: str) -> None:
        self.held_key_id = key_id

    @contextmanager
    def running(self):
        kms = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if kms.held_key_id and kms.held_key_id.encode() in body:
                    kms.call_is_held.set()
                    kms.let_go.wait(timeout=60)
                request = urllib.request.Request(kms.endpoint, data=body, headers=dict(self.headers), method="POST")
                try:
                    answer = urllib.request.urlopen(request, timeout=30)
                except urllib.error.HTTPError as error:
                    answer = error
                with answer:
                    answered = answer.read()
                    self.send_response(answer.status)
                    for name in ("content-type", "x-amzn-requestid", "x-amzn-errortype"):
                        if name in answer.headers:
                            self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answered)))
                self.end_headers()
                self.wfile.write(answered)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            kms.let_go.set()
            server.shutdown()


@dataclass
class Concurrent:
    """One execution environment of encrypt-item, and its log."""

    environment: runtime_api.Environment
    kms: HeldKms
    log: object

    def encrypt(self, workspace, vault_id: str, item_ids: list[str]) -> runtime_api.Invocation:
        items = [{"item_id": item_id, "plaintext": base64_of(plaintext_of(workspace, item_id))} for item_id in item_ids]
        claims = {"workspace_id": workspace.customer.workspace_id, "role": "member", "sub": "member-1"}
        return self.environment.begin(
            {
                "version": "2.0",
                "requestContext": {"requestId": "JKJaXmPLvHcESHA=", "authorizer": {"jwt": {"claims": claims}}},
                "body": json.dumps({"vault_id": vault_id, "items": items}),
                "isBase64Encoded": False,
            }
        )

    def log_lines(self) -> list[dict]:
        """The log's lines. Fails unless every line is complete JSON."""
        self.log.seek(0)
        return [json.loads(line) for line in self.log.read().splitlines()]


def plaintext_of(workspace, item_id: str) -> bytes:
    return f"{workspace.customer.workspace_id}: {item_id}".encode()


def sealed_of(invocation) -> list[dict]:
    """The items of an answer. Asserts that it is the answer to this invocation."""
    answer, _ = invocation.answer()
    assert answer["statusCode"] == 200, answer["body"]
    assert answer["headers"]["x-request-id"] == invocation.request_id.replace("-", "")
    return json.loads(answer["body"])["items"]


@pytest.fixture
def concurrent(stack, tmp_path):
    kms = HeldKms(stack["aws_endpoint"])
    environment = watch.function_environment(stack, f"{STAGE}-latchkey-encrypt-item", "encrypt-item")
    environment["AWS_LAMBDA_MAX_CONCURRENCY"] = str(AT_A_TIME)
    program = watch.programs()["encrypt-item"]
    with kms.running() as address, (tmp_path / "log").open("w+") as log:
        environment["AWS_ENDPOINT_URL_KMS"] = address
        with runtime_api.running([program], environment, log) as running:
            yield Concurrent(running, kms, log)


def test_an_invocation_is_answered_while_another_hangs(concurrent, new_workspace):
    slow, quick = new_workspace(), new_workspace()
    slow_vault, quick_vault = slow.new_vault(), quick.new_vault()
    concurrent.kms.hold(slow.customer.kms_key_id)
    hanging = concurrent.encrypt(slow, slow_vault, ["i"])
    assert concurrent.kms.call_is_held.wait(timeout=30), "KMS was not asked"
    [answered] = sealed_of(concurrent.encrypt(quick, quick_vault, ["i"]))
    assert not hanging.is_answered()
    concurrent.kms.let_go.set()
    [sealed] = sealed_of(hanging)
    assert quick.opened(answered) == plaintext_of(quick, "i")
    assert slow.opened(sealed) == plaintext_of(slow, "i")


def test_nothing_is_mixed_up_and_a_data_key_is_unwrapped_once(concurrent, new_workspace):
    workspace, other = new_workspace(), new_workspace()
    vault_id, others_vault = workspace.new_vault(), other.new_vault()
    concurrent.kms.hold(workspace.customer.kms_key_id)
    # One invocation fewer than the environment takes at a time. Half of its places may wait for one vault's key. The other
    # invocations get a 429 at once, and those of other workspaces go on.
    batches = [[f"{number}/{item}" for item in range(100)] for number in range(AT_A_TIME - 1)]
    begun = [(concurrent.encrypt(workspace, vault_id, item_ids), item_ids) for item_ids in batches]
    assert all(invocation.taken.wait(timeout=30) for invocation, _ in begun), "not all are under way at a time"
    told = AT_A_TIME - 1 - AT_A_TIME // 2
    workspace.wait_for(lambda: sum(invocation.is_answered() for invocation, _ in begun) == told)
    waiting = [(invocation, item_ids) for invocation, item_ids in begun if not invocation.is_answered()]
    for invocation, _ in begun:
        if invocation.is_answered():
            answer, _ = invocation.answer()
            assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "1"), answer["body"]
            assert json.loads(answer["body"])["type"] == "urn:latchkey:problem:throttled"
    passing = [(concurrent.encrypt(other, others_vault, item_ids), item_ids) for item_ids in (["a"], ["b"])]
    for invocation, item_ids in passing:
        [sealed] = sealed_of(invocation)
        assert other.opened(sealed) == plaintext_of(other, item_ids[0])
    assert not any(invocation.is_answered() for invocation, _ in waiting)
    concurrent.kms.let_go.set()
    for invocation, item_ids in waiting:
        sealed = sealed_of(invocation)
        assert [item["item_id"] for item in sealed] == item_ids
        opened = workspace.decrypt(sealed).json["items"]
        assert [item["plaintext"] for item in opened] == [base64_of(plaintext_of(workspace, it)) for it in item_ids]

    logged = concurrent.log_lines()
    audited = [line for line in logged if line["log"] == "audit"]
    lines = {line["request_id"]: line for line in audited}
    assert len(lines) == len(audited) == len(begun) + len(passing), "one audit line each"
    throttled = {line["request_id"] for line in audited if line["status"] == 429}
    assert throttled == {line["request_id"] for line in logged if line["log"] == "trace"}, "and one line that says why not"
    key_uses = []
    for invocation, item_ids in waiting:
        line = lines[invocation.request_id.replace("-", "")]
        assert (line["workspace_id"], line["items"]) == (workspace.customer.workspace_id, len(item_ids))
        assert line["item_vault_ids"] == [vault_id] and len(line["item_id_hashes"]) == len(item_ids)
        key_uses += line.get("key_uses", [])
    assert [use["action"] for use in key_uses].count("kms:Decrypt") == 1
