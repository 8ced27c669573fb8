"""`make deploy` names everything that is missing, one per line, before it builds or calls anything."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deployment.deploy_service import Deployment, Refused

REPOSITORY = Path(__file__).resolve().parents[2]

FIRST = {"STAGE": "staging", "REGION": "us-east-2", "JWT_ISSUER": "https://login.example.com", "JWT_AUDIENCE": "latchkey"}
# Nothing listens there. A deployment that calls AWS too early fails with another message than a refusal.
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "111111111111",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_MAX_ATTEMPTS": "1",
}


def refusals(settings: dict[str, str]) -> tuple[int, list[str]]:
    command = [sys.executable, REPOSITORY / "deployment" / "deploy_service.py"]
    environment = {"PATH": os.environ["PATH"], **NOWHERE, **settings}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == ""
    assert all(line.startswith("✗ ") for line in ran.stderr.splitlines()), ran.stderr
    return ran.returncode, [line.removeprefix("✗ ") for line in ran.stderr.splitlines()]


def test_everything_that_is_missing_is_said_at_once():
    status, said = refusals({})
    assert status == 2
    assert [line.split(":")[0] for line in said] == ["STAGE", "REGION"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("STAGE", "Production"),
        ("STAGE", "a-name-of-more-than-20-"),
        ("REGION", "eu-west-1"),
        ("ARCH", "arm"),
        ("JWT_ISSUER", "login.example.com"),
        ("PARAMETERS", "RoleClaim"),
        ("BUILD", "maybe"),
        ("CONFIRM", "never"),
    ],
)
def test_what_is_wrong_is_named(setting, value):
    status, said = refusals(FIRST | {setting: value})
    assert status == 2
    assert [line.split(":")[0] for line in said] == [setting]


def test_what_was_never_built_is_not_deployed(tmp_path):
    status, said = refusals(FIRST | {"TEMPLATE": str(tmp_path / "template.yaml")})
    assert (status, len(said)) == (2, 1)
    assert "nothing is built" in said[0]


def test_aws_out_of_reach_is_said_too():
    status, said = refusals(FIRST)
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("AWS: ")


def test_by_hand_the_same_stack_is_deployed():
    configured = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    for region in ("us-east-2", "us-west-2"):
        deployed = configured[region]["deploy"]["parameters"]
        assert (deployed["stack_name"], deployed["region"]) == ("production-latchkey", region)
        assert {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"} == set(deployed["capabilities"].split())


@pytest.mark.parametrize(
    ("region", "stacks", "said"),
    [
        ("us-east-2", {}, None),
        ("us-east-2", {"us-east-2": "UPDATE_COMPLETE", "us-west-2": "CREATE_COMPLETE"}, None),
        ("us-east-2", {"us-east-2": "UPDATE_ROLLBACK_COMPLETE"}, None),
        ("us-east-2", {"us-east-2": "IMPORT_COMPLETE"}, None),
        ("us-west-2", {"us-east-2": "CREATE_COMPLETE"}, None),
        ("us-west-2", {}, "us-east-2 comes first"),
        ("us-west-2", {"us-east-2": "ROLLBACK_COMPLETE"}, "us-east-2 comes first"),
        ("us-west-2", {"us-east-2": "UPDATE_IN_PROGRESS", "us-west-2": "CREATE_COMPLETE"}, "one Region at a time"),
        ("us-east-2", {"us-east-2": "ROLLBACK_COMPLETE"}, "the stack staging-latchkey in us-east-2 is ROLLBACK_COMPLETE"),
        ("us-east-2", {"us-east-2": "UPDATE_IN_PROGRESS"}, "the stack staging-latchkey in us-east-2 is UPDATE_IN_PROGRESS"),
    ],
)
def test_the_state_of_both_regions_decides(monkeypatch, region, stacks, said):
    """The states as CloudFormation reports them. test_second_stage.py runs the command against deployed stacks."""

    def stack(self, of_region: str) -> dict | None:
        return {"StackStatus": stacks[of_region]} if of_region in stacks else None

    monkeypatch.setattr(Deployment, "stack", stack)
    deployment = Deployment.of(FIRST | {"REGION": region})
    if said is None:
        deployment.check()
        return
    with pytest.raises(Refused, match=said):
        deployment.check()


def test_what_is_given_once_is_kept(monkeypatch):
    later = {"STAGE": "staging", "REGION": "us-east-2"}
    there = {"JwtIssuer": "https://login.example.com", "JwtAudience": "latchkey"}
    kept = [{"ParameterKey": name, "ParameterValue": value} for name, value in there.items()]
    monkeypatch.setattr(Deployment, "stack", lambda self, region: {"StackStatus": "UPDATE_COMPLETE", "Parameters": kept})
    Deployment.of(later).check()
    # A stack that holds only an imported table.
    monkeypatch.setattr(Deployment, "stack", lambda self, region: {"StackStatus": "IMPORT_COMPLETE"})
    with pytest.raises(Refused, match=r"JWT_ISSUER.*\nJWT_AUDIENCE"):
        Deployment.of(later).check()
    monkeypatch.setattr(Deployment, "stack", lambda self, region: None)
    with pytest.raises(Refused, match=r"JWT_ISSUER.*\nJWT_AUDIENCE"):
        Deployment.of(later).check()
