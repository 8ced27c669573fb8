"""Sessions that end early, and clocks that are wrong. The service recovers where it can, and never takes either for the customer's
refusal."""

import json
import time
from datetime import UTC, datetime

import pytest

from local_aws.layout import REGIONS
from tests.e2e.e2e_support import base64_of, problem_of

EXPIRED = {"status": 400, "code": "ExpiredTokenException", "message": "The security token included in the request is expired"}
UNKNOWN = {"status": 400, "code": "UnrecognizedClientException", "message": "The security token included in the request is invalid"}
EXPIRED_AT_STS = EXPIRED | {"status": 403, "code": "ExpiredToken"}
HOUR = 3600
SKEWED = [
    pytest.param(
        service,
        {"status": status, "code": code, "date_offset_seconds": offset},
        id=f"{service}-{code}{offset:+}",
        marks=() if offset > 0 and code.endswith(("Exception", "Match")) else (pytest.mark.whole_matrix,),
    )
    for service, status, code in [
        ("kms", 400, "InvalidSignatureException"),
        ("kms", 403, "RequestTimeTooSkewed"),
        ("sts", 403, "SignatureDoesNotMatch"),
        ("sts", 400, "RequestExpired"),
    ]
    for offset in (-HOUR, HOUR)
]


@pytest.fixture
def vault_id(workspace) -> str:
    return workspace.new_vault(data_key_cache_seconds=0)


@pytest.fixture
def item(workspace, vault_id, fresh):
    """A sealed item. Environments are replaced before and after the test, so none carries over anything. The SDK would, for
    example, keep a clock that it was told."""
    replace_all(fresh)
    yield workspace.sealed(vault_id, "account/password", b"secret")
    replace_all(fresh)


def replace_all(fresh) -> None:
    for region in REGIONS:
        for function in ("encrypt-item", "decrypt-item", "validate-vault"):
            fresh(function, region)


def calls_of(faults, workspace, after: int, service: str, action: str) -> list[dict]:
    """The calls about the workspace's role and key after a given call."""
    account = workspace.customer.aws_account_id
    calls = [call for call in faults.calls(after) if (call["service"], call["action"]) == (service, action)]
    return [call for call in calls if account in (call["resource"] or "")]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("error", [EXPIRED, UNKNOWN], ids=lambda error: error["code"])
def test_a_session_that_kms_does_not_take_is_made_anew(workspace, item, faults, region, error):
    assert workspace.opened(item, region) == b"secret"
    before = faults.last_call()
    with faults.rule("error", service="kms", region=region, match=[workspace.customer.kms_key_id], times=1, **error) as rule:
        assert workspace.opened(item, region) == b"secret"
        assert faults.met(rule) == 1
    decrypts = calls_of(faults, workspace, before, "kms", "Decrypt")
    assert [(call["region"], call["fault"]) for call in decrypts] == [(region, "error"), (region, None)], "in the same Region"
    assert len({call["access_key"] for call in decrypts}) == 2, "in a new session"


@pytest.mark.parametrize("region", REGIONS)
def test_a_session_of_the_access_role_that_sts_does_not_take_is_made_anew(workspace, item, faults, stack, region):
    before = faults.last_call()
    role = workspace.customer.aws_role_arn
    with faults.rule("error", service="sts", region=region, match=[role], times=1, **EXPIRED_AT_STS) as rule:
        assert workspace.opened(item, region) == b"secret"
        assert faults.met(rule) == 1
    entered = [call["fault"] for call in calls_of(faults, workspace, before, "sts", "AssumeRole")]
    assert entered == ["error", None]
    ways_in = [call for call in faults.calls(before) if call["resource"] == stack["access_role_arn"]]
    assert len([call for call in ways_in if f"decrypt-item-{region}/" in call["caller"]]) == 2


@pytest.mark.parametrize("region", REGIONS)
def test_new_sessions_that_are_called_expired_are_nobodys_decision(workspace, vault_id, item, faults, region):
    """STS has just issued these sessions, so the fault is in that Region, and the service calls the other one."""
    key = workspace.customer.kms_key_id
    with faults.rule("error", service="kms", region=region, match=[key], **EXPIRED) as rule:
        assert workspace.opened(item, region) == b"secret"
        assert faults.met(rule) == 2
    with faults.rule("error", service="kms", match=[key], **EXPIRED):
        assert workspace.error_of(item, region)["type"] == "urn:latchkey:problem:unavailable"
        assert workspace.validate(vault_id, region=region).json["result"] == "fail"
    assert workspace.read(vault_id).json["health"]["state"] == "healthy"
    assert workspace.validate(vault_id, region=region).json["result"] == "pass"


@pytest.mark.parametrize("region", REGIONS)
def test_sessions_that_the_customer_revokes_are_refused_once_and_made_anew(workspace, item, region):
    """The console's "Revoke active sessions" does the same: it denies all older sessions."""
    assert workspace.opened(item, region) == b"secret"
    # IAM works in whole seconds, and the cached session may be from the current one.
    revoked_at = datetime.fromtimestamp(int(time.time()) + 1, UTC)
    older = {"DateLessThan": {"aws:TokenIssueTime": revoked_at.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    denial = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older}
    customer = workspace.customer
    policy = {"RoleName": customer.role_name, "PolicyName": "AWSRevokeOlderSessions"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    customer.iam.put_role_policy(**policy, PolicyDocument=document)
    workspace.wait_for(lambda: datetime.now(UTC) > revoked_at)
    try:
        error = workspace.error_of(item, region)
        assert (error["status"], error["type"]) == (424, "urn:latchkey:problem:customer-key-refused")
        assert workspace.opened(item, region) == b"secret", "the role lets new sessions in"
    finally:
        customer.iam.delete_role_policy(**policy)


@pytest.mark.parametrize("region", REGIONS)
def test_the_functions_own_session_that_is_not_taken_is_our_trouble(workspace, item, faults, stack, region):
    ours = {"caller": f"role/production-latchkey-decrypt-item-{region}/"}
    with faults.rule("error", service="sts", match=[stack["access_role_arn"]], **ours, **EXPIRED_AT_STS):
        assert workspace.error_of(item, region)["type"] == "urn:latchkey:problem:internal"
    with faults.rule("error", service="dynamodb", match=[workspace.customer.workspace_id], **ours, **EXPIRED):
        assert workspace.error_of(item, region)["type"] == "urn:latchkey:problem:internal"
    assert workspace.opened(item, region) == b"secret"


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("service", "error"), SKEWED)
def test_a_clock_that_is_off_is_never_the_customers_refusal(workspace, vault_id, item, faults, region, service, error):
    account = workspace.customer.aws_account_id
    with faults.rule("error", service=service, match=[account], **error) as rule:
        answered = workspace.error_of(item, region)
        assert answered["status"] in (500, 503) and not answered.get("findings"), answered
        sealing = workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": base64_of(b"x")}], region)
        # STS is not called where a session is cached.
        assert (sealing.status == 200 and service == "sts") or problem_of(sealing)[0] in (500, 503), sealing.text
        report = workspace.validate(vault_id, region=region).json
        assert report["result"] == "fail"
        assert faults.met(rule) > 0
    health = workspace.read(vault_id).json["health"]
    assert health["state"] == "healthy", "nothing is known of the customer's key"
    # The SDK has set its clock by the wrong one. It corrects it at the first right answer.
    workspace.wait_for(lambda: workspace.validate(vault_id, region=region).json["result"] == "pass")
    workspace.wait_for(lambda: "plaintext" in workspace.decrypt([item], region).json["items"][0])
