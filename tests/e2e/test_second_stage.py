"""`make deploy` of a second stage beside the running one: in the same account and both Regions, the primary first."""

import os
import subprocess
import sys

import pytest

from local_aws.deploy import STAGED
from local_aws.layout import ALIAS, PRIMARY_REGION, REGIONS, REPLICA_REGION, REPOSITORY

NAME = "second-latchkey"


@pytest.fixture
def deploy(stack, service_client, tmp_path):
    """deploy(region, ...): runs `make deploy` with the functions that `make up` staged. Everything it made is deleted
    afterwards."""
    settings = {
        "STAGE": "second",
        "TEMPLATE": str(STAGED / "template.json"),
        "CONFIRM": "no",
        "ARCH": "x86_64",
        "PARAMETERS": "TableDeletionProtection=false",
        "AWS_ENDPOINT_URL": stack["aws_endpoint"],
        "AWS_ACCESS_KEY_ID": stack["service_account_id"],
        "AWS_SECRET_ACCESS_KEY": "local",
        "SAM_CLI_POLL_DELAY": "0.2",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }

    def deploy(region: str, answer: str = "", **more: str) -> subprocess.CompletedProcess:
        command = [sys.executable, REPOSITORY / "deployment" / "deploy_service.py"]
        environment = settings | {"REGION": region} | more
        return subprocess.run(command, env=environment, input=answer, capture_output=True, text=True, timeout=180, check=False)

    yield deploy
    for region in reversed(REGIONS):
        cloudformation = service_client("cloudformation", region)
        cloudformation.delete_stack(StackName=NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    dynamodb = service_client("dynamodb", PRIMARY_REGION)
    if NAME in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=NAME)
    iam = service_client("iam", PRIMARY_REGION)
    role = "second-kms-byo-key-access-role"
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)


def test_a_further_stage_is_deployed_beside_the_first(deploy, stack, service_client):
    tokens = {"JWT_ISSUER": stack["issuer"], "JWT_AUDIENCE": "latchkey-local"}

    too_early = deploy(REPLICA_REGION, **tokens)
    assert too_early.returncode == 2
    assert f"{PRIMARY_REGION} comes first" in too_early.stderr
    without = deploy(PRIMARY_REGION)
    assert [line.split(":")[0] for line in without.stderr.splitlines()] == ["✗ JWT_ISSUER", "✗ JWT_AUDIENCE"]
    unconfirmed = deploy(PRIMARY_REGION, "n\n", CONFIRM="yes", **tokens)
    assert (unconfirmed.returncode, unconfirmed.stderr.splitlines()[-1]) == (2, "✗ not confirmed, so nothing was changed")

    for region, others in ((PRIMARY_REGION, REPLICA_REGION), (REPLICA_REGION, PRIMARY_REGION)):
        deployed = deploy(region, **tokens)
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        said = deployed.stdout.splitlines()
        assert f"{NAME} to {region} of account {stack['service_account_id']}" in said[0]
        assert any(f"✓ {NAME} is deployed to {region}: http" in line for line in said)
        assert others in said[-1]

    versions = set()
    for region in reversed(REGIONS):
        functions = service_client("lambda", region)
        alias = functions.get_alias(FunctionName=f"{NAME}-encrypt-item", Name=ALIAS)
        versions.add(alias["FunctionVersion"])
        configuration = functions.get_function_configuration(FunctionName=f"{NAME}-encrypt-item", Qualifier=ALIAS)
        assert configuration["Environment"]["Variables"]["LATCHKEY_STAGE"] == "second"
    assert versions == {"1"}

    unconfirmed = deploy(PRIMARY_REGION, "n\n", CONFIRM="yes", PARAMETERS="RoleClaim=part")
    assert unconfirmed.stderr.splitlines()[-1] == "✗ not confirmed, so nothing was changed", unconfirmed.stdout
    # Without a change there is no roll-out.
    unchanged = deploy(PRIMARY_REGION)
    assert unchanged.returncode == 0, unchanged.stdout + unchanged.stderr
    assert functions.get_alias(FunctionName=f"{NAME}-encrypt-item", Name=ALIAS)["FunctionVersion"] == "1"

    # An upgrade only needs the settings that change. A changed parameter alone counts as a change.
    upgraded = deploy(PRIMARY_REGION, PARAMETERS="RoleClaim=part")
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert functions.get_alias(FunctionName=f"{NAME}-encrypt-item", Name=ALIAS)["FunctionVersion"] == "2"
    live = functions.get_function_configuration(FunctionName=f"{NAME}-encrypt-item", Qualifier=ALIAS)
    assert live["Environment"]["Variables"]["LATCHKEY_ROLE_CLAIM"] == "part"
    assert live["Description"].startswith("Latchkey ")
