"""`make deploy` says what is missing, in a line for each, before it builds or calls anything."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST = {"STAGE": "staging", "REGION": "us-east-2", "JWT_ISSUER": "https://login.example.com", "JWT_AUDIENCE": "latchkey"}
# Nothing listens there: whoever calls AWS before everything is in order does not answer with a refusal.
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
