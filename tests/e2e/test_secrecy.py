"""A canary plaintext goes through every path; afterwards it is in no log, no record and no problem."""

import base64
import json
import time

from layout import REGIONS

from e2e_support import base64_of

CANARY = b"canary-7f3a9c51-plaintext"
FORMS = [CANARY.decode(), base64_of(CANARY).rstrip("="), CANARY.hex()]


def test_the_canary_is_nowhere_but_in_the_answers_that_carry_it(new_workspace, function_logs, service_dynamodb, stack):
    since_ms = int(time.time() * 1000) - 1000
    workspace = new_workspace()
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    item = workspace.sealed(vault_id, "item-1", CANARY)
    assert CANARY not in base64.b64decode(item["sealed_item"])
    assert workspace.opened(item) == CANARY
    plaintext = base64_of(CANARY)
    problems = [
        workspace.encrypt(vault_id, [{"item_id": "", "plaintext": plaintext}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": plaintext[:-3] + "!"}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": {plaintext: CANARY.decode()}}]),
        workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": "", CANARY.decode(): 1}]),
        workspace.encrypt("vlt_01jd0f3zt5e8w9x7kq2m4n6p8r", [{"item_id": "i", "plaintext": plaintext}]),
        workspace.call("/v1/items/encrypt", '{"items":[{"item_id":"i","plaintext":"' + plaintext),
        workspace.decrypt([item | {"item_id": "item-2"}, item | {"sealed_item": plaintext}]),
    ]
    for region in REGIONS:
        workspace.customer.kms(region).disable_key(KeyId=workspace.customer.kms_key_id)
    problems += [workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": plaintext}]), workspace.decrypt([item])]
    workspace.disable(vault_id)
    problems += [workspace.encrypt(vault_id, [{"item_id": "i", "plaintext": plaintext}]), workspace.decrypt([item])]
    for answer in problems:
        assert not any(form in answer.text for form in FORMS), answer.text

    last = problems[-1].headers["x-request-id"]
    workspace.wait_for(lambda: any(last in line for line in function_logs("decrypt-item", since_ms)))
    lines = function_logs(since_ms=since_ms)
    assert any('"log":"audit"' in line for line in lines)
    assert not [line for line in lines if any(form in line for form in FORMS)]
    pages = service_dynamodb().get_paginator("scan").paginate(TableName=stack["table_name"])
    records = json.dumps([page["Items"] for page in pages], default=lambda value: value.hex())
    assert vault_id in records and not any(form in records for form in FORMS)
