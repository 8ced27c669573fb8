"""The arrows of docs/architecture.md: which crate may use which, and which layer of a crate may use which."""

import json
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# The crates of ours that each crate may use. `latchkey-functions` wires everything together, so it uses all but the format. A
# function only names it.
MAY_KNOW = {
    "sealed-item": set(),
    "latchkey-core": {"sealed-item"},
    "latchkey-aws": {"latchkey-core", "sealed-item"},
    "latchkey-http": {"latchkey-core", "sealed-item"},
    "latchkey-in-memory": {"latchkey-core", "sealed-item"},
    "latchkey-functions": {"latchkey-core", "latchkey-aws", "latchkey-http"},
    "move-items": {"sealed-item"},
    "nothing-in-init": {"latchkey-core", "latchkey-aws", "latchkey-http"},
}
FUNCTION_MAY_KNOW = {"latchkey-functions"}
# Dependencies that a crate must not have: the domain does no input or output, and the format is bytes in, bytes out.
NOT_IN = {
    "sealed-item": r"aws-sdk-.*|aws-config|aws-smithy.*|lambda_.*|tokio.*|futures.*|reqwest|serde_dynamo",
    "latchkey-core": r"aws-sdk-.*|aws-config|aws-smithy.*|lambda_.*|reqwest|serde_dynamo",
    "latchkey-http": r"aws-sdk-.*|aws-config|aws-smithy.*|reqwest|serde_dynamo",
    "latchkey-aws": r"lambda_.*|reqwest",
}
# The layers of a crate, lowest first. A file imports from its own layer and from lower ones.
LAYERS = {
    "core": [
        "values",
        "request",
        "customer",
        "findings",
        "health",
        "vault",
        "error",
        "caller",
        "ports",
        "setup_kit",
        "data_keys",
        "validation",
        "operations",
    ],
    "http": ["secret_text", "event", "answers", "telemetry", "endpoints", "process", "canary"],
}
# What the crate's root re-exports, and the layer it comes from.
AGAIN = {"core": {"Error": "error", "Invalid": "values"}, "http": {"for_each_endpoint": "endpoints"}}


@pytest.fixture(scope="module")
def dependencies() -> dict[str, set[str]]:
    """The dependencies of each crate of the workspace, without those of its tests."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    return {
        package["name"]: {it["name"] for it in package["dependencies"] if it["kind"] is None} for package in metadata["packages"]
    }


def test_the_arrows_go_one_way(dependencies):
    for crate, needed in dependencies.items():
        allowed = MAY_KNOW.get(crate, FUNCTION_MAY_KNOW)
        assert needed & dependencies.keys() <= allowed, crate
    assert MAY_KNOW.keys() <= dependencies.keys()


def test_nothing_is_built_into_a_room_where_it_has_no_place(dependencies):
    for crate, pattern in NOT_IN.items():
        assert not [name for name in dependencies[crate] if re.fullmatch(pattern, name)], crate


def imports_up(crate: str, layer: str, text: str) -> list[str]:
    """The names of higher layers that a file of this layer uses. Documentation may link anywhere."""
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))
    below = LAYERS[crate][: LAYERS[crate].index(layer) + 1]
    named = re.findall(r"\bcrate::(\w+|\{[^}]*\})", code)
    names = [name for group in named for name in re.findall(r"(?:^|[{,]\s*)(\w+)", group)]
    names += [name for name in re.findall(r"\bsuper::super::(\w+)", code) if name in LAYERS[crate]]
    return [name for name in names if AGAIN[crate].get(name, name) not in below]


def layer_of(crate: str, path: Path) -> str:
    return path.relative_to(REPOSITORY / "shared" / crate / "src").parts[0].removesuffix(".rs")


@pytest.mark.parametrize("crate", LAYERS)
def test_imports_go_down_only(crate):
    sources = [path for path in (REPOSITORY / "shared" / crate / "src").rglob("*.rs") if path.name != "lib.rs"]
    assert {layer_of(crate, path) for path in sources} == set(LAYERS[crate])
    up = {str(path): imports_up(crate, layer_of(crate, path), path.read_text()) for path in sources}
    assert not {path: names for path, names in up.items() if names}


@pytest.mark.parametrize(
    "planted",
    [
        "use crate::operations::CreateVault;",
        "use crate::{operations::CreateVault, values::Region};",
        "use crate::{\n    values::Region,\n    operations,\n};",
        "fn f() -> crate::operations::Swept {",
        "use crate::Error;",
        "use super::super::operations;",
    ],
)
def test_a_planted_upward_import_is_seen(planted):
    assert imports_up("core", "vault", f"use crate::values::Region;\n{planted}\n")
    assert not imports_up("core", "operations", planted)
    assert not imports_up("core", "vault", f"// {planted.splitlines()[0]}")


def test_only_one_crate_names_a_type_of_the_sdk():
    sources = [*(REPOSITORY / "shared").glob("*/src/**/*.rs"), *(REPOSITORY / "functions").glob("*/src/**/*.rs")]
    naming = {path.relative_to(REPOSITORY).parts[1] for path in sources if re.search(r"\baws_(sdk|smithy)_\w+::", path.read_text())}
    assert naming == {"aws"}


def test_a_function_names_its_operation_and_nothing_else():
    named = {}
    for folder in (REPOSITORY / "functions").iterdir():
        assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["Cargo.toml", "main.rs"]
        main = (folder / "src" / "main.rs").read_text()
        assert len(main.splitlines()) <= 10, folder
        named[folder.name] = re.search(r"latchkey_functions::(\w+)\(\)", main)[1].replace("_", "-")
    operations = json.loads((REPOSITORY / "operations.json").read_text())
    assert named == {name: name for name in {row["function"] for row in operations} | {"canary"}}


def test_every_file_that_the_architecture_names_is_there():
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    sources = [
        str(path) for folder in ["shared", "functions", "docs"] for path in (REPOSITORY / folder).rglob("*") if path.is_file()
    ]
    named = set(re.findall(r"`([a-z_/\-0-9]+\.(?:rs|md|yaml))(?:: \w+)?`", text))
    assert len(named) > 30
    known = [*sources, *(str(path) for path in REPOSITORY.glob("*.yaml"))]
    assert not [name for name in named if not any(path.endswith(f"/{name}") for path in known)]
