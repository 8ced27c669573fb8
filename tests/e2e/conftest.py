"""Workspaces for the end-to-end tests, each with its own customer."""

import pytest

from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace
from tests.e2e.subscription import Subscription


@pytest.fixture(scope="module")
def workspace(stack, new_customer, api, token, wait_for):
    """A workspace for this test file only."""
    workspace = Workspace(new_customer(), api, token, wait_for)
    yield workspace
    Schedule.of(stack).forget(workspace.customer.workspace_id)


@pytest.fixture
def new_workspace(stack, new_customer, api, token, wait_for):
    """new_workspace(...): for tests that change the key or the role. Takes the arguments of new_customer."""
    made = []

    def new_workspace(**options) -> Workspace:
        made.append(Workspace(new_customer(**options), api, token, wait_for))
        return made[-1]

    yield new_workspace
    for workspace in made:
        Schedule.of(stack).forget(workspace.customer.workspace_id)


@pytest.fixture(scope="session")
def subscription(service_client) -> Subscription:
    """What the service announces from now on."""
    return Subscription(service_client)
