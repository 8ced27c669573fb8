"""Validation with real keys and roles. Each fault is found, named and given a remedy, and nothing is stored."""

import json

import pytest

from local_aws.layout import PRIMARY_REGION, REGIONS, REPLICA_REGION
from tests.e2e.e2e_support import outcomes_of, problem_of


def refused(workspace, **more) -> dict[tuple[str, str | None], dict]:
    """Creates a vault that must fail its validation. Returns the findings by check and Region."""
    answer = workspace.create_vault(**more)
    assert problem_of(answer) == (422, "validation-failed"), answer.text
    findings = {(found["check"], found.get("region")): found for found in answer.json["findings"]}
    assert all(found["message"] and found["remedy"] for found in findings.values())
    assert len(answer.json["validation"]["checks"]) == 4 + 2 * 11 + 3, "all checks are told"
    return findings


def assert_nothing_stored(workspace, service_dynamodb, stack):
    found = service_dynamodb().query(
        TableName=stack["table_name"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"WORKSPACE#{workspace.customer.workspace_id}"}},
    )
    assert found["Items"] == []


def set_trust(customer, principal: str, external_id: str | None) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    customer.iam.update_assume_role_policy(RoleName=customer.role_name, PolicyDocument=document)


def set_actions(customer, actions: list[str]) -> None:
    names = customer.iam.list_role_policies(RoleName=customer.role_name)["PolicyNames"]
    resources = [customer.primary_key_arn, customer.replica_key_arn]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    customer.iam.put_role_policy(RoleName=customer.role_name, PolicyName=names[0], PolicyDocument=document)


