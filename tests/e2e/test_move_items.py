"""move-items over the deployed API: a change of key, while the tool is killed several times."""

import gzip
import json
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_aws.layout import REGIONS
from tests.e2e.e2e_support import base64_of

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def program(built) -> str:
    """The path of the built tool."""
    return built("--bin", "move-items")


@dataclass
class Move:
    """A workspace with an old vault and, under another account's key, a new one. The tool moves items between them."""

    program: str
    workspace: object
    old: str
    new: str
    folder: Path
    region: str = "us-east-2"

    @property
    def output(self) -> Path:
        return self.folder / "moved.jsonl"

    @property
    def failures(self) -> list[dict]:
        return [json.loads(line) for line in Path(f"{self.output}.failures").read_text().splitlines()]

    @property
    def journal(self) -> dict:
        path = Path(f"{self.output}.journal")
        return json.loads(path.read_text()) if path.exists() else {"lines": 0, "output_bytes": 0, "read_back": {"lines": 0}}

    @property
    def token(self) -> str:
        return self.workspace.token_of("member")

    def start(
        self, *options: str, to: str | None = None, token: str | None = None, substitute: str | None = None, **more
    ) -> subprocess.Popen:
        """Starts the tool. The shell passes it the output of the command `substitute` as its input."""
        arguments = [self.program, "--to-vault-id", to or self.new, "--output", str(self.output), *options]
        if substitute:
            arguments = ["bash", "-c", f'exec "$@" --input <({substitute})', "bash", *arguments]
        elif "--input" not in options:
            arguments += ["--input", str(self.folder / "items.jsonl")]
        environment = {
            "PATH": os.environ["PATH"],
            "LATCHKEY_API_URL": self.workspace.api(self.region).url,
            "LATCHKEY_TOKEN": token or self.token,
        }
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | more
        return subprocess.Popen(arguments, env=environment, **streams)

    def run(self, *options: str, **more) -> subprocess.CompletedProcess:
        process = self.start(*options, **more)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def write(self, items: list[dict]) -> None:
        (self.folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))

    def moved(self) -> list[dict]:
        text = self.output.read_text()
        assert text == "" or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def move(program, new_workspace, new_customer, tmp_path) -> Move:
    workspace = new_workspace()
    old = workspace.new_vault()
    other = new_customer(external_id=workspace.customer.workspace_id)
    made = workspace.call("/v1/vaults", other.vault_request("New"))
    assert made.status == 201, made.text
    return Move(program, workspace, old, made.json["vault_id"], tmp_path)


def plaintext_of(number: int) -> bytes:
    return f"canary-51c0de-{number}-".encode() * (1 + number % 7)


def sealed(move: Move, count: int) -> list[dict]:
    """Items of the old vault. Each also has a field that is not ours."""
    items = [{"item_id": f"item-{n}", "plaintext": base64_of(plaintext_of(n)), "context": {"n": str(n)}} for n in range(count)]
    answers = []
    for start in range(0, count, 100):
        answer = move.workspace.encrypt(move.old, items[start : start + 100])
        assert answer.status == 200, answer.text
        answers += answer.json["items"]
    return [
        {"row": item["item_id"][5:], "item_id": item["item_id"], "sealed_item": answer["sealed_item"], "context": item["context"]}
        for item, answer in zip(items, answers, strict=True)
    ]


def hold_what_they_held(move: Move, items: list[dict], region: str) -> None:
    for start in range(0, len(items), 100):
        part = [{name: item[name] for name in ("item_id", "sealed_item", "context")} for item in items[start : start + 100]]
        opened = move.workspace.decrypt(part, region).json["items"]
        for n, item in enumerate(opened, start):
            assert item.get("plaintext") == base64_of(plaintext_of(int(part[n - start]["context"]["n"]))), item


