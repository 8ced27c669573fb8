"""Makes the frozen vectors of the KMS RSA keyring: messages that the official SDK sealed, each with what `kms:Decrypt`
answers for its encrypted data key. No official vectors of that keyring exist.

    python tests/interop/freeze_vectors.py > shared/sealed-item/tests/sealed_item/official_kms_rsa_vectors.json

Made once and kept: run it again only to add cases. Needs no KMS: sealing takes the public key alone, and the private key,
which is made here and thrown away, stands in for KMS.
"""

import base64
import json
import sys

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsRsaKeyringInput
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ARN = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef"
CONTEXT = {"latchkey:vault-id": "vlt_1", "latchkey:workspace-id": "wsp_1"}
ODD_CONTEXT = {"b": "2", "a": "1", "aa": "", "é": "ü", "\U00010000": "astral", "\ufffd": "last of the basic plane"}

# Plaintext's size, frame length (0: a single block), encryption context.
CASES = [
    (0, 4096, {}),
    (1, 4096, CONTEXT),
    (127, 128, ODD_CONTEXT),
    (128, 128, CONTEXT),
    (129, 128, CONTEXT),
    (600, 128, {}),
    (0, 0, CONTEXT),
    (300, 0, CONTEXT),
]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def encrypted_data_key(message: bytes) -> bytes:
    """The ciphertext of the only one: behind version, suite, message id, context and count; third of three fields."""
    at = 35 + 2 + int.from_bytes(message[35:37])
    assert message[at : at + 2] == b"\x00\x01"
    at += 2
    for _ in range(3):
        length = int.from_bytes(message[at : at + 2])
        field = message[at + 2 : at + 2 + length]
        at += 2 + length
    return field


def main() -> None:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    keyring = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            public_key=private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            kms_key_id=KEY_ARN,
            encryption_algorithm="RSAES_OAEP_SHA_256",
        )
    )
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )
    oaep = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)
    vectors = []
    for size, frame_length, context in CASES:
        plaintext = bytes(index % 251 for index in range(size))
        message, _ = client.encrypt(
            source=plaintext,
            keyring=keyring,
            encryption_context=context,
            algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
            frame_length=frame_length,
        )
        vectors.append(
            {
                "plaintext": text(plaintext),
                "frame_length": frame_length,
                "encryption_context": context,
                "kms_plaintext": text(private_key.decrypt(encrypted_data_key(message), oaep)),
                "message": text(message),
            }
        )
    made_with = f"aws-encryption-sdk {aws_encryption_sdk.identifiers.__version__} for Python"
    json.dump({"made_with": made_with, "key_arn": KEY_ARN, "vectors": vectors}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
