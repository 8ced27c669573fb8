"""Sealed items and the official AWS Encryption SDK for Python, both ways, over a live KMS.

This proves what the customer can do without us. The official SDK opens what this project sealed, in either Region, with the AWS KMS
RSA keyring and only the customer's own access to the key. And this project opens what the SDK sealed.

Needs the fixtures `customer_kms` (a boto3 KMS client per Region that may use the customer's key) and `stack` (its `customer` has
`primary_key_arn` and `replica_key_arn`).
"""

import base64
import random
from pathlib import Path

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsRsaKeyringInput
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

REPOSITORY = Path(__file__).resolve().parents[2]
ENCRYPTION_ALGORITHM = "RSAES_OAEP_SHA_256"
ALGORITHM_SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
REGIONS = ["primary", "replica"]

SEED = 478

# Plaintext sizes at which frames change shape, with the frame length. A seeded generator adds more cases below.
SHAPES = [(0, 4096), (1, 4096), (4095, 4096), (4096, 4096), (4097, 4096), (64, 16), (65, 16), (100_000, 1024)]
# The SDK only seals in frames of a multiple of 128 bytes. 0 means a single block (content type 1).
OFFICIAL_SHAPES = [(0, 4096), (1, 4096), (127, 128), (128, 128), (129, 128), (100_000, 1024), (0, 0), (5_000, 0)]

GENERATOR = random.Random(SEED)
SHAPES += [(GENERATOR.randrange(20_000), GENERATOR.randrange(1, 5_000)) for _ in range(6)]
OFFICIAL_SHAPES += [(GENERATOR.randrange(20_000), 128 * GENERATOR.randrange(1, 40)) for _ in range(6)]

CONTEXTS = [
    {},
    {"latchkey:vault-id": "vlt_1", "latchkey:workspace-id": "wsp_1", "latchkey:format-version": "1"},
    {"b": "2", "a": "1", "aa": "", "é": "ü", "\U00010000": "astral", "\ufffd": "last of the basic plane"},
]


