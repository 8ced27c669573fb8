"""The table of docs/faults.md, in its wording."""

import re
from pathlib import Path

from tests.faults.matrix import AT_ONCE, OUTAGES, RECORDS_ONLY, Row

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
HEADING = "## The matrix"


def cells_of(row: Row) -> list[str]:
    """The cells of a row, without the measured time."""
    operations = named(row.operations).replace(named(RECORDS_ONLY), "those on records alone")
    answers = " or ".join(row.answers) + ("" if row.is_met else "; the failing Region or service is not asked")
    return [operations, ", ".join(row.services), ", ".join(row.places), faults_of(row), answers, f"{row.seconds} s"]


def named(operations: tuple[str, ...]) -> str:
    return ", ".join(f"`{operation.partition(',')[0]}`{operation[len(operation.partition(',')[0]) :]}" for operation in operations)


def faults_of(row: Row) -> str:
    named = ", ".join(f"`{fault}`" for fault in row.faults)
    outages, at_once = (", ".join(f"`{fault}`" for fault in group) for group in (OUTAGES, AT_ONCE))
    return named.replace(at_once, "any outage, `throttle`").replace(outages, "any outage")


def words(row: Row) -> str:
    return " | ".join(cells_of(row))


def tabled() -> list[list[str]]:
    """The rows in the document."""
    _, _, section = DOCUMENT.read_text().partition(f"\n{HEADING}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def record(slowest: dict[Row, float]) -> None:
    """Writes the measured times into the document."""
    text = DOCUMENT.read_text()
    for row, seconds in slowest.items():
        line = f"| {words(row)} |"
        measured = f"{line} {seconds:.1f} s |"
        text = re.sub(rf"^{re.escape(line)}.*$", lambda _, measured=measured: measured, text, flags=re.MULTILINE)
    DOCUMENT.write_text(text)
