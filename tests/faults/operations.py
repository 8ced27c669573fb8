"""The operations as the matrix calls them: their preparation, the call, its outcome, and what must be true after the same call was
repeated without a fault."""

import itertools
import json
import time

from local_aws.client import Answer
from local_aws.layout import ALIAS, REGIONS, STAGE
from tests.e2e.e2e_support import base64_of
from tests.e2e.subscription import Subscription

SETTLED_SECONDS = 30  # several pauses of the breaker
BETWEEN_CALLS_SECONDS = 0.05

numbers = itertools.count(1)
PLAINTEXT = b"correct horse"

# Part of the text of every check that AWS did not answer.
NO_WORD_ON_THE_CUSTOMER = "That says nothing about your key or role."


class Operation:
    """One operation in one Region, for its own workspace. `begin` runs before each fault."""

    function: str
    is_forgotten = True  # removed from the schedule, which would check its vaults each minute

    def __init__(self, workspace, region: str, records, service_client) -> None:
        self.workspace, self.region, self.records, self.service_client = workspace, region, records, service_client
        self.vault_ids: list[str] = []
        self.prepare()

    def prepare(self) -> None:
        self.vault_id = self.new_vault()

    def begin(self) -> None:
        pass

    def call(self):
        raise NotImplementedError

    def outcome(self, answer) -> str:
        """The outcome of an answer that is not a problem."""
        return "as ever"

    def settle(self, answer) -> None:
        """Makes the same call again after the fault, and checks that nothing was lost or done twice. `answer` is the one during the
        fault."""
        again = self.settled(self.call)
        assert self.outcome(again) == "as ever", again.text

    def settled(self, call):
        """Repeats a call that is not under test until it succeeds. It may go to a function whose environments and calls another
        cell is breaking. And the breaker leaves a service that did not answer alone for some seconds, however often it is
        called."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while (answer := call()).status >= 400 or not self.is_whole(answer):
            assert time.monotonic() < deadline, f"{answer.status} {answer.text}"
            time.sleep(BETWEEN_CALLS_SECONDS)
        return answer

    @staticmethod
    def is_whole(answer) -> bool:
        items = (answer.json or {}).get("items", []) if isinstance(answer.json, dict) else []
        retryable = [it for it in items if isinstance(it, dict) and it.get("error", {}).get("status") in (429, 503, 504)]
        return not retryable

    def new_vault(self, **more) -> str:
        request = {"name": f"Fault {next(numbers)}", "data_key_cache_seconds": 0} | more
        answer = self.settled(lambda: self.workspace.create_vault(self.region, **request))
        vault_id = answer.json["vault_id"]
        self.vault_ids.append(vault_id)
        if self.is_forgotten:
            self.records.forget(self.workspace, vault_id)
        return vault_id

    def sealed(self, vault_id: str) -> dict:
        item = {"item_id": f"item-{next(numbers)}", "context": {"field": "password"}}
        to_seal = [item | {"plaintext": base64_of(PLAINTEXT)}]
        answer = self.settled(lambda: self.workspace.encrypt(vault_id, to_seal, self.region))
        return item | {"sealed_item": answer.json["items"][0]["sealed_item"]}

    def assert_opens(self, item: dict) -> None:
        answer = self.settled(lambda: self.workspace.decrypt([item], self.region))
        assert answer.json["items"][0].get("plaintext") == base64_of(PLAINTEXT), answer.text


class EncryptItem(Operation):
    function = "encrypt-item"

    def begin(self) -> None:
        self.item = {"item_id": f"item-{next(numbers)}", "context": {"field": "password"}}

    def call(self):
        return self.workspace.encrypt(self.vault_id, [self.item | {"plaintext": base64_of(PLAINTEXT)}], self.region)

    def settle(self, answer) -> None:
        answers = [self.settled(self.call)] + ([answer] if answer.status == 200 else [])
        for sealed in answers:
            self.assert_opens(self.item | {"sealed_item": sealed.json["items"][0]["sealed_item"]})
        assert len(self.records.data_keys(self.vault_id)) == 1, "one data key, however often it was tried"


class EncryptFirstItem(EncryptItem):
    """Seals in a vault that has no data key yet."""

    def prepare(self) -> None:
        pass

    def begin(self) -> None:
        super().begin()
        self.vault_id = self.new_vault()


class DecryptItem(Operation):
    function = "decrypt-item"

    def prepare(self) -> None:
        super().prepare()
        self.item = self.sealed(self.vault_id)

    def call(self):
        return self.workspace.decrypt([self.item], self.region)

    def outcome(self, answer) -> str:
        [item] = answer.json["items"]
        return item_outcome(item, "as ever" if item.get("plaintext") == base64_of(PLAINTEXT) else "garbled")


class ReassignItem(Operation):
    function = "reassign-item"

    def prepare(self) -> None:
        self.vault_id, self.to_vault_id = self.new_vault(), self.new_vault()
        self.item = self.sealed(self.vault_id)

    def call(self):
        body = {"to_vault_id": self.to_vault_id, "items": [self.item]}
        return self.workspace.call("/v1/items/reassign", body, role="member", region=self.region)

    def outcome(self, answer) -> str:
        [item] = answer.json["items"]
        return item_outcome(item, "as ever" if item.get("outcome") == "moved" else "not moved")

    def settle(self, answer) -> None:
        again = self.settled(self.call)
        assert self.outcome(again) == "as ever", again.text
        moved = [it.json["items"][0].get("sealed_item") for it in (again, answer) if it.status == 200]
        for sealed_item in filter(None, moved):
            self.assert_opens(self.item | {"sealed_item": sealed_item})
        self.assert_opens(self.item)
        assert len(self.records.data_keys(self.to_vault_id)) == 1, "one data key, however often it was tried"


def problem_named(kind: str) -> str:
    return f"`{kind.removeprefix('urn:latchkey:problem:')}`"


def item_outcome(item: dict, otherwise: str) -> str:
    if "error" in item:
        return f"{problem_named(item['error']['type'])} for each item"
    return otherwise


class CreateVault(Operation):
    function = "create-vault"

    def prepare(self) -> None:
        pass

    def begin(self) -> None:
        self.name = f"Fault {next(numbers)}"

    def call(self):
        return self.workspace.create_vault(self.region, name=self.name, data_key_cache_seconds=0)

    def settle(self, answer) -> None:
        again = self.settled(self.call)
        vault_id = again.json["vault_id"]
        assert answer.status != 201 or answer.json["vault_id"] == vault_id, "the same vault"
        self.records.forget(self.workspace, vault_id)
        named = self.records.vaults_named(self.workspace, self.name)
        assert named == [vault_id], "one vault of the name, however often it was tried"


class ValidateVault(Operation):
    function = "validate-vault"

    def call(self):
        return self.workspace.validate(self.vault_id, region=self.region)

    def outcome(self, answer) -> str:
        return report_outcome(answer.json)

    def settle(self, answer) -> None:
        health = self.records.health(self.workspace, self.vault_id)
        assert health["state"] != "unusable", "an outage is no refusal"
        super().settle(answer)
        assert self.records.health(self.workspace, self.vault_id)["state"] == "healthy"
        self.records.forget(self.workspace, self.vault_id)


def report_outcome(report: dict) -> str:
    failed = [check for check in report["checks"] if check["result"] == "fail"]
    if report["result"] != "fail":
        return "as ever"
    if all(NO_WORD_ON_THE_CUSTOMER in check["message"] for check in failed):
        return "a report of what was not answered"
    return "a report of " + ", ".join(
        sorted({check["check"] for check in failed if NO_WORD_ON_THE_CUSTOMER not in check["message"]})
    )


class EnableVault(Operation):
    function = "enable-vault"

    def begin(self) -> None:
        self.settled(lambda: self.workspace.disable(self.vault_id, region=self.region))

    def call(self):
        return self.workspace.enable(self.vault_id, region=self.region)

    def settle(self, answer) -> None:
        read = self.settled(lambda: self.workspace.read(self.vault_id, region=self.region))
        assert read.json["status"] in ("active", "disabled") and read.json["health"]["state"] != "unusable", read.text
        again = self.settled(self.call)
        assert again.json["status"] == "active", again.text
        self.records.forget(self.workspace, self.vault_id)


class DisableVault(Operation):
    function = "disable-vault"

    def begin(self) -> None:
        self.settled(lambda: self.workspace.enable(self.vault_id, region=self.region))
        self.records.forget(self.workspace, self.vault_id)

    def call(self):
        return self.workspace.disable(self.vault_id, region=self.region)

    def settle(self, answer) -> None:
        again = self.settled(self.call)
        assert again.json["status"] == "disabled", again.text


class UpdateVault(Operation):
    function = "update-vault"

    def begin(self) -> None:
        read = self.settled(lambda: self.workspace.read(self.vault_id, region=self.region))
        self.if_match = {"if-match": read.headers["etag"]}
        self.name = f"Fault {next(numbers)}"

    def call(self):
        return self.workspace.update(self.vault_id, {"name": self.name}, region=self.region, headers=self.if_match)

    def settle(self, answer) -> None:
        again = self.settled(self.call)
        assert again.json["name"] == self.name, again.text
        assert self.records.vaults_named(self.workspace, self.name) == [self.vault_id]


class ListVaults(Operation):
    function = "list-vaults"

    def call(self):
        return self.workspace.list_vaults(region=self.region)

    def outcome(self, answer) -> str:
        listed = [it["vault_id"] for it in answer.json["vaults"]]
        return "as ever" if listed.count(self.vault_id) == 1 else "garbled"


class GetVault(Operation):
    function = "list-vaults"

    def call(self):
        return self.workspace.read(self.vault_id, region=self.region)


class GetSetupKit(Operation):
    function = "get-setup-kit"

    def prepare(self) -> None:
        pass

    def call(self):
        return self.workspace.api(self.region).get("/v1/setup-kit", token=self.workspace.token_of("admin"))


class Sweep(Operation):
    """The check of the next minute."""

    function = "validate-vault"
    is_forgotten = False

    def prepare(self) -> None:
        super().prepare()
        self.functions = self.service_client("lambda", self.region)
        self.repeat()

    def begin(self) -> None:
        self.health = self.records.health(self.workspace, self.vault_id)

    def call(self) -> Answer:
        """Sweeps until this sweep was the one that checked the vault. The schedule sweeps too, in both Regions."""
        for _ in range(5):
            self.records.make_due(self.workspace, self.vault_id)
            answer = self.sweep()
            if answer.status != 200 or answer.json["vaults_checked"] or answer.json["vaults_failed"]:
                break
        return answer

    def sweep(self) -> Answer:
        payload = json.dumps({"sweep": {"shard": 0}})
        function = f"{STAGE}-latchkey-{self.function}"
        invoked = self.functions.invoke(FunctionName=function, Qualifier=ALIAS, Payload=payload)
        response = json.load(invoked["Payload"])
        assert "statusCode" in response, response
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return Answer(response["statusCode"], headers, response["body"].encode())

    def repeat(self) -> None:
        """Makes whole validations until nothing is wrong and nothing is left to announce."""
        for _ in range(20):
            self.records.make_due(self.workspace, self.vault_id, whole=True)
            self.sweep()
            health = self.records.health(self.workspace, self.vault_id)
            if health["state"] == self.state and not health["unanswered_in_a_row"] and not health.get("unannounced"):
                return
        raise AssertionError(health)

    state = "healthy"

    def outcome(self, answer: Answer) -> str:
        health = self.records.health(self.workspace, self.vault_id)
        if answer.json["vaults_failed"]:
            return "counted as failed"
        if health.get("unannounced"):
            return "counted as unannounced"
        if health["unanswered_in_a_row"]:
            return "counted as unanswered"
        return "as ever" if answer.json["vaults_checked"] else "not seen"

    def settle(self, answer: Answer) -> None:
        health = self.records.health(self.workspace, self.vault_id)
        assert health["state"] == self.health["state"], "an outage is no refusal"
        self.repeat()


class SweepWithNews(Sweep):
    """The check of the next minute, with something to announce."""

    def prepare(self) -> None:
        super().prepare()
        self.subscription = Subscription(self.service_client)

    def begin(self) -> None:
        self.heard = self.event_ids()
        healthy = self.state == "healthy"
        for region in REGIONS:
            kms, key = self.workspace.customer.kms(region), self.workspace.customer.kms_key_id
            (kms.disable_key if healthy else kms.enable_key)(KeyId=key)
        self.state = "unusable" if healthy else "healthy"

    def settle(self, answer: Answer) -> None:
        self.repeat()
        assert len(self.event_ids(at_least=len(self.heard) + 1) - self.heard) == 1, "told, and once"

    def event_ids(self, at_least: int = 0) -> set[str]:
        """The ids of the announcements received. An announcement that arrives twice has the same id."""
        return {event["detail"]["event_id"] for event in self.subscription.of_vault(self.vault_id, at_least=at_least)}


OPERATIONS = {
    "create-vault": CreateVault,
    "validate-vault": ValidateVault,
    "encrypt-item": EncryptItem,
    "encrypt-item, first": EncryptFirstItem,
    "decrypt-item": DecryptItem,
    "reassign-item": ReassignItem,
    "disable-vault": DisableVault,
    "enable-vault": EnableVault,
    "list-vaults": ListVaults,
    "get-vault": GetVault,
    "update-vault": UpdateVault,
    "get-setup-kit": GetSetupKit,
    "sweep": Sweep,
    "sweep, with news": SweepWithNews,
}
