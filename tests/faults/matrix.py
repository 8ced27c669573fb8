"""What callers get when AWS fails: the table of docs/faults.md, and the cells that its rows stand for."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from local_aws.layout import REGIONS
from tests.contract import openapi

OWN, OTHER, BOTH = "own", "other", "both"

ITEMS = tuple(name for name, operation in openapi.operations().items() if operation.touches_items)
CREATING = ("create-vault", "enable-vault")
VALIDATING = (*CREATING, "validate-vault")
# These reach no key, so they depend only on the records.
RECORDS_ONLY = tuple(name for name in openapi.operations() if name not in (*ITEMS, *VALIDATING, "get-setup-kit"))

KMS, DYNAMODB, EVENTS = "kms", "dynamodb", "events"
# All of STS, or only the step into the customer's role while the step into the access role works.
STS, STS_INTO_ROLE = "sts", "sts into the customer's role"
KEYS = (KMS, STS)

OUTAGES = ("500", "503", "reset", "refused", "lost", "garbage", "truncated")
AT_ONCE = (*OUTAGES, "throttle")

AS_EVER = "as ever"
UNAVAILABLE, THROTTLED, OUT_OF_TIME = "`unavailable`", "`throttled`", "`out-of-time`"
UNANSWERED = "`validation-unanswered`"
REPORT = "a report of what was not answered"
COUNTED_UNANSWERED, COUNTED_UNANNOUNCED = "counted as unanswered", "counted as unannounced"

SOON = 10  # seconds for a cold start and retries with their pauses, without waiting for anything
ITEMS_TIME, VALIDATION_TIME = 15, 28  # the functions' timeouts in template.yaml


@dataclass(frozen=True)
class Cell:
    """One call under one fault."""

    operation: str
    service: str
    place: str
    fault: str
    region: str  # in which the operation is called

    @property
    def id(self) -> str:
        return "-".join([self.operation, self.service, self.place, self.fault, self.region]).replace(", ", "_").replace(" ", "_")

    @property
    def services(self) -> list[str]:
        """The services that fail together."""
        return self.service.split(" and ")

    @property
    def fault_regions(self) -> tuple[str, ...]:
        other = tuple(region for region in REGIONS if region != self.region)
        return {OWN: (self.region,), OTHER: other, BOTH: REGIONS}[self.place]


@dataclass(frozen=True)
class Row:
    """One row of the table: cells with the same expected result."""

    operations: tuple[str, ...]
    services: tuple[str, ...]
    places: tuple[str, ...]
    faults: tuple[str, ...]
    answers: tuple[str, ...]  # one of these is expected
    seconds: int  # the most it may take
    is_met: bool  # whether the function makes the calls that fail

    def cells(self) -> Iterator[Cell]:
        for it in product(self.operations, self.services, self.places, self.faults, REGIONS):
            yield Cell(*it)


def rows() -> Iterator[Row]:
    # The other Region stands in for one that does not answer. Otherwise it is not called.
    yield row(ITEMS, KEYS, OWN, AT_ONCE, AS_EVER, SOON)
    yield row(ITEMS, KEYS, OWN, ("slow", "hang"), AS_EVER, ITEMS_TIME)
    yield row(ITEMS, KEYS, OTHER, (*AT_ONCE, "slow", "hang"), AS_EVER, SOON, is_met=False)
    yield row("encrypt-item", KEYS, BOTH, OUTAGES, UNAVAILABLE, SOON)
    yield row("encrypt-item", KEYS, BOTH, "throttle", THROTTLED, SOON)
    yield row("encrypt-item", KEYS, BOTH, "hang", (UNAVAILABLE, OUT_OF_TIME), ITEMS_TIME)
    yield row(("decrypt-item", "reassign-item"), KEYS, BOTH, OUTAGES, each(UNAVAILABLE), SOON)
    yield row(("decrypt-item", "reassign-item"), KEYS, BOTH, "throttle", each(THROTTLED), SOON)
    yield row(("decrypt-item", "reassign-item"), KEYS, BOTH, "hang", (each(UNAVAILABLE), each(OUT_OF_TIME)), ITEMS_TIME)
    yield row(ITEMS, KEYS, BOTH, "slow", AS_EVER, ITEMS_TIME)
    # Validation proves the keys of both Regions, so neither can stand in for the other.
    anywhere = (OWN, OTHER, BOTH)
    yield row(CREATING, KEYS, anywhere, AT_ONCE, UNANSWERED, SOON)
    yield row(CREATING, KEYS, anywhere, "hang", UNANSWERED, VALIDATION_TIME)
    yield row("validate-vault", KEYS, anywhere, AT_ONCE, REPORT, SOON)
    yield row("validate-vault", KEYS, anywhere, "hang", REPORT, VALIDATION_TIME)
    yield row(VALIDATING, KEYS, anywhere, "slow", AS_EVER, VALIDATION_TIME)
    # Only the second step, into the customer's role.
    yield row(ITEMS, STS_INTO_ROLE, OWN, ("500", "throttle", "hang"), AS_EVER, ITEMS_TIME)
    yield row(CREATING, STS_INTO_ROLE, OWN, ("500", "throttle", "hang"), UNANSWERED, VALIDATION_TIME)
    yield row("validate-vault", STS_INTO_ROLE, OWN, ("500", "throttle", "hang"), REPORT, VALIDATION_TIME)
    # For our own records there is no other Region.
    whole = (*RECORDS_ONLY, *VALIDATING, "encrypt-item", "encrypt-item, first", "reassign-item")
    yield row(whole, DYNAMODB, OWN, OUTAGES, UNAVAILABLE, SOON)
    yield row(whole, DYNAMODB, OWN, "throttle", THROTTLED, SOON)
    yield row(whole, DYNAMODB, OWN, "hang", (UNAVAILABLE, OUT_OF_TIME), ITEMS_TIME)
    yield row("decrypt-item", DYNAMODB, OWN, OUTAGES, each(UNAVAILABLE), SOON)
    yield row("decrypt-item", DYNAMODB, OWN, "throttle", each(THROTTLED), SOON)
    yield row("decrypt-item", DYNAMODB, OWN, "hang", (each(UNAVAILABLE), each(OUT_OF_TIME)), ITEMS_TIME)
    yield row((*whole, "decrypt-item"), DYNAMODB, OWN, "slow", AS_EVER, ITEMS_TIME)
    # The check of each minute.
    yield row("sweep", KEYS, anywhere, ("500", "garbage", "throttle", "hang"), COUNTED_UNANSWERED, VALIDATION_TIME)
    yield row("sweep", DYNAMODB, OWN, AT_ONCE, UNAVAILABLE, SOON)
    yield row("sweep", DYNAMODB, OWN, "hang", UNAVAILABLE, VALIDATION_TIME)
    yield row("sweep, with news", EVENTS, OWN, (*AT_ONCE, "hang"), COUNTED_UNANNOUNCED, VALIDATION_TIME)
    # A service that an operation never calls cannot fail it.
    yield row((*RECORDS_ONLY, "get-setup-kit"), "kms and sts", BOTH, ("refused", "hang"), AS_EVER, SOON, is_met=False)
    yield row("get-setup-kit", DYNAMODB, BOTH, ("refused", "hang"), AS_EVER, SOON, is_met=False)
    yield row((*RECORDS_ONLY, *ITEMS, *VALIDATING), DYNAMODB, OTHER, ("refused", "hang"), AS_EVER, SOON, is_met=False)


def row(operations, services, places, faults, answers, seconds, *, is_met=True) -> Row:
    return Row(*map(several, (operations, services, places, faults, answers)), seconds, is_met)


def several(them: str | tuple[str, ...]) -> tuple[str, ...]:
    return (them,) if isinstance(them, str) else them


def each(problem: str) -> str:
    return f"{problem} for each item"


ROWS = tuple(rows())
ROW_OF = {cell: row for row in ROWS for cell in row.cells()}


def is_in_the_sample(cell: Cell) -> bool:
    """Whether `make test` runs a cell. It covers each operation and each service, in one Region and under few faults."""
    if cell.region != REGIONS[0] or cell.service == STS_INTO_ROLE or cell.place == OTHER:
        return False
    waits = cell.operation in ITEMS and cell.service == KMS and cell.place == BOTH and cell.fault == "hang"
    return waits or cell.fault == "lost" or (cell.fault == "throttle" and cell.place == BOTH)
