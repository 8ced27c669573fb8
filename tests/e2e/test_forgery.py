"""The customer's public key is public, so anyone can make a message that only the customer's key opens. The service opens only
what it made itself, and does not call KMS for anything else."""

import base64
import json

from tests.e2e.e2e_support import base64_of


def test_an_item_made_with_the_public_key_alone_is_refused_before_kms(workspace, message_tool, function_logs):
    vault_id = workspace.new_vault(data_key_cache_seconds=0)
    genuine = workspace.sealed(vault_id, "item-1", b"genuine", field="password")
    said_of_it = message_tool("inspect", message=genuine["sealed_item"])
    customer = workspace.customer
    public_key = customer.kms().get_public_key(KeyId=customer.kms_key_id)["PublicKey"]
    forged = message_tool(
        "seal",
        key_arn=said_of_it["key_arn"],
        public_key=base64_of(public_key),
        encryption_context=said_of_it["encryption_context"],
        plaintext=base64_of(b"forged"),
        item_id="item-1",
        context={"field": "password"},
    )["message"]
    # The customer's key opens this message. Only the service's record shows that it is not genuine.
    told = message_tool("inspect", message=forged)
    assert told["encryption_context"] == said_of_it["encryption_context"] and told["key_arn"] == said_of_it["key_arn"]
    ciphertext = base64.b64decode(told["encrypted_data_key"])
    opened = customer.kms().decrypt(KeyId=customer.kms_key_id, CiphertextBlob=ciphertext, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert message_tool("open", message=forged, kms_plaintext=base64_of(opened["Plaintext"]))["plaintext"] == base64_of(b"forged")

    answer = workspace.decrypt([genuine | {"sealed_item": forged}])
    error = answer.json["items"][0]["error"]
    assert (error["status"], error["type"]) == (422, "urn:latchkey:problem:item-does-not-open")
    assert "not issued" in error["detail"]

    request_id = answer.headers["x-request-id"]
    lines = workspace.wait_for(lambda: [line for line in function_logs("decrypt-item") if request_id in line])
    assert json.loads(lines[0]).get("key_uses", []) == [], "neither KMS nor STS was asked"
