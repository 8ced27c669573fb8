"""The exit guide works: docs/leaving.md's script opens what the deployed service sealed, without the service."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.e2e_support import Workspace

TESTS = Path(__file__).resolve().parents[1]
SCRIPT = TESTS / "interop" / "open_without_us.py"

# Item id, plaintext, context.
ITEMS = [
    ("account-1/password", b"correct horse battery staple", {}),
    ("account-1/recovery", b"", {"owner": "ann", "purpose": "recovery"}),
    ("Kontö-\U0001f511", "grüße".encode(), {"\U00010000": "astral", "\ufffd": "last of the basic plane", "é": "ü"}),
    ("account-2/export", bytes(range(256)) * 800, {"owner": "bob"}),
]


@pytest.fixture(scope="module")
def workspace(new_customer, api, token, wait_for) -> Workspace:
    return Workspace(new_customer(), api, token, wait_for)


@pytest.fixture(scope="module")
def stored(workspace) -> list[dict]:
    """What a SaaS has stored: items that the deployed service sealed, some in each Region."""
    vault_id = workspace.new_vault()
    return [
        workspace.sealed(vault_id, item_id, plaintext, region=["us-east-2", "us-west-2"][index % 2], **context)
        for index, (item_id, plaintext, context) in enumerate(ITEMS)
    ]


@pytest.fixture
def leave(workspace, tmp_path):
    """leave(items, *options, key_arn=...): runs the script as the customer. Returns its exit status and its output."""

    def leave(items: list[dict], *options: str, key_arn: str, customer=workspace.customer) -> tuple[int, list[dict]]:
        file = tmp_path / "items.json"
        file.write_text(json.dumps(items))
        # Nothing from the service: only the account's credentials and the address of its AWS.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": customer.aws_account_id,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": customer.endpoint,
        }
        run = [sys.executable, str(SCRIPT), "--key-arn", key_arn, *options, str(file)]
        ran = subprocess.run(run, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=120)
        return ran.returncode, json.loads(ran.stdout)

    return leave


def plaintexts(answers: list[dict]) -> list[bytes]:
    return [base64.b64decode(answer["plaintext"]) for answer in answers]


@pytest.mark.parametrize("key", ["primary_key_arn", "replica_key_arn"])
def test_a_customer_opens_its_items_without_us_in_either_region(workspace, stored, leave, key):
    status, answers = leave(stored, key_arn=getattr(workspace.customer, key))
    assert status == 0
    assert plaintexts(answers) == [plaintext for _, plaintext, _ in ITEMS]
    assert [(answer["item_id"], answer["context"]) for answer in answers] == [(item_id, context) for item_id, _, context in ITEMS]


def test_items_open_without_us_after_the_vault_was_disabled(workspace, leave):
    vault_id = workspace.new_vault()
    item = workspace.sealed(vault_id, "item-1", b"still mine")
    assert workspace.disable(vault_id).status == 200
    assert workspace.error_of(item)
    status, answers = leave([item], key_arn=workspace.customer.primary_key_arn)
    assert (status, plaintexts(answers)) == (0, [b"still mine"])


def test_an_item_stored_as_another_is_told_and_fails_no_neighbour(workspace, stored, leave):
    swapped = [stored[0] | {"sealed_item": stored[1]["sealed_item"]}, stored[2], stored[3] | {"context": {}}]
    status, answers = leave(swapped, key_arn=workspace.customer.primary_key_arn)
    assert status == 1
    assert ["error" in answer for answer in answers] == [True, False, True]
    assert "another item id or context" in answers[0]["error"]
    assert plaintexts(answers[1:2]) == [ITEMS[2][1]]

    status, answers = leave(swapped, "--any-identity", key_arn=workspace.customer.primary_key_arn)
    assert (status, plaintexts(answers)) == (0, [ITEMS[1][1], ITEMS[2][1], ITEMS[3][1]])


def test_another_customers_key_opens_nothing(stored, leave, new_customer):
    other = new_customer()
    status, answers = leave(stored[:1], customer=other, key_arn=other.primary_key_arn)
    assert status == 1 and "plaintext" not in answers[0]
