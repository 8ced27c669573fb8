"""The first request of an environment assumes the access role while it reads the vault. That is possible because the access role
does not depend on the customer."""

import pytest

from local_aws.faults import Faults
from local_aws.layout import STAGE
from tests.contract import openapi
from tests.e2e.e2e_support import base64_of, new_environments


@pytest.mark.parametrize("function", [it.function for it in openapi.operations().values() if it.touches_items])
def test_the_access_role_is_entered_while_the_vault_is_read(stack, workspace, service_client, function):
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "i", b"x")
    requests = {
        "encrypt-item": lambda: workspace.encrypt(vault_id, [{"item_id": "j", "plaintext": base64_of(b"y")}]),
        "decrypt-item": lambda: workspace.decrypt([item]),
        "reassign-item": lambda: workspace.call("/v1/items/reassign", {"to_vault_id": vault_id, "items": [item]}, role="member"),
    }
    faults, own_role = Faults.of(stack), f"{STAGE}-latchkey-{function}-us-east-2"
    new_environments(service_client)
    before = faults.last_call()
    with faults.rule("slow", service="dynamodb", action="GetItem", caller=own_role, times=1):
        answer = requests[function]()
    assert answer.status == 200 and '"error"' not in answer.text, answer.text
    begun = [call["action"] for call in faults.calls(after=before) if own_role in (call["caller"] or "")]
    assert sorted(begun[:2]) == ["AssumeRole", "GetItem"], begun
    assert begun.count("AssumeRole") == 1
