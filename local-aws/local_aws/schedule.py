"""The schedule, for tests that cannot wait a minute. It makes a vault due, and starts a Region's sweep."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from local_aws.layout import ALIAS, PRIMARY_REGION, REGIONS, STAGE, aws_client

SWEEP = {"sweep": {"shard": 0}}
PAST = "2020-01-01T00:00:00.000000000Z"


@dataclass(frozen=True)
class Schedule:
    """The service's side of a vault's health."""

    endpoint: str
    service_account_id: str
    table_name: str

    @staticmethod
    def of(stack: dict) -> "Schedule":
        """The schedule of the stack in .local/stack.json."""
        return Schedule(stack["aws_endpoint"], stack["service_account_id"], stack["table_name"])

    def health_after_sweep(self, workspace_id: str, vault_id: str, region: str = PRIMARY_REGION, *, whole: bool = False) -> dict:
        """Makes the check of the next minute, or with `whole` that of the next hour. Returns the health on record.

        Sweeps until a check that began after this call has checked the vault. Any sweep counts, because the emulator's own schedule
        runs too."""
        called_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        deadline = time.monotonic() + 30
        while True:
            self.make_due(workspace_id, vault_id, whole=whole)
            self.sweep(region)
            health = self.health_on_record(workspace_id, vault_id)
            if health["checked_at"] > called_at:
                return health
            assert time.monotonic() < deadline, f"not checked within 30 s: {vault_id}"

    def make_due(self, workspace_id: str, vault_id: str, *, whole: bool = False) -> None:
        """Makes a vault due, as if a minute had passed, or with `whole` an hour."""
        due = ["due_at", "whole_due_from"] if whole else ["due_at"]
        self.client("dynamodb").update_item(
            TableName=self.table_name,
            Key=key_of(workspace_id, vault_id),
            UpdateExpression="SET " + ", ".join(f"{name} = :past" for name in due),
            ExpressionAttributeValues={":past": {"S": PAST}},
        )

    def sweep(self, region: str) -> dict:
        """Starts the sweep that the schedule starts each minute. Returns its counts."""
        function = f"{STAGE}-latchkey-validate-vault"
        functions = self.client("lambda", region)
        answer = functions.invoke(FunctionName=function, Qualifier=ALIAS, Payload=json.dumps(SWEEP))
        response = json.load(answer["Payload"])
        assert response["statusCode"] == 200, response
        return json.loads(response["body"])

    @contextmanager
    def paused(self):
        """Stops both Regions' schedules from starting sweeps while the context is open."""
        self.set_state("DISABLED")
        try:
            yield
        finally:
            self.set_state("ENABLED")

    def set_state(self, state: str) -> None:
        kept = ("GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
        for region in REGIONS:
            scheduler = self.client("scheduler", region)
            for listed in scheduler.list_schedules()["Schedules"]:
                schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
                if f":{STAGE}-latchkey-" in schedule["Target"]["Arn"]:
                    # A setting that is left out returns to its default (EventBridge Scheduler API reference, UpdateSchedule).
                    same = {name: schedule[name] for name in kept if schedule.get(name)}
                    scheduler.update_schedule(Name=listed["Name"], State=state, **same)

    def forget(self, workspace_id: str) -> None:
        """Removes a workspace's vaults from the index of due vaults. Otherwise each finished vault would still be checked each
        minute, and the emulator is slow."""
        dynamodb = self.client("dynamodb")
        found = dynamodb.query(
            TableName=self.table_name,
            KeyConditionExpression="pk = :workspace AND begins_with(sk, :vault)",
            ExpressionAttributeValues={":workspace": {"S": f"WORKSPACE#{workspace_id}"}, ":vault": {"S": "VAULT#"}},
        )
        for record in found["Items"]:
            key = {name: record[name] for name in ("pk", "sk")}
            dynamodb.update_item(TableName=self.table_name, Key=key, UpdateExpression="REMOVE due_partition, due_at")

    def health_on_record(self, workspace_id: str, vault_id: str) -> dict:
        key = key_of(workspace_id, vault_id)
        record = self.client("dynamodb").get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        return plain(record["Item"]["health"])

    def client(self, service: str, region: str = PRIMARY_REGION):
        return aws_client(self.endpoint, service, region, self.service_account_id)


def key_of(workspace_id: str, vault_id: str) -> dict:
    return {"pk": {"S": f"WORKSPACE#{workspace_id}"}, "sk": {"S": f"VAULT#{vault_id}"}}


def plain(attribute: dict):
    """The value of a DynamoDB attribute."""
    ((kind, value),) = attribute.items()
    match kind:
        case "M":
            return {name: plain(it) for name, it in value.items()}
        case "L":
            return [plain(it) for it in value]
        case "N":
            return int(value)
    return value