def test_a_wrong_external_id(new_workspace, service_dynamodb, stack):
    workspace = new_workspace(external_id="ws-somebody-else")
    findings = refused(workspace)
    remedy = findings[("role_assumable", None)]["remedy"]
    policy = json.loads(remedy[remedy.index("{") :])
    statement = policy["Statement"][0]
    assert statement["Principal"] == {"AWS": stack["access_role_arn"]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": workspace.customer.workspace_id}}
    assert_nothing_stored(workspace, service_dynamodb, stack)
    set_trust(workspace.customer, stack["access_role_arn"], workspace.customer.workspace_id)
    assert workspace.create_vault().status == 201, "the remedy mends it"


def test_a_role_that_asks_for_no_external_id(new_workspace, stack, service_dynamodb):
    workspace = new_workspace()
    set_trust(workspace.customer, stack["access_role_arn"], None)
    findings = refused(workspace)
    assert findings.keys() == {("role_rejects_missing_external_id", None), ("role_rejects_wrong_external_id", None)}
    assert_nothing_stored(workspace, service_dynamodb, stack)


def test_a_trust_on_the_whole_account_is_a_warning_with_the_statement_to_change(new_workspace, stack):
    workspace = new_workspace()
    root = f"arn:aws:iam::{stack['service_account_id']}:root"
    set_trust(workspace.customer, root, workspace.customer.workspace_id)
    answer = workspace.create_vault()
    assert answer.status == 201, answer.text
    validation = answer.json["validation"]
    assert validation["result"] == "warn" and answer.json["health"]["state"] == "degraded"
    assert outcomes_of(validation)[("role_trusts_only_service_role", None)] == "warn"


def test_a_role_that_does_not_exist(workspace, stack, service_dynamodb):
    role = f"arn:aws:iam::{workspace.customer.aws_account_id}:role/no-such-role"
    findings = refused(workspace, aws_role_arn=role)
    assert findings.keys() == {("role_assumable", None)}


def test_a_symmetric_key(new_workspace):
    workspace = new_workspace()
    key = workspace.customer.kms().create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    allow_key(workspace.customer, key)
    findings = refused(workspace, kms_key_id=key)
    found = findings[("key_asymmetric_rsa", PRIMARY_REGION)]
    assert "SYMMETRIC_DEFAULT" in found["message"] and "RSA_4096" in found["remedy"]


def test_a_single_region_key(new_workspace):
    workspace = new_workspace()
    metadata = workspace.customer.kms().create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
    allow_key(workspace.customer, metadata["KeyId"])
    findings = refused(workspace, kms_key_id=metadata["KeyId"])
    assert "multi-region" in findings[("key_multi_region", PRIMARY_REGION)]["remedy"].lower()
    assert ("key_found", REPLICA_REGION) in findings


def test_a_key_for_signing(new_workspace):
    workspace = new_workspace()
    made = workspace.customer.kms().create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", MultiRegion=True)
    allow_key(workspace.customer, made["KeyMetadata"]["KeyId"])
    findings = refused(workspace, kms_key_id=made["KeyMetadata"]["KeyId"])
    assert ("key_usage_encrypt_decrypt", PRIMARY_REGION) in findings


def test_a_missing_replica(new_workspace):
    workspace = new_workspace()
    made = workspace.customer.kms().create_key(KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT", MultiRegion=True)
    allow_key(workspace.customer, made["KeyMetadata"]["KeyId"])
    findings = refused(workspace, kms_key_id=made["KeyMetadata"]["KeyId"])
    assert "replicate-key" in findings[("key_found", REPLICA_REGION)]["remedy"]


@pytest.mark.parametrize("region", REGIONS)
def test_a_disabled_key_is_found_in_its_region_and_mended(new_workspace, region):
    workspace = new_workspace()
    kms = workspace.customer.kms(region)
    kms.disable_key(KeyId=workspace.customer.kms_key_id)
    findings = refused(workspace)
    found = findings[("key_enabled", region)]
    assert "can be undone" in found["message"] and f"enable-key --region {region}" in found["remedy"]
    kms.enable_key(KeyId=workspace.customer.kms_key_id)
    assert workspace.create_vault().status == 201


def test_a_scheduled_deletion_is_told_with_its_date_and_as_permanent(new_workspace):
    workspace = new_workspace()
    vault_id = workspace.new_vault()
    kms = workspace.customer.kms(REPLICA_REGION)
    date = kms.schedule_key_deletion(KeyId=workspace.customer.kms_key_id, PendingWindowInDays=7)["DeletionDate"]
    report = workspace.validate(vault_id)
    assert report.status == 200 and report.json["result"] == "fail"
    found = {(check["check"], check.get("region")): check for check in report.json["checks"]}
    deletion = found[("key_not_pending_deletion", REPLICA_REGION)]
    assert deletion["result"] == "fail" and f"{date:%Y-%m-%d}" in deletion["message"]
    assert "never" in deletion["message"] or "ever" in deletion["message"]
    assert "cancel-key-deletion" in deletion["remedy"]


@pytest.mark.parametrize(
    ("action", "check"),
    [
        ("kms:Encrypt", "encrypt_allowed"),
        ("kms:Decrypt", "decrypt_allowed"),
        ("kms:GetPublicKey", "get_public_key_allowed"),
        ("kms:DescribeKey", "key_found"),
    ],
)
def test_each_action_that_the_policy_lacks_is_named(new_workspace, action, check):
    workspace = new_workspace()
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"]
    set_actions(workspace.customer, [it for it in actions if it != action])
    findings = refused(workspace)
    assert findings.keys() == {(check, region) for region in REGIONS}
    for found in findings.values():
        remedy = found["remedy"]
        policy = json.loads(remedy[remedy.index("{") :])
        statement = policy["Statement"][0]
        assert action in statement["Action"] and len(statement["Action"]) == 4
        assert statement["Resource"] == [workspace.customer.primary_key_arn, workspace.customer.replica_key_arn]


def allow_key(customer, key_id: str) -> None:
    """Changes the role's policy to another key of the account."""
    resources = [f"arn:aws:kms:{region}:{customer.aws_account_id}:key/{key_id}" for region in REGIONS]
    actions = ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    names = customer.iam.list_role_policies(RoleName=customer.role_name)["PolicyNames"]
    customer.iam.put_role_policy(RoleName=customer.role_name, PolicyName=names[0], PolicyDocument=document)