class CustomerKey:
    """The customer's key in one Region."""

    def __init__(self, arn: str, customer_kms):
        self.arn = arn
        self.kms = customer_kms(arn.split(":")[3])
        self.public_key = self.kms.get_public_key(KeyId=arn)["PublicKey"]

    def keyring(self):
        pem = load_der_public_key(self.public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_rsa_keyring(
            CreateAwsKmsRsaKeyringInput(
                public_key=pem,
                kms_key_id=self.arn,
                encryption_algorithm=ENCRYPTION_ALGORITHM,
                kms_client=self.kms,
            )
        )

    def decrypt(self, ciphertext: bytes) -> bytes:
        return self.kms.decrypt(KeyId=self.arn, CiphertextBlob=ciphertext, EncryptionAlgorithm=ENCRYPTION_ALGORITHM)["Plaintext"]


@pytest.fixture
def customer_keys(customer_kms, stack):
    return {region: CustomerKey(stack["customer"][f"{region}_key_arn"], customer_kms) for region in REGIONS}


@pytest.fixture(scope="session")
def official_sdk():
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


def plaintext_of(size: int) -> bytes:
    return random.Random(SEED + size).randbytes(size)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def seal(message_tool, key: CustomerKey, plaintext: bytes, **arguments) -> bytes:
    """Seals with this project, which makes and wraps a new data key."""
    answer = message_tool("seal", key_arn=key.arn, public_key=text(key.public_key), plaintext=text(plaintext), **arguments)
    return base64.b64decode(answer["message"])


def open_with_us(message_tool, key: CustomerKey, message: bytes) -> bytes:
    """Opens with this project; KMS unwraps the data key."""
    inspected = message_tool("inspect", message=text(message))
    assert inspected["key_provider_id"] == "aws-kms-rsa"
    payload = key.decrypt(base64.b64decode(inspected["encrypted_data_key"]))
    return base64.b64decode(message_tool("open", message=text(message), kms_plaintext=text(payload))["plaintext"])


def test_the_official_sdk_opens_our_messages_in_both_regions(message_tool, customer_keys, official_sdk):
    for index, (size, frame_length) in enumerate(SHAPES):
        plaintext = plaintext_of(size)
        context = CONTEXTS[index % len(CONTEXTS)]
        for sealing_region in REGIONS:
            message = seal(
                message_tool,
                customer_keys[sealing_region],
                plaintext,
                encryption_context=context,
                frame_length=frame_length,
            )
            for opening_region in REGIONS:
                opened, header = official_sdk.decrypt(source=message, keyring=customer_keys[opening_region].keyring())
                assert opened == plaintext, (size, frame_length, sealing_region, opening_region)
                assert header.algorithm == ALGORITHM_SUITE
                assert header.encryption_context == context
                assert header.frame_length == frame_length


def test_the_official_sdk_opens_our_items_in_both_regions(message_tool, customer_keys, official_sdk):
    context = CONTEXTS[1]
    for size in [0, 1, 1000, 4096, 50_000]:
        plaintext = plaintext_of(size)
        item = {"item_id": "item-1", "context": {"owner": "ann"}}
        sealed = seal(message_tool, customer_keys["primary"], plaintext, encryption_context=context, **item)
        for region in REGIONS:
            opened, header = official_sdk.decrypt(
                source=sealed, keyring=customer_keys[region].keyring(), encryption_context=context
            )
            assert opened == plaintext, (size, region)
            assert header.encryption_context == context


@pytest.mark.parametrize("sealing_region", REGIONS)
def test_we_open_what_the_official_sdk_sealed(message_tool, customer_keys, official_sdk, sealing_region):
    sealing_key = customer_keys[sealing_region]
    for index, (size, frame_length) in enumerate(OFFICIAL_SHAPES):
        plaintext = plaintext_of(size)
        context = CONTEXTS[index % len(CONTEXTS)]
        message, _ = official_sdk.encrypt(
            source=plaintext,
            keyring=sealing_key.keyring(),
            encryption_context=context,
            algorithm=ALGORITHM_SUITE,
            frame_length=frame_length,
        )
        inspected = message_tool("inspect", message=text(message))
        assert inspected["key_arn"] == sealing_key.arn
        assert inspected["encryption_context"] == context
        assert inspected["frame_length"] == (frame_length or None)
        for region in REGIONS:
            opened = open_with_us(message_tool, customer_keys[region], message)
            assert opened == plaintext, (size, frame_length, region)


def test_neither_opens_an_altered_message(message_tool, customer_keys, official_sdk):
    key = customer_keys["primary"]
    message = bytearray(seal(message_tool, key, b"plaintext", encryption_context=CONTEXTS[1], frame_length=16))
    payload = key.decrypt(base64.b64decode(message_tool("inspect", message=text(message))["encrypted_data_key"]))
    assert message_tool("open", message=text(message), kms_plaintext=text(payload))["plaintext"]

    message[-1] ^= 1
    answer = message_tool("open", message=text(message), kms_plaintext=text(payload))
    assert answer == {"error": "the message does not open with this data key"}
    with pytest.raises(InvalidTag):
        official_sdk.decrypt(source=bytes(message), keyring=key.keyring())


def test_neither_opens_a_data_key_of_another_encryption_context(message_tool, customer_keys, official_sdk):
    key = customer_keys["primary"]
    message = seal(message_tool, key, b"plaintext", encryption_context={"vault": "one"}, frame_length=16)
    payload = key.decrypt(base64.b64decode(message_tool("inspect", message=text(message))["encrypted_data_key"]))
    moved = message.replace(b"one", b"two", 1)
    assert message_tool("open", message=text(moved), kms_plaintext=text(payload)) == {
        "error": "the data key was wrapped for another encryption context"
    }
    with pytest.raises(AWSEncryptionSDKClientError, match="able to decrypt the Data Key"):
        official_sdk.decrypt(source=moved, keyring=key.keyring())


def random_text(generator: random.Random, longest: int) -> str:
    """Random text of characters with one to four bytes in UTF-8."""
    limits = [0x80, 0x800, 0xD800, 0x110000]
    characters = (generator.randrange(1, generator.choice(limits)) for _ in range(generator.randrange(longest)))
    return "".join(chr(character) for character in characters if not 0xD800 <= character < 0xE000)


def random_context(generator: random.Random) -> dict[str, str]:
    pairs = ((random_text(generator, 20) or "key", random_text(generator, 200)) for _ in range(generator.randrange(8)))
    return dict(pairs)


@pytest.fixture
def generator() -> random.Random:
    """A generator with a new seed each time. A failure prints the seed."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    return random.Random(seed)


def test_the_official_sdk_opens_our_random_messages(message_tool, customer_keys, official_sdk, generator):
    for _ in range(25):
        plaintext = generator.randbytes(generator.randrange(generator.choice([100, 5_000, 100_000])))
        context = random_context(generator)
        # Shorter frames would take the SDK seconds for a long plaintext, because it reads frame by frame.
        frame_length = generator.randrange(1 + len(plaintext) // 500, 1 + max(1, len(plaintext)) * 2)
        sealing, opening = generator.choices(REGIONS, k=2)
        message = seal(message_tool, customer_keys[sealing], plaintext, encryption_context=context, frame_length=frame_length)
        opened, header = official_sdk.decrypt(source=message, keyring=customer_keys[opening].keyring())
        assert opened == plaintext
        assert (header.encryption_context, header.frame_length) == (context, frame_length)


def test_we_open_the_official_sdks_random_messages(message_tool, customer_keys, official_sdk, generator):
    for _ in range(25):
        plaintext = generator.randbytes(generator.randrange(generator.choice([100, 5_000, 100_000])))
        context = random_context(generator)
        frame_length = 128 * generator.randrange(0, 100)
        sealing, opening = generator.choices(REGIONS, k=2)
        message, _ = official_sdk.encrypt(
            source=plaintext,
            keyring=customer_keys[sealing].keyring(),
            encryption_context=context,
            algorithm=ALGORITHM_SUITE,
            frame_length=frame_length,
        )
        inspected = message_tool("inspect", message=text(message))
        assert (inspected["encryption_context"], inspected["frame_length"]) == (context, frame_length or None)
        assert open_with_us(message_tool, customer_keys[opening], message) == plaintext


def test_the_official_sdk_opens_many_items_of_one_data_key(message_tool, customer_keys, official_sdk, generator):
    key, context = customer_keys["primary"], CONTEXTS[1]
    first = seal(message_tool, key, b"", encryption_context=context, item_id="", context={})
    wrapped = message_tool("inspect", message=text(first))["encrypted_data_key"]
    data_key = {"encrypted_data_key": wrapped, "kms_plaintext": text(key.decrypt(base64.b64decode(wrapped)))}
    message_ids = set()
    for _ in range(20):
        plaintext = generator.randbytes(generator.randrange(3_000))
        item = {"item_id": random_text(generator, 60), "context": random_context(generator)}
        request = {"key_arn": key.arn, "plaintext": text(plaintext), "encryption_context": context} | item | data_key
        sealed = base64.b64decode(message_tool("seal", **request)["message"])
        assert message_tool("inspect", message=text(sealed))["encrypted_data_key"] == wrapped
        message_ids.add(sealed[3:35])
        opened, _ = official_sdk.decrypt(source=sealed, keyring=customer_keys["replica"].keyring())
        assert opened == plaintext
    assert len(message_ids) == 20


def test_the_encryption_sdk_for_rust_is_linked_into_nothing():
    """It has 258 crates and 25 MB and serves only a benchmark, so only that workspace's lock file has it."""
    locked = 'name = "aws-esdk"\n'
    assert locked in (REPOSITORY / "benches" / "peers" / "Cargo.lock").read_text()
    assert locked not in (REPOSITORY / "Cargo.lock").read_text()
    assert locked not in (REPOSITORY / "fuzz" / "Cargo.lock").read_text()
