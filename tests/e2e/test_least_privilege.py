"""The functions' policies match the calls that the functions make: the policy allows each call, and nothing that no call needs.
This file makes all the calls itself, so it gives the same result alone and after other tests."""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import pytest

from local_aws.faults import Faults
from local_aws.layout import ALIAS, REGIONS, STAGE
from local_aws.schedule import Schedule
from tests.contract import openapi
from tests.e2e.e2e_support import base64_of, new_environments

# Lambda and its runtime do these without the SDK, so the proxy never sees them.
NOT_CALLS = ("logs:",)
# IAM's names of the services.
PREFIXES = {"dynamodb": "dynamodb", "sts": "sts", "events": "events", "kms": "kms", "lambda": "lambda"}


def exercise(workspace, region: str, stack: dict) -> None:
    """Calls every function so that it makes every kind of call."""
    schedule, faults = Schedule.of(stack), Faults.of(stack)
    id_of_workspace = workspace.customer.workspace_id
    create = {"region": region, "name": f"Main {region}", "data_key_cache_seconds": 0, "set_as_default": True}
    vault_id = workspace.create_vault(**create).json["vault_id"]
    other = workspace.create_vault(region, data_key_cache_seconds=0).json["vault_id"]
    item = workspace.sealed(vault_id, "i", b"secret", region)
    assert workspace.opened(item, region) == b"secret"
    moving = {"to_vault_id": other, "items": [item]}
    assert workspace.call("/v1/items/reassign", moving, role="member", region=region).status == 200
    assert workspace.list_vaults(region=region).status == workspace.read(vault_id, region=region).status == 200
    assert workspace.api(region).get("/v1/setup-kit", token=workspace.token_of("owner")).status == 200
    for change in ({"name": f"Renamed {region}"}, {"is_default": False}, {"is_default": True}, {"name": create["name"]}):
        assert workspace.update(vault_id, change, region=region).status == 200
    schedule.health_after_sweep(id_of_workspace, vault_id, region)

    # Whichever function meets a refusal records it, and whichever function validates the vault clears it.
    def locked():
        for it in REGIONS:
            workspace.customer.kms(it).disable_key(KeyId=workspace.customer.kms_key_id)

    def opened():
        for it in REGIONS:
            workspace.customer.kms(it).enable_key(KeyId=workspace.customer.kms_key_id)

    locked()
    assert workspace.error_of(item, region)["status"] == 424
    opened()
    assert workspace.create_vault(**create).status == 201
    locked()
    assert workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": base64_of(b"x")}], region).status == 424
    opened()
    assert workspace.enable(vault_id, region=region).status == 200
    locked()
    assert workspace.call("/v1/items/reassign", moving, role="member", region=region).status == 200
    schedule.health_after_sweep(id_of_workspace, vault_id, region, whole=True)  # announces it
    opened()
    assert workspace.validate(vault_id, region=region).status == 200

    # A vault that is disabled while it is being made the default must not remain the default.
    with (
        ThreadPoolExecutor() as pool,
        faults.rule("slow", action="PutItem", caller="create-vault", match=[id_of_workspace], seconds=1.5) as rule,
    ):
        creating = pool.submit(workspace.create_vault, **create)
        workspace.wait_for(lambda: faults.met(rule))
        assert workspace.disable(vault_id, region=region).status == 200
        assert creating.result().status in (201, 409)
    assert workspace.enable(vault_id, region=region).status == 200
    schedule.health_after_sweep(id_of_workspace, vault_id, region)


def canary_sings(region: str, stack: dict, service_client) -> None:
    """Runs the canary once, without a vault to begin with."""
    default = {"pk": {"S": "WORKSPACE#latchkey-canary"}, "sk": {"S": "DEFAULT"}}
    with Schedule.of(stack).paused():
        service_client("dynamodb").delete_item(TableName=stack["table_name"], Key=default)
        answer = service_client("lambda", region).invoke(FunctionName=f"{STAGE}-latchkey-canary", Qualifier=ALIAS, Payload="{}")
    told = json.load(answer["Payload"])
    assert (told["outcome"], told["steps"][0]["operation"]) == ("succeeded", "create-vault"), told


