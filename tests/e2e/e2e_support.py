"""Shared by the end-to-end tests: a workspace as its people use the API, and helpers to read answers."""

import base64
import itertools
from dataclasses import dataclass

from local_aws.deploy import replace_environments
from local_aws.layout import REGIONS, STAGE

numbers = itertools.count(1)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class Workspace:
    """A workspace with its customer, as its people use the API."""

    customer: object
    api: object
    token: object
    wait_for: object

    def token_of(self, role: str) -> str:
        return self.token(workspace_id=self.customer.workspace_id, role=role, sub=f"{role}-1")

    def call(self, path: str, body=None, *, role: str = "admin", region: str = "us-east-2"):
        return self.api(region).post(path, body, token=self.token_of(role))

    def create_vault(self, region: str = "us-east-2", **more):
        name = more.pop("name", f"Vault {next(numbers)}")
        return self.call("/v1/vaults", self.customer.vault_request(name, **more), region=region)

    def new_vault(self, **more) -> str:
        answer = self.create_vault(**more)
        assert answer.status == 201, answer.text
        return answer.json["vault_id"]

    def validate(self, vault_id: str, **options):
        return self.call(f"/v1/vaults/{vault_id}/validate", **options)

    def disable(self, vault_id: str, mode: str | None = None, **options):
        return self.call(f"/v1/vaults/{vault_id}/disable", {"mode": mode} if mode else {}, **options)

    def enable(self, vault_id: str, *, role: str = "admin", region: str = "us-east-2", **options):
        return self.api(region).post(f"/v1/vaults/{vault_id}/enable", {}, token=self.token_of(role), **options)

    def update(self, vault_id: str, change: dict, *, role: str = "admin", region: str = "us-east-2", **options):
        return self.api(region).patch(f"/v1/vaults/{vault_id}", change, token=self.token_of(role), **options)

    def read(self, vault_id: str, *, role: str = "member", region: str = "us-east-2"):
        return self.api(region).get(f"/v1/vaults/{vault_id}", token=self.token_of(role))

    def list_vaults(self, query: str = "", *, role: str = "member", region: str = "us-east-2"):
        return self.api(region).get(f"/v1/vaults{query}", token=self.token_of(role))

    def encrypt(self, vault_id: str | None, items: list[dict], region: str = "us-east-2"):
        body = {"items": items} | ({"vault_id": vault_id} if vault_id else {})
        return self.call("/v1/items/encrypt", body, role="member", region=region)

    def decrypt(self, items: list[dict], region: str = "us-east-2"):
        return self.call("/v1/items/decrypt", {"items": items}, role="member", region=region)

    def sealed(self, vault_id: str, item_id: str, plaintext: bytes, region: str = "us-east-2", **context: str) -> dict:
        """Seals an item. Returns it as decrypt-item takes it."""
        item = {"item_id": item_id, "context": context}
        answer = self.encrypt(vault_id, [item | {"plaintext": base64_of(plaintext)}], region)
        assert answer.status == 200, answer.text
        return item | {"sealed_item": answer.json["items"][0]["sealed_item"]}

    def opened(self, item: dict, region: str = "us-east-2") -> bytes:
        answer = self.decrypt([item], region)
        assert answer.status == 200, answer.text
        return base64.b64decode(answer.json["items"][0]["plaintext"])

    def error_of(self, item: dict, region: str = "us-east-2") -> dict:
        answer = self.decrypt([item], region)
        assert answer.status == 200, answer.text
        assert "plaintext" not in answer.json["items"][0]
        return answer.json["items"][0]["error"]


def problem_of(answer) -> tuple[int, str]:
    """The status and type of a problem. Asserts that the answer is one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json
    assert problem["status"] == answer.status
    assert problem["title"] and problem["detail"] and problem["request_id"]
    return answer.status, problem["type"].removeprefix("urn:latchkey:problem:")


def outcomes_of(report: dict) -> dict[tuple[str, str | None], str]:
    """A report's results by check and Region."""
    return {(check["check"], check.get("region")): check["result"] for check in report["checks"]}


def new_environments(service_client) -> None:
    """Gives every function new, empty execution environments."""
    for region in REGIONS:
        functions = service_client("lambda", region)
        for function in functions.list_functions()["Functions"]:
            if function["FunctionName"].startswith(f"{STAGE}-latchkey-"):
                replace_environments(functions, function["FunctionName"])
