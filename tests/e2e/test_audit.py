"""The audit log of the deployed functions. Each request writes one line of the documented shape, which leads to its items and to
the customer's CloudTrail.

Like CloudTrail, the emulator records calls with AWS's request id in the caller's account. It does not record the caller's session,
nor an AssumeRole in the account of the role. So uses of the key are joined by AWS request id only. Session names are compared where
they are recorded: in the AssumeRole calls of the service's account. The emulator gives a denied call no request id and does not
record it. AWS does both.
"""

import hashlib
import json
import urllib.request
from collections import Counter
from contextlib import contextmanager

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from local_aws.layout import REGIONS, REPOSITORY, aws_client
from tests.contract.openapi import operations
from tests.e2e.e2e_support import base64_of

SCHEMA = json.loads((REPOSITORY / "docs" / "audit.schema.json").read_text())
LINE = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
QUICK = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)  # fast enough for the thousands of lines of a run
DENY_ALL = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
MISSING = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"


def hash_of(workspace_id: str, item_id: str) -> str:
    """The hash of an item id, as defined in docs/audit.md."""
    return hashlib.sha256(f"latchkey:item-id:v1\0{workspace_id}\0{item_id}".encode()).hexdigest()[:32]


def parsed(lines: list[str]) -> list[dict]:
    return [json.loads(line) for line in lines if line.startswith("{") and '"log":"audit"' in line]


@pytest.fixture
def line_of(function_logs, wait_for):
    """line_of(function, answer): the audit line of the answered request. Asserts that there is exactly one."""

    def line_of(function: str, answer) -> dict:
        request_id = answer.headers["x-request-id"]

        def lines():
            """there is a line of the request"""
            return [line for line in parsed(function_logs(function)) if line["request_id"] == request_id]

        (line,) = wait_for(lines)
        return line

    return line_of


