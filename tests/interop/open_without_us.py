#!/usr/bin/env python3
"""Opens sealed items with AWS's own Encryption SDK and your own credentials. Needs nothing from Latchkey: copy this file.

    pip install boto3 "aws-encryption-sdk[MPL]"
    python open_without_us.py --key-arn arn:aws:kms:us-east-2:<account>:key/mrk-... items.json > opened.json

Your credentials, as boto3 finds them, must allow kms:Decrypt on that key. The replica's ARN works too: items sealed in one Region
open in the other.

items.json is a list of {"item_id": ..., "sealed_item": <base64>, "context": {...}}, as you stored them. `context` may be missing
if you gave none. The output is the same list with `plaintext` (base64) or `error` in place of `sealed_item`. The exit status is 1
if any item did not open.

The script checks that each item was sealed under its item id and context, because the Encryption SDK knows no item ids. If you have
lost an id or a context, --any-identity skips that check.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsRsaKeyringInput
from aws_encryption_sdk.identifiers import CommitmentPolicy


class NotOpened(Exception):
    """Why an item was not opened."""


def belongs(message: bytes, item_id: str, context: dict[str, str]) -> bool:
    """Whether a message was sealed as this item. The first half of its message id is random. The second half is a digest of the
    first half, the item id and the context."""
    digest = hashlib.sha256(b"latchkey:item-identity:v1" + message[3:19])
    pairs = sorted(context.items(), key=lambda pair: pair[0].encode())
    digest.update(length_and_text(item_id) + len(pairs).to_bytes(8))
    for key, value in pairs:
        digest.update(length_and_text(key) + length_and_text(value))
    return hmac.compare_digest(digest.digest()[:16], message[19:35])


def length_and_text(text: str) -> bytes:
    return len(text.encode()).to_bytes(8) + text.encode()


def keyring_of(key_arn: str):
    """The AWS KMS RSA keyring for your key, with your credentials, in the key's own Region."""
    kms = boto3.client("kms", region_name=key_arn.split(":")[3])
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            kms_key_id=key_arn,
            kms_client=kms,
            encryption_algorithm="RSAES_OAEP_SHA_256",
        )
    )


def open_item(client, keyring, item: dict, any_identity: bool) -> bytes:
    message = base64.b64decode(item["sealed_item"], validate=True)
    if not any_identity and not belongs(message, item["item_id"], item.get("context") or {}):
        raise NotOpened("it was sealed under another item id or context")
    plaintext, _ = client.decrypt(source=message, keyring=keyring)
    return plaintext


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--key-arn", required=True, help="the key in one of its Regions")
    parser.add_argument("--any-identity", action="store_true", help="open whatever item id an item was sealed under")
    parser.add_argument("items", type=argparse.FileType(encoding="utf-8"), help="the stored items, as JSON")
    arguments = parser.parse_args()

    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )
    keyring = keyring_of(arguments.key_arn)
    answers, failed = [], 0
    for item in json.load(arguments.items):
        answer = {name: value for name, value in item.items() if name != "sealed_item"}
        try:
            opened = open_item(client, keyring, item, arguments.any_identity)
            answer["plaintext"] = base64.b64encode(opened).decode()
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
            failed += 1
        answers.append(answer)
    json.dump(answers, sys.stdout, indent=1)
    print(file=sys.stdout)
    print(f"{len(answers) - failed} opened, {failed} not", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
