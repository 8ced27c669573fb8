"""Moving items to another vault: within a workspace, to another key, through either Region."""

import base64

import pytest

from local_aws.client import Customer
from local_aws.layout import REGIONS
from tests.e2e.e2e_support import problem_of

PLAINTEXT = b"canary of the reassigned item"


def reassign(workspace, to: str, items: list[dict], region: str = "us-east-2", **more):
    body = {"to_vault_id": to, "items": items} | more
    return workspace.call("/v1/items/reassign", body, role="member", region=region)


@pytest.fixture
def moving(new_workspace, new_customer):
    """(workspace, its vault, another of its vaults under another account's key)."""
    workspace = new_workspace()
    source = workspace.new_vault(data_key_cache_seconds=0)
    other = new_customer(external_id=workspace.customer.workspace_id)
    body = other.vault_request("Target", data_key_cache_seconds=0)
    answer = workspace.call("/v1/vaults", body, role="owner")
    assert answer.status == 201, answer.text
    return workspace, source, answer.json["vault_id"], other


@pytest.mark.parametrize("region", REGIONS)
def test_items_move_to_another_key_and_the_old_vault_is_left(moving, region):
    workspace, source, target, other = moving
    items = [workspace.sealed(source, f"item-{n}", PLAINTEXT + bytes([n]), "us-east-2", field=str(n)) for n in range(5)]
    assert workspace.call(f"/v1/vaults/{source}/disable", {"mode": "decrypt_only"}, role="owner").status == 200
    would = reassign(workspace, target, items, region, dry_run=True)
    assert [it["outcome"] for it in would.json["items"]] == ["would_move"] * 5, would.text

    answer = reassign(workspace, target, items, region)
    assert answer.status == 200, answer.text
    moved = [item | {"sealed_item": it["sealed_item"]} for item, it in zip(items, answer.json["items"], strict=True)]
    again = reassign(workspace, target, moved, region)
    assert [(it["outcome"], it["sealed_item"]) for it in again.json["items"]] == [("unchanged", it["sealed_item"]) for it in moved]

    # The old vault and key are disabled, because nothing needs them.
    assert workspace.call(f"/v1/vaults/{source}/disable", {}, role="owner").status == 200
    customer: Customer = workspace.customer
    for each in REGIONS:
        customer.kms(each).disable_key(KeyId=customer.kms_key_id)
    for number, item in enumerate(moved):
        for each in REGIONS:
            assert workspace.opened(item, each) == PLAINTEXT + bytes([number])
    for each in REGIONS:
        other.kms(each).disable_key(KeyId=other.kms_key_id)
    assert workspace.error_of(moved[0])["status"] == 424


def test_a_target_that_takes_no_items_and_a_source_that_opens_none(moving):
    workspace, source, target, _ = moving
    item = workspace.sealed(source, "i", PLAINTEXT)
    assert workspace.call(f"/v1/vaults/{source}/disable", {}, role="owner").status == 200
    answer = reassign(workspace, target, [item])
    assert answer.json["items"][0]["error"]["status"] == 409
    assert workspace.call(f"/v1/vaults/{target}/disable", {}, role="owner").status == 200
    assert problem_of(reassign(workspace, target, [item])) == (409, "wrong-vault-status")


def test_nothing_moves_between_workspaces(moving, new_workspace):
    workspace, source, target, _ = moving
    item = workspace.sealed(source, "i", PLAINTEXT)
    stranger = new_workspace()
    own = stranger.new_vault()
    assert problem_of(reassign(stranger, target, [item])) == (404, "vault-not-found")
    error = reassign(stranger, own, [item]).json["items"][0]["error"]
    assert (error["status"], error["type"]) == (404, "urn:latchkey:problem:vault-not-found")


def test_the_plaintext_is_nowhere(moving, function_logs):
    workspace, source, target, _ = moving
    item = workspace.sealed(source, "i", PLAINTEXT)
    answers = [reassign(workspace, target, [item]), reassign(workspace, target, [item | {"item_id": "another"}])]
    assert [answer.status for answer in answers] == [200, 200]
    for spelled in (PLAINTEXT.decode(), base64.b64encode(PLAINTEXT).decode()[:-4]):
        assert not any(spelled in answer.text for answer in answers)
        assert not any(spelled in line for line in function_logs("reassign-item"))
