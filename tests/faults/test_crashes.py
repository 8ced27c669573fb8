"""Functions as they ship, killed at every call that they make to the outside, before it and after it, and repeated.

shared/aws/tests/aws/crashes.rs does the same to every operation, in one process and within seconds."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "e2e"))

from e2e_support import Workspace  # noqa: E402 (found by the line above)
from killed_functions import DEATHS, Death, Functions  # noqa: E402
from killed_operations import OPERATIONS, Killed, kill_and_repeat  # noqa: E402
from schedule import Schedule  # noqa: E402
from subscription import Subscription  # noqa: E402

pytestmark = pytest.mark.whole_matrix


@pytest.fixture(scope="module")
def functions(stack):
    return Functions(stack)


@pytest.fixture(scope="module")
def subscription(service_client):
    return Subscription(service_client)


@pytest.fixture
def killed(stack, new_customer, api, token, wait_for, functions, subscription, service_dynamodb):
    workspace = Workspace(new_customer(), api, token, wait_for)
    yield Killed(stack, workspace, functions, subscription, service_dynamodb())
    Schedule.of(stack).forget(workspace.customer.workspace_id)


@pytest.mark.parametrize("when", DEATHS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_killed_at_any_call_is_completed_by_a_repetition(killed, operation, when):
    nth = 1
    while kill_and_repeat(killed, operation, Death(nth, when)):
        nth += 1
    killed.hold_items()
    assert nth > 3, "it makes calls"
