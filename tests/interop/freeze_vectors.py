"""Makes the frozen well-formed vectors: messages that the official SDK sealed and items that this project sealed. Each has the
answer of `kms:Decrypt` for its encrypted data key. There are no official vectors of the KMS RSA keyring.

    python tests/interop/freeze_vectors.py shared/sealed-item/vectors

Adds the missing cases and leaves the existing ones: a vector is made once and kept. It needs no KMS. Sealing takes only the
public key, and a private key that is made here and thrown away stands in for KMS.
"""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsRsaKeyringInput
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REPOSITORY = Path(__file__).resolve().parents[2]
PRIMARY = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef"
REPLICA = PRIMARY.replace("us-east-2", "us-west-2")
CONTEXT = {"latchkey:vault-id": "vlt_1", "latchkey:workspace-id": "wsp_1"}
ODD_CONTEXT = {"b": "2", "a": "1", "aa": "", "é": "ü", "\U00010000": "astral", "\ufffd": "last of the basic plane"}
OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
MIB = 1 << 20
# Longer messages are stored as their SHA-256, with the fields that reproduce them.
LONGEST_IN_FULL = 48 << 10

# Name, plaintext's size, frame length (0: a single block), encryption context, ARN. That SDK seals a plaintext of whole frames
# differently from us, so no long plaintext here consists of whole frames.
OFFICIAL = [
    ("empty, no context", 0, 4096, {}, PRIMARY),
    ("one byte", 1, 4096, CONTEXT, PRIMARY),
    ("frame of 128 less one, Unicode context", 127, 128, ODD_CONTEXT, PRIMARY),
    ("frame of 128", 128, 128, CONTEXT, PRIMARY),
    ("frame of 128 and one", 129, 128, CONTEXT, PRIMARY),
    ("five frames of 128, no context", 600, 128, {}, PRIMARY),
    ("empty single block", 0, 0, CONTEXT, PRIMARY),
    ("single block", 300, 0, CONTEXT, PRIMARY),
    ("frame of 4096 less one", 4095, 4096, CONTEXT, PRIMARY),
    ("frame of 4096", 4096, 4096, CONTEXT, PRIMARY),
    ("frame of 4096 and one", 4097, 4096, CONTEXT, PRIMARY),
    ("frames of 1024", 10_000, 1024, ODD_CONTEXT, PRIMARY),
    ("other Region's key", 1000, 4096, CONTEXT, REPLICA),
    ("other Region's key, Unicode context, frames of 256", 1000, 256, ODD_CONTEXT, REPLICA),
    ("frames of 64 KiB", 200_000, 65_536, CONTEXT, PRIMARY),
    ("1 MiB in frames of 1152", MIB, 1152, CONTEXT, PRIMARY),
    ("4 MiB in frames of 7040", 4 * MIB, 7040, CONTEXT, REPLICA),
]

# Name, plaintext's size, item id and context. All use one data key and frames of 4096.
ITEMS = [
    ("empty", 0, "item-1", {}),
    ("one byte", 1, "item-1", {"owner": "ann"}),
    ("frame less one", 4095, "item-1", {}),
    ("frame", 4096, "item-1", {}),
    ("frame and one", 4097, "item-1", {}),
    ("two frames", 8192, "item-2", {"owner": "bob", "purpose": "recovery"}),
    ("empty item id", 16, "", {}),
    ("empty key and value", 16, "item-3", {"": ""}),
    ("item id beyond the basic plane", 16, "Kontö-\U0001f511", {}),
    ("item id composed", 16, "caf\u00e9", {}),
    ("item id decomposed", 16, "cafe\u0301", {}),
    ("item id with a null", 16, "a\0b", {}),
    ("Unicode context, sorted by bytes not by UTF-16", 16, "item-4", {"\U00010000": "1", "\ufffd": "2", "é": "ü"}),
    ("item id of 256 bytes", 16, "ä" * 128, {}),
    ("context of 32 pairs", 16, "item-5", {f"key-{index:02}": "v" * 64 for index in range(32)}),
    ("1 MiB", MIB, "item-6", {}),
    ("4 MiB", 4 * MIB, "item-7", {"owner": "ann"}),
]

