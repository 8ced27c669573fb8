"""Changes of a vault's health are announced once, in the form of docs/events.md."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_aws.layout import REGIONS
from local_aws.schedule import Schedule
from tests.e2e.subscription import REPOSITORY, SCHEMAS, validate

SAMPLES = sorted((REPOSITORY / "events").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_follows_its_schema(sample):
    validate(json.loads(sample.read_text()))


def test_every_event_has_a_sample():
    assert {json.loads(sample.read_text())["detail-type"] for sample in SAMPLES} == SCHEMAS.keys()


def test_a_change_arrives_at_a_queue(new_workspace, subscription, stack, wait_for, function_logs):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    schedule = Schedule.of(stack)
    workspace.customer.kms().disable_key(KeyId=workspace.customer.kms_key_id)
    health = schedule.health_after_sweep(workspace.customer.workspace_id, vault_id)
    (event,) = subscription.of_vault(vault_id, at_least=1)
    detail = event["detail"]
    assert (event["detail-type"], event["source"]) == ("Vault Health Changed", "latchkey")
    assert (detail["previous_state"], detail["state"]) == ("healthy", "unusable")
    assert detail["workspace_id"] == workspace.customer.workspace_id
    assert detail["kms_key_id"] == workspace.customer.kms_key_id
    assert [(found["check"], found["region"]) for found in detail["findings"]] == [("key_enabled", "us-east-2")]
    assert detail["changed_at"] == detail["findings"][0]["since"] == re.sub(r"\.?0+Z$", "Z", health["since"])

    def audited():
        """the check is in the audit log, with its event and its uses of the key"""
        lines = [json.loads(line) for line in function_logs("validate-vault") if detail["event_id"] in line]
        return [line for line in lines if line.get("operation") == "check-vault"]

    (line,) = wait_for(audited)
    assert (line["vault_id"], line["announced"]) == (vault_id, [detail["event_id"]])
    assert (line["previous_health"], line["health"]) == ("healthy", "unusable")
    actions = {use["action"] for use in line["key_uses"]}
    assert actions >= {"sts:AssumeRole", "kms:DescribeKey", "kms:Decrypt"}
    assert all(use["role_session_name"].startswith(vault_id) for use in line["key_uses"] if use["action"] != "sts:AssumeRole")


def test_both_regions_that_sweep_at_once_announce_it_once(new_workspace, subscription, stack):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    schedule = Schedule.of(stack)
    workspace.customer.kms().disable_key(KeyId=workspace.customer.kms_key_id)
    swept = []
    with schedule.paused(), ThreadPoolExecutor() as pool:
        for _ in range(3):
            schedule.make_due(workspace.customer.workspace_id, vault_id)
            swept += pool.map(schedule.sweep, [*REGIONS, *REGIONS])
        schedule.health_after_sweep(workspace.customer.workspace_id, vault_id)
    events = subscription.of_vault(vault_id, at_least=1)
    # If the bus's answer was lost, or its record was not written, the event is sent again under the same id.
    unsure = sum(it["vaults_unannounced"] + it["vaults_failed"] for it in swept)
    assert len(events) <= 1 + unsure, swept
    assert len({event["detail"]["event_id"] for event in events}) == 1, events