@pytest.fixture(scope="module")
def calls(stack, workspace, service_client) -> dict[str, set[tuple[str, str]]]:
    """Every (action, resource) that was called, by the calling role."""
    new_environments(service_client)  # older environments hold sessions and would not ask for them again
    faults = Faults.of(stack)
    before = faults.last_call()
    for region in REGIONS:
        exercise(workspace, region, stack)
        canary_sings(region, stack, service_client)
    asked = defaultdict(set)
    for call in faults.calls(after=before):
        assert call["caller"], call
        role = call["caller"].split("/")[1]
        asked[role].add((f"{PREFIXES[call['service']]}:{call['action']}", call["resource"]))
    return asked


@pytest.fixture(scope="module")
def policies(service_client) -> dict[str, set[tuple[str, str]]]:
    """Every (action, resource) that the policies allow, by the deployed role of the function."""
    iam = service_client("iam")
    allowed = defaultdict(set)
    for page in iam.get_paginator("list_roles").paginate():
        for name in (role["RoleName"] for role in page["Roles"] if role["RoleName"].startswith(f"{STAGE}-latchkey-")):
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for statement in document["Statement"]:
                    actions, resources = (as_list(statement[field]) for field in ("Action", "Resource"))
                    allowed[name] |= {(action, resource) for action in actions for resource in resources}
    return {
        name: {(action, resource) for action, resource in granted if not action.startswith(NOT_CALLS)}
        for name, granted in allowed.items()
        # Not the roles of the schedules and of CodeDeploy. They call functions and move aliases.
        if name.endswith(REGIONS) and "-schedule-" not in name and "roll-out" not in name
    }


def as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def covers(allowed: tuple[str, str], asked: tuple[str, str]) -> bool:
    return allowed[0] == asked[0] and fnmatchcase(asked[1] or "", allowed[1])


def test_every_call_is_one_that_the_policy_names(calls, policies):
    functions = calls.keys() & policies.keys()
    expected = {row["function"] for row in openapi.table()} - {"get-setup-kit"} | {"canary"}
    assert len(functions) == 2 * len(expected), "all but get-setup-kit, which calls nothing, in both Regions"
    for role in functions:
        outside = {call for call in calls[role] if not any(covers(allowed, call) for allowed in policies[role])}
        assert not outside, f"{role} asks for what it may not: {outside}"


def test_whoever_else_calls_has_come_through_the_access_role(calls, policies, workspace):
    """A function's own credentials give no access to anything of a customer's. Only the access role and the customer's role do."""
    for role in calls.keys() - policies.keys():
        actions = {action for action, _ in calls[role]}
        if role == f"{STAGE}-kms-byo-key-access-role":
            assert actions == {"sts:AssumeRole"}
        else:
            assert role in (workspace.customer.role_name, f"{STAGE}-latchkey-managed-key"), role  # the canary's key is managed
            assert actions <= {"kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"}


@pytest.mark.parametrize("region", REGIONS)
def test_nothing_is_allowed_that_no_call_needs(calls, policies, region):
    for role in (role for role in policies if role.endswith(region)):
        idle = {allowed for allowed in policies[role] if not any(covers(allowed, call) for call in calls[role])}
        assert not idle, f"{role} may do what it never does: {idle}"


def test_no_function_calls_another_regions_table_or_event_bus(calls, policies):
    """DynamoDB replicates. Each Region uses its own replica, and works when the other Region is gone."""
    for role in calls.keys() & policies.keys():
        region = next(region for region in REGIONS if role.endswith(region))
        for action, resource in calls[role]:
            if action.startswith(("dynamodb:", "events:")):
                assert resource.split(":")[3] == region, (role, action, resource)
