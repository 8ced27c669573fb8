"""One customer whose access is revoked while many clients in both Regions use it all the time, and what the clients saw."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from local_aws.client import Api, Customer, token_of
from local_aws.layout import REGIONS
from tests.e2e.e2e_support import base64_of

DECRYPT, ENCRYPT = "decrypt-item", "encrypt-item"
# How often each client succeeds before the revocation. By then many environments cache the data key.
WARM = 12
# In each Region.
CLIENTS = (DECRYPT, DECRYPT, ENCRYPT)


def disable_key(cell: "Cell") -> None:
    for region in REGIONS:
        cell.customer.kms(region).disable_key(KeyId=cell.customer.kms_key_id)


def remove_policy(cell: "Cell") -> None:
    (name,) = cell.customer.iam.list_role_policies(RoleName=cell.customer.role_name)["PolicyNames"]
    cell.customer.iam.delete_role_policy(RoleName=cell.customer.role_name, PolicyName=name)


def delete_role(cell: "Cell") -> None:
    remove_policy(cell)  # IAM does not delete a role that has a policy
    cell.customer.iam.delete_role(RoleName=cell.customer.role_name)


def disable_vault(cell: "Cell") -> None:
    answer = cell.call(REGIONS[0], f"/v1/vaults/{cell.vault_id}/disable", {}, cell.admin)
    assert answer.status == 200, answer.text


@dataclass(frozen=True)
class Way:
    """A way to revoke."""

    name: str
    revoke: Callable[["Cell"], None]
    # For how many seconds after the revocation a request may still succeed, for the vault's bound.
    allows: Callable[[int], int]
    # The problems that a request gets after that: of an item or of the whole call.
    refusals: frozenset[str]


REFUSED, GATED = "customer-key-refused", "vault-unusable"
WAYS = [
    Way("disable the key", disable_key, lambda bound: bound, frozenset({REFUSED, GATED})),
    Way("remove the policy", remove_policy, lambda bound: bound, frozenset({REFUSED, GATED})),
    Way("delete the role", delete_role, lambda bound: bound, frozenset({REFUSED, GATED})),
    Way("disable the vault", disable_vault, lambda bound: 0, frozenset({"wrong-vault-status"})),
]


@dataclass(frozen=True)
class Request:
    """One call of one client. `problem` is the type of the problem, or None if the call succeeded."""

    started_at: float
    region: str
    operation: str
    problem: str | None


@dataclass
class Cell:
    """A bound, a way to revoke, and a workspace with its own customer."""

    bound: int
    way: Way
    customer: Customer
    apis: dict[str, Api]
    issuer: str
    requests: list[Request] = field(default_factory=list)
    revoked_at: float = 0.0

    def prepare(self) -> None:
        """Makes a vault, and an item that both Regions can open. From then on data keys may be cached."""
        self.admin, self.member = (
            token_of(self.issuer, workspace_id=self.customer.workspace_id, role=role, sub=role) for role in ("admin", "member")
        )
        request = self.customer.vault_request("Under load", data_key_cache_seconds=self.bound)
        created = self.call(REGIONS[0], "/v1/vaults", request, self.admin)
        assert created.status == 201, created.text
        self.vault_id = created.json["vault_id"]
        self.sealing = {"vault_id": self.vault_id, "items": [{"item_id": "i", "plaintext": base64_of(b"secret")}]}
        sealed = self.call(REGIONS[0], "/v1/items/encrypt", self.sealing, self.member)
        assert sealed.status == 200, sealed.text
        self.opening = {"items": sealed.json["items"]}

    def call(self, region: str, path: str, body: dict, token: str):
        return self.apis[region].post(path, body, token=token)

    def live(self, begin: threading.Barrier, seconds: float) -> None:
        """Applies load until each client of every cell is warm, then revokes access, then applies load for `seconds` more."""
        done = threading.Event()
        roles = [(region, operation) for region in REGIONS for operation in CLIENTS]
        warm = [threading.Event() for _ in roles]
        clients = [
            threading.Thread(target=self.use, args=(*role, its_warm, done)) for role, its_warm in zip(roles, warm, strict=True)
        ]
        for client in clients:
            client.start()
        try:
            for its_warm in warm:
                assert its_warm.wait(120), "a client that does not get its answers"
            begin.wait(180)
            self.way.revoke(self)
            self.revoked_at = time.monotonic()
            done.wait(seconds)
        except BaseException:
            begin.abort()
            raise
        finally:
            done.set()
            for client in clients:
                client.join()

    def use(self, region: str, operation: str, warm: threading.Event, done: threading.Event) -> None:
        """One client, which makes one call after the other."""
        successes = 0
        while not done.is_set():
            started_at = time.monotonic()
            if operation == ENCRYPT:
                answer = self.call(region, "/v1/items/encrypt", self.sealing, self.member)
                problem = answer.json if answer.status != 200 else None
            else:
                answer = self.call(region, "/v1/items/decrypt", self.opening, self.member)
                problem = answer.json["items"][0].get("error") if answer.status == 200 else answer.json
            kind = problem and problem.get("type", str(answer.status)).removeprefix("urn:latchkey:problem:")
            self.requests.append(Request(started_at, region, operation, kind))
            successes += kind is None
            if successes >= WARM:
                warm.set()

    def last_success(self, **of) -> float | None:
        """How long after the revocation the last successful request began. None if none succeeded."""
        successes = [it.started_at - self.revoked_at for it in self.after() if it.problem is None and is_of(it, of)]
        return max(successes, default=None)

    def after(self) -> list[Request]:
        """The requests that began after the revocation was answered."""
        return [it for it in self.requests if it.started_at > self.revoked_at]

    def kinds(self, **of) -> Counter:
        """How often each problem occurred in requests that began after access had to end."""
        ended_at = self.revoked_at + self.way.allows(self.bound)
        return Counter(it.problem for it in self.requests if it.started_at > ended_at and is_of(it, of))


def is_of(request: Request, wanted: dict[str, str]) -> bool:
    return all(getattr(request, name) == value for name, value in wanted.items())
