"""The deployed canary: what it does, and what it reports when something is broken."""

import json

import pytest
from jsonschema import Draft202012Validator

from local_aws.faults import Faults
from local_aws.layout import ALIAS, REGIONS, REPOSITORY, STAGE
from local_aws.schedule import Schedule

SCHEMA = json.loads((REPOSITORY / "docs" / "canary.schema.json").read_text())
LINE = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
WORKSPACE = "latchkey-canary"


@pytest.fixture
def sings(service_client):
    """sings(region): runs the canary there once and returns its report."""

    def sings(region: str) -> dict:
        answer = service_client("lambda", region).invoke(FunctionName=f"{STAGE}-latchkey-canary", Qualifier=ALIAS, Payload="{}")
        told = json.load(answer["Payload"])
        assert not [error.message for error in LINE.iter_errors(told)], told
        return told

    return sings


@pytest.fixture(autouse=True)
def alone(stack):
    """No canary and no sweep runs but those of these tests."""
    with Schedule.of(stack).paused():
        yield


@pytest.fixture(params=REGIONS)
def region(request) -> str:
    return request.param


def other(region: str) -> str:
    return next(it for it in REGIONS if it != region)


def failures(told: dict) -> list[tuple]:
    return [
        (step["operation"], step["region"], step["failure"], step.get("problem", "").rpartition(":")[2])
        for step in told["steps"]
        if "failure" in step
    ]


def test_it_seals_here_and_opens_in_both_regions(sings, region, stack, function_logs, wait_for):
    faults = Faults.of(stack)
    sings(region)  # makes sure that the vault exists
    before = faults.last_call()
    told = sings(region)
    assert (told["outcome"], told["canary_succeeded"], told["canary_failed"]) == ("succeeded", 1, 0), told
    tried = [("encrypt-item", region), ("decrypt-item", region), ("decrypt-item", other(region))]
    assert [(step["operation"], step["region"]) for step in told["steps"]] == tried
    invoked = {
        (call["action"], call["resource"].split(":function:")[1], call["region"])
        for call in faults.calls(before)
        if call["caller"].split("/")[1] == f"{STAGE}-latchkey-canary-{region}"
    }
    assert invoked == {("InvokeFunction", f"{STAGE}-latchkey-{operation}:{ALIAS}", where) for operation, where in tried}

    def audited():
        """each of its calls has its line of the audit log"""
        lines = [json.loads(line) for line in function_logs() if told["request_id"] in line and '"log":"audit"' in line]
        return {(line["operation"], line["region"]) for line in lines if line["gateway_request_id"] == told["request_id"]} == set(
            tried
        )

    wait_for(audited)

    def logged():
        """the round is one line of the canary's log"""
        return [line for line in function_logs("canary") if told["request_id"] in line and line.startswith("{")]

    (line,) = wait_for(logged)
    assert json.loads(line) == told


def test_its_vault_is_made_again_when_it_is_missing(sings, region, stack, service_dynamodb):
    sings(region)
    service_dynamodb().delete_item(
        TableName=stack["table_name"], Key={"pk": {"S": f"WORKSPACE#{WORKSPACE}"}, "sk": {"S": "DEFAULT"}}
    )
    told = sings(region)
    assert [step["operation"] for step in told["steps"]][:2] == ["create-vault", "encrypt-item"]
    assert told["outcome"] == "succeeded", told


def test_what_is_broken_is_found_and_named(sings, region, stack, service_client):
    """A fault of a function, of KMS and of the key itself. Once it is fixed, the canary succeeds again."""
    faults, key_id = Faults.of(stack), stack["managed_key_id"]
    assert sings(region)["outcome"] == "succeeded"
    with faults.rule("reset", service="lambda", region=other(region), caller=f"latchkey-canary-{region}"):
        assert failures(sings(region)) == [("decrypt-item", other(region), "unanswered", "")]
    with faults.rule("error", service="lambda", status=403, code="AccessDeniedException", caller=f"latchkey-canary-{region}"):
        assert failures(sings(region)) == [("encrypt-item", region, "not_started", "")]
    with faults.rule("500", service="kms", action="Decrypt", match=[key_id]):
        assert failures(sings(region)) == [("encrypt-item", region, "refused", "unavailable")]
    assert sings(region)["outcome"] == "succeeded"

    keys = service_client("kms", other(region))
    keys.disable_key(KeyId=key_id)
    try:
        told = sings(region)
    finally:
        keys.enable_key(KeyId=key_id)
        mended(stack, service_client)
    assert failures(told) == [("decrypt-item", other(region), "refused", "customer-key-refused")]
    assert (told["outcome"], told["canary_failed"]) == ("failed", 1)
    assert sings(region)["outcome"] == "succeeded"


def mended(stack: dict, service_client) -> None:
    """Opens the vault again: after a refusal it stays closed until a validation succeeds."""
    found = service_client("dynamodb").get_item(
        TableName=stack["table_name"], Key={"pk": {"S": f"WORKSPACE#{WORKSPACE}"}, "sk": {"S": "DEFAULT"}}
    )
    vault_id = found["Item"]["vault_id"]["S"]
    health = Schedule.of(stack).health_after_sweep(WORKSPACE, vault_id, whole=True)
    assert health["state"] == "healthy", health


def test_no_plaintext_is_in_its_log(sings, function_logs, wait_for):
    """The canary seals 32 bytes, in base64. Neither a field of its line nor another line is that long."""
    told = sings(REGIONS[0])
    lines = wait_for(lambda: [line for line in function_logs("canary") if told["request_id"] in line])
    allowed = {told["request_id"], told["at"]}
    for line in lines:
        if line.startswith("{"):
            assert not [text for text in texts(json.loads(line)) if len(text) >= 44 and text not in allowed and "urn:" not in text]


def texts(value) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for it in value.values() for text in texts(it)]
        case list():
            return [text for it in value for text in texts(it)]
    return []
