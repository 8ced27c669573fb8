"""Calls that schemathesis generates from openapi.yaml, valid and invalid, against the running API.

Every answer must match openapi.yaml: no 5xx, and no status, media type, header or body that it does not document. Valid requests
must be accepted; invalid ones, and any without a token, must be refused. The settings are in schemathesis.toml.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.openapi import REPOSITORY, operations

SETTINGS = Path(__file__).resolve().parent / "schemathesis.toml"
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


@pytest.fixture(scope="module")
def customer(new_customer):
    """A customer for these tests only."""
    return new_customer()


@pytest.fixture
def real_document(customer, api, token, tmp_path) -> Path:
    """openapi.yaml with a real key, role, vault and sealed item in its examples, so that calls get past validation. Each operation
    has its own vault, because a call may disable it."""
    owner = token(workspace_id=customer.workspace_id, role="owner", sub="schemathesis")
    created = api().post("/v1/vaults", customer.vault_request(tmp_path.name), token=owner)
    assert created.status == 201, created.text
    vault_id = created.json["vault_id"]
    item = {"item_id": "account-1/password", "plaintext": base64.b64encode(b"secret").decode(), "context": {"field": "password"}}
    sealed = api().post("/v1/items/encrypt", {"vault_id": vault_id, "items": [item]}, token=owner)
    text = (REPOSITORY / "openapi.yaml").read_text()
    for example, real in {
        "arn:aws:iam::222222222222:role/latchkey-key-access": customer.aws_role_arn,
        "mrk-1234abcd12ab34cd56ef1234567890ab": customer.kms_key_id,
        "222222222222": customer.aws_account_id,
        "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r": vault_id,
        "AgV4c2VhbGVkIGl0ZW0=": sealed.json["items"][0]["sealed_item"],
    }.items():
        assert example in text
        text = text.replace(example, real)
    document = tmp_path / "openapi.yaml"
    document.write_text(text)
    return document


@pytest.mark.parametrize("operation", operations())
def test_strange_calls(operation, real_document, customer, stack, token, tmp_path):
    owner = token(workspace_id=customer.workspace_id, role="owner", sub="schemathesis")
    report = tmp_path / "calls.ndjson"
    command = [SCHEMATHESIS, "--config-file", SETTINGS, "run", real_document, "--url", stack["apis"]["us-east-2"]]
    command += ["--header", f"Authorization: Bearer {owner}", "--include-operation-id", operation, "--no-color"]
    command += ["--continue-on-failure", "--no-shrink", "--report", "ndjson", "--report-ndjson-path", report]
    ran = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout
    answered = {json.dumps(line).count('"status_code": 2') > 0 for line in map(json.loads, report.open())}
    assert True in answered, "no call of it came to an end that is no problem"
