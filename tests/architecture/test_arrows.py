"""The arrows of docs/architecture.md: which crate may use which, and which layer of a crate may use which."""

import json
import re
import subprocess
from itertools import chain
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


# Comments, strings and characters, in which a brace or a path means nothing; and visibilities, which import nothing.
NO_CODE = re.compile(
    r"""//[^\n]*|\br(#*)".*?"\1|"(?:\\.|[^"\\])*"|'(?:\\.[^\n']*|[^\\'])'|\bpub\s*\([^)]*\)""",
    re.DOTALL,
)


def paths_at(tokens: list[str], at: int) -> tuple[list[list[str]], int]:
    """The paths that begin at a token, several if there is a group of names, and the place after them."""
    path = [tokens[at]]
    at += 1
    while tokens[at] == "::":
        if tokens[at + 1] != "{":
            path.append(tokens[at + 1])
            at += 2
            continue
        paths, at = [], at + 2
        while tokens[at] != "}":
            if tokens[at] == ",":
                at += 1
                continue
            inner, at = paths_at(tokens, at)
            if tokens[at] == "as":
                at += 2
            paths += [path + it for it in inner]
        return paths, at + 1
    return [path], at


def names_from_the_root(file: Path, text: str) -> list[str]:
    """What a file takes from the root of its crate, whichever way its paths lead there. `*` stands for all."""
    tokens = [*re.findall(r"::|\w+|\S", NO_CODE.sub("", text)), ";"]
    outer = [part for part in file.with_suffix("").parts if part != "mod"]
    names, opened, at = [], [], 0  # `opened` has, for each open brace, whether it opened a module
    while at < len(tokens):
        if tokens[at] == "{":
            opened.append(at > 1 and tokens[at - 2] == "mod")
        elif tokens[at] == "}" and opened:
            opened.pop()
        if tokens[at] not in ("crate", "super", "self") or (at and tokens[at - 1] == "::"):
            at += 1
            continue
        paths, at = paths_at(tokens, at)
        for path in paths:
            depth = 0 if path[0] == "crate" else len(outer) + sum(opened) - path.count("super")
            if depth <= 0:
                named = [name for name in path if name not in ("crate", "super", "self")]
                names.append(named[0] if named else "*")
    return names


def imports_up(crate: str, file: str | Path, text: str) -> list[str]:
    """The names of higher layers that a file of this crate uses. Documentation may link anywhere."""
    layers = LAYERS[crate]
    below = layers[: layers.index(Path(file).parts[0].removesuffix(".rs")) + 1]
    of = {"*": layers[-1], **AGAIN[crate]}
    return [name for name in names_from_the_root(Path(file), text) if of.get(name, name) not in below]


@pytest.mark.parametrize("crate", LAYERS)
def test_imports_go_down_only(crate):
    root = REPOSITORY / "shared" / crate / "src"
    sources = {path.relative_to(root): path.read_text() for path in root.rglob("*.rs") if path.name != "lib.rs"}
    assert {path.parts[0].removesuffix(".rs") for path in sources} == set(LAYERS[crate])
    up = {str(path): imports_up(crate, path, text) for path, text in sources.items()}
    assert not {path: names for path, names in up.items() if names}


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("vault/tag.rs", "use crate::operations::CreateVault;"),
        ("vault/tag.rs", "use crate::{operations::CreateVault, values::Region};"),
        ("vault/tag.rs", "use crate::{\n    values::{Region, VaultId},\n    operations,\n};"),
        ("vault/tag.rs", "use crate::{values as below, operations as above};"),
        ("vault/tag.rs", "use crate::{self as root};"),
        ("vault/tag.rs", "use crate as root;"),
        ("vault/tag.rs", "use crate::*;"),
        ("vault/tag.rs", "use crate :: operations::X;"),
        ("vault/tag.rs", "fn f() -> crate::operations::Swept {"),
        ("vault/tag.rs", "use crate::Error;"),
        ("vault/tag.rs", "use super::super::operations;"),
        ("vault/tag.rs", "use super::super::{operations::CreateVault};"),
        ("vault/tag.rs", "use self::super::super::operations;"),
        ("vault/tag.rs", "mod tests {\n    use super::super::super::operations;\n}"),
        ("vault/tag.rs", "const BRACE: char = '{';\nconst BRACES: &str = \"{{\";\nuse super::super::operations;"),
        ("vault/mod.rs", "use super::operations;"),
        ("vault/mod.rs", "use super::*;"),
        ("vault/mod.rs", "mod tests {\n    use super::super::operations;\n}"),
        ("caller.rs", "use super::operations;"),
        ("caller.rs", "fn f<'a>(it: &'a str) {}\nmod tests {\n    use super::super::operations;\n}"),
    ],
)
def test_a_planted_upward_import_is_seen(file, planted):
    assert imports_up("core", file, f"use crate::values::Region;\n{planted}\n")
    at_the_top = Path("operations", *Path(file).parts[1:] or ["mod.rs"])
    assert not imports_up("core", at_the_top, planted)
    commented = "\n".join(f"// {line}" for line in planted.splitlines())
    assert not imports_up("core", file, commented)


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("vault/tag.rs", "use super::operations;"),
        ("vault/tag.rs", "mod tests {\n    use super::super::operations;\n}"),
        ("vault/tag.rs", "mod tests {\n}\nuse super::operations;"),
        ("vault/mod.rs", "mod tests {\n    use super::*;\n}"),
        ("caller.rs", "use crate::error::Error;\npub(super) fn f(self) {}"),
        ("caller.rs", 'const TEXT: &str = "use crate::operations;";'),
    ],
)
def test_an_import_from_the_layer_itself_or_below_is_none(file, planted):
    assert not imports_up("core", file, planted)


def layers_in(table: str) -> list[list[str]]:
    """The names in the first cell of each row."""
    cells = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    return [names for names in (re.findall(r"`(\w+)`", cell) for cell in cells) if names]


@pytest.mark.parametrize("crate", LAYERS)
def test_the_tables_of_the_layers_have_the_same_order(crate):
    documented = (REPOSITORY / "shared" / crate / "src" / "lib.rs").read_text().replace("//! |", "|")
    assert list(chain(*layers_in(documented))) == LAYERS[crate]
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    [section] = re.findall(rf"^## `shared/{crate}`.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    rows = layers_in(section)
    assert LAYERS[crate] in (list(chain(*rows)), list(chain(*reversed(rows)))), "from the top or from the bottom"


@pytest.mark.parametrize("crate", LAYERS)
def test_the_picture_of_the_layers_has_the_same_order(crate):
    picture = (REPOSITORY / "docs" / "house.svg").read_text()
    [box] = re.findall(rf'class="name"[^>]*>shared/{crate}<(.*?)(?:class="name"|\Z)', picture, re.DOTALL)
    rows = [re.findall(r"\w+", row) for row in re.findall(r'class="room"[^>]*>([^<]*)<', box)]
    assert list(chain(*reversed(rows))) == LAYERS[crate]


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
