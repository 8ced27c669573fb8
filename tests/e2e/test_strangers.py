"""What strangers can send to the deployed API: no token, forged tokens, tokens of other workspaces, broken bodies."""

import base64
import json

import pytest

from tests.e2e.e2e_support import base64_of, problem_of

PATHS = [
    "/v1/vaults",
    "/v1/vaults/vlt_01jd0f3zt5e8w9x7kq2m4n6p8r/validate",
    "/v1/vaults/vlt_01jd0f3zt5e8w9x7kq2m4n6p8r/disable",
    "/v1/vaults/vlt_01jd0f3zt5e8w9x7kq2m4n6p8r/enable",
    "/v1/items/encrypt",
    "/v1/items/decrypt",
]
OTHERS = [
    ("GET", "/v1/vaults"),
    ("GET", "/v1/vaults/vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"),
    ("PATCH", "/v1/vaults/vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"),
]


@pytest.mark.parametrize(("method", "path"), OTHERS)
def test_neither_without_a_token_nor_without_claims(api, token, method, path):
    for wrong in (None, "nonsense"):
        assert api().request(method, path, token=wrong).status == 401
    nobody = token(workspace_id="ws-1", sub="s")
    assert problem_of(api().request(method, path, token=nobody)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_valid_token_nothing_is_reached(api, token, path):
    good = token(workspace_id="ws-1", role="owner", sub="s")
    header, payload, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"workspace_id": "ws-victim"}).encode()).rstrip(b"=").decode()
    nobody = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for wrong in [
        None,
        "nonsense",
        f"{header}.{forged}.{signature}",
        f"{nobody}.{forged}.",
        token(workspace_id="ws-1", role="owner", sub="s", ttl=-60),
        token(workspace_id="ws-1", role="owner", sub="s", aud="another-service"),
    ]:
        assert api().post(path, {}, token=wrong).status == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("claims", [{}, {"workspace_id": "ws-1", "sub": "s"}, {"role": "owner", "sub": "s"}])
def test_a_token_without_the_claims_is_nobody(api, token, path, claims):
    assert problem_of(api().post(path, {}, token=token(**claims))) == (401, "unauthenticated")


def test_a_member_administers_no_vault(workspace):
    vault_id = workspace.new_vault()
    request = workspace.customer.vault_request("Made by a member")
    assert problem_of(workspace.call("/v1/vaults", request, role="member")) == (403, "forbidden")
    assert problem_of(workspace.validate(vault_id, role="member")) == (403, "forbidden")
    assert problem_of(workspace.disable(vault_id, role="member")) == (403, "forbidden")


def test_another_workspace_sees_nothing(workspace, new_workspace):
    vault_id = workspace.new_vault()
    item = workspace.sealed(vault_id, "i", b"secret")
    stranger = new_workspace()
    missing = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"
    answers = [stranger.validate(vault_id), stranger.validate(missing), stranger.disable(vault_id)]
    answers += [stranger.encrypt(vault_id, [{"item_id": "i", "plaintext": ""}])]
    for answer in answers:
        assert problem_of(answer) == (404, "vault-not-found")
    same = [{**answer.json, "request_id": ""} for answer in answers[:2]]
    assert same[0] == same[1], "a foreign vault and a missing one get the same answer"
    assert stranger.error_of(item)["type"] == "urn:latchkey:problem:vault-not-found"
    assert workspace.opened(item) == b"secret"


def test_another_workspaces_key_cannot_be_taken(workspace, new_workspace):
    """The external id is the token's workspace, so a vault with another customer's role and key never validates."""
    stranger = new_workspace()
    answer = stranger.call("/v1/vaults", workspace.customer.vault_request("Not mine"))
    assert problem_of(answer) == (422, "validation-failed")
    assert "role_assumable" in [found["check"] for found in answer.json["findings"]]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "{}{}", '{"name":"a","name":"a"}', "[" * 50_000])
def test_broken_bodies_get_a_problem(workspace, body):
    for path in ["/v1/vaults", "/v1/items/encrypt", "/v1/items/decrypt"]:
        assert problem_of(workspace.call(path, body)) == (400, "malformed-request")


