"""Runs the cells of the matrix. The cells of one function in one Region run one after the other, each in a new, empty
environment. The functions run side by side, each for its own workspace, and the faults apply only to that workspace."""

import threading
import time
import traceback
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from local_aws.deploy import replace_environments
from local_aws.faults import Faults
from local_aws.layout import REGIONS, STAGE, aws_client
from local_aws.schedule import PAST, Schedule, key_of, plain
from tests.e2e.e2e_support import Workspace
from tests.faults.matrix import ROW_OF, Cell
from tests.faults.operations import OPERATIONS, problem_named

# More lanes would only wait for each other until functions time out.
LANES_AT_ONCE = 10
# The functions wait one second for a connection and two for an answer.
STARVED_MILLISECONDS, ATTEMPTS = 500, 4
SWEEPS = "sweeps"


@dataclass(frozen=True)
class Result:
    """The result of a cell."""

    answer: object  # during the fault
    outcome: str
    seconds: float
    met: int  # how many calls the fault affected
    unsettled: str | None  # what was wrong after the fault


@dataclass(frozen=True)
class Environments:
    """The execution environments of a function in one Region."""

    client: object
    function: str

    def replace(self) -> None:
        replace_environments(self.client, self.function)


class Records:
    """The table, as the service's account sees it."""

    def __init__(self, stack: dict) -> None:
        self.table = stack["table_name"]
        self.client = aws_client(stack["aws_endpoint"], "dynamodb", REGIONS[0], stack["service_account_id"])

    def records(self, pk: str, sk: str) -> list[dict]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":sk": {"S": sk}},
        )
        return [record for page in pages for record in page["Items"]]

    def data_keys(self, vault_id: str) -> list[dict]:
        return self.records(f"VAULT#{vault_id}", "DATAKEY#")

    def vaults_named(self, workspace, name: str) -> list[str]:
        found = self.records(f"WORKSPACE#{workspace.customer.workspace_id}", "VAULT#")
        return [record["sk"]["S"].removeprefix("VAULT#") for record in found if plain(record["name"]) == name]

    def health(self, workspace, vault_id: str) -> dict:
        key = key_of(workspace.customer.workspace_id, vault_id)
        return plain(self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]["health"])

    def make_due(self, workspace, vault_id: str, *, whole: bool = False) -> None:
        """Makes a vault due, as if a minute had passed, or with `whole` an hour."""
        due = ["due_at", "whole_due_from"] if whole else ["due_at"]
        self.client.update_item(
            TableName=self.table,
            Key=key_of(workspace.customer.workspace_id, vault_id),
            UpdateExpression="SET " + ", ".join(f"{name} = :past" for name in due),
            ExpressionAttributeValues={":past": {"S": PAST}},
        )

    def forget(self, workspace, vault_id: str) -> None:
        """Removes a vault from the index of due vaults. Otherwise the schedule's checks would meet the faults too."""
        key = key_of(workspace.customer.workspace_id, vault_id)
        self.client.update_item(TableName=self.table, Key=key, UpdateExpression="REMOVE due_partition, due_at")