def test_a_move_that_is_killed_again_and_again(move):
    count = 1500
    items = sealed(move, count)
    move.write(items)
    assert move.workspace.disable(move.old, "decrypt_only").status == 200
    kills, counted = 0, b""
    while True:
        before = move.journal
        process = move.start("--parallel", "2", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # The first kill comes soon after the start. Each later one comes after some progress.
        while kills < 6 and process.poll() is None:
            now = move.journal
            if kills == 0 or (now["lines"], now["read_back"]["lines"]) != (before["lines"], before["read_back"]["lines"]):
                until = time.monotonic() + random.uniform(0, 0.02)
                while time.monotonic() < until:
                    pass
                process.kill()  # SIGKILL, only to this process
                break
        ended = process.wait(timeout=300)
        after = move.output.read_bytes()[: move.journal["output_bytes"]] if move.output.exists() else b""
        assert after.startswith(counted), "what counted stays, byte for byte"
        counted = after
        if ended != -signal.SIGKILL:
            break
        kills += 1
    assert kills >= 3, "it was killed often enough to tell"
    assert ended == 0

    moved = move.moved()
    assert [it["item_id"] for it in moved] == [it["item_id"] for it in items], "each once, in its order"
    for old, new in zip(items, moved, strict=True):
        assert old["sealed_item"] != new["sealed_item"]
        assert {**old, "sealed_item": ""} == {**new, "sealed_item": ""}
    again = move.run("--compare")
    assert again.returncode == 0, again.stderr
    read_back = f"{count} of {count} read back: each opens in {move.new} under its item id and context"
    assert f"{read_back}, and holds what it held before" in again.stdout
    assert "\nSAFE TO RETIRE" in again.stdout and f"out of {move.old}: {count}" in again.stdout
    assert move.failures == []

    # The old vault and its key are disabled, because nothing needs them.
    assert move.workspace.disable(move.old).status == 200
    for region in REGIONS:
        move.workspace.customer.kms(region).disable_key(KeyId=move.workspace.customer.kms_key_id)
    for region in REGIONS:
        hold_what_they_held(move, moved, region)


def test_what_does_not_move_keeps_the_key_and_moves_later(move):
    items = sealed(move, 5)
    broken = [dict(item) for item in items]
    broken[1]["context"] = {"n": "another"}
    broken[3]["item_id"] = "another"
    move.write(broken)
    ended = move.run()
    assert ended.returncode == 1, ended.stderr
    assert "NOT SAFE TO RETIRE" in ended.stdout and "3 of 5 items are in" in ended.stdout
    assert [(it["line"], it["item_id"], it["type"]) for it in move.failures] == [
        (2, "item-1", "urn:latchkey:problem:item-does-not-open"),
        (4, "another", "urn:latchkey:problem:item-does-not-open"),
    ]
    moved = move.moved()
    assert [moved[1], moved[3]] == [broken[1], broken[3]]

    moved[1]["context"], moved[3]["item_id"] = items[1]["context"], items[3]["item_id"]
    later = Move(move.program, move.workspace, move.old, move.new, move.folder / "later", region="us-west-2")
    later.folder.mkdir()
    later.write(moved)
    ended = later.run()
    assert ended.returncode == 0, ended.stderr
    assert "5 of 5 items are in" in ended.stdout and "2 moved, 3 were there before" in ended.stdout
    hold_what_they_held(move, later.moved(), "us-east-2")


def test_a_stream_is_moved_too(move):
    items = sealed(move, 3)
    text = "".join(json.dumps(item) + "\n" for item in items)
    process = move.start("--input", "-", stdin=subprocess.PIPE)
    out, err = process.communicate(text, timeout=60)
    assert process.returncode == 0, err
    assert "\nSAFE TO RETIRE" in out
    hold_what_they_held(move, move.moved(), "us-west-2")


def test_what_a_shell_substitutes_is_read_once(move):
    items = sealed(move, 250)
    text = "".join(json.dumps(item) + "\n" for item in items)
    (move.folder / "items.gz").write_bytes(gzip.compress(text.encode()))
    ended = move.run(substitute=f"zcat '{move.folder}/items.gz'")
    assert ended.returncode == 0, ended.stderr
    assert "250 of 250 items are in" in ended.stdout and "\nSAFE TO RETIRE" in ended.stdout
    hold_what_they_held(move, move.moved(), "us-west-2")


def test_no_items_are_no_reason_to_retire_a_key(move):
    ended = move.run(substitute=f"zcat '{move.folder}/missing.gz'")
    assert ended.returncode == 4, ended.stderr
    assert "NO ITEMS" in ended.stdout and "SAFE TO RETIRE" not in ended.stdout
    move.write(sealed(move, 1))
    assert move.run().returncode == 0, "the same output, now with items"


def test_a_target_that_takes_nothing_ends_the_run_until_it_does(move):
    items = sealed(move, 2)
    move.write(items)
    expired = move.workspace.token(workspace_id=move.workspace.customer.workspace_id, role="member", sub="s", ttl=-60)
    for options, why in [
        ({"to": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"}, "404 vault-not-found"),
        ({"token": expired}, "401"),
    ]:
        ended = move.run(**options)
        assert ended.returncode == 3 and why in ended.stderr, ended.stderr
        for path in move.folder.glob("moved.jsonl*"):
            path.unlink()
    assert move.workspace.disable(move.new, "decrypt_only").status == 200
    ended = move.run()
    assert ended.returncode == 3 and "409 wrong-vault-status" in ended.stderr, ended.stderr
    assert move.moved() == []


def test_a_token_in_a_file(move, tmp_path):
    items = sealed(move, 2)
    move.write(items)
    file = tmp_path / "token"
    file.write_text(move.token + "\n")
    ended = move.run("--token-file", str(file), token="not used")
    assert ended.returncode == 0, ended.stderr


def test_neither_plaintext_nor_token_is_written_anywhere(move, function_logs):
    items = sealed(move, 4)
    broken = dict(items[2]) | {"item_id": "another"}
    move.write([*items[:2], broken, items[3]])
    token = move.token
    ended = move.run("--compare", token=token)
    assert ended.returncode == 1, ended.stderr
    written = [path.read_text() for path in move.folder.iterdir() if path.name != "items.jsonl"]
    forms = ["canary-51c0de", base64_of(b"canary-51c0de-").rstrip("=")[:-2], token, token.split(".")[2]]
    for text in [*written, ended.stdout, ended.stderr, *function_logs("reassign-item")]:
        assert not any(form in text for form in forms)
    assert base64_of(plaintext_of(0)).startswith(forms[1]), "the form that is looked for"
