"""An item leaves nothing in the memory of the environment that sealed or opened it. All memory is read from outside."""

import os
import re
from pathlib import Path

import pytest

from local_aws.layout import REPOSITORY
from tests.contract import openapi
from tests.e2e.e2e_support import base64_of
from tests.e2e.environments import api_event, started

# No two pieces of it are alike.
SECRET = b"".join(b"%05d its plaintext " % n for n in range(1_200))
PIECE = 24  # bytes; a multiple of 3, so that a piece stays aligned in base64


def copies_of(secret: bytes, process: int) -> int:
    """Counts pieces of the secret in the process's writable memory (proc_pid_maps(5), proc_pid_mem(5)), plain or in base64."""
    pieces = [secret[at : at + PIECE] for at in range(0, len(secret) - PIECE, 4 * PIECE)]
    wanted = re.compile(b"|".join(re.escape(form) for piece in pieces for form in (piece, base64_of(piece).encode())))
    found = 0
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            addresses, permissions, *_ = line.split()
            if permissions.startswith("rw"):
                start, end = (int(address, 16) for address in addresses.split("-"))
                memory.seek(start)
                found += len(wanted.findall(memory.read(end - start)))
    return found


def request_of(function: str, workspace, vault_id: str, secret: bytes) -> dict:
    """A call that hands a function the secret, to seal or to open."""
    if function == "encrypt-item":
        return {"vault_id": vault_id, "items": [{"item_id": "i", "plaintext": base64_of(secret)}]}
    item = workspace.sealed(vault_id, "i", secret)
    return {"items": [item]} | ({"to_vault_id": workspace.new_vault()} if function == "reassign-item" else {})


@pytest.mark.parametrize("function", [it.function for it in openapi.operations().values() if it.touches_items])
def test_nothing_of_an_item_stays_in_memory(stack, workspace, function):
    event = api_event(workspace, "member", request_of(function, workspace, workspace.new_vault(), SECRET))
    with started(stack, function) as environment:
        answer, _ = environment.invoke(event)
        assert answer["statusCode"] == 200 and '"error"' not in answer["body"], answer["body"][:1000]
        environment.polls.get(timeout=60)  # now its work after the answer is done too
        assert copies_of(SECRET, environment.process.pid) == 0


def test_where_an_item_is_it_is_found():
    assert copies_of(SECRET, os.getpid()) > 0


def test_every_function_zeroes_what_it_frees():
    """Every function links and runs the crate that sets the allocator."""
    crate = (REPOSITORY / "shared" / "functions" / "src" / "lib.rs").read_text()
    assert "#[global_allocator]\nstatic GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;" in crate
    for main in (REPOSITORY / "functions").glob("*/src/main.rs"):
        assert "latchkey_functions::" in main.read_text(), main
