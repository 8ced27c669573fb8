"""Every sample event of events/, sent with `cargo lambda invoke` to the functions under `cargo lambda watch`."""

import json

import pytest

from local_aws import sample_events, watch
from local_aws.stack import free_port
from tests.contract import openapi

# The order of these matters: disabling and enabling the events' vault comes last.
LAST = [
    "disable-vault/refused-member.json",
    "disable-vault/refused-precondition-failed.json",
    "disable-vault/success-decrypt-only.json",
    "disable-vault/success.json",
    "disable-vault/refused-wrong-status.json",
    "update-vault/refused-wrong-status.json",
    "enable-vault/refused-member.json",
    "enable-vault/refused-foreign-workspace.json",
    "enable-vault/success.json",
]
# The problems of events that have another name than their problem.
PROBLEMS = {
    "no-claims": "unauthenticated",
    "member": "forbidden",
    "function-url": "unauthenticated",
    "malformed": "malformed-request",
    "foreign-workspace": "vault-not-found",
    "name-taken": "vault-name-taken",
    "wrong-item-id": "item-does-not-open",
    "wrong-status": "wrong-vault-status",
}


def events() -> list[str]:
    """All sample events in sending order: by the table of operations, and successes before refusals."""
    names = [f"{path.parent.name}/{path.name}" for path in sample_events.SOURCE.glob("*/*.json")]
    order = openapi.functions()
    first = sorted(set(names) - set(LAST), key=lambda name: (order.index(name.partition("/")[0]), "/refused-" in name, name))
    assert set(LAST) <= set(names)
    return first + LAST


def expected(event: str) -> tuple[int, str | None]:
    """Status and problem, from the event's name. decrypt-item answers item by item, so for it they are those of its one item."""
    function, _, name = event.removesuffix(".json").partition("/")
    if not name.startswith("refused-"):
        return (201 if function == "create-vault" else 200), None
    problem = PROBLEMS.get(name.removeprefix("refused-"), name.removeprefix("refused-"))
    return openapi.status_of(problem), problem


@pytest.fixture(scope="module")
def running(stack, new_customer, tmp_path_factory):
    """Starts the functions under watch, and fills in the events for a customer of their own."""
    port = free_port()
    log = tmp_path_factory.mktemp("watch") / "watch.log"
    with open(log, "wb") as output, watch.watched(stack, port, output):
        sample_events.make_ready(stack, new_customer())
        yield port


def test_every_operation_has_a_sample_event_that_succeeds():
    for operation in openapi.operations().values():
        events = (sample_events.SOURCE / operation.function).glob("success*.json")
        assert f"{operation.method} {operation.path}" in {json.loads(event.read_text()).get("routeKey") for event in events}, (
            operation.name
        )


@pytest.mark.parametrize("event", events())
def test_event(running, event):
    response = watch.invoke(event.partition("/")[0], sample_events.READY / event, running)
    body = {} if response["isBase64Encoded"] else json.loads(response["body"])
    status, problem = response["statusCode"], body.get("type")
    if event.startswith("decrypt-item/") and status == 200:
        error = body["items"][0].get("error", {})
        status, problem = error.get("status", 200), error.get("type")
        assert ("plaintext" in body["items"][0]) == (not error)
    expected_status, expected_problem = expected(event)
    assert (status, problem) == (expected_status, expected_problem and f"urn:latchkey:problem:{expected_problem}"), body
