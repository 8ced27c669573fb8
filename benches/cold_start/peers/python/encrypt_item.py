"""encrypt-item in Python, with boto3 and the AWS Encryption SDK. For the same request it makes the same calls to AWS in the same
roles, and caches as long.

It is written as usual: imports, clients and everything else that does not depend on the request happen in init. It leaves out the
checks of the request, the audit line, time limits, the breaker and the other Region. That is to its advantage.
"""

import base64
import json
import os
import time
from datetime import UTC, datetime

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from botocore.config import Config

CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
CONTEXT_DIGEST_LENGTH = 48  # KMS decrypts this and then the data key: the AWS KMS RSA keyring's SHA-384 of the context

session = boto3.Session()
sts = session.client("sts", config=CONFIG)
dynamodb = session.client("dynamodb", config=CONFIG)
providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
encryption_sdk = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
held = {}  # each vault's keyring, and the time until which it may be used


def handler(event: dict) -> dict:
    workspace_id = event["requestContext"]["authorizer"]["jwt"]["claims"]["workspace_id"]
    request = json.loads(event["body"])
    vault = record(f"WORKSPACE#{workspace_id}", f"VAULT#{request['vault_id']}")
    if vault["status"]["S"] != "active":
        return {"statusCode": 409, "body": "{}"}
    keyring = keyring_of(workspace_id, vault)
    context = {"latchkey:workspace-id": workspace_id, "latchkey:vault-id": request["vault_id"]}
    items = []
    for item in request["items"]:
        sealed, _ = encryption_sdk.encrypt(
            source=base64.b64decode(item["plaintext"]), keyring=keyring, encryption_context=context, algorithm=SUITE
        )
        items.append({"item_id": item["item_id"], "sealed_item": base64.b64encode(sealed).decode()})
    return {"statusCode": 200, "body": json.dumps({"vault_id": request["vault_id"], "items": items})}


def keyring_of(workspace_id: str, vault: dict):
    """A keyring for today's data key, which KMS decrypts in the customer's account."""
    vault_id = vault["vault_id"]["S"]
    keyring, until = held.get(vault_id, (None, 0))
    if time.monotonic() < until:
        return keyring
    asked_at = time.monotonic()
    data_key = record(f"VAULT#{vault_id}", f"DATAKEY#{datetime.now(UTC):%Y%m%d}T000000Z-1")
    opened = customers_kms(workspace_id, vault).decrypt(
        KeyId=data_key["key_provider_info"]["B"].decode(),
        CiphertextBlob=data_key["ciphertext"]["B"],
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    keyring = providers.create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace="latchkey",
            key_name=data_key["data_key_id"]["S"],
            wrapping_key=opened["Plaintext"][CONTEXT_DIGEST_LENGTH:],
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )
    held[vault_id] = keyring, asked_at + int(vault["data_key_cache_seconds"]["N"])
    return keyring


def customers_kms(workspace_id: str, vault: dict):
    """KMS in the customer's role, which is assumed through the access role."""
    access = sts.assume_role(RoleArn=os.environ["LATCHKEY_ACCESS_ROLE_ARN"], RoleSessionName="latchkey", DurationSeconds=900)
    role = session.client("sts", config=CONFIG, **keys_of(access)).assume_role(
        RoleArn=vault["aws_role_arn"]["S"], RoleSessionName="latchkey", ExternalId=workspace_id, DurationSeconds=900
    )
    return session.client("kms", config=CONFIG, **keys_of(role))


def keys_of(role: dict) -> dict[str, str]:
    credentials = role["Credentials"]
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def record(pk: str, sk: str) -> dict:
    table = os.environ["LATCHKEY_TABLE_NAME"]
    return dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)["Item"]
