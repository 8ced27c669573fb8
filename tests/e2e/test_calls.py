"""How often a request calls DynamoDB, STS and KMS: exactly as often as docs/calls.md says."""

import re
from collections import Counter
from pathlib import Path

import pytest

from local_aws.faults import Faults
from local_aws.layout import PRIMARY_REGION, STAGE
from local_aws.schedule import Schedule
from tests.e2e.e2e_support import base64_of, new_environments

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calls.md"
ROW = re.compile(r"^\| `?([a-z-]+)`?(?:, )?([^|]*) \| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def written() -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """The table of docs/calls.md, by function, request and state."""
    rows = ROW.findall(PAGE.read_text())
    return {tuple(text.strip() for text in row[:3]): tuple(map(int, row[3:])) for row in rows}


@pytest.fixture(scope="module")
def counted(stack, workspace, service_client) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """The same numbers, measured. The schedule is paused: its sweeps might run in another environment, which assumes the access
    role for other vaults."""
    schedule = Schedule.of(stack)
    with schedule.paused():
        return counts_of_calls(stack, workspace, service_client, schedule)


def counts_of_calls(stack, workspace, service_client, schedule) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    faults = Faults.of(stack)
    customer = workspace.customer
    counts = {}

    def count(function: str, what: str, state: str, request, expected: int | None = 200):
        before = faults.last_call()
        answer = request()
        assert expected is None or answer.status == expected, answer.text
        assert expected is None or '"error"' not in answer.text, answer.text
        made = [call for call in faults.calls(after=before) if is_of(function, call)]
        assert not [call for call in made if call["status"] is None or call["status"] >= 500], made
        by_service = Counter(call["service"] for call in made)
        counts[function, what, state] = tuple(by_service[service] for service in ("dynamodb", "sts", "kms"))
        return answer

    def is_of(function: str, call: dict) -> bool:
        """Whether the request made the call. A sweep also reads and writes the records of other vaults, and tries to assume their
        roles."""
        ours = (customer.aws_role_arn, customer.kms_key_id)
        if (call["caller"] or "").split("/")[1:2] != [f"{STAGE}-latchkey-{function}-{PRIMARY_REGION}"]:
            return any(name in (call["resource"] or "") for name in ours)
        if function != "validate-vault":
            return True
        if call["service"] == "dynamodb":
            return any(id_ in (call["item"] or "") for id_ in (customer.workspace_id, *vaults))
        return call["resource"] in (stack["access_role_arn"], *ours)

    def item(n: int, plaintext: bytes = b"x") -> dict:
        return {"item_id": f"i{n}", "plaintext": base64_of(plaintext)}

    vaults: list[str] = []
    new_environments(service_client)
    created = count(
        "create-vault", "", "new environment", lambda: workspace.create_vault(name="Held", data_key_cache_seconds=300), 201
    )
    vaults.append(created.json["vault_id"])
    count("create-vault", "again", "sessions held", lambda: workspace.create_vault(name="Held", data_key_cache_seconds=300), 201)
    vaults.append(workspace.new_vault(data_key_cache_seconds=0, set_as_default=True))
    held, asked = vaults

    count("encrypt-item", "", "first of a period", lambda: workspace.encrypt(asked, [item(1)]))
    workspace.sealed(held, "first", b"x")
    new_environments(service_client)
    count("encrypt-item", "", "new environment", lambda: workspace.encrypt(held, [item(1)]))
    many = count("encrypt-item", "", "data key held", lambda: workspace.encrypt(held, [item(n) for n in range(100)]))
    workspace.sealed(asked, "session", b"x")
    sealed = count("encrypt-item", "", "data key to be opened", lambda: workspace.encrypt(asked, [item(2)]))
    count("encrypt-item", "no vault named", "data key to be opened", lambda: workspace.encrypt(None, [item(3)]))
    to_open = [{"item_id": it["item_id"], "sealed_item": it["sealed_item"]} for it in many.json["items"]]
    one = [{"item_id": it["item_id"], "sealed_item": it["sealed_item"]} for it in sealed.json["items"]]
    count("decrypt-item", "", "new environment", lambda: workspace.decrypt(to_open))
    count("decrypt-item", "", "data key held", lambda: workspace.decrypt(to_open))
    workspace.decrypt(one)
    count("decrypt-item", "", "data key to be opened", lambda: workspace.decrypt(one))
    count("decrypt-item", "two vaults", "one held, one to be opened", lambda: workspace.decrypt(to_open[:50] + one))
    moving = {"to_vault_id": held, "items": one}
    count("reassign-item", "", "new environment", lambda: workspace.call("/v1/items/reassign", moving, role="member"))
    count("reassign-item", "", "sessions held", lambda: workspace.call("/v1/items/reassign", moving, role="member"))

    count("list-vaults", "", "any", workspace.list_vaults)
    count("list-vaults", "one vault", "any", lambda: workspace.read(held))
    count("update-vault", "name", "any", lambda: workspace.update(held, {"name": "Renamed"}))
    count("update-vault", "bound", "any", lambda: workspace.update(held, {"data_key_cache_seconds": 299}))
    count("update-vault", "default", "any", lambda: workspace.update(held, {"is_default": True}))
    count("validate-vault", "", "new environment", lambda: workspace.validate(held))
    count("validate-vault", "", "sessions held", lambda: workspace.validate(held))
    sweep = lambda: schedule.health_after_sweep(customer.workspace_id, held, PRIMARY_REGION)  # noqa: E731
    count("validate-vault", "the check each minute", "sessions held", sweep, None)
    count("disable-vault", "", "any", lambda: workspace.disable(held))
    count("enable-vault", "", "new environment", lambda: workspace.enable(held))
    count("get-setup-kit", "", "any", lambda: workspace.api(PRIMARY_REGION).get("/v1/setup-kit", token=workspace.token_of("owner")))
    return counts


def test_a_request_makes_the_calls_that_are_written_and_no_more(counted):
    assert counted == written()