@contextmanager
def recorded(endpoint: str):
    """Makes CloudTrail record calls while the context is open."""

    def record(on: bool) -> None:
        body = json.dumps({"cloudtrail._recording_enabled": str(on).lower()}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/_ministack/config", data=body, method="POST")).close()

    record(True)
    try:
        yield
    finally:
        record(False)


def trail(endpoint: str, account_id: str, source: str) -> list[dict]:
    """The events of a service in an account's CloudTrail, in both Regions."""
    events = []
    for region in REGIONS:
        pages = aws_client(endpoint, "cloudtrail", region, account_id).get_paginator("lookup_events")
        by_source = [{"AttributeKey": "EventSource", "AttributeValue": source}]
        for page in pages.paginate(LookupAttributes=by_source):
            events += [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
    return events


def test_a_line_joins_the_customers_cloudtrail(new_workspace, line_of, stack):
    workspace = new_workspace()
    endpoint, account_id = stack["aws_endpoint"], workspace.customer.aws_account_id
    with recorded(endpoint):
        created = workspace.create_vault(data_key_cache_seconds=0)
        vault_id = created.json["vault_id"]
        validated = workspace.validate(vault_id)
        item = {"item_id": "item-1", "plaintext": base64_of(b"secret")}
        sealed = workspace.encrypt(vault_id, [item])
        opened = workspace.decrypt([{"item_id": "item-1", "sealed_item": sealed.json["items"][0]["sealed_item"]}], "us-west-2")
        workspace.customer.set_role_policy({"Version": "2012-10-17", "Statement": [DENY_ALL]})
        refused = workspace.decrypt([{"item_id": "item-1", "sealed_item": sealed.json["items"][0]["sealed_item"]}])
    answers = [("create-vault", created), ("validate-vault", validated), ("encrypt-item", sealed), ("decrypt-item", opened)]
    lines = [line_of(function, answer) for function, answer in [*answers, ("decrypt-item", refused)]]
    uses = [(line, use) for line in lines for use in line["key_uses"]]
    denied = [use for _, use in uses if not use["aws_request_id"]]
    assert [(use["action"], use["succeeded"]) for use in denied] == [("kms:Decrypt", False)], denied

    # Our log and the customer's CloudTrail have the same uses of the key.
    ours = {use["aws_request_id"]: use for _, use in uses if use["action"].startswith("kms:") and use not in denied}
    theirs = {event["requestID"]: event for event in trail(endpoint, account_id, "kms.amazonaws.com")}
    assert ours.keys() == {id for id, event in theirs.items() if event["userIdentity"]["accessKeyId"] != account_id}
    for request_id, use in ours.items():
        assert (f"kms:{theirs[request_id]['eventName']}", theirs[request_id]["awsRegion"]) == (use["action"], use["region"])
    assert {use["action"] for use in ours.values()} == {"kms:DescribeKey", "kms:GetPublicKey", "kms:Encrypt", "kms:Decrypt"}

    # Each session has the session name of the audit line, which ends with the line's request id.
    entered = {
        event["requestID"]: event["requestParameters"]["RoleSessionName"]
        for event in trail(endpoint, stack["service_account_id"], "sts.amazonaws.com")
    }
    for line, use in uses:
        assert use["role_session_name"] == f"{vault_id}-{line['request_id']}", use
        if use["action"] == "sts:AssumeRole" and use["succeeded"]:
            assert entered[use["aws_request_id"]] == use["role_session_name"]
    assert lines[-1]["outcome"] == "items_failed" and not lines[-1]["key_uses"][-1]["succeeded"]


def test_who_knows_an_item_finds_its_lines(workspace, line_of, function_logs):
    vault_id = workspace.new_vault()
    item_ids = ["account-1/password-7f21", "account-2/password-7f21"]
    items = [{"item_id": item_id, "plaintext": base64_of(b"secret")} for item_id in item_ids]
    sealed = workspace.encrypt(vault_id, items)
    changes = [{}, {"item_id": "somebody-else"}]
    sent = [
        {"item_id": item_id, "sealed_item": item["sealed_item"]} | change
        for item_id, item, change in zip(item_ids, sealed.json["items"], changes, strict=True)
    ]
    opened = workspace.decrypt(sent)
    hashes = [hash_of(workspace.customer.workspace_id, item["item_id"]) for item in sent]
    line = line_of("decrypt-item", opened)
    assert (line["item_id_hashes"], line["failed_item_id_hashes"]) == (hashes, hashes[1:])
    assert (line["items"], line["items_failed"], line["outcome"]) == (2, 1, "items_failed")
    assert line["item_vault_ids"] == [vault_id]
    line = line_of("encrypt-item", sealed)
    assert line["item_id_hashes"] == [hash_of(workspace.customer.workspace_id, item_id) for item_id in item_ids]
    assert (line["vault_id"], line["item_vault_ids"], line["outcome"]) == (vault_id, [vault_id], "succeeded")
    assert not [line for line in function_logs() if "password-7f21" in line]


def test_a_refusal_has_its_line_too(workspace, line_of, api, token):
    vault_id = workspace.new_vault()
    item = {"item_id": "i", "plaintext": ""}
    calls = {
        "create-vault": workspace.call("/v1/vaults", {}, role="member"),
        "validate-vault": workspace.validate(MISSING),
        "disable-vault": workspace.disable(vault_id, "sideways"),
        "encrypt-item": workspace.encrypt(MISSING, [item]),
        "decrypt-item": api("us-west-2").post("/v1/items/decrypt", {}, token=token(role="owner")),
    }
    lines = {function: line_of(function, answer) for function, answer in calls.items()}
    problems = {function: line["problem"].rpartition(":")[2] for function, line in lines.items()}
    assert problems == {
        "create-vault": "forbidden",
        "validate-vault": "vault-not-found",
        "disable-vault": "malformed-request",
        "encrypt-item": "vault-not-found",
        "decrypt-item": "unauthenticated",
    }
    assert {line["outcome"] for line in lines.values()} == {"refused"}
    assert lines["disable-vault"]["vault_id"] == vault_id
    assert lines["encrypt-item"]["item_vault_ids"] == [MISSING]
    assert lines["encrypt-item"]["item_id_hashes"] == [hash_of(workspace.customer.workspace_id, "i")]
    assert {function: line["region"] for function, line in lines.items()}["decrypt-item"] == "us-west-2"
    assert lines["create-vault"]["region"] == "us-east-2"
    assert "workspace_id" not in lines["decrypt-item"]


def test_the_schema_refuses_what_is_no_line(workspace, line_of):
    line = line_of("encrypt-item", workspace.encrypt(workspace.new_vault(), [{"item_id": "i", "plaintext": ""}]))
    assert LINE.is_valid(line) and QUICK.is_valid(line)
    for change in ({"item_ids": ["i"]}, {"outcome": "refused"}, {"region": "eu-west-1"}, {"item_id_hashes": ["i"]}):
        assert not LINE.is_valid(line | change) and not QUICK.is_valid(line | change), change


@pytest.mark.looks_back
def test_every_line_of_the_run_is_as_the_schema_says(logs_of_the_run):
    """The lines of all earlier tests in all lanes. pytest runs this test last."""
    lines = parsed(logs_of_the_run)
    assert lines
    wrong = [line for line in lines if not QUICK.is_valid(line)]
    assert not wrong, [[error.message[:300] for error in LINE.iter_errors(line)] for line in wrong[:3]] + wrong[:3]
    assert {line["operation"] for line in lines} <= operations().keys() | {"check-vault"}
    requests = Counter(line["request_id"] for line in lines if line["operation"] != "check-vault")
    assert set(requests.values()) == {1}, "one line for each request"
