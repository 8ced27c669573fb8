"""A constant load on the API of the running stack, from many clients in both Regions.

    make load, or on a running stack: .venv/bin/python -m benches.load_api [--seconds 60] [--clients 16]

The load goes through the gateway, its authorizer and the deployed functions. At the end every sealed item is opened in the other
Region and compared. The exit status is 0 if all of them are there and nothing else failed.
"""

import argparse
import hashlib
import hmac
import json
import random
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from local_aws.client import Api, Customer, token_of
from local_aws.layout import REGIONS, STACK_FILE
from local_aws.provision import provision_customer
from local_aws.schedule import Schedule

WORKSPACES = 4
VAULTS = 2  # per workspace
LARGEST_BATCH = 20
LARGEST_ITEM = 16 * 1024
SHARE_OF_SEALS = 0.3
FLOOR_SHARE = 0.1  # of the time, for each of the two calls that measure a floor
PROGRESS_SECONDS = 5


@dataclass(frozen=True)
class Vault:
    workspace_id: str
    vault_id: str
    token: str


@dataclass(frozen=True)
class Sealed:
    """A sealed item and where it was sealed."""

    item_id: str
    sealed_item: str
    region: str


@dataclass
class Found:
    """What the answers showed."""

    took: dict = field(default_factory=lambda: defaultdict(list))  # seconds, by operation
    items: Counter = field(default_factory=Counter)
    faults: Counter = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, took: float, items: int = 0) -> None:
        with self.lock:
            self.took[operation].append(took)
            self.items[operation] += items

    def fault(self, what: str, count: int = 1) -> None:
        with self.lock:
            self.faults[what] += count


class Load:
    """The vaults, what was sealed in each, and the results."""

    def __init__(self, stack: dict, workspaces: int, seed: int = 1):
        self.apis = {region: Api(stack["apis"][region]) for region in REGIONS}
        self.key = seed.to_bytes(8, "big")
        self.run_id = uuid.uuid4().hex[:8]
        self.sealed: dict[Vault, list[Sealed]] = {}
        self.found = Found()
        for workspace in range(workspaces):
            workspace_id = f"ws-load-{self.run_id}-{workspace}"
            account_id = f"5{uuid.uuid4().int % 10**11:011}"
            made = provision_customer(stack["aws_endpoint"], account_id, workspace_id, stack["service_account_id"])
            customer = Customer(stack["aws_endpoint"], **made)
            token = token_of(stack["issuer"], workspace_id=workspace_id, role="owner", sub="load")
            for vault in range(VAULTS):
                created = self.apis[REGIONS[0]].post("/v1/vaults", customer.vault_request(f"Load {vault}"), token=token)
                assert created.status == 201, created.text
                self.sealed[Vault(workspace_id, created.json["vault_id"], token)] = []
        self.vaults = list(self.sealed)

    def plaintext(self, vault: Vault, item_id: str) -> str:
        """The plaintext of an item. It derives from the item's id and a key, so only the sealed bytes are kept."""
        digest = hmac.digest(self.key, f"{vault.workspace_id}\n{item_id}".encode(), hashlib.sha256)
        drawn = random.Random(digest)
        return b64encode(drawn.randbytes(int(16 * (LARGEST_ITEM / 16) ** drawn.random()))).decode()

    def seal(self, drawn: random.Random) -> None:
        vault, region = drawn.choice(self.vaults), drawn.choice(REGIONS)
        ids = [f"{uuid.UUID(int=drawn.getrandbits(128))}" for _ in range(drawn.randint(1, LARGEST_BATCH))]
        items = [{"item_id": item_id, "plaintext": self.plaintext(vault, item_id)} for item_id in ids]
        answer = self.call("encrypt-item", region, vault, {"vault_id": vault.vault_id, "items": items})
        if answer is None:
            return None
        if [item["item_id"] for item in answer["items"]] != ids:
            return self.found.fault("a batch is answered with other items")
        with self.found.lock:
            self.sealed[vault] += [Sealed(it["item_id"], it["sealed_item"], region) for it in answer["items"]]

    def open_some(self, drawn: random.Random) -> None:
        vault = drawn.choice(self.vaults)
        with self.found.lock:
            kept = list(self.sealed[vault])
        if not kept:
            return self.seal(drawn)
        region = drawn.choice(REGIONS)
        self.open(vault, region, drawn.sample(kept, min(len(kept), drawn.randint(1, LARGEST_BATCH))))

    def open(self, vault: Vault, region: str, batch: list[Sealed]) -> int:
        """Opens a batch. Returns how many items open to the bytes that were sealed."""
        items = [{"item_id": it.item_id, "sealed_item": it.sealed_item} for it in batch]
        answer = self.call("decrypt-item", region, vault, {"items": items})
        if answer is None:
            return 0
        right = 0
        for sealed, opened in zip(batch, answer["items"], strict=True):
            if "error" in opened:
                self.found.fault(f"an item does not open: {opened['error']['type']}")
            elif (opened["item_id"], opened["plaintext"]) != (sealed.item_id, self.plaintext(vault, sealed.item_id)):
                self.found.fault("an item opens as another")
            else:
                right += 1
        return right

    def call(self, operation: str, region: str, vault: Vault, body: dict):
        started_at = time.monotonic()
        answer = self.apis[region].post(f"/v1/items/{operation.removesuffix('-item')}", body, token=vault.token)
        self.found.note(operation, time.monotonic() - started_at, len(body["items"]))
        if answer.status != 200:
            kind = (answer.json or {}).get("type", "no problem details")
            self.found.fault(f"{operation} answers {answer.status} {kind}")
            return None
        return answer.json

    def at_the_gateway(self, drawn: random.Random) -> None:
        """A call that the authorizer rejects, so no function runs."""
        self.refused("the gateway alone (401)", 401, drawn, "none")

    def at_the_function(self, drawn: random.Random) -> None:
        """A call that the function rejects before it calls anything."""
        self.refused("and a function (400)", 400, drawn, self.vaults[0].token)

    def refused(self, operation: str, status: int, drawn: random.Random, token: str) -> None:
        started_at = time.monotonic()
        answer = self.apis[drawn.choice(REGIONS)].post("/v1/items/decrypt", {"items": []}, token=token)
        self.found.note(operation, time.monotonic() - started_at)
        if answer.status != status:
            self.found.fault(f"{operation} answers {answer.status}")

    def constant(self, what, seconds: float, clients: int, seed: int) -> float:
        """Runs this many clients, each with one call at a time. Returns the seconds that it took."""
        started_at = time.monotonic()

        def client(number: int) -> None:
            drawn = random.Random(seed * 1000 + number)
            while time.monotonic() < started_at + seconds:
                what(drawn)

        with ThreadPoolExecutor(clients) as pool:
            running = [pool.submit(client, number) for number in range(clients)]
            while any(not it.done() for it in running):
                time.sleep(min(PROGRESS_SECONDS, seconds / 2))
                calls = sum(map(len, self.found.took.values()))
                print(f"{time.monotonic() - started_at:4.0f} s  {calls:7} requests  {self.found.faults.total()} faults", flush=True)
            for it in running:
                it.result()
        return time.monotonic() - started_at

    def items_of_life(self, drawn: random.Random) -> None:
        self.seal(drawn) if drawn.random() < SHARE_OF_SEALS else self.open_some(drawn)

    def open_all(self, clients: int) -> tuple[int, int]:
        """Opens every item in the Region that it was not sealed in. Returns how many items there are and how many open."""
        batches = []
        for vault, kept in self.sealed.items():
            for region in REGIONS:
                elsewhere = [it for it in kept if it.region != region]
                batches += [(vault, region, elsewhere[at : at + 100]) for at in range(0, len(elsewhere), 100)]
        with ThreadPoolExecutor(clients) as pool:
            opened = sum(pool.map(lambda batch: self.open(*batch), batches))
        return sum(map(len, self.sealed.values())), opened


