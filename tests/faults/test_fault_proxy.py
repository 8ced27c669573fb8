"""The fault proxy itself: what it forwards, reports and breaks."""

import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.layout import PRIMARY_REGION, REPLICA_REGION, aws_client


@pytest.fixture
def proxied(stack):
    """proxied(service, region): a client that calls through the proxy, as the functions do."""
    endpoint = stack["fault_proxy"]["endpoint"]
    return lambda service, region=PRIMARY_REGION: aws_client(endpoint, service, region, stack["service_account_id"])


@pytest.fixture
def key_id(stack) -> str:
    return stack["managed_key_id"]


def test_what_is_forwarded_is_as_it_was(proxied, service_client, key_id, stack):
    """The emulator verifies signatures, which cover host and body."""
    for region in (PRIMARY_REGION, REPLICA_REGION):
        described = [client("kms", region).describe_key(KeyId=key_id)["KeyMetadata"] for client in (proxied, service_client)]
        assert described[0] == described[1]
    key = {"pk": {"S": "WORKSPACE#nobody"}, "sk": {"S": "DEFAULT"}}
    assert "Item" not in proxied("dynamodb").get_item(TableName=stack["table_name"], Key=key)
    assert proxied("sts").get_caller_identity()["Account"] == stack["service_account_id"]


def test_a_call_is_told_with_its_caller_and_resource_and_no_body(workspace, faults, stack):
    before = faults.last_call()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"secret")
    assert workspace.opened(item) == b"secret"
    calls = faults.calls(before)
    account = workspace.customer.aws_account_id
    told = {(call["service"], call["action"], call["region"], call["resource"], call["caller"].split("/")[1]) for call in calls}
    table = f"arn:aws:dynamodb:{PRIMARY_REGION}:{stack['service_account_id']}:table/{stack['table_name']}"
    key = f"arn:aws:kms:{PRIMARY_REGION}:{account}:key/{workspace.customer.kms_key_id}"
    role = workspace.customer.aws_role_arn
    assert told >= {
        ("dynamodb", "PutItem", PRIMARY_REGION, table, f"production-latchkey-create-vault-{PRIMARY_REGION}"),
        ("dynamodb", "GetItem", PRIMARY_REGION, table, f"production-latchkey-decrypt-item-{PRIMARY_REGION}"),
        ("sts", "AssumeRole", PRIMARY_REGION, role, "production-kms-byo-key-access-role"),
        ("kms", "Decrypt", PRIMARY_REGION, key, workspace.customer.role_name),
    }
    assert any(call["item"] == f"WORKSPACE#{workspace.customer.workspace_id} / VAULT#{vault_id}" for call in calls)
    assert all(call["status"] and call["milliseconds"] is not None for call in calls if vault_id in str(call))
    assert calls == sorted(calls, key=lambda call: call["number"]) and calls[0]["number"] > before
    assert not {"body", "headers", "plaintext"} & calls[0].keys()


def test_a_rule_meets_what_it_fits_and_nothing_else(proxied, faults, key_id):
    limits = {"service": "kms", "region": REPLICA_REGION, "action": "DescribeKey", "match": [key_id], "times": 2}
    with faults.rule("error", code="DisabledException", **limits) as rule:
        here, there = proxied("kms", PRIMARY_REGION), proxied("kms", REPLICA_REGION)
        here.describe_key(KeyId=key_id)
        there.get_public_key(KeyId=key_id)
        with pytest.raises(there.exceptions.NotFoundException):
            there.describe_key(KeyId="mrk-00000000000000000000000000000000")
        assert faults.met(rule) == 0
        for _ in range(2):
            with pytest.raises(there.exceptions.DisabledException):
                there.describe_key(KeyId=key_id)
        there.describe_key(KeyId=key_id)
        assert faults.met(rule) == 2


