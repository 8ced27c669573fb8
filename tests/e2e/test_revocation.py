"""What callers see when the customer ends access, and how long that takes (requirements D3, E2, H2)."""

import time

import pytest

from local_aws.layout import PRIMARY_REGION, REGIONS

REFUSED = (424, "urn:latchkey:problem:customer-key-refused")
GATED = (409, "urn:latchkey:problem:vault-unusable")


def disable_key(customer):
    for region in REGIONS:
        customer.kms(region).disable_key(KeyId=customer.kms_key_id)


def schedule_deletion(customer):
    for region in reversed(REGIONS):
        customer.kms(region).schedule_key_deletion(KeyId=customer.kms_key_id, PendingWindowInDays=7)


def remove_policy(customer):
    for name in customer.iam.list_role_policies(RoleName=customer.role_name)["PolicyNames"]:
        customer.iam.delete_role_policy(RoleName=customer.role_name, PolicyName=name)


def delete_role(customer):
    remove_policy(customer)
    customer.iam.delete_role(RoleName=customer.role_name)


@pytest.mark.parametrize(
    ("revoke", "check"),
    [
        (disable_key, "key_enabled"),
        (schedule_deletion, "key_not_pending_deletion"),
        (remove_policy, "decrypt_allowed"),
        (delete_role, None),
    ],
)
def test_with_a_bound_of_0_the_next_call_is_refused(new_workspace, revoke, check):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    assert workspace.opened(item) == b"secret"
    revoke(workspace.customer)
    new_item = [{"item_id": "i", "plaintext": ""}]
    sealing = workspace.encrypt(vault_id, new_item)
    assert (sealing.status, sealing.json["type"]) == REFUSED, "nothing is sealed that could not be opened"
    for region in REGIONS:
        error = workspace.error_of(item, region)
        assert (error["status"], error["type"]) == REFUSED
        finding = error["findings"][0]
        assert workspace.customer.kms_key_id in finding["remedy"] or workspace.customer.aws_role_arn in finding["remedy"]
        if check:
            assert finding["check"] == check
        sealing = workspace.encrypt(vault_id, new_item, region)
        assert (sealing.status, sealing.json["type"]) == GATED, "the first refusal has closed the vault in both Regions"
        assert sealing.json["findings"][0]["remedy"]


def test_a_vault_that_was_gated_takes_items_again_once_it_validates(new_workspace):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    disable_key(workspace.customer)
    assert (workspace.error_of(item)["status"], workspace.error_of(item)["type"]) == REFUSED
    for region in REGIONS:
        workspace.customer.kms(region).enable_key(KeyId=workspace.customer.kms_key_id)
    assert workspace.opened(item) == b"secret", "what can be opened is opened"
    sealing = workspace.encrypt(vault_id, [{"item_id": "j", "plaintext": ""}])
    assert (sealing.status, sealing.json["type"]) == GATED, "one call that works is no validation"
    assert workspace.validate(vault_id).json["result"] == "pass"
    assert workspace.opened(workspace.sealed(vault_id, "j", b"new")) == b"new"


def test_one_regions_refusal_is_a_refusal(new_workspace):
    """There is no failover to the other Region, whose key still works. It would defeat the revocation."""
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    workspace.customer.kms(PRIMARY_REGION).disable_key(KeyId=workspace.customer.kms_key_id)
    error = workspace.error_of(item, PRIMARY_REGION)
    assert (error["status"], error["type"]) == REFUSED
    workspace.customer.kms(PRIMARY_REGION).enable_key(KeyId=workspace.customer.kms_key_id)
    assert workspace.opened(item, PRIMARY_REGION) == b"secret", "enabled again, it opens again"


def test_access_ends_within_the_bound(new_workspace):
    bound = 2
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=bound)
    item = workspace.sealed(vault_id, "i", b"secret")
    assert workspace.opened(item) == b"secret"
    disable_key(workspace.customer)
    revoked_at = last_success = time.monotonic()
    while True:
        asked_at = time.monotonic()
        outcome = workspace.decrypt([item]).json["items"][0]
        if "error" in outcome:
            break
        last_success = asked_at
    assert outcome["error"]["type"] == REFUSED[1]
    assert last_success - revoked_at <= bound
