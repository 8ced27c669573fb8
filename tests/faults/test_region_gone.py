"""A whole Region is gone. Its API is not called, and it refuses what the other Region's functions ask of its KMS, STS, DynamoDB and
EventBridge. Everything opens through the other Region, and once the Region is back, everything is as before."""

import time
from contextlib import ExitStack, contextmanager

import pytest

from local_aws.faults import Faults
from local_aws.layout import REGIONS
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace, base64_of, new_environments
from tests.e2e.subscription import Subscription

SERVICES = ("kms", "sts", "dynamodb", "events")
# The longest that a call may take while the other Region is gone. It does not depend on that Region.
SOON = 5.0
PREPARED = 4


@contextmanager
def gone(faults: Faults, region: str):
    with ExitStack() as rules:
        for service in SERVICES:
            rules.enter_context(faults.rule("refused", service=service, region=region))
        yield


def soon(call):
    """Makes a call, and asserts that it does not take long."""
    began_at = time.monotonic()
    answer = call()
    assert time.monotonic() - began_at < SOON
    return answer


@pytest.fixture
def workspace(stack, new_customer, api, token, wait_for):
    workspace = Workspace(new_customer(), api, token, wait_for)
    yield workspace
    Schedule.of(stack).forget(workspace.customer.workspace_id)


def seen(workspace, region: str) -> list[dict]:
    """The vaults as a Region shows them, without their health."""
    vaults = workspace.list_vaults(region=region).json["vaults"]
    return sorted(({**vault, "health": None} for vault in vaults), key=lambda vault: vault["vault_id"])


@pytest.mark.parametrize("region", REGIONS)
def test_everything_goes_on_through_the_other_region_and_nothing_is_lost(workspace, stack, service_client, region):
    faults, schedule, subscription = Faults.of(stack), Schedule.of(stack), Subscription(service_client)
    id_of_workspace = workspace.customer.workspace_id
    other = next(it for it in REGIONS if it != region)
    vault_id = workspace.new_vault(name="Asked each time", data_key_cache_seconds=0, set_as_default=True)
    holding = workspace.new_vault(name="Held for a while", data_key_cache_seconds=30)
    items = [
        (workspace.sealed(it, f"{it} {place} {number}", b"sealed before", place), b"sealed before")
        for it in (vault_id, holding)
        for place in REGIONS
        for number in range(PREPARED)
    ]
    before = seen(workspace, region)
    assert before == seen(workspace, other)
    new_environments(service_client)
    last_call = faults.last_call()

    with gone(faults, region):
        for item, plaintext in items:
            assert soon(lambda item=item: workspace.opened(item, other)) == plaintext
        for number in range(PREPARED):
            new = soon(lambda number=number: workspace.sealed(vault_id, f"new {number}", b"sealed meanwhile", other))
            items.append((new, b"sealed meanwhile"))
        into_default = {"item_id": "default", "plaintext": base64_of(b"sealed meanwhile")}
        answer = soon(lambda: workspace.encrypt(None, [into_default], other))
        assert (answer.status, answer.json["vault_id"]) == (200, vault_id)
        items.append((answer.json["items"][0], b"sealed meanwhile"))

        states = [schedule.health_after_sweep(id_of_workspace, vault_id, other) for _ in range(3)]
        assert states[-1]["state"] == "degraded", states
        assert {found["region"] for found in states[-1]["findings"]} == {region}
        (event,) = subscription.of_vault(vault_id, at_least=1)
        assert (event["detail-type"], event["detail"]["state"]) == ("Vault Health Changed", "degraded")

        # A degraded vault takes items, and it can be administered.
        assert workspace.opened(workspace.sealed(vault_id, "i", b"x", other), other) == b"x"
        moving = {"to_vault_id": vault_id, "items": [items[-2][0]]}
        assert soon(lambda: workspace.call("/v1/items/reassign", moving, role="member", region=other)).status == 200
        renamed = soon(lambda: workspace.update(holding, {"name": "Renamed meanwhile"}, region=other))
        assert renamed.status == 200, renamed.text

    calls = [call for call in faults.calls(after=last_call) if call["caller"].split("/")[1].endswith(other)]
    asked = {(call["service"], call["region"]) for call in calls}
    assert ("dynamodb", other) in asked and ("events", other) in asked
    assert not {("dynamodb", region), ("events", region)} & asked, "a Region goes by its own replica and its own event bus"

    for place in (region, other):
        health = schedule.health_after_sweep(id_of_workspace, vault_id, place, whole=True)
        assert (health["state"], health["findings"]) == ("healthy", [])
    changes = [event["detail"] for event in subscription.of_vault(vault_id, at_least=2)]
    assert [(it["previous_state"], it["state"]) for it in changes] == [("healthy", "degraded"), ("degraded", "healthy")]
    for place in REGIONS:
        for item, plaintext in items:
            assert workspace.opened(item, place) == plaintext
        assert workspace.opened(workspace.sealed(vault_id, "after", b"sealed after", place), other) == b"sealed after"
    after = seen(workspace, region)
    assert after == seen(workspace, other)
    renamed = {"name": "Renamed meanwhile", "updated_at": renamed.json["updated_at"]}
    assert after == [vault | renamed if vault["vault_id"] == holding else vault for vault in before]
