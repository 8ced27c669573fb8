"""The main job over the deployed API: create and validate a vault, seal and open items in both Regions, disable the vault."""

import json

import pytest

from local_aws.layout import REGIONS
from tests.e2e.e2e_support import base64_of, outcomes_of, problem_of


def test_a_vault_is_created_from_the_three_fields_and_proven(workspace):
    answer = workspace.create_vault(set_as_default=True)
    assert answer.status == 201, answer.text
    vault = answer.json
    customer = workspace.customer
    assert vault["status"] == "active" and vault["is_default"] is True
    assert [key["arn"] for key in vault["keys"]] == [customer.primary_key_arn, customer.replica_key_arn]
    assert vault["key_spec"] == "RSA_4096"
    assert vault["health"]["state"] == "healthy"
    outcomes = outcomes_of(vault["validation"])
    assert len(outcomes) == 4 + 2 * 11 + 3
    not_passed = {check: result for check, result in outcomes.items() if result != "pass"}
    assert not_passed == {("public_key_unchanged", None): "skipped"}

    report = workspace.validate(vault["vault_id"], region="us-west-2")
    assert report.status == 200 and report.json["result"] == "pass", report.text
    assert outcomes_of(report.json)[("public_key_unchanged", None)] == "pass"


@pytest.mark.parametrize("sealed_in", REGIONS)
def test_items_sealed_in_either_region_open_in_both(workspace, sealed_in):
    vault_id = workspace.new_vault()
    plaintext = b"correct horse battery staple"
    item = workspace.sealed(vault_id, "account-1/password", plaintext, sealed_in, field="password")
    for region in REGIONS:
        assert workspace.opened(item, region) == plaintext


def test_the_default_vault_takes_items_for_which_none_is_named(workspace):
    vault_id = workspace.new_vault(set_as_default=True)
    answer = workspace.encrypt(None, [{"item_id": "i", "plaintext": base64_of(b"x")}])
    assert answer.status == 200 and answer.json["vault_id"] == vault_id


def test_a_batch_keeps_its_order_and_a_bad_item_fails_no_neighbour(workspace):
    vault_id = workspace.new_vault()
    plaintexts = [b"", b"a", bytes(4096), bytes(4097), "héllo".encode() * 100]
    items = [{"item_id": f"item-{n}", "plaintext": base64_of(text)} for n, text in enumerate(plaintexts)]
    sealed = workspace.encrypt(vault_id, items).json["items"]
    assert [item["item_id"] for item in sealed] == [item["item_id"] for item in items]
    sealed[2]["sealed_item"] = sealed[3]["sealed_item"]
    opened = workspace.decrypt(sealed).json["items"]
    assert opened[2]["error"]["type"] == "urn:latchkey:problem:item-does-not-open"
    for n in (0, 1, 3, 4):
        assert opened[n] == {"item_id": f"item-{n}", "plaintext": items[n]["plaintext"]}


def test_nothing_opens_after_disable_has_answered_in_either_region(workspace):
    vault_id = workspace.new_vault(set_as_default=True)
    item = workspace.sealed(vault_id, "i", b"secret")
    for region in REGIONS:
        assert workspace.opened(item, region) == b"secret"  # both Regions now cache the data key
    disabled = workspace.disable(vault_id)
    assert disabled.status == 200 and disabled.json["status"] == "disabled" and disabled.json["is_default"] is False
    for region in REGIONS:
        error = workspace.error_of(item, region)
        assert (error["status"], error["type"]) == (409, "urn:latchkey:problem:wrong-vault-status")
        sealing = workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": ""}], region)
        assert problem_of(sealing) == (409, "wrong-vault-status")
    assert problem_of(workspace.encrypt(None, [{"item_id": "i", "plaintext": ""}])) == (409, "no-default-vault")
    again = workspace.disable(vault_id)
    assert again.status == 200 and again.json["status"] == "disabled"
    assert problem_of(workspace.disable(vault_id, "decrypt_only")) == (409, "wrong-vault-status")


def test_a_decrypt_only_vault_opens_and_takes_nothing_new(workspace):
    vault_id = workspace.new_vault()
    item = workspace.sealed(vault_id, "i", b"secret")
    assert workspace.disable(vault_id, "decrypt_only").json["status"] == "decrypt_only"
    assert workspace.opened(item, "us-west-2") == b"secret"
    assert problem_of(workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": ""}])) == (409, "wrong-vault-status")


def test_the_audit_log_names_every_use_of_the_key(workspace, function_logs):
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    answer = workspace.decrypt([item])
    request_id = answer.headers["x-request-id"]

    def audit_line():
        lines = [line for line in function_logs("decrypt-item") if request_id in line and '"log":"audit"' in line]
        return json.loads(lines[0]) if lines else None

    line = workspace.wait_for(audit_line)
    assert line["workspace_id"] == workspace.customer.workspace_id and line["items"] == 1 and line["items_failed"] == 0
    decrypts = [use for use in line["key_uses"] if use["action"] == "kms:Decrypt"]
    assert len(decrypts) == 1 and decrypts[0]["succeeded"] and decrypts[0]["aws_request_id"]
    assert vault_id in decrypts[0]["role_session_name"]
