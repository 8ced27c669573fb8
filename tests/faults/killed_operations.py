"""Operations during which functions are killed: what exists before, how they are called, and what must hold after any kill.

docs/crashes.md has the rules. shared/aws/tests/aws/crashes.rs checks them at every call of every operation.
"""

import base64
import itertools
import json
from dataclasses import dataclass, field

from local_aws import schedule
from local_aws.layout import REGIONS
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import Workspace, base64_of
from tests.e2e.subscription import Subscription
from tests.faults.killed_functions import Death, Functions, Outcome

numbers = itertools.count(1)


@dataclass
class Killed:
    """One workspace in which operations are killed and repeated."""

    stack: dict
    workspace: Workspace
    functions: Functions
    subscription: Subscription
    dynamodb: object
    answered: list[tuple[dict, bytes]] = field(default_factory=list)

    def invoke(self, name: str, method: str, path: str, body, death: Death | None = None) -> Outcome:
        return self.functions.invoke(name, self.event(method, path, body), death)

    def event(self, method: str, path: str, body) -> dict:
        """The event that API Gateway hands to a function for an admin's call."""
        parts = path.split("/")
        claims = {"workspace_id": self.workspace.customer.workspace_id, "role": "admin", "sub": "admin-1"}
        return {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "authorizer": {"jwt": {"claims": claims, "scopes": None}},
                "http": {"method": method, "path": path},
            },
            "pathParameters": {"vault_id": parts[3]} if parts[2] == "vaults" and len(parts) > 3 else {},
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }

    def call(self, region: str, method: str, path: str, body) -> dict:
        """Makes the same call through a Region's API. Returns the body of the answer."""
        token = self.workspace.token_of("admin")
        answer = self.workspace.api(region).request(method, path, body, token=token)
        assert answer.status in (200, 201), answer.text
        return answer.json

    # The records

    def records(self, partition: str) -> dict[str, dict]:
        """The records of a partition by their sort keys."""
        found = self.dynamodb.query(
            TableName=self.stack["table_name"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            ConsistentRead=True,
        )
        return {item["sk"]["S"]: {name: value_of(value) for name, value in item.items()} for item in found["Items"]}

    def vaults(self) -> dict[str, dict]:
        records = self.records(f"WORKSPACE#{self.workspace.customer.workspace_id}")
        return {sk.removeprefix("VAULT#"): record for sk, record in records.items() if sk.startswith("VAULT#")}

    def default(self) -> str | None:
        record = self.records(f"WORKSPACE#{self.workspace.customer.workspace_id}").get("DEFAULT")
        return record and record["vault_id"]

    def data_keys(self, vault_id: str) -> int:
        return len(self.records(f"VAULT#{vault_id}"))

    def hold(self) -> None:
        """Checks what must be true at any moment, even right after a kill."""
        records = self.records(f"WORKSPACE#{self.workspace.customer.workspace_id}")
        vaults = self.vaults()
        listed = self.call("us-west-2", "GET", "/v1/vaults?limit=100", None)["vaults"]
        assert {vault["vault_id"] for vault in listed} == vaults.keys(), "every vault on record is whole"
        names = [vault["name"].casefold() for vault in vaults.values()]
        assert len(set(names)) == len(names), names
        for vault_id, vault in vaults.items():
            claim = records[f"NAME#{vault['name'].casefold()}"]
            assert claim["vault_id"] == vault_id and claim["version"] <= vault["version"], (claim, vault)
        defaults = [vault for vault in listed if vault["is_default"]]
        assert [vault["status"] for vault in defaults] in ([], ["active"]), defaults
        if "DEFAULT" in records:
            assert records["DEFAULT"]["vault_id"] in vaults

    def hold_items(self) -> None:
        """Checks that every answered item opens in both Regions, unless its vault is disabled."""
        for item, plaintext in self.answered:
            for region in REGIONS:
                answer = self.workspace.decrypt([item], region).json["items"][0]
                if "error" in answer:
                    assert answer["error"]["type"].endswith("wrong-vault-status"), answer
                else:
                    assert base64.b64decode(answer["plaintext"]) == plaintext

    def hold_events(self, vault_id: str, changes: list[tuple[str, str]]) -> None:
        """Checks that a subscriber that drops duplicate event ids got exactly these changes, each once."""
        told = {}
        for event in self.subscription.of_vault(vault_id, at_least=len(changes)):
            detail = event["detail"]
            assert told.setdefault(detail["event_id"], detail) == detail
        told = sorted(told.values(), key=lambda detail: detail["revision"])
        assert [(detail["previous_state"], detail["state"]) for detail in told] == changes

    # Vaults and items for the operations

    def new_vault(self, **more) -> str:
        return self.workspace.new_vault(name=f"Vault {next(numbers)}", **more)

    def seal(self, vault_id: str, item_id: str) -> dict:
        plaintext = f"canary of {item_id}".encode()
        item = self.workspace.sealed(vault_id, item_id, plaintext)
        self.answered.append((item, plaintext))
        return item


def value_of(attribute: dict):
    """The value of an attribute."""
    ((kind, value),) = attribute.items()
    match kind:
        case "B":
            return value
        case "M":
            return {name: value_of(it) for name, it in value.items()}
        case "L":
            return [value_of(it) for it in value]
        case _:
            return schedule.plain(attribute)


class Operation:
    """One request to one function. Each has its own vault."""

    name: str
    method = "POST"

    def __init__(self, killed: Killed):
        self.killed = killed
        self.prepare()

    def prepare(self) -> None:
        self.vault_id = self.killed.new_vault(set_as_default=True)

    def path(self) -> str:
        return f"/v1/vaults/{self.vault_id}/{self.name.partition('-')[0]}"

    def body(self):
        return {}

    def invoke(self, death: Death | None = None) -> Outcome:
        return self.killed.invoke(self.name, self.method, self.path(), self.body(), death)

    def repeat(self, region: str) -> dict:
        return self.killed.call(region, self.method, self.path(), self.body())

    def take(self, answer: dict) -> None:
        """Records what a caller was answered."""

    def hold(self) -> None:
        """Checks the result of the operation once it was answered."""

    def vault(self) -> dict:
        return self.killed.vaults()[self.vault_id]


class CreateVault(Operation):
    name = "create-vault"

    def prepare(self) -> None:
        self.called = f"Vault {next(numbers)}"
        self.before = self.killed.vaults().keys()

    def path(self) -> str:
        return "/v1/vaults"

    def body(self):
        return self.killed.workspace.customer.vault_request(self.called, set_as_default=True)

    def hold(self) -> None:
        (made,) = self.killed.vaults().keys() - self.before
        assert self.killed.default() == made


class UpdateVault(Operation):
    name, method = "update-vault", "PATCH"

    def prepare(self) -> None:
        super().prepare()
        self.called = f"Vault {next(numbers)}"
        self.killed.new_vault(set_as_default=True)

    def path(self) -> str:
        return f"/v1/vaults/{self.vault_id}"

    def body(self):
        return {"name": self.called, "is_default": True, "data_key_cache_seconds": 5}

    def hold(self) -> None:
        vault = self.vault()
        assert (vault["name"], vault["data_key_cache_seconds"], vault["version"]) == (self.called, 5, 2)
        assert self.killed.default() == self.vault_id


class DisableVault(Operation):
    name = "disable-vault"

    def hold(self) -> None:
        vault = self.vault()
        assert (vault["status"], vault["version"], self.killed.default()) == ("disabled", 2, None)


class EnableVault(Operation):
    name = "enable-vault"

    def prepare(self) -> None:
        super().prepare()
        assert self.killed.workspace.disable(self.vault_id).status == 200

    def hold(self) -> None:
        vault = self.vault()
        assert (vault["status"], vault["version"], self.killed.default()) == ("active", 3, None)


class EncryptItem(Operation):
    name = "encrypt-item"

    def path(self) -> str:
        return "/v1/items/encrypt"

    def body(self):
        return {"items": [{"item_id": "item", "plaintext": base64_of(b"canary of item")}]}

    def take(self, answer: dict) -> None:
        assert answer["vault_id"] == self.vault_id
        self.killed.answered.append((answer["items"][0], b"canary of item"))

    def hold(self) -> None:
        assert self.killed.data_keys(self.vault_id) == 1


class ReassignItem(Operation):
    name = "reassign-item"

    def prepare(self) -> None:
        source = self.killed.new_vault()
        self.item = self.killed.seal(source, "moving")
        super().prepare()

    def path(self) -> str:
        return "/v1/items/reassign"

    def body(self):
        return {"to_vault_id": self.vault_id, "items": [self.item]}

    def take(self, answer: dict) -> None:
        (item,) = answer["items"]
        assert item["outcome"] == "moved", item
        self.killed.answered.append((self.item | {"sealed_item": item["sealed_item"]}, b"canary of moving"))

    def hold(self) -> None:
        assert self.killed.data_keys(self.vault_id) == 1


class Sweep(Operation):
    """A sweep that finds a vault's key disabled and has to announce it. It covers only the vault's part of the index."""

    name = "validate-vault"

    def prepare(self) -> None:
        super().prepare()
        self.schedule = Schedule.of(self.killed.stack)
        self.partition = int(self.vault()["due_partition"])
        self.set_key("disable_key")
        self.make_due()

    def set_key(self, change: str) -> None:
        customer = self.killed.workspace.customer
        for region in REGIONS:
            getattr(customer.kms(region), change)(KeyId=customer.kms_key_id)

    def make_due(self) -> None:
        self.schedule.make_due(self.killed.workspace.customer.workspace_id, self.vault_id)

    def invoke(self, death: Death | None = None) -> Outcome:
        sweep = {"sweep": {"shard": self.partition, "shards": 256}}
        return self.killed.functions.invoke(self.name, sweep, death)

    def repeat(self, region: str) -> dict:
        self.make_due()  # as if the claim of the killed sweep had expired
        return self.schedule.sweep(region)

    def hold(self) -> None:
        assert self.vault()["health"]["state"] == "unusable"

    def end(self) -> None:
        self.set_key("enable_key")
        workspace_id = self.killed.workspace.customer.workspace_id
        health = self.schedule.health_after_sweep(workspace_id, self.vault_id)
        assert (health["state"], health.get("unannounced", [])) == ("healthy", [])
        self.killed.hold_events(self.vault_id, [("healthy", "unusable"), ("unusable", "healthy")])


OPERATIONS = [CreateVault, UpdateVault, DisableVault, EnableVault, EncryptItem, ReassignItem, Sweep]


def kill_and_repeat(killed: Killed, operation_type: type[Operation], death: Death) -> bool:
    """Kills an operation and repeats it, first in a new process and then through the other Region. Returns False if the operation
    made no such call and so was not killed."""
    operation = operation_type(killed)
    outcome = operation.invoke(death)
    killed.hold()
    if outcome.answer is not None:
        take(operation, outcome.answer)
    if isinstance(operation, Sweep):
        operation.make_due()
    repeated = operation.invoke()
    take(operation, repeated.answer)
    killed.hold()
    operation.hold()
    answer = operation.repeat("us-west-2")
    operation.take(answer)
    killed.hold()
    operation.hold()
    if isinstance(operation, Sweep):
        operation.end()
    Schedule.of(killed.stack).forget(killed.workspace.customer.workspace_id)
    return outcome.answer is None


def take(operation: Operation, answer: dict) -> None:
    assert answer is not None and answer["statusCode"] in (200, 201), answer
    operation.take(json.loads(answer["body"]))
