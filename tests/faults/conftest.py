"""The matrix of faults, for the cells that this run selects, and its results at the end."""

import os

import pytest

from local_aws.faults import Faults
from local_aws.layout import STAGE
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace
from tests.faults import faults_table
from tests.faults.lanes import Environments, Matrix

SLOWEST = pytest.StashKey[dict]()


@pytest.fixture(scope="session")
def matrix(request, stack, new_customer, api, token) -> Matrix:
    """The results of all selected cells. All of them start at the first test that needs a result."""
    cells = [item.callspec.params["cell"] for item in request.session.items if "cell" in getattr(item, "fixturenames", ())]
    return Matrix(stack, new_customer, api, token, cells)


@pytest.fixture(scope="session")
def faults(stack) -> Faults:
    """The fault proxy."""
    return Faults.of(stack)


@pytest.fixture(scope="module")
def workspace(stack, new_customer, api, token, wait_for):
    """A workspace for this test file only."""
    workspace = Workspace(new_customer(), api, token, wait_for)
    yield workspace
    Schedule.of(stack).forget(workspace.customer.workspace_id)


@pytest.fixture(scope="session")
def fresh(service_client):
    """fresh(function, region): gives a function new, empty execution environments."""

    def fresh(function: str, region: str) -> None:
        Environments(service_client("lambda", region), f"{STAGE}-latchkey-{function}").replace()

    return fresh


@pytest.fixture
def took(request):
    """took(row, seconds): records a measured time for the table."""
    slowest = request.config.stash.setdefault(SLOWEST, {})

    def took(row, seconds: float) -> None:
        slowest[row] = max(seconds, slowest.get(row, 0.0))

    return took


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    slowest = config.stash.get(SLOWEST, {})
    if config.option.markexpr == "" and slowest:
        terminalreporter.section("the slowest answer of each row, of the seconds that it may take")
        for row, seconds in slowest.items():
            terminalreporter.write_line(f"{seconds:5.1f} of {row.seconds:2}  {faults_table.words(row)}")
        if os.environ.get("RECORD") and exitstatus == 0:
            faults_table.record(slowest)
