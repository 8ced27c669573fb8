"""Who may call what, at the deployed API: each cell of docs/access.md, wrong claims, and ids of other workspaces.

operations.json has the operations and their roles. The calls are the sample events.
"""

import json

import pytest

from tests.contract.openapi import operations, sample_event
from tests.e2e.e2e_support import problem_of

MISSING = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"
ROLES = ["owner", "super_admin", "admin", "member", "Owner", "admin ", "root"]
DISABLED_VAULT_NAME = "Disabled"


class Known:
    """Two vaults of a workspace, one of them disabled, and an item in the other."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.vault_id, self.disabled_vault_id = workspace.new_vault(), workspace.new_vault(name=DISABLED_VAULT_NAME)
        assert workspace.disable(self.disabled_vault_id).status == 200
        self.item = workspace.sealed(self.vault_id, "account-1/password", b"secret", field="password")


def call(api, operation: str, known: Known, vault_id: str, token: str):
    """Makes the call of the operation's sample event, which succeeds in any allowed role. `vault_id` replaces the event's vault."""
    stated, customer = operations()[operation], known.workspace.customer
    values = {
        "customer.workspace_id": customer.workspace_id,
        "customer.aws_account_id": customer.aws_account_id,
        "customer.kms_key_id": customer.kms_key_id,
        "customer.aws_role_arn": customer.aws_role_arn,
        "vault_id": vault_id,
        "disabled_vault_id": known.disabled_vault_id if vault_id == known.vault_id else vault_id,
        "disabled_vault_name": DISABLED_VAULT_NAME,
        "sealed_item": known.item["sealed_item"],
    }
    body = sample_event(stated, values).get("body")
    return api.request(stated.method, stated.path.replace("{vault_id}", vault_id), body and json.loads(body), token=token)


def outcome_of(answer) -> tuple[int, str]:
    """The status and problem of an answer, or of its one item if the operation answers item by item."""
    if answer.status >= 400:
        return problem_of(answer)
    items = answer.json.get("items") or [{}]
    error = items[0].get("error", {})
    return error.get("status", answer.status), error.get("type", "").rpartition(":")[2]


@pytest.fixture
def known(workspace):
    return Known(workspace)


@pytest.mark.parametrize("operation", operations())
def test_each_cell_of_the_matrix(operation, known, api, token):
    workspace_id = known.workspace.customer.workspace_id
    for role in ROLES:
        may = (role if role in ROLES[:4] else "member") in operations()[operation].roles
        answer = call(api(), operation, known, known.vault_id, token(workspace_id=workspace_id, role=role, sub="s"))
        if may:
            assert outcome_of(answer) in ((200, ""), (201, "")), f"{role}: {answer.text}"
        else:
            assert outcome_of(answer) == (403, "forbidden"), f"{role}: {answer.text}"


@pytest.mark.parametrize("operation", operations())
def test_a_claim_that_is_wrong_names_nobody(operation, known, api, token):
    right = {"workspace_id": known.workspace.customer.workspace_id, "role": "owner", "sub": "s"}
    workspace_id = right["workspace_id"]
    wrong = [{name: right[name] for name in right if name != missing} for missing in right]
    wrong += [right | {name: ""} for name in right]
    wrong += [right | {"workspace_id": it} for it in (f" {workspace_id}", f"{workspace_id}\n", f"[{workspace_id}]", "w", "w" * 129)]
    wrong += [right | {"workspace_id": it} for it in ("wörkspace", "wo\u0308rkspace", "\uff57orkspace", "w\u043erkspace")]
    wrong += [right | {"sub": it} for it in ("s" * 257, "a\nb")]
    for claims in wrong:
        answer = call(api(), operation, known, known.vault_id, token(**claims))
        assert problem_of(answer) == (401, "unauthenticated"), claims


def test_workspaces_that_differ_in_case(known, api, token):
    """A workspace whose id differs only in case is another workspace. It sees nothing of this one and has its own external id."""
    workspace_id = known.workspace.customer.workspace_id.upper()
    owner = token(workspace_id=workspace_id, role="owner", sub="s")
    for operation in operations():
        if operation == "get-setup-kit":
            kit = call(api(), operation, known, known.vault_id, owner).json
            assert kit["external_id"] == workspace_id, "each has a kit of its own"
            continue
        if operation == "list-vaults":
            assert call(api(), operation, known, known.vault_id, owner).json == {"vaults": []}
            continue
        expected = (422, "validation-failed") if operation == "create-vault" else (404, "vault-not-found")
        assert outcome_of(call(api(), operation, known, known.vault_id, owner)) == expected, operation


def test_a_foreign_token_with_every_id(known, new_workspace, api, token):
    """With an id in the path, the body or the sealed item, a stranger gets the answer for a missing vault, byte for byte. Only the
    request id differs."""
    stranger = new_workspace().customer.workspace_id
    texts = set()
    for operation, stated in operations().items():
        if operation in ("create-vault", "list-vaults", "get-setup-kit"):
            continue  # these calls name no id of ours
        for role in stated.roles:
            owner = token(workspace_id=stranger, role=role, sub="s")
            for vault_id in (known.vault_id, MISSING):
                answer = call(api(), operation, known, vault_id, owner)
                text = answer.text if answer.status >= 400 else answer.text.partition('"error":')[2].removesuffix("}]}")
                problem = json.loads(text)
                assert problem["status"] == 404, f"{operation}: {answer.text}"
                texts.add(text.replace(problem["request_id"], ""))
    assert len(texts) == 1, texts
