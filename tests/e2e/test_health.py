"""The sweep over real keys and roles: what the customer changes is found, explained, gated, and mended again by itself.

The emulator's own schedule runs too, so a sweep of a test may find that another has been first: what counts is the record.
"""

import json

import pytest
from layout import REGIONS

GATED = (409, "urn:latchkey:problem:vault-unusable")
NEW_ITEM = [{"item_id": "new", "plaintext": ""}]
PAST = "2020-01-01T00:00:00.000000000Z"


@pytest.fixture
def sweep(service_client, stack):
    """sweep(workspace, vault_id, region): makes the vault due, as the passing of time does, and sweeps until it was
    checked. Answers with its health as it is on record."""

    def record_of(workspace, vault_id):
        key = {"pk": {"S": f"WORKSPACE#{workspace.customer.workspace_id}"}, "sk": {"S": f"VAULT#{vault_id}"}}
        dynamodb = service_client("dynamodb")
        return dynamodb, key, dynamodb.get_item(TableName=stack["table_name"], Key=key)["Item"]

    def sweep(workspace, vault_id, region="us-east-2"):
        dynamodb, key, before = record_of(workspace, vault_id)
        dynamodb.update_item(
            TableName=stack["table_name"],
            Key=key,
            UpdateExpression="SET due_at = :past",
            ExpressionAttributeValues={":past": {"S": PAST}},
        )

        def checked():
            """the vault was checked"""
            answer = service_client("lambda", region).invoke(
                FunctionName="production-latchkey-validate-vault", Payload=json.dumps({"sweep": {"shard": 0}})
            )
            response = json.load(answer["Payload"])
            assert response["statusCode"] == 200, response
            body = json.loads(response["body"])
            assert body["vaults_failed"] == 0 and body["vaults_left"] == 0, body
            after = record_of(workspace, vault_id)[2]
            revisions = [int(it["health"]["M"]["revision"]["N"]) for it in (before, after)]
            return after if revisions[1] > revisions[0] and after["due_at"]["S"] != PAST else None

        return plain(workspace.wait_for(checked)["health"])

    return sweep


def plain(attribute: dict):
    """What a DynamoDB attribute holds."""
    ((kind, value),) = attribute.items()
    match kind:
        case "M":
            return {name: plain(it) for name, it in value.items()}
        case "L":
            return [plain(it) for it in value]
        case "N":
            return int(value)
    return value


def each_region(act):
    return lambda customer, regions: [act(customer, customer.kms(region)) for region in regions]


disable = each_region(lambda customer, kms: kms.disable_key(KeyId=customer.kms_key_id))
enable = each_region(lambda customer, kms: kms.enable_key(KeyId=customer.kms_key_id))


def schedule_deletion(customer, regions):
    for region in reversed(regions):
        customer.kms(region).schedule_key_deletion(KeyId=customer.kms_key_id, PendingWindowInDays=7)


def cancel_deletion(customer, regions):
    for region in regions:
        customer.kms(region).cancel_key_deletion(KeyId=customer.kms_key_id)
    enable(customer, regions)


IN_REGIONS = pytest.mark.parametrize("regions", [REGIONS[:1], REGIONS[1:], REGIONS], ids=["east", "west", "both"])


@IN_REGIONS
def test_a_disabled_key_is_found_by_the_next_check_and_its_return_too(new_workspace, sweep, regions):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    disable(workspace.customer, regions)
    health = sweep(workspace, vault_id)
    assert health["state"] == "unusable"
    assert {(found["check"], found["region"]) for found in health["findings"]} == {("key_enabled", it) for it in regions}
    assert all("enable-key" in found["remedy"] for found in health["findings"])
    assert ("access_ends_by" in health) == (regions == REGIONS)
    assert_gated(workspace, vault_id, "key_enabled")

    enable(workspace.customer, regions)
    health = sweep(workspace, vault_id, "us-west-2")
    assert (health["state"], health["findings"]) == ("healthy", []) and "access_ends_by" not in health
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 200


