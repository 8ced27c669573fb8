"""How long access lasts after a customer or an admin of the workspace ended it, while many clients in both Regions use it all the
time. docs/revocation.md has the numbers; `-s` prints those of this run.

    .venv/bin/python -m pytest tests/faults/test_revocation_under_load.py -s
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_aws.client import Api
from local_aws.layout import REGIONS, REPOSITORY
from local_aws.schedule import Schedule
from tests.faults.revocation_load import DECRYPT, ENCRYPT, WAYS, Cell

BOUNDS = (0, 5, 30)
# How long the load goes on after the longest bound, to catch late successes.
AFTER_THE_BOUND = 6.0
CELLS = [(bound, way) for bound in BOUNDS for way in WAYS]
IDS = [f"{way.name.replace(' ', '_')}-{bound}" for bound, way in CELLS]


@pytest.fixture(scope="module")
def cells(stack, new_customer):
    """All cells. They run side by side, so the run takes no longer than the longest bound."""
    apis = {region: Api(stack["apis"][region]) for region in REGIONS}
    cells = [Cell(bound, way, new_customer(), apis, stack["issuer"]) for bound, way in CELLS]
    begin = threading.Barrier(len(cells))
    with ThreadPoolExecutor(len(cells)) as pool:
        list(pool.map(Cell.prepare, cells))
        list(pool.map(lambda cell: cell.live(begin, max(BOUNDS) + AFTER_THE_BOUND), cells))
    yield {(cell.bound, cell.way.name): cell for cell in cells}
    for cell in cells:
        Schedule.of(stack).forget(cell.customer.workspace_id)


@pytest.mark.parametrize(("bound", "way"), CELLS, ids=IDS)
def test_nothing_succeeds_that_begins_after_the_bound(cells, bound, way):
    cell = cells[bound, way.name]
    last = cell.last_success()
    if way.allows(bound) == 0:
        assert last is None, f"a request that began {last:.3f} s after the answer succeeded"
    else:
        assert last is None or last < bound
    if way.allows(bound) == max(BOUNDS):
        assert last is not None, "the data key is held, and so access lasts for a while"
    for region in REGIONS:
        for operation in (DECRYPT, ENCRYPT):
            kinds = cell.kinds(region=region, operation=operation)
            assert kinds, "the load went on, and in this Region, too"
            # With more clients than processors a call may time out. That is no success either.
            assert kinds.keys() & way.refusals and kinds.keys() <= way.refusals | {"unavailable", "out-of-time"}, kinds


def test_what_is_written_of_it_is_so(cells):
    """Prints the measured times. The table in docs/revocation.md has the same lines, and no number in it exceeds its bound."""
    print("\n" + "\n".join(table(cells.values())))
    written = (REPOSITORY / "docs" / "revocation.md").read_text().splitlines()
    lines = [[it.strip() for it in line.strip("|").split("|")] for line in written if line.startswith("| ")]
    measured = [line for line in lines if len(line) == 7 and line[0] in {way.name for way in WAYS}]
    numbers = {(int(line[1].split()[0]), line[0]): line[3:5] for line in measured}
    assert numbers.keys() == cells.keys()
    for (bound, name), last in numbers.items():
        allowed = cells[bound, name].way.allows(bound)
        assert all(it == "none" or float(it.split()[0]) < allowed for it in last), (bound, name)


def table(cells) -> list[str]:
    lines = [
        "| what was done | bound | allowed | last success in us-east-2 | in us-west-2 "
        "| requests begun after it | of them refused |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for cell in cells:
        last = [cell.last_success(region=region) for region in REGIONS]
        east, west = ("none" if it is None else f"{it:.2f} s" for it in last)
        after = cell.after()
        refused = sum(it.problem is not None for it in after)
        allowed = cell.way.allows(cell.bound)
        lines.append(f"| {cell.way.name} | {cell.bound} s | {allowed} s | {east} | {west} | {len(after)} | {refused} |")
    return lines