HOSTILE = {
    "deep within": '{"items":[{"item_id":"i","plaintext":"","context":' + '{"a":' * 100_000,
    "of very many items": '{"items":[' + ",".join(['{"item_id":"","plaintext":"","sealed_item":""}'] * 100_000) + "]}",
    "a number without end": '{"items":' + "9" * 100_000 + "}",
    "a number beyond numbers": '{"items":[],"data_key_cache_seconds":1e999999}',
    "a key twice in a context": '{"items":[{"item_id":"i","plaintext":"","context":{"a":"1","a":"2"}}]}',
    "half of a character": '{"items":[{"item_id":"\\ud800","plaintext":""}]}',
    "of 5 MB": '{"items":[{"item_id":"' + "i" * 5_000_000 + '","plaintext":"","sealed_item":""}]}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_get_a_problem(workspace, body):
    for path in ["/v1/vaults", "/v1/items/encrypt", "/v1/items/decrypt", "/v1/items/reassign"]:
        answer = workspace.call(path, body)
        assert problem_of(answer) == (400, "malformed-request") and len(answer.body) < 10_000


@pytest.mark.parametrize("role", ["\u0430dmin", "admin\u200b", "\uff41dmin", "ADMIN", "admin ", "owner,admin"])
def test_who_nearly_is_an_admin_is_a_member(workspace, role):
    request = workspace.customer.vault_request("Made by nearly an admin")
    assert problem_of(workspace.call("/v1/vaults", request, role=role)) == (403, "forbidden")


def test_fields_of_create_vault(workspace):
    customer = workspace.customer
    cases = {
        "#/aws_role_arn": {"aws_role_arn": "arn:aws:iam::999999999999:role/other-account"},
        "#/kms_key_id": {"kms_key_id": "alias/latchkey"},
        "#/aws_account_id": {"aws_account_id": "12345"},
        "#/name": {"name": "tab\there"},
        "#": {"external_id": "ws-victim"},
    }
    for pointer, change in cases.items():
        answer = workspace.call("/v1/vaults", customer.vault_request("Bad") | change)
        assert problem_of(answer) == (400, "malformed-request")
        assert pointer in [error["pointer"] for error in answer.json["errors"]], answer.text
    foreign_key = customer.primary_key_arn.replace(customer.aws_account_id, "999999999999")
    answer = workspace.call("/v1/vaults", customer.vault_request("Bad", kms_key_id=foreign_key))
    assert [error["pointer"] for error in answer.json["errors"]] == ["#/kms_key_id"]


def test_sealed_items_that_were_tampered_with(workspace):
    vault_id = workspace.new_vault()
    item = workspace.sealed(vault_id, "item-1", b"secret", field="password")
    sealed = base64.b64decode(item["sealed_item"])
    flipped = [bytes([*sealed[:n], sealed[n] ^ 1, *sealed[n + 1 :]]) for n in (0, 1, 10, 60, 300, len(sealed) - 1)]
    changes = [{"sealed_item": base64_of(altered)} for altered in [*flipped, sealed[:-1], sealed + b"\0", b"", sealed[:40]]]
    changes += [{"item_id": "item-2"}, {"context": {}}, {"context": {"field": "username"}}]
    changes += [{"sealed_item": item["sealed_item"].rstrip("=") + "\n"}, {"sealed_item": "not base64"}]
    answer = workspace.decrypt([item | change for change in changes] + [item])
    outcomes = answer.json["items"]
    for change, outcome in zip(changes, outcomes, strict=False):
        assert "plaintext" not in outcome, change
        assert outcome["error"]["status"] in (404, 422), outcome
    assert outcomes[-1]["plaintext"] == base64_of(b"secret")


def test_batches_of_a_wrong_size(workspace):
    vault_id = workspace.new_vault()
    item = {"item_id": "i", "plaintext": "aGk="}
    for items in ([], [item] * 101):
        assert problem_of(workspace.encrypt(vault_id, items)) == (400, "malformed-request")
    big = {"item_id": "i", "plaintext": base64_of(bytes(1024 * 1024))}
    assert workspace.encrypt(vault_id, [big] * 4).status == 200
    assert problem_of(workspace.encrypt(vault_id, [big] * 4 + [item])) == (413, "too-large")
