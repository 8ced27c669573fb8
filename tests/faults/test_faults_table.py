"""The table of docs/faults.md and the rows of the matrix agree one to one, and the matrix leaves nothing out."""

import re
from itertools import product

from local_aws.layout import REGIONS
from tests.contract import openapi
from tests.faults import faults_table
from tests.faults.matrix import AT_ONCE, BOTH, DYNAMODB, ITEMS, KMS, OTHER, OWN, ROWS, STS, VALIDATING, is_in_the_sample
from tests.faults.operations import OPERATIONS

CELLS = [cell for row in ROWS for cell in row.cells()]


def test_the_table_and_the_rows_match_one_to_one():
    tabled = faults_table.tabled()
    assert [cells[:-1] for cells in tabled] == [faults_table.cells_of(row) for row in ROWS]
    for *_, within, measured in tabled:
        assert re.fullmatch(r"\d+\.\d s", measured), "what was measured last"
        assert float(measured[:-2]) <= float(within[:-2])


def test_no_cell_stands_in_two_rows():
    assert len(set(CELLS)) == len(CELLS)


def test_every_operation_meets_every_fault_of_every_service_in_every_place():
    asked = {(cell.operation, service, cell.place, cell.fault, cell.region) for cell in CELLS for service in cell.services}
    faults = (*AT_ONCE, "slow", "hang")
    with_keys = product((*ITEMS, *VALIDATING), (KMS, STS), (OWN, OTHER, BOTH), faults, REGIONS)
    with_records = product(openapi.operations().keys() - {"get-setup-kit"}, (DYNAMODB,), (OWN,), faults, REGIONS)
    assert {*with_keys, *with_records} <= asked
    assert OPERATIONS.keys() - {"encrypt-item, first", "sweep", "sweep, with news"} == openapi.operations().keys()
    everyone = {(cell.operation, service) for cell in CELLS for service in cell.services}
    assert everyone >= set(product(openapi.operations(), (KMS, STS, DYNAMODB)))


def test_the_sample_has_each_operation_and_each_service():
    sample = [cell for cell in CELLS if is_in_the_sample(cell)]
    assert {cell.operation for cell in sample} >= OPERATIONS.keys() - {"get-setup-kit"}
    assert {cell.service for cell in sample} >= {KMS, STS, DYNAMODB, "events"}
    assert len(sample) < 70
