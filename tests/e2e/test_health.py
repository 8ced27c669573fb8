"""The sweep with real keys and roles. It finds and explains what the customer changed, the vault closes, and it recovers by itself.

The emulator's own schedule runs too and may sweep before a test does. So the tests check the record.
"""

import pytest

from local_aws.layout import PRIMARY_REGION, REGIONS, REPLICA_REGION
from local_aws.schedule import Schedule
from tests.e2e.health_scenarios import HOUR, PERMANENT, SCENARIOS, role_policy_changed

GATED = (409, "urn:latchkey:problem:vault-unusable")
REFUSED = (424, "urn:latchkey:problem:customer-key-refused")
NEW_ITEM = [{"item_id": "new", "plaintext": ""}]


@pytest.fixture
def sweep(stack):
    """sweep(workspace, vault_id, region, whole=False): makes the vault due, as if a minute or an hour had passed, and sweeps
    until it was checked. Returns the health on record."""

    def sweep(workspace, vault_id, region=PRIMARY_REGION, **due):
        return Schedule.of(stack).health_after_sweep(workspace.customer.workspace_id, vault_id, region, **due)

    return sweep


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_the_customer_does_is_found_and_its_undoing_too(new_workspace, sweep, subscription, scenario):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")

    with scenario.change(workspace.customer):
        health = sweep(workspace, vault_id, PRIMARY_REGION, whole=scenario.found_within == HOUR)
        assert_found(scenario, health)
        assert_announced(subscription, vault_id, [("healthy", scenario.state)], health, reminders=scenario.is_pending_deletion)
        assert_gate(scenario, workspace, vault_id)
        assert_opens(workspace, item, [region for region in REGIONS if region not in scenario.locked_in])

    health = sweep(workspace, vault_id, REPLICA_REGION)
    if scenario.reversible == PERMANENT:
        assert_found(scenario, health)
        assert_opens(workspace, item, [])
        assert_announced(subscription, vault_id, [("healthy", scenario.state)], health)
    else:
        assert (health["state"], health["findings"]) == ("healthy", []) and "access_ends_by" not in health
        assert workspace.opened(workspace.sealed(vault_id, "new", b"new"), REPLICA_REGION) == b"new"
        assert_opens(workspace, item, REGIONS)
        changes = [("healthy", scenario.state), (scenario.state, "healthy")]
        assert_announced(subscription, vault_id, changes, health, reminders=scenario.is_pending_deletion)


def assert_announced(subscription, vault_id, changes, health, *, reminders=False):
    """Asserts that exactly these changes were announced, each once, that the last one matches the record, and that a pending
    deletion was announced separately."""
    events = subscription.of_vault(vault_id, at_least=len(changes) + reminders)
    told = [event["detail"] for event in events if event["detail-type"] == "Vault Health Changed"]
    assert [(it["previous_state"], it["state"]) for it in told] == changes
    found = [[(it["check"], it.get("region")) for it in findings] for findings in (told[-1]["findings"], health["findings"])]
    assert found[0] == found[1]
    assert ("access_ends_by" in told[-1]) == ("access_ends_by" in health)
    pending = [event["detail"] for event in events if event["detail-type"] == "Vault Key Deletion Pending"]
    assert len(pending) == reminders
    for reminder in pending:
        assert reminder["days_left"] in (6, 7) and reminder["deletion_at"], reminder
        assert all("cancel-key-deletion" in found["remedy"] for found in reminder["findings"])


def assert_found(scenario, health):
    assert {(found["check"], found.get("region")) for found in health["findings"]} == scenario.findings
    assert len(health["findings"]) == len(scenario.findings)
    assert health["state"] == scenario.state
    assert ("access_ends_by" in health) == scenario.access_ends
    assert scenario.remedies.keys() == {check for check, _ in scenario.findings}
    for found in health["findings"]:
        assert scenario.remedies[found["check"]].format(region=found.get("region")) in found["remedy"]


def assert_gate(scenario, workspace, vault_id):
    """Asserts that an unusable vault refuses new items in both Regions and says why, and that any other vault takes them."""
    for region in REGIONS:
        sealing = workspace.encrypt(vault_id, NEW_ITEM, region)
        if scenario.state != "unusable":
            assert sealing.status == 200, sealing.text
            continue
        assert (sealing.status, sealing.json["type"]) == GATED
        assert {(found["check"], found.get("region")) for found in sealing.json["findings"]} == scenario.findings


def assert_opens(workspace, item, regions):
    """Asserts that an earlier item opens in these Regions and is refused in any other."""
    for region in REGIONS:
        if region in regions:
            assert workspace.opened(item, region) == b"secret"
        else:
            error = workspace.error_of(item, region)
            assert (error["status"], error["type"]) == REFUSED, error


def test_an_action_that_is_taken_away_is_met_by_live_traffic_and_explained_by_the_next_sweep(new_workspace, sweep):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    with role_policy_changed(workspace.customer, lambda statement: statement["Action"].remove("kms:Decrypt")):
        assert workspace.error_of(item)["status"] == 424
        assert workspace.encrypt(vault_id, NEW_ITEM).status == 409
        health = sweep(workspace, vault_id)
        found = [(found["check"], found["region"]) for found in health["findings"]]
        assert (health["state"], found) == ("unusable", [("decrypt_allowed", region) for region in REGIONS])
        assert health["access_ends_by"]

    assert workspace.opened(item) == b"secret"
    assert sweep(workspace, vault_id)["state"] == "healthy"
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 200


def test_a_vault_that_is_well_is_left_as_it_is(new_workspace, sweep):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    first = sweep(workspace, vault_id)
    second = sweep(workspace, vault_id, REPLICA_REGION)
    assert (second["state"], second["since"]) == ("healthy", first["since"])
    assert second["checked_at"] > first["checked_at"]