class Matrix:
    """The selected cells, and their execution."""

    def __init__(self, stack: dict, new_customer, api, token, cells: list[Cell]) -> None:
        self.stack, self.new_customer, self.api, self.token = stack, new_customer, api, token
        self.faults = Faults.of(stack)
        self.records = Records(stack)
        self.making = threading.Lock()  # boto3 can make clients in one thread at a time only
        self.results: dict[Cell, Future] = {cell: Future() for cell in cells}
        lanes = defaultdict(list)
        for cell in cells:
            # A sweep checks every due vault, so only one runs at a time.
            alone = cell.operation.startswith("sweep")
            lanes[SWEEPS if alone else (OPERATIONS[cell.operation].function, cell.region)].append(cell)
        self.pool = ThreadPoolExecutor(max_workers=LANES_AT_ONCE)
        sweeps = lanes.pop(SWEEPS, [])
        # The longest lane starts first. Before it start the lanes of validate-vault, because the sweeps wait for them.
        for of_lane in sorted(lanes.values(), key=lambda cells: (cells[0].operation != "validate-vault", -len(cells))):
            self.pool.submit(self.run_lane, of_lane)
        if sweeps:
            self.pool.submit(self.run_sweeps, sweeps)

    def result(self, cell: Cell) -> Result:
        return self.results[cell].result()

    def run_sweeps(self, cells: list[Cell]) -> None:
        wait([future for cell, future in self.results.items() if cell.operation == "validate-vault"])
        self.run_lane(cells)

    def run_lane(self, cells: list[Cell]) -> None:
        operations = {}
        for cell in cells:
            future, place = self.results[cell], (cell.operation, cell.region)
            try:
                if place not in operations:
                    operations[place] = self.operation(cell)
                future.set_result(self.run_cell(operations[place], cell))
            except BaseException as error:  # on any error the test of this cell must fail
                future.set_exception(error)
        for operation in operations.values():
            operation.environments.replace()  # later tests must not find environments that met faults
            with self.making:
                Schedule.of(self.stack).forget(operation.workspace.customer.workspace_id)

    def operation(self, cell: Cell):
        """Makes what the cells of one operation in one Region share."""
        with self.making:
            workspace = Workspace(self.new_customer(), self.api, self.token, None)
            functions = self.service_client("lambda", cell.region)
        operation = OPERATIONS[cell.operation](workspace, cell.region, self.records, self.service_client)
        operation.environments = Environments(functions, f"{STAGE}-latchkey-{operation.function}")
        return operation

    def service_client(self, service: str, region: str):
        return aws_client(self.stack["aws_endpoint"], service, region, self.stack["service_account_id"])

    def run_cell(self, operation, cell: Cell) -> Result:
        """Runs a cell. An unexpected result does not count if the machine was so busy that calls without a fault took as long as a
        fault. Then the cell runs again."""
        row = ROW_OF[cell]
        for _ in range(ATTEMPTS):
            before = self.faults.last_call()
            result = self.attempt(operation, cell)
            as_expected = result.outcome in row.answers and result.seconds <= row.seconds and result.unsettled is None
            spared = [call["milliseconds"] or 0 for call in self.faults.calls(before) if call["fault"] is None]
            if as_expected or max(spared, default=0) < STARVED_MILLISECONDS:
                break
        return result

    def attempt(self, operation, cell: Cell) -> Result:
        operation.begin()
        operation.environments.replace()
        rules = [rule for service in cell.services for rule in self.rules(operation, cell, service)]
        rule_ids = [self.faults.add(**rule) for rule in rules]
        try:
            started_at = time.monotonic()
            answer = operation.call()
            seconds = time.monotonic() - started_at
            met = sum(self.faults.met(rule_id) for rule_id in rule_ids)
        finally:
            for rule_id in rule_ids:
                self.faults.remove(rule_id)
        outcome, unsettled = outcome_of(operation, answer), None
        try:
            operation.settle(answer)
        except Exception:
            unsettled = traceback.format_exc()
        return Result(answer, outcome, seconds, met, unsettled)

    def rules(self, operation, cell: Cell, service: str) -> list[dict]:
        """The faults of one service, limited to the cell's workspace. For STS they also hit the function's assumption of the access
        role, which all workspaces share."""
        workspace = operation.workspace
        own = {"match": [workspace.customer.aws_account_id, *operation.vault_ids]}
        # A sweep queries the due vaults before it knows any vault.
        due = {"caller": f"role/{operation.environments.function}-{cell.region}/", "match": ["due_partition"]}
        of_service = {
            "sts": [
                own,
                {"caller": f"role/{operation.environments.function}-{cell.region}/", "match": [self.stack["access_role_arn"]]},
            ],
            "dynamodb": [own, due] if cell.operation.startswith("sweep") else [own],
        }
        return [
            {"fault": cell.fault, "service": service.partition(" ")[0], "region": region} | limits
            for region in cell.fault_regions
            for limits in of_service.get(service, [own])
        ]


def outcome_of(operation, answer) -> str:
    if answer.status < 400:
        return operation.outcome(answer)
    if answer.headers["content-type"] == "application/problem+json":
        return problem_named(answer.json["type"])
    return f"{answer.status} that is no problem"
