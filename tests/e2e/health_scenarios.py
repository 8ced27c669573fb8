"""What customers do to their key and role, and what the next sweep must find: the table of docs/health.md.

Each change is a context manager. Up to the `yield` it does what the customer does; after it, it undoes that. A permanent change has
nothing after the `yield`.
"""

import copy
import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

from local_aws.client import ROLE_POLICY, Customer, policy_of
from local_aws.layout import PRIMARY_REGION, REGIONS, REPLICA_REGION, SERVICE_ACCOUNT_ID

EAST, WEST = (PRIMARY_REGION,), (REPLICA_REGION,)
BOTH = REGIONS
NOWHERE = ()

REVERSIBLE = "reversible"
UNTIL_DELETED = "reversible until the date of the deletion"
PERMANENT = "permanent"

MINUTE, HOUR = "minute", "hour"


@dataclass(frozen=True)
class Scenario:
    """One line of the table."""

    name: str
    change: Callable[[Customer], object]
    state: str
    findings: frozenset[tuple[str, str | None]]
    # Part of the remedy of each check that finds something. {region} is the finding's Region.
    remedies: dict[str, str]
    reversible: str = REVERSIBLE
    # The Regions in which earlier items do not open meanwhile.
    locked_in: tuple[str, ...] = NOWHERE
    # Which check finds it: that of each minute or that of each hour.
    found_within: str = MINUTE
    # Whether the end of access is known: it is once both Regions refuse to open any data key.
    access_ends: bool = False

    @property
    def is_pending_deletion(self) -> bool:
        return self.reversible == UNTIL_DELETED

    @property
    def consequence(self) -> str:
        """In the words of the table."""
        if not self.locked_in:
            return f"{self.reversible}; items open"
        word = "lost" if self.reversible == PERMANENT else "locked"
        where = "" if self.locked_in == BOTH else f" in {self.locked_in[0]}"
        return f"{self.reversible}; items {word}{where}"


@contextmanager
def disabled(customer, regions):
    for region in regions:
        customer.kms(region).disable_key(KeyId=customer.kms_key_id)
    yield
    for region in regions:
        customer.kms(region).enable_key(KeyId=customer.kms_key_id)


@contextmanager
def deletion_scheduled(customer, regions):
    for region in regions:
        customer.kms(region).schedule_key_deletion(KeyId=customer.kms_key_id, PendingWindowInDays=7)
    yield
    for region in regions:
        customer.kms(region).cancel_key_deletion(KeyId=customer.kms_key_id)
        customer.kms(region).enable_key(KeyId=customer.kms_key_id)


@contextmanager
def replica_deleted(customer):
    delete_at_once(customer, WEST)
    yield
    replicate(customer)


@contextmanager
def deleted(customer):
    delete_at_once(customer, BOTH)
    yield


