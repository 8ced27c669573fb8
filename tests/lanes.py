"""Runs tests in lanes, side by side: `pytest -n 2 --dist loadgroup`. Each lane has its own stack, so tests in one lane are not
affected by what another lane does to keys, schedules, functions or the fault proxy.

The first lane uses the stack of `make up`. The others deploy the same functions again, and their stacks are stopped at the end of
the run. One lane runs all tests of a file, one after the other. One lane also runs all of tests/faults, which load the machine.
Tests that look back run when all lanes are done.
"""

import contextlib
import io
import json
import time

import pytest
from xdist.scheduler import LoadGroupScheduling

from local_aws import stack as local_stack
from local_aws.layout import FIRST, LANE, LOCAL, STACK_FILE

# The slowest start first, so that no lane is left with one at the end.
LONGEST_FIRST = (
    "tests/faults",
    "tests/e2e/test_second_stage.py",
    "tests/e2e/test_move_items.py",
    "tests/e2e/test_setup_kit.py",
    "tests/e2e/test_health.py",
    "tests/contract/test_strange_calls.py",
)
LONGEST_SECONDS = 900


class ByFile(LoadGroupScheduling):
    """Schedules tests by `unit_of`, or by their own group (`xdist_group`) if they have one."""

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return unit_of(nodeid) if group == nodeid else group


def unit_of(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return "tests/faults" if file.startswith("tests/faults/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tells a lane its number before it imports anything."""
    number = int(node.gateway.id.removeprefix("gw")) + 1
    if number > 1:
        node.gateway.remote_exec(f"import os; os.environ['LATCHKEY_LANE'] = '{number}'").waitclose()


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("looks_back"):
            item.add_marker(pytest.mark.xdist_group("looks back"))
    if is_lane(config):
        items.sort(key=lambda item: cost_rank(item.nodeid))
    items.sort(key=lambda item: item.get_closest_marker("looks_back") is not None)


def cost_rank(nodeid: str) -> int:
    unit = unit_of(nodeid)
    return LONGEST_FIRST.index(unit) if unit in LONGEST_FIRST else len(LONGEST_FIRST)


def is_lane(config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def stack() -> dict:
    """.local/stack.json of the running stack. Any lane but the first brings up its own stack here."""
    if LANE:
        bring_up()
    elif not STACK_FILE.exists():
        pytest.fail("nothing is up: run `make up` first, or `make test`, which does", pytrace=False)
    return json.loads(STACK_FILE.read_text())


def bring_up() -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = local_stack.up()
    if status != 0:
        pytest.fail(f"lane {LANE} did not come up:\n{said.getvalue()}", pytrace=False)


def pytest_sessionfinish(session):
    if is_lane(session.config):
        LOCAL.mkdir(parents=True, exist_ok=True)
        ended_file(LOCAL).write_text(session.config.workerinput["testrunuid"])


def pytest_unconfigure(config):
    if not is_lane(config) and config.getoption("dist", "no") != "no":
        local_stack.stop_lanes()


def ended_file(folder):
    return folder / "tests-ended"


@pytest.fixture
def stacks_of_the_run(pytestconfig, stack) -> list[dict]:
    """The stacks of all lanes, after all other lanes have finished their tests."""
    if not is_lane(pytestconfig):
        return [stack]
    count, run = pytestconfig.workerinput["workercount"], pytestconfig.workerinput["testrunuid"]
    folders = [FIRST, *(FIRST / f"lane-{number}" for number in range(2, count + 1))]
    deadline = time.monotonic() + LONGEST_SECONDS
    for folder in folders:
        while folder != LOCAL and not (ended_file(folder).exists() and ended_file(folder).read_text() == run):
            assert time.monotonic() < deadline, f"not done after {LONGEST_SECONDS} s: {folder.name}"
            time.sleep(0.1)
    return [json.loads(file.read_text()) for folder in folders if (file := folder / STACK_FILE.name).exists()]
