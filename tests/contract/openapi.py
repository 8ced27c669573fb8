"""The operations from operations.json, and openapi.yaml as the tests read it: which operation a call is, and whether its answer
matches."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

REPOSITORY = Path(__file__).resolve().parent.parent.parent
METHODS = {"get", "put", "post", "delete", "patch"}
JSON, PROBLEM = "application/json", "application/problem+json"


@cache
def document() -> dict:
    """openapi.yaml. Callers must not change it."""
    return yaml.safe_load((REPOSITORY / "openapi.yaml").read_text())


ROLES = ["owner", "super_admin", "admin", "member"]


@cache
def table() -> list[dict]:
    """The table of operations, including the schedule's. shared/core/src/operations/mod.rs generates it."""
    return json.loads((REPOSITORY / "operations.json").read_text())


def functions() -> list[str]:
    """All functions that serve an operation."""
    return list(dict.fromkeys(row["function"] for row in table()))


@dataclass(frozen=True)
class Operation:
    """One operation of the API."""

    name: str
    method: str
    path: str
    may: str
    touches_items: bool
    function: str

    @property
    def roles(self) -> list[str]:
        """The roles that may call the operation."""
        return ROLES if self.may == "any_member" else ROLES[:3]

    @property
    def stated(self) -> dict:
        """The operation's entry in openapi.yaml."""
        return document()["paths"][self.path][self.method.lower()]

    @property
    def request_schema(self) -> dict | None:
        body = self.stated.get("requestBody")
        return body and body["content"][JSON]["schema"]

    def response(self, status: int) -> dict | None:
        found = self.stated["responses"].get(str(status))
        return found and resolved(found)


@cache
def operations() -> dict[str, Operation]:
    """The operations of the API, by name."""
    return {row["name"]: Operation(**row) for row in table() if "path" in row}


def sample_event(operation: Operation, values: dict[str, str]) -> dict:
    """An operation's sample event that succeeds, with its placeholders replaced by values."""
    for path in sorted((REPOSITORY / "events" / operation.function).glob("success*.json"), key=lambda path: len(path.name)):
        event = json.loads(re.sub(r"\$\{([a-z_.]+)\}", lambda found: values[found[1]], path.read_text()))
        if event.get("routeKey") == f"{operation.method} {operation.path}":
            return event
    raise AssertionError(f"events/{operation.function} has no event of {operation.name} that succeeds")


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a method and a path name. A path without parameters wins, as in API Gateway."""
    candidates = sorted(operations().values(), key=lambda it: it.path.count("{"))
    for operation in candidates:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path))
        if operation.method == method and re.fullmatch(pattern, path.partition("?")[0]):
            return operation
    return None


def status_of(problem: str) -> int:
    """The status of a problem type, from docs/problems/README.md."""
    index = (REPOSITORY / "docs" / "problems" / "README.md").read_text()
    return int(re.search(rf"^\| \[`{problem}`\]\S+ \| (\d+) \|", index, re.MULTILINE)[1])


def resolved(node: dict) -> dict:
    """Follows a reference to a component."""
    if "$ref" in node:
        found = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found
    return node


@cache
def validator(schema: str) -> Draft202012Validator:
    whole = json.loads(schema) | {"components": document()["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(schema: dict, value) -> list[str]:
    """The errors of a value under a schema of openapi.yaml."""
    found = validator(json.dumps(schema, sort_keys=True)).iter_errors(value)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def hold(method: str, path: str, sent, answer) -> None:
    """Asserts that openapi.yaml documents the answer, and that it allows the request if the request succeeded."""
    operation = operation_of(method, path)
    if operation is None:
        assert answer.status in (404, 405) and "message" in answer.json, f"openapi.yaml has no {method} {path}: {answer}"
        return
    response = operation.response(answer.status)
    assert response, f"{operation.name}: openapi.yaml has no {answer.status}: {answer.text}"
    media_type = answer.headers["content-type"].partition(";")[0]
    stated = response.get("content", {}).get(media_type)
    assert stated or not answer.text, f"{operation.name}: {answer.status} has no {media_type}: {answer.text}"
    if stated and media_type in (JSON, PROBLEM):
        found = faults(stated["schema"], answer.json)
        assert not found, f"{operation.name}: {answer.status}: {found}\n{answer.text}"
    if media_type == PROBLEM or answer.status < 300:
        ours = {"x-request-id", "cache-control"} | ({"retry-after", "etag"} & response["headers"].keys())
        for name in ours if answer.status != 304 else ():
            schema = resolved(response["headers"][name])["schema"]
            assert name in answer.headers, f"{operation.name}: {answer.status} without {name}"
            assert not faults(schema, answer.headers[name]), f"{name}: {answer.headers[name]}"
    if answer.status < 300 and sent and operation.request_schema:
        found = faults(operation.request_schema, json.loads(sent) if isinstance(sent, str | bytes) else sent)
        assert not found, f"{operation.name} took what is not stated: {found}"