def run(stack: dict, seconds: float, clients: int, workspaces: int = WORKSPACES) -> bool:
    """Runs the load and prints its table. Returns whether everything held."""
    load = Load(stack, workspaces)
    print(f"{len(load.vaults)} vaults of {workspaces} workspaces; {clients} clients", flush=True)
    try:
        floors = [load.constant(what, seconds * FLOOR_SHARE, clients, 1) for what in (load.at_the_gateway, load.at_the_function)]
        took = load.constant(load.items_of_life, seconds * (1 - 2 * FLOOR_SHARE), clients, 2)
        found, load.found = load.found, Found(faults=load.found.faults)
        sealed, opened = load.open_all(clients)
    finally:
        for workspace_id in {vault.workspace_id for vault in load.vaults}:
            Schedule.of(stack).forget(workspace_id)
    print("\n| call | requests/s | items/s | p50 | p99 | max |\n| --- | --- | --- | --- | --- | --- |")
    for place, (operation, calls) in enumerate(found.took.items()):
        calls.sort()
        p50, p99 = (calls[int((len(calls) - 1) * share)] * 1000 for share in (0.5, 0.99))
        for_seconds = floors[place] if place < len(floors) else took
        print(
            f"| {operation} | {len(calls) / for_seconds:.0f} | {found.items[operation] / for_seconds:.0f} "
            f"| {p50:.0f} ms | {p99:.0f} ms | {calls[-1] * 1000:.0f} ms |"
        )
    print(f"\n{sealed} items sealed; {opened} of them opened in the other Region with the same bytes.")
    print(f"Faults: {json.dumps(load.found.faults) if load.found.faults else 'none'}.")
    holds = bool(sealed) and opened == sealed and not load.found.faults
    print("✓ all held" if holds else "✗ not all held")
    return holds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    arguments = parser.parse_args()
    if not STACK_FILE.exists():
        sys.exit("nothing is up: run `make up` first")
    sys.exit(0 if run(json.loads(STACK_FILE.read_text()), arguments.seconds, arguments.clients) else 1)
