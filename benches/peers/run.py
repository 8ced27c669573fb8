"""Seals and opens with sealed-item and with the AWS Encryption SDKs for Rust and Python, in one run: `make bench-peers`.

Prints a table: microseconds per call, and the ratio to sealed-item with the data key in hand. Nothing calls KMS: sealing needs only
the public key, and a local raw RSA key stands in where a private key is needed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsRsaKeyringInput,
    CreateRawRsaKeyringInput,
    PaddingScheme,
)
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

HERE = Path(__file__).resolve().parent
KEY_ARN = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef"
CONTEXT = {"latchkey:vault-id": "vlt_1", "latchkey:workspace-id": "wsp_1"}
SIZES = [64, 1 << 10, 64 << 10, 1 << 20]
SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
OURS = "sealed-item, data key in hand"


def measure(call) -> float:
    """Microseconds per call, from the fastest of several batches."""
    start = time.perf_counter()
    call()
    batch = max(1, int(0.02 / (time.perf_counter() - start)))
    best, end = float("inf"), time.perf_counter() + 1.5
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(batch):
            call()
        best = min(best, (time.perf_counter() - start) / batch)
    return best * 1e6


class RawRsa(RawMasterKeyProvider):
    """The raw RSA key as the caching materials manager takes it."""

    provider_id = "latchkey"

    def __init__(self, **options):
        super().__init__(**options)
        self.private_key = b""

    def _get_raw_key(self, key_id):
        return WrappingKey(WrappingAlgorithm.RSA_OAEP_SHA256_MGF1, self.private_key, EncryptionKeyType.PRIVATE)


def python(public_key: bytes, private_key: bytes) -> list[dict]:
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    kms_rsa = providers.create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(public_key=public_key, kms_key_id=KEY_ARN, encryption_algorithm="RSAES_OAEP_SHA_256")
    )
    raw_rsa = providers.create_raw_rsa_keyring(
        CreateRawRsaKeyringInput(
            key_namespace="latchkey",
            key_name="bench",
            padding_scheme=PaddingScheme.OAEP_SHA256_MGF1,
            public_key=public_key,
            private_key=private_key,
        )
    )
    master_key = RawRsa()
    master_key.private_key = private_key
    master_key.add_master_key("bench")
    caching = aws_encryption_sdk.CachingCryptoMaterialsManager(
        master_key_provider=master_key, cache=aws_encryption_sdk.LocalCryptoMaterialsCache(10), max_age=3600.0
    )
    results = []

    def report(peer, operation, size, call):
        results.append({"peer": peer, "operation": operation, "size": size, "microseconds": measure(call)})

    for size in SIZES:
        plaintext = b"\x17" * size
        common = {"encryption_context": CONTEXT, "algorithm": SUITE}

        def seal(**manager):
            return client.encrypt(source=plaintext, **common, **manager)[0]

        report("Python SDK, KMS RSA keyring", "seal", size, lambda: seal(keyring=kms_rsa))
        report("Python SDK, raw RSA keyring", "seal", size, lambda: seal(keyring=raw_rsa))
        report("Python SDK, caching manager", "seal", size, lambda: seal(materials_manager=caching))
        cached = seal(materials_manager=caching)
        report(
            "Python SDK, caching manager",
            "open",
            size,
            lambda: client.decrypt(source=cached, materials_manager=caching),
        )
    return results


def rust(folder: str) -> list[dict]:
    binary = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / "release" / "peers"
    ran = subprocess.run([str(binary), folder], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def table(results: list[dict], operation: str) -> None:
    found = {(r["peer"], r["size"]): r["microseconds"] for r in results if r["operation"] == operation}
    print(f"\n| {operation} | " + " | ".join(f"{size:,} B" for size in SIZES) + " |")
    print("| --- " * (len(SIZES) + 1) + "|")
    for peer in dict.fromkeys(peer for peer, _ in found):
        cells = [f"{found[peer, size]:,.1f} µs ({found[peer, size] / found[OURS, size]:.1f}x)" for size in SIZES]
        print(f"| {peer} | " + " | ".join(cells) + " |")


def main() -> None:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    public_pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public_der = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private_pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        for name, content in [("public.pem", public_pem), ("public.der", public_der), ("private.pem", private_pem)]:
            (Path(folder) / name).write_bytes(content)
        results = rust(folder) + python(public_pem, private_pem)
    table(results, "seal")
    table(results, "open")


if __name__ == "__main__":
    sys.exit(main())
