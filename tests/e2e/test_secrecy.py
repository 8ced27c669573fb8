"""A canary plaintext and its data key go through every path, including faults. Afterwards they must not be in any log, trace,
metric, record, event or problem."""

import base64
import json
import time

import pytest

from local_aws.faults import Faults
from local_aws.layout import LOCAL, REGIONS
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import base64_of

CANARY = b"canary-7f3a9c51-plaintext"


def forms_of(secret: bytes) -> list[str]:
    """The forms that a secret can have in a text: plain, hex, base64 at any offset, and as Rust or Python print bytes."""
    forms = [secret.decode("latin-1"), secret.hex(), secret.hex().upper()]
    for offset in range(3):
        # Without the first and last characters of the base64 text: they also depend on the neighbouring bytes.
        text = base64_of(bytes(offset) + secret + bytes(3))[4 if offset else 0 : (offset + len(secret)) // 3 * 4 - 1]
        forms += [text, text.replace("+", "-").replace("/", "_")]
    numbers = [str(byte) for byte in secret[:12]]
    return [*forms, ", ".join(numbers), ",".join(numbers), json.dumps(secret.decode("latin-1"))[1:-1]]


def test_what_is_looked_for_is_found_in_all_its_forms():
    secret = bytes(range(200, 232))
    holders = [str(list(secret)), secret.hex(), base64_of(secret), base64_of(b"before" + secret + b"after"), repr(list(secret))]
    holders += [base64.urlsafe_b64encode(b"x" * n + secret).decode() for n in range(7)]
    for text in holders:
        assert any(form in text for form in forms_of(secret)), text


class Secrets:
    """The secrets that must not leak, and all answers."""

    def __init__(self, stack, service_dynamodb) -> None:
        self.since_ms = int(time.time() * 1000) - 1000
        self.stack, self.dynamodb = stack, service_dynamodb()
        self.forms = forms_of(CANARY)
        self.answers = []

    def data_key_of(self, workspace, vault_id: str) -> bytes:
        """The data key, unwrapped as the customer may do it. KMS returns a 48-byte digest and then the key."""
        (record,) = self.dynamodb.query(
            TableName=self.stack["table_name"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": f"VAULT#{vault_id}"}, ":sk": {"S": "DATAKEY#"}},
        )["Items"]
        customer = workspace.customer
        opened = customer.kms().decrypt(
            KeyId=customer.kms_key_id, CiphertextBlob=record["ciphertext"]["B"], EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        )["Plaintext"]
        assert len(opened) == 80
        self.forms += forms_of(opened[48:])
        return opened[48:]

    def in_text(self, text: str) -> bool:
        return any(form in text for form in self.forms)

    def hold(self, answer):
        """Asserts that an answer holds no secret, except in the `plaintext` of an opened item."""
        body = answer.json if answer.status == 200 else None
        for item in (body or {}).get("items", []):
            item.pop("plaintext", None)
        text = json.dumps(body, ensure_ascii=False) if body else answer.text
        assert not self.in_text(text) and not self.in_text(str(answer.headers)), text
        self.answers.append(answer)
        return answer

    def hold_everywhere(self, function_logs, wait_for, subscription) -> list[str]:
        """Checks the logs with their traces and metrics, the records, the events and the local stack's own logs. Returns the
        logs."""
        last = [answer.headers["x-request-id"] for answer in self.answers if "x-request-id" in answer.headers][-1]

        def arrived():
            """the last request is in the log"""
            return any(last in line for line in function_logs(since_ms=self.since_ms))

        wait_for(arrived)
        lines = function_logs(since_ms=self.since_ms)
        assert not [line for line in lines if self.in_text(line)]
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.stack["table_name"])
        records = json.dumps([page["Items"] for page in pages], default=lambda value: value.hex())
        assert not self.in_text(records)
        subscription.receive()
        assert not self.in_text(json.dumps(subscription.arrived))
        for log in LOCAL.glob("*.log"):
            assert not self.in_text(log.read_text(errors="replace")), log
        return lines


@pytest.fixture
def secrets(stack, service_dynamodb) -> Secrets:
    return Secrets(stack, service_dynamodb)


def test_the_canaries_are_nowhere_but_in_the_answers_that_carry_them(
    new_workspace, secrets, subscription, function_logs, wait_for, stack
):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "item-1", CANARY)
    secrets.data_key_of(workspace, vault_id)
    assert CANARY not in base64.b64decode(item["sealed_item"])
    assert workspace.opened(item) == CANARY
    plaintext = base64_of(CANARY)
    new_item = [{"item_id": "i", "plaintext": plaintext}]

    another = workspace.new_vault(data_key_cache_seconds=30)
    moved = secrets.hold(workspace.call("/v1/items/reassign", {"to_vault_id": another, "items": [item]}, role="member"))
    assert moved.json["items"][0]["outcome"] == "moved"
    secrets.data_key_of(workspace, another)
    for answer in [
        workspace.call("/v1/items/reassign", {"to_vault_id": another, "items": [item | {"item_id": CANARY.hex()[:40]}]}),
        workspace.call("/v1/items/reassign", {"to_vault_id": plaintext, "items": [item]}),
        workspace.encrypt(vault_id, [{"item_id": "", "plaintext": plaintext}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": plaintext[:-3] + "!"}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": {plaintext: CANARY.decode()}}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": "", CANARY.decode(): 1}]),
        workspace.encrypt("vlt_01jd0f3zt5e8w9x7kq2m4n6p8r", new_item),
        workspace.call("/v1/items/encrypt", '{"items":[{"item_id":"i","plaintext":"' + plaintext),
        workspace.decrypt([item | {"item_id": "item-2"}, item | {"sealed_item": plaintext}]),
        workspace.update(vault_id, {CANARY.decode(): plaintext}),
        workspace.update(vault_id, {"data_key_cache_seconds": plaintext}),
        workspace.api().get("/v1/setup-kit", token=workspace.token_of("owner")),
        workspace.list_vaults(f"?next_token={CANARY.hex()}"),
        workspace.list_vaults(),
        workspace.read(vault_id),
    ]:
        secrets.hold(answer)

    for region in REGIONS:
        workspace.customer.kms(region).disable_key(KeyId=workspace.customer.kms_key_id)
    secrets.hold(workspace.encrypt(vault_id, new_item))
    secrets.hold(workspace.decrypt([item]))
    secrets.hold(workspace.validate(vault_id))
    Schedule.of(stack).health_after_sweep(workspace.customer.workspace_id, vault_id)
    subscription.of_vault(vault_id, at_least=1)
    secrets.hold(workspace.disable(vault_id))
    secrets.hold(workspace.encrypt(vault_id, new_item))
    secrets.hold(workspace.decrypt([item]))
    secrets.hold(workspace.enable(vault_id))

    lines = secrets.hold_everywhere(function_logs, wait_for, subscription)
    assert any('"log":"audit"' in line for line in lines) and any('"_aws"' in line for line in lines), "audit lines and metrics"


def test_answers_of_aws_that_carry_them_are_passed_on_to_nobody(
    new_workspace, secrets, subscription, function_logs, wait_for, stack
):
    """No text of AWS is passed on, whatever AWS answers and whatever the status."""
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    another = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "item-1", CANARY)
    data_key = secrets.data_key_of(workspace, vault_id)
    said = f"{CANARY.decode()} {base64_of(data_key)} {data_key.hex()} {list(data_key)}"
    errors = [
        (500, "KMSInternalException"),
        (503, "ServiceUnavailable"),
        (400, "ThrottlingException"),
        (400, "AccessDeniedException"),
        (400, "AccessDenied"),
        (400, "InvalidCiphertextException"),
        (400, "ValidationException"),
        (400, data_key.hex()),
    ]
    faults = [("error", {"status": status, "code": code, "message": said}) for status, code in errors]
    faults += [("truncated", {}), ("garbage", {})]
    met = 0
    control = Faults.of(stack)
    whose = {
        "kms": [workspace.customer.kms_key_id],
        "sts": [workspace.customer.aws_role_arn],
        "dynamodb": [workspace.customer.workspace_id],
    }
    for service, match in whose.items():
        for fault, how in faults:
            with control.rule(fault, service=service, match=match, **how) as rule:
                secrets.hold(workspace.decrypt([item]))
                secrets.hold(workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": base64_of(CANARY)}]))
                secrets.hold(workspace.call("/v1/items/reassign", {"to_vault_id": another, "items": [item]}, role="member"))
                if fault == "error" and how["status"] == 400:
                    secrets.hold(workspace.validate(vault_id))
                met += control.met(rule)
            secrets.hold(workspace.validate(vault_id))
    assert met >= 3 * len(faults), "they were met"
    with control.rule("error", service="events", match=[vault_id], message=said):
        workspace.customer.kms().disable_key(KeyId=workspace.customer.kms_key_id)
        Schedule.of(stack).health_after_sweep(workspace.customer.workspace_id, vault_id)
    secrets.hold(workspace.read(vault_id))
    secrets.hold_everywhere(function_logs, wait_for, subscription)
