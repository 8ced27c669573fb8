"""Functions as they ship, killed right after each of their writes and repeated. `make faults` kills them at every call."""

import pytest

from tests.e2e.killed_functions import AFTER, Death, Functions
from tests.e2e.killed_operations import OPERATIONS, WRITES, Killed, kill_and_repeat


@pytest.fixture(scope="module")
def functions(stack):
    return Functions(stack)


@pytest.fixture
def killed(stack, new_workspace, functions, subscription, service_dynamodb):
    return Killed(stack, new_workspace(), functions, subscription, service_dynamodb())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_killed_after_any_of_its_writes_is_completed_by_a_repetition(killed, operation):
    nth = 1
    while kill_and_repeat(killed, operation, Death(nth, AFTER, among=WRITES)):
        nth += 1
    killed.hold_items()
    assert nth > 1, "it writes"