# Name, plaintext's size, frame length, encryption context, ARN. Each has its own data key.
MESSAGES = [
    ("frames of 1", 50, 1, CONTEXT, PRIMARY),
    ("frames of 16, whole", 64, 16, CONTEXT, PRIMARY),
    ("frames of 1000", 2500, 1000, ODD_CONTEXT, REPLICA),
    ("longest frame length", 100, 2**31 - 1, {}, PRIMARY),
    ("context of 30,000 bytes", 10, 4096, {"k": "v" * 30_000}, PRIMARY),
    ("1 MiB in frames of 64 KiB, whole", MIB, 65_536, CONTEXT, REPLICA),
]

PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_KEY = PRIVATE_KEY.public_key()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def plaintext_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def encrypted_data_key(message: bytes) -> bytes:
    """The ciphertext of the only encrypted data key. It follows version, suite, message id, context and count, as the third of
    three fields."""
    at = 35 + 2 + int.from_bytes(message[35:37])
    assert message[at : at + 2] == b"\x00\x01"
    at += 2
    for _ in range(3):
        length = int.from_bytes(message[at : at + 2])
        field = message[at + 2 : at + 2 + length]
        at += 2 + length
    return field


def sealed_fields(message: bytes) -> dict:
    wrapped = encrypted_data_key(message)
    fields = {"kms_plaintext": text(PRIVATE_KEY.decrypt(wrapped, OAEP))}
    if len(message) <= LONGEST_IN_FULL:
        return fields | {"message": text(message)}
    digest = hashlib.sha256(message).hexdigest()
    return fields | {"message_id": text(message[3:35]), "encrypted_data_key": text(wrapped), "message_sha256": digest}


def official_message(size: int, frame_length: int, context: dict, arn: str) -> bytes:
    keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            public_key=PUBLIC_KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            kms_key_id=arn,
            encryption_algorithm="RSAES_OAEP_SHA_256",
        )
    )
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    message, _ = client.encrypt(
        source=plaintext_of(size),
        keyring=keyring,
        encryption_context=context,
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        frame_length=frame_length,
    )
    return message


def our_message(size: int, encryption_context: dict, arn: str, **arguments) -> bytes:
    """A message of this project, from the crate's example `message_tool`."""
    request = {"command": "seal", "key_arn": arn, "encryption_context": encryption_context}
    request["plaintext"] = text(plaintext_of(size))
    if "kms_plaintext" not in arguments:
        der = PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        arguments["public_key"] = text(der)
    run = ["cargo", "run", "--workspace", "--quiet", "--profile", "local", "--example", "message_tool"]
    ran = subprocess.run(run, cwd=REPOSITORY, input=json.dumps(request | arguments).encode(), stdout=subprocess.PIPE)
    return base64.b64decode(json.loads(ran.stdout)["message"])


def official_vector(size, frame_length, context, arn) -> dict:
    fields = sealed_fields(official_message(size, frame_length, context, arn))
    return {"key_arn": arn, "encryption_context": context, "frame_length": frame_length, "plaintext_size": size} | fields


def message_vector(size, frame_length, context, arn) -> dict:
    fields = sealed_fields(our_message(size, context, arn, frame_length=frame_length))
    return {"key_arn": arn, "encryption_context": context, "frame_length": frame_length, "plaintext_size": size} | fields


def item_maker():
    first = our_message(0, CONTEXT, PRIMARY, item_id="", context={})
    wrapped = encrypted_data_key(first)
    key = {"encrypted_data_key": text(wrapped), "kms_plaintext": text(PRIVATE_KEY.decrypt(wrapped, OAEP))}

    def make(size, item_id, context) -> dict:
        message = our_message(size, CONTEXT, PRIMARY, item_id=item_id, context=context, **key)
        item = {"item_id": item_id, "context": context}
        # The data key is the same each time, so the encrypted data key is too.
        shape = {"key_arn": PRIMARY, "encryption_context": CONTEXT, "frame_length": 4096, "plaintext_size": size}
        return {"item": item} | shape | sealed_fields(message)

    return make


def extend(path: Path, made_with: str, cases: list, make) -> None:
    vectors = json.loads(path.read_text())["vectors"] if path.exists() else []
    known = {vector["name"] for vector in vectors}
    vectors += [{"name": name} | make(*case) for name, *case in cases if name not in known]
    content = {"made_with": made_with, "vectors": vectors}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n")


def main(folder: Path) -> None:
    official = f"aws-encryption-sdk {aws_encryption_sdk.identifiers.__version__} for Python"
    extend(folder / "official.json", official, OFFICIAL, official_vector)
    extend(folder / "messages.json", "sealed-item", MESSAGES, message_vector)
    extend(folder / "items.json", "sealed-item", ITEMS, item_maker())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