@IN_REGIONS
def test_a_scheduled_deletion_is_found_by_the_next_check_and_its_end_too(new_workspace, sweep, regions):
    """The emulator takes a replica out of its set as soon as its deletion is scheduled and does not put it back, so here
    the finding ends with the cancelling, and the vault's trouble only where no replica was touched."""
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    schedule_deletion(workspace.customer, regions)
    health = sweep(workspace, vault_id)
    assert health["state"] == "unusable"
    deletions = [found for found in health["findings"] if found["check"] == "key_not_pending_deletion"]
    assert {found["region"] for found in deletions} == set(regions)
    assert all("cancel-key-deletion" in found["remedy"] for found in deletions)
    assert_gated(workspace, vault_id, "key_not_pending_deletion")

    cancel_deletion(workspace.customer, regions)
    health = sweep(workspace, vault_id, "us-west-2")
    assert "key_not_pending_deletion" not in [found["check"] for found in health["findings"]]
    if regions == REGIONS[:1]:
        assert health["state"] == "healthy"
        assert workspace.encrypt(vault_id, NEW_ITEM).status == 200


def assert_gated(workspace, vault_id, check):
    for region in REGIONS:
        sealing = workspace.encrypt(vault_id, NEW_ITEM, region)
        assert (sealing.status, sealing.json["type"]) == GATED
        assert check in [found["check"] for found in sealing.json["findings"]]


def test_a_role_that_is_deleted_is_found_and_its_return_too(new_workspace, sweep):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    customer = workspace.customer
    trust = customer.iam.get_role(RoleName=customer.role_name)["Role"]["AssumeRolePolicyDocument"]
    (name,) = customer.iam.list_role_policies(RoleName=customer.role_name)["PolicyNames"]
    policy = customer.iam.get_role_policy(RoleName=customer.role_name, PolicyName=name)["PolicyDocument"]
    customer.iam.delete_role_policy(RoleName=customer.role_name, PolicyName=name)
    customer.iam.delete_role(RoleName=customer.role_name)
    health = sweep(workspace, vault_id)
    assert health["state"] == "unusable"
    assert "role_assumable" in [found["check"] for found in health["findings"]]
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 409

    as_text = lambda document: document if isinstance(document, str) else json.dumps(document)  # noqa: E731
    customer.iam.create_role(RoleName=customer.role_name, AssumeRolePolicyDocument=as_text(trust))
    customer.iam.put_role_policy(RoleName=customer.role_name, PolicyName=name, PolicyDocument=as_text(policy))
    assert sweep(workspace, vault_id)["state"] == "healthy"
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 200


def test_an_action_that_is_taken_away_is_met_by_live_traffic_and_explained_by_the_next_sweep(new_workspace, sweep):
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    customer = workspace.customer
    (name,) = customer.iam.list_role_policies(RoleName=customer.role_name)["PolicyNames"]
    allow(customer, name, ["kms:Encrypt", "kms:GetPublicKey", "kms:DescribeKey"])
    assert workspace.error_of(item)["status"] == 424
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 409
    health = sweep(workspace, vault_id)
    found = [(found["check"], found["region"]) for found in health["findings"]]
    assert (health["state"], found) == ("unusable", [("decrypt_allowed", region) for region in REGIONS])
    assert health["access_ends_by"]

    allow(customer, name, ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"])
    assert workspace.opened(item) == b"secret"
    assert sweep(workspace, vault_id)["state"] == "healthy"
    assert workspace.encrypt(vault_id, NEW_ITEM).status == 200


def test_a_vault_that_is_well_is_left_as_it_is(new_workspace, sweep):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    first = sweep(workspace, vault_id)
    second = sweep(workspace, vault_id, "us-west-2")
    assert (second["state"], second["since"]) == ("healthy", first["since"])
    assert second["checked_at"] > first["checked_at"]


def allow(customer, name: str, actions: list[str]) -> None:
    resources = [customer.primary_key_arn, customer.replica_key_arn]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    customer.iam.put_role_policy(RoleName=customer.role_name, PolicyName=name, PolicyDocument=document)