@contextmanager
def replaced_under_its_arn(customer):
    """KMS never reuses a key id. If it did, the sweep would have to find this. launch.py makes it possible here."""
    delete_at_once(customer, BOTH)
    tags = [{"TagKey": "_custom_id_", "TagValue": customer.kms_key_id}]
    customer.kms().create_key(KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT", MultiRegion=True, Tags=tags)
    replicate(customer)
    yield


@contextmanager
def role_given_another_key(customer):
    made = customer.kms().create_key(KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT", MultiRegion=True)
    key_id = made["KeyMetadata"]["KeyId"]
    customer.kms().replicate_key(KeyId=key_id, ReplicaRegion=REPLICA_REGION)

    def another_key(statement):
        statement["Resource"] = [arn.replace(customer.kms_key_id, key_id) for arn in statement["Resource"]]

    with role_policy_changed(customer, another_key):
        yield


@contextmanager
def role_deleted(customer):
    iam, name = customer.iam, customer.role_name
    trust, policy = customer.trust_policy, customer.role_policy
    iam.delete_role_policy(RoleName=name, PolicyName=ROLE_POLICY)
    iam.delete_role(RoleName=name)
    yield
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    customer.set_role_policy(policy)


@contextmanager
def trust_changed(customer, change):
    was = customer.trust_policy
    policy = copy.deepcopy(was)
    change(policy["Statement"][0])
    customer.set_trust_policy(policy)
    yield
    customer.set_trust_policy(was)


@contextmanager
def role_policy_changed(customer, change):
    was = customer.role_policy
    policy = copy.deepcopy(was)
    change(policy["Statement"][0])
    customer.set_role_policy(policy)
    yield
    customer.set_role_policy(was)


@contextmanager
def denied_by_key_policy(customer, action, regions):
    deny = {"Effect": "Deny", "Principal": {"AWS": customer.aws_role_arn}, "Action": action, "Resource": "*"}
    key = {"KeyId": customer.kms_key_id, "PolicyName": "default"}
    policies = {region: policy_of(customer.kms(region).get_key_policy(**key)["Policy"]) for region in regions}
    for region, was in policies.items():
        policy = was | {"Statement": [*was["Statement"], deny]}
        customer.kms(region).put_key_policy(**key, Policy=json.dumps(policy))
    yield
    for region, was in policies.items():
        customer.kms(region).put_key_policy(**key, Policy=json.dumps(was))


def delete_at_once(customer, regions):
    """Deletes the replica first, because a primary waits for it. On the emulator a waiting period of one day, which AWS refuses, is
    over at once (launch.py)."""
    for region in reversed(regions):
        customer.kms(region).schedule_key_deletion(KeyId=customer.kms_key_id, PendingWindowInDays=1)


def replicate(customer):
    customer.kms().replicate_key(KeyId=customer.kms_key_id, ReplicaRegion=REPLICA_REGION)


def no_external_id(statement):
    del statement["Condition"]


def whole_account(statement):
    statement["Principal"] = {"AWS": f"arn:aws:iam::{SERVICE_ACCOUNT_ID}:root"}


def in_regions(check: str, regions) -> frozenset:
    return frozenset((check, region) for region in regions)


def anywhere(*checks: str) -> frozenset:
    return frozenset((check, None) for check in checks)


def is_disabled(name, regions) -> Scenario:
    return Scenario(
        name=name,
        change=lambda customer: disabled(customer, regions),
        state="unusable",
        findings=in_regions("key_enabled", regions),
        remedies={"key_enabled": "aws kms enable-key --region {region}"},
        locked_in=regions,
        access_ends=regions == BOTH,
    )


def is_to_be_deleted(name, regions) -> Scenario:
    return Scenario(
        name=name,
        change=lambda customer: deletion_scheduled(customer, regions),
        state="unusable",
        findings=in_regions("key_not_pending_deletion", regions),
        remedies={"key_not_pending_deletion": "aws kms cancel-key-deletion --region {region}"},
        reversible=UNTIL_DELETED,
        locked_in=regions,
        access_ends=regions == BOTH,
    )


def lacks_action(name, action, check, **more) -> Scenario:
    def without(statement):
        statement["Action"].remove(action)

    return Scenario(
        name=name,
        change=lambda customer: role_policy_changed(customer, without),
        state="unusable",
        findings=in_regions(check, BOTH),
        remedies={check: f"so that it allows {action} on the key in both Regions"},
        **more,
    )


SCENARIOS = [
    is_disabled("key_disabled_east", EAST),
    is_disabled("key_disabled_west", WEST),
    is_disabled("key_disabled_both", BOTH),
    is_to_be_deleted("deletion_scheduled_east", EAST),
    is_to_be_deleted("deletion_scheduled_west", WEST),
    is_to_be_deleted("deletion_scheduled_both", BOTH),
    Scenario(
        name="replica_deleted",
        change=replica_deleted,
        state="unusable",
        findings=in_regions("key_found", WEST) | in_regions("key_topology", EAST),
        remedies={"key_found": "aws kms replicate-key --region us-east-2", "key_topology": "aws kms replicate-key"},
        locked_in=WEST,
    ),
    Scenario(
        name="key_deleted",
        change=deleted,
        state="unusable",
        findings=in_regions("key_found", BOTH),
        remedies={"key_found": "{region}"},
        reversible=PERMANENT,
        locked_in=BOTH,
        access_ends=True,
    ),
    Scenario(
        name="key_replaced_under_its_arn",
        change=replaced_under_its_arn,
        state="unusable",
        findings=anywhere("public_key_unchanged") | in_regions("decrypt_allowed", BOTH),
        remedies={
            "public_key_unchanged": "Restore the key that the vault was created with",
            "decrypt_allowed": "Restore the key that the vault was created with",
        },
        reversible=PERMANENT,
        locked_in=BOTH,
        access_ends=True,
    ),
    Scenario(
        name="role_given_another_key",
        change=role_given_another_key,
        state="unusable",
        findings=in_regions("key_found", BOTH)
        | in_regions("get_public_key_allowed", BOTH)
        | in_regions("encrypt_allowed", BOTH)
        | in_regions("decrypt_allowed", BOTH),
        remedies={
            "key_found": "so that it allows kms:DescribeKey on the key in both Regions",
            "get_public_key_allowed": "so that it allows kms:GetPublicKey on the key in both Regions",
            "encrypt_allowed": "so that it allows kms:Encrypt on the key in both Regions",
            "decrypt_allowed": "so that it allows kms:Decrypt on the key in both Regions",
        },
        locked_in=BOTH,
        access_ends=True,
    ),
    Scenario(
        name="role_deleted",
        change=role_deleted,
        state="unusable",
        findings=anywhere("role_assumable"),
        remedies={"role_assumable": "Make this the whole trust policy"},
        locked_in=BOTH,
        access_ends=True,
    ),
    Scenario(
        name="external_id_not_asked_for",
        change=lambda customer: trust_changed(customer, no_external_id),
        state="unusable",
        findings=anywhere("role_rejects_missing_external_id", "role_rejects_wrong_external_id"),
        remedies={
            "role_rejects_missing_external_id": '"sts:ExternalId"',
            "role_rejects_wrong_external_id": '"sts:ExternalId"',
        },
    ),
    Scenario(
        name="trust_on_the_whole_account",
        change=lambda customer: trust_changed(customer, whole_account),
        state="degraded",
        findings=anywhere("role_trusts_only_service_role"),
        remedies={"role_trusts_only_service_role": ":role/production-kms-byo-key-access-role"},
    ),
    lacks_action("encrypt_removed", "kms:Encrypt", "encrypt_allowed", found_within=HOUR),
    lacks_action("decrypt_removed", "kms:Decrypt", "decrypt_allowed", locked_in=BOTH, access_ends=True),
    lacks_action("get_public_key_removed", "kms:GetPublicKey", "get_public_key_allowed", found_within=HOUR),
    lacks_action("describe_key_removed", "kms:DescribeKey", "key_found"),
    Scenario(
        name="decrypt_denied_by_key_policy_east",
        change=lambda customer: denied_by_key_policy(customer, "kms:Decrypt", EAST),
        state="unusable",
        findings=in_regions("decrypt_allowed", EAST),
        remedies={"decrypt_allowed": "look for a Deny in the key policy"},
        locked_in=EAST,
    ),
    Scenario(
        name="decrypt_denied_by_key_policy_west",
        change=lambda customer: denied_by_key_policy(customer, "kms:Decrypt", WEST),
        state="unusable",
        findings=in_regions("decrypt_allowed", WEST),
        remedies={"decrypt_allowed": "look for a Deny in the key policy"},
        locked_in=WEST,
    ),
]
