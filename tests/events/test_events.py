"""Every sample event of events/, sent with `cargo lambda invoke` to the functions under `cargo lambda watch`."""

import json

import pytest

from local_aws import sample_events, watch
from local_aws.stack import free_port
from tests.contract import openapi

# The order matters: disabling and enabling the events' vault comes last. decrypt-item answers item by item, so its outcome is
# that of its one item.
EXPECTED = {
    "create-vault/success.json": (201, None),
    "create-vault/refused-no-claims.json": (401, "unauthenticated"),
    "create-vault/refused-member.json": (403, "forbidden"),
    "create-vault/refused-malformed.json": (400, "malformed-request"),
    "create-vault/refused-name-taken.json": (409, "vault-name-taken"),
    "create-vault/refused-validation-failed.json": (422, "validation-failed"),
    "validate-vault/success.json": (200, None),
    "validate-vault/scheduled.json": (200, None),
    "validate-vault/refused-foreign-workspace.json": (404, "vault-not-found"),
    "encrypt-item/success.json": (200, None),
    "encrypt-item/refused-malformed.json": (400, "malformed-request"),
    "encrypt-item/refused-no-default-vault.json": (409, "no-default-vault"),
    "decrypt-item/success.json": (200, None),
    "decrypt-item/refused-wrong-item-id.json": (422, "item-does-not-open"),
    "decrypt-item/refused-foreign-workspace.json": (404, "vault-not-found"),
    "decrypt-item/refused-malformed.json": (400, "malformed-request"),
    "get-setup-kit/success.json": (200, None),
    "get-setup-kit/success-zip.json": (200, None),
    "get-setup-kit/refused-member.json": (403, "forbidden"),
    "get-setup-kit/refused-no-claims.json": (401, "unauthenticated"),
    "reassign-item/success.json": (200, None),
    "reassign-item/success-dry-run.json": (200, None),
    "reassign-item/refused-foreign-workspace.json": (404, "vault-not-found"),
    "reassign-item/refused-malformed.json": (400, "malformed-request"),
    "list-vaults/success.json": (200, None),
    "list-vaults/success-one.json": (200, None),
    "list-vaults/refused-malformed.json": (400, "malformed-request"),
    "list-vaults/refused-foreign-workspace.json": (404, "vault-not-found"),
    "update-vault/success.json": (200, None),
    "update-vault/refused-precondition-failed.json": (412, "precondition-failed"),
    "update-vault/refused-member.json": (403, "forbidden"),
    "update-vault/refused-malformed.json": (400, "malformed-request"),
    "disable-vault/refused-member.json": (403, "forbidden"),
    "disable-vault/refused-precondition-failed.json": (412, "precondition-failed"),
    "disable-vault/success-decrypt-only.json": (200, None),
    "disable-vault/success.json": (200, None),
    "disable-vault/refused-wrong-status.json": (409, "wrong-vault-status"),
    "update-vault/refused-wrong-status.json": (409, "wrong-vault-status"),
    "enable-vault/refused-member.json": (403, "forbidden"),
    "enable-vault/refused-foreign-workspace.json": (404, "vault-not-found"),
    "enable-vault/success.json": (200, None),
}


@pytest.fixture(scope="module")
def running(stack, new_customer, tmp_path_factory):
    """Starts the functions under watch, and fills in the events for a customer of their own."""
    port = free_port()
    log = tmp_path_factory.mktemp("watch") / "watch.log"
    with open(log, "wb") as output, watch.watched(stack, port, output):
        sample_events.make_ready(stack, new_customer())
        yield port


def test_every_event_has_an_expected_outcome():
    assert {str(path.relative_to(sample_events.SOURCE)) for path in sample_events.SOURCE.glob("*/*.json")} == EXPECTED.keys()


def test_every_operation_has_a_sample_event_that_succeeds():
    for operation in openapi.operations().values():
        events = (sample_events.SOURCE / operation.function).glob("success*.json")
        assert f"{operation.method} {operation.path}" in {json.loads(event.read_text())["routeKey"] for event in events}, (
            operation.name
        )


@pytest.mark.parametrize("event", EXPECTED)
def test_event(running, event):
    response = watch.invoke(event.partition("/")[0], sample_events.READY / event, running)
    body = {} if response["isBase64Encoded"] else json.loads(response["body"])
    status, problem = response["statusCode"], body.get("type")
    if event.startswith("decrypt-item/") and status == 200:
        error = body["items"][0].get("error", {})
        status, problem = error.get("status", 200), error.get("type")
        assert ("plaintext" in body["items"][0]) == (not error)
    expected_status, expected_problem = EXPECTED[event]
    assert (status, problem) == (expected_status, expected_problem and f"urn:latchkey:problem:{expected_problem}"), body
