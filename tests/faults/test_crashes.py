"""Functions as they ship, killed at every call that they make to the outside, before it and after it, and repeated.

shared/aws/tests/aws/crashes.rs does the same to every operation, in one process and within seconds."""

import pytest

from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace
from tests.e2e.killed_functions import DEATHS, Death, Functions
from tests.e2e.killed_operations import OPERATIONS, Killed, kill_and_repeat
from tests.e2e.subscription import Subscription

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
