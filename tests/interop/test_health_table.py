"""The table "What is found, end to end" of docs/health.md and the scenarios of tests/e2e/ agree, row by row."""

import re
from pathlib import Path

from tests.e2e.health_scenarios import REGIONS, SCENARIOS

REPOSITORY = Path(__file__).resolve().parents[2]

FINDING = re.compile(r"`(\w+)`(?: in (both Regions|us-east-2|us-west-2))?")


def rows_of_the_table() -> list[list[str]]:
    text = (REPOSITORY / "docs" / "health.md").read_text()
    _, _, section = text.partition("\n## What is found, end to end\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def findings_in(cell: str) -> frozenset:
    regions = {"": [None], "both Regions": REGIONS}
    parts = [FINDING.fullmatch(part) for part in cell.split(", ")]
    assert all(parts), cell
    named = [(part[1], part[2] or "") for part in parts]
    return frozenset((check, region) for check, where in named for region in regions.get(where, [where]))


def test_the_table_and_the_scenarios_match_one_to_one():
    tabled = [
        (test.strip("`"), within, state.strip("`"), findings_in(findings), consequence, access_ends == "yes")
        for _, within, state, findings, consequence, access_ends, test in rows_of_the_table()
    ]
    tested = [(it.name, it.found_within, it.state, it.findings, it.consequence, it.access_ends) for it in SCENARIOS]
    assert tabled == tested


def test_every_row_says_what_the_customer_did_and_no_test_is_named_twice():
    rows = rows_of_the_table()
    for column in (0, -1):
        cells = [row[column] for row in rows]
        assert all(cells) and len(set(cells)) == len(cells) > 15