@pytest.mark.parametrize(
    ("service", "fault", "status", "code"),
    [
        ("kms", "500", 500, "KMSInternalException"),
        ("kms", "throttle", 400, "ThrottlingException"),
        ("dynamodb", "500", 500, "InternalServerError"),
        ("dynamodb", "throttle", 400, "ProvisionedThroughputExceededException"),
        ("sts", "503", 503, "ServiceUnavailable"),
        ("sts", "throttle", 400, "Throttling"),
        ("events", "throttle", 400, "ThrottlingException"),
    ],
)
def test_an_error_is_in_the_services_own_words(proxied, faults, service, fault, status, code):
    call = {"kms": "list_keys", "dynamodb": "list_tables", "sts": "get_caller_identity", "events": "list_event_buses"}[service]
    client = proxied(service)
    action = call.title().replace("_", "")
    with faults.rule(fault, service=service, action=action), pytest.raises(client.exceptions.ClientError) as raised:
        getattr(client, call)()
    answer = raised.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)


def test_an_invocation_is_told_and_fails_in_lambdas_words(proxied, faults):
    """Lambda's protocol differs: the function is in the path, and the error code in a header."""
    functions, name = proxied("lambda", REPLICA_REGION), "production-latchkey-get-setup-kit"
    before = faults.last_call()
    assert functions.invoke(FunctionName=name, Payload="{}")["StatusCode"] == 200
    told = [(it["action"], it["resource"], it["region"]) for it in faults.calls(before) if it["service"] == "lambda"]
    # The proxy knows the account of sessions only. The functions use nothing else.
    assert ("InvokeFunction", f"arn:aws:lambda:{REPLICA_REGION}::function:{name}", REPLICA_REGION) in told
    throttled = functions.exceptions.TooManyRequestsException
    rule = faults.rule("throttle", service="lambda", action="InvokeFunction", region=REPLICA_REGION)
    with rule, pytest.raises(throttled) as raised:
        functions.invoke(FunctionName=name, Payload="{}")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("reset", "ConnectionClosedError"),
        ("refused", "ConnectionClosedError"),
        ("truncated", "ConnectionClosedError"),
        ("lost", "ConnectionClosedError"),
    ],
)
def test_a_connection_ends_as_the_fault_says(proxied, faults, key_id, fault, raised):
    with faults.rule(fault, service="kms", action="ListKeyPolicies"), pytest.raises(Exception) as error:
        proxied("kms").list_key_policies(KeyId=key_id)
    assert type(error.value).__name__ == raised
    assert proxied("kms").list_key_policies(KeyId=key_id)["PolicyNames"]


def test_garbage_is_a_200_that_is_no_answer(stack, faults):
    """Without the SDK, which would take it for an empty answer."""
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-2/kms/aws4_request, SignedHeaders=host"}
    request = urllib.request.Request(stack["fault_proxy"]["endpoint"], b"{}", headers | {"x-amz-target": "TrentService.ListKeys"})
    with faults.rule("garbage", service="kms", action="ListKeys"), urllib.request.urlopen(request) as answer:
        assert answer.status == 200 and answer.read().startswith(b"<!doctype html>")


def test_what_is_lost_was_done_and_what_is_reset_was_not(proxied, service_client, faults, key_id):
    kms = service_client("kms")

    def tag(value: str) -> None:
        proxied("kms").tag_resource(KeyId=key_id, Tags=[{"TagKey": "touched", "TagValue": value}])

    for fault, done in (("lost", True), ("reset", False)):
        with faults.rule(fault, service="kms", action="TagResource"), pytest.raises((BotoCoreError, ClientError)):
            tag(fault)
        tags = {it["TagKey"]: it["TagValue"] for it in kms.list_resource_tags(KeyId=key_id)["Tags"]}
        assert (tags.get("touched") == fault) == done


def test_slow_is_late_and_right(proxied, faults, key_id):
    with faults.rule("slow", service="kms", action="ListKeyPolicies", seconds=0.5):
        started_at = time.monotonic()
        assert proxied("kms").list_key_policies(KeyId=key_id)["PolicyNames"]
        assert time.monotonic() - started_at >= 0.5


def test_a_rule_that_is_none_is_refused(faults):
    for wrong in ({"fault": "rust"}, {"fault": "500", "servce": "kms"}, {}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            faults.ask("POST", "/rules", wrong)
        assert refused.value.code == 400
