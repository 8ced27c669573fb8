"""Vaults whose key the service owns: a default vault for customers who bring no key, or have none yet."""

import json

import pytest

from local_aws.layout import PRIMARY_REGION, REGIONS, SERVICE_ACCOUNT_ID
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import base64_of, problem_of

MANAGED = {"strategy": "managed", "set_as_default": True, "data_key_cache_seconds": 0}


@pytest.fixture
def managed(new_workspace):
    """A workspace with a managed vault, which is its default: (workspace, vault)."""
    workspace = new_workspace()
    answer = workspace.call("/v1/vaults", MANAGED | {"name": "Managed"}, role="owner")
    assert answer.status == 201, answer.text
    return workspace, answer.json


def test_a_managed_vault_is_a_default_that_seals_and_opens_in_both_regions(managed, stack):
    workspace, vault = managed
    assert (vault["strategy"], vault["is_default"], vault["status"]) == ("managed", True, "active")
    assert (vault["aws_account_id"], vault["kms_key_id"]) == (SERVICE_ACCOUNT_ID, stack["managed_key_id"])
    assert vault["validation"]["result"] == "pass"
    for region in REGIONS:
        sealing = workspace.encrypt(None, [{"item_id": "i", "plaintext": base64_of(b"secret")}], region)
        assert (sealing.status, sealing.json["vault_id"]) == (200, vault["vault_id"]), sealing.text
        item = {"item_id": "i", "sealed_item": sealing.json["items"][0]["sealed_item"]}
        for other in REGIONS:
            assert workspace.opened(item, other) == b"secret"


def test_another_workspace_of_the_same_key_opens_nothing(managed, new_workspace):
    workspace, vault = managed
    item = workspace.sealed(vault["vault_id"], "i", b"secret")
    stranger = new_workspace()
    assert stranger.call("/v1/vaults", MANAGED | {"name": "Managed"}, role="owner").status == 201
    error = stranger.error_of(item)
    assert (error["status"], error["type"]) == (404, "urn:latchkey:problem:vault-not-found")


def test_a_workspace_brings_its_key_later_and_disables_the_managed_vault(managed):
    workspace, vault = managed
    item = workspace.sealed(vault["vault_id"], "i", b"secret")
    own = workspace.new_vault(set_as_default=True)
    sealing = workspace.encrypt(None, [{"item_id": "i", "plaintext": base64_of(b"new")}])
    assert sealing.json["vault_id"] == own
    assert workspace.opened(item) == b"secret"
    assert workspace.call(f"/v1/vaults/{vault['vault_id']}/disable", {}, role="owner").status == 200
    assert workspace.error_of(item)["status"] == 409


def test_nobody_names_a_key_of_the_service_as_its_own(new_workspace, stack):
    workspace = new_workspace()
    body = workspace.customer.vault_request("Mine") | {
        "aws_account_id": SERVICE_ACCOUNT_ID,
        "kms_key_id": stack["managed_key_id"],
        "aws_role_arn": f"arn:aws:iam::{SERVICE_ACCOUNT_ID}:role/production-latchkey-managed-key",
    }
    answer = workspace.call("/v1/vaults", body, role="owner")
    assert problem_of(answer) == (400, "malformed-request")


def test_the_managed_keys_role_lets_in_the_access_role_alone(service_client):
    """Not even the account's functions or its root may assume it directly."""
    sts = service_client("sts")
    with pytest.raises(sts.exceptions.ClientError, match="AccessDenied"):
        role = f"arn:aws:iam::{SERVICE_ACCOUNT_ID}:role/production-latchkey-managed-key"
        sts.assume_role(RoleArn=role, RoleSessionName="test")


def test_a_managed_vault_is_swept_too_and_its_uses_of_the_key_are_in_the_audit_log(managed, stack, wait_for, function_logs):
    workspace, vault = managed
    health = Schedule.of(stack).health_after_sweep(workspace.customer.workspace_id, vault["vault_id"], PRIMARY_REGION, whole=True)
    assert (health["state"], health["findings"]) == ("healthy", [])

    def audited():
        """the check is in the audit log"""
        lines = [json.loads(line) for line in function_logs("validate-vault") if vault["vault_id"] in line]
        return [line for line in lines if line.get("operation") == "check-vault" and line["whole"]]

    uses = wait_for(audited)[0]["key_uses"]
    assert {use["action"] for use in uses} >= {"kms:Decrypt", "kms:Encrypt", "kms:GetPublicKey", "kms:DescribeKey"}
    assert all(use["role_session_name"].startswith(vault["vault_id"]) for use in uses)
