"""Fills in the sample events of events/ for the running stack.

Sealed items, vault ids and key ids exist only after a deployment, so the files in events/ hold placeholders.
`${customer.kms_key_id}` is the value in stack.json, `${vault_id}` and `${vault_name}` a vault made for the events,
`${disabled_vault_id}` and `${disabled_vault_name}` a disabled vault, and `${sealed_item}` an item sealed in the first vault. The
filled-in events are written to .local/events/.
"""

import random
import re
import shutil
from pathlib import Path

from local_aws.client import Api, Customer, token_of
from local_aws.layout import LOCAL, PRIMARY_REGION, REPOSITORY, StepFailed

SOURCE = REPOSITORY / "events"
READY = LOCAL / "events"


def make_ready(stack: dict, customer: Customer) -> list[Path]:
    """Fills in every event. Returns their paths under .local/events/."""
    values = sample_values(stack, customer)
    shutil.rmtree(READY, ignore_errors=True)
    made = []
    for source in sorted(SOURCE.glob("*/*.json")):
        text = filled_in(source.read_text(), values)
        ready = READY / source.relative_to(SOURCE)
        ready.parent.mkdir(parents=True, exist_ok=True)
        ready.write_text(text)
        made.append(ready)
    return made


def filled_in(event: str, values: dict[str, str]) -> str:
    """An event's text with its placeholders replaced by values."""
    return re.sub(r"\$\{([a-z_.]+)\}", lambda match: values[match[1]], event)


def sample_values(stack: dict, customer: Customer) -> dict[str, str]:
    # Each run makes its own vault, because the last events disable and enable it.
    vault_name = f"Sample {random.randrange(16**8):08x}"
    api = Api(stack["apis"][PRIMARY_REGION])
    token = token_of(stack["issuer"], workspace_id=customer.workspace_id, role="admin", sub="sample-events")

    def new_vault(name: str) -> str:
        created = api.post("/v1/vaults", customer.vault_request(name), token=token)
        if created.status != 201:
            raise StepFailed(f"the vault of the sample events was not created: {created.text}")
        return created.json["vault_id"]

    disabled_vault_name = f"{vault_name}, disabled"
    vault_id, disabled_vault_id = new_vault(vault_name), new_vault(disabled_vault_name)
    disabled = api.post(f"/v1/vaults/{disabled_vault_id}/disable", {}, token=token)
    if disabled.status != 200:
        raise StepFailed(f"the vault of the sample events was not disabled: {disabled.text}")
    # The item of encrypt-item/success.json, so that decrypt-item/success.json can open it.
    item = {"item_id": "account-1/password", "plaintext": "Y29ycmVjdCBob3JzZQ==", "context": {"field": "password"}}
    sealed = api.post("/v1/items/encrypt", {"vault_id": vault_id, "items": [item]}, token=token)
    if sealed.status != 200:
        raise StepFailed(f"the item of the sample events was not sealed: {sealed.text}")
    known = {
        "customer.workspace_id": customer.workspace_id,
        "customer.aws_account_id": customer.aws_account_id,
        "customer.kms_key_id": customer.kms_key_id,
        "customer.aws_role_arn": customer.aws_role_arn,
    }
    vaults = {
        "vault_name": vault_name,
        "vault_id": vault_id,
        "disabled_vault_name": disabled_vault_name,
        "disabled_vault_id": disabled_vault_id,
    }
    return known | vaults | {"sealed_item": sealed.json["items"][0]["sealed_item"]}
