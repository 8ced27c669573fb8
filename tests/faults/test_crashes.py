"""Functions as they ship, killed before and after every call that they make, and repeated.

shared/aws/tests/aws/crashes.rs does the same for every operation in one process, within seconds.
"""

import pytest

from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace
from tests.e2e.subscription import Subscription
from tests.faults.killed_functions import AFTER, DEATHS, Death, Functions
from tests.faults.killed_operations import OPERATIONS, EncryptItem, Killed, UpdateVault, kill_and_repeat

# `make test` runs these: an operation with several writes, and one that answers items.
SAMPLE = {(UpdateVault, AFTER), (EncryptItem, AFTER)}
CASES = [
    pytest.param(
        operation,
        when,
        id=f"{operation.name}-{when}",
        marks=() if (operation, when) in SAMPLE else pytest.mark.whole_matrix,
    )
    for operation in OPERATIONS
    for when in DEATHS
]


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


@pytest.mark.parametrize(("operation", "when"), CASES)
def test_an_operation_killed_at_any_call_is_completed_by_a_repetition(killed, operation, when):
    nth = 1
    while kill_and_repeat(killed, operation, Death(nth, when)):
        nth += 1
    killed.hold_items()
    assert nth > 3, "it makes calls"
