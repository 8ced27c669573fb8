"""Each release is frozen: tests/compat holds what it wrote, and the tests of later releases read it."""

import json
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FROZEN = REPOSITORY / "tests" / "compat"
FILES = {"service.json", "vaults.json", "items.json", "records.json"}


def test_each_release_of_the_changelog_is_frozen():
    released = set(re.findall(r"^## \[?(\d+\.\d+\.\d+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE))
    frozen = {path.name for path in FROZEN.iterdir() if path.is_dir()}
    assert frozen and released <= frozen, released - frozen


def test_what_is_frozen_has_a_record_of_every_kind_and_state():
    for folder in (path for path in FROZEN.iterdir() if path.is_dir()):
        assert {path.name for path in folder.iterdir()} == FILES, folder
        records = json.loads((folder / "records.json").read_text())
        assert {record["sk"]["S"].split("#")[0] for record in records} >= {"VAULT", "NAME", "DEFAULT", "DATAKEY"}
        vaults = [record for record in records if record["sk"]["S"].startswith("VAULT#")]
        assert {vault["status"]["S"] for vault in vaults} >= {"active", "decrypt_only", "disabled"}
        assert {vault["strategy"]["S"] for vault in vaults} >= {"aws_kms", "managed"}
        healths = [vault["health"]["M"] for vault in vaults]
        assert {health["state"]["S"] for health in healths} >= {"healthy", "degraded", "unusable", "unknown"}
        for name in ("access_ends_by", "unannounced", "deletion_announced_at"):
            assert any(name in health for health in healths), name
        assert any("due_claim" in vault for vault in vaults)
