"""docs/logging.md lists every line that the code writes, with its level and its fields, and no other."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "logging.md").read_text()
# A macro's arguments: up to the parenthesis that closes it, with one level of parentheses inside.
CALL = re.compile(
    r"\b(?:tracing::(error|warn|info|debug|trace)|(log_undone))!"
    r"\(((?:[^()\"]|\"[^\"]*\"|\((?:[^()]|\([^()]*\))*\))*)\)"
)
# Of spans, and so in every line.
OF_SPANS = {"request_id", "operation", "vault_id"}


def sources() -> dict[Path, str]:
    """The code that ships, without its tests."""
    paths = [*REPOSITORY.glob("shared/*/src/**/*.rs"), *REPOSITORY.glob("functions/*/src/*.rs")]
    return {path: re.split(r"\n#\[cfg\(test\)\]\nmod tests", path.read_text())[0] for path in paths}


def lines_of_code() -> dict[str, tuple[set[str], set[str]]]:
    """By message: the levels and the fields of the lines with it."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for text in sources().values():
        for level, undone, arguments in CALL.findall(text):
            if "$message" in arguments:
                continue  # in the macro itself
            message = re.findall(r'"([^"]*)"', arguments)[-1]
            before = arguments.rsplit(f'"{message}"', 1)[0]
            named = {re.split(r"\s*=", part.strip())[0].lstrip("%?") for part in re.sub(r"\([^()]*\)", "", before).split(",")}
            levels, fields = found.setdefault(re.sub(r"\{(\w+)\}", r"<\1>", message), (set(), set()))
            levels |= {"warn", "error"} if undone else {level}
            fields |= {"cause"} if undone else {name for name in named if re.fullmatch(r"\w+", name)}
    return found


def table(heading: str) -> list[list[str]]:
    """The cells of the rows of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip().strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def in_backticks(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_page_has_each_line_of_the_code_with_its_level_and_fields():
    told = {row[0].strip("`"): (set(row[1].split(", ")), in_backticks(row[2])) for row in table("The trace lines")}
    assert told == lines_of_code()
    assert len(told) > 15


def test_the_page_has_each_field():
    fields = {name for row in table("Fields of a trace line") for name in in_backticks(row[0])}
    written = {name for _, names in lines_of_code().values() for name in names}
    assert fields == written | OF_SPANS | {"log", "level", "message", "target"}


def test_the_page_has_each_cause():
    source = (REPOSITORY / "shared" / "core" / "src" / "error" / "cause.rs").read_text()
    names = dict(re.findall(r'Self::(\w+) => "([a-z_]+)",', source))
    sentences = dict(re.findall(r'Self::(\w+) => "([^"_]+)",', source))
    told = {row[0].strip("`"): row[1] for row in table("Causes")}
    assert told == {name: sentences[variant] for variant, name in names.items()}


def test_every_span_names_fields_that_the_page_has():
    spans = [call for text in sources().values() for call in re.findall(r"\b(?:error|warn|info)_span!\((.*?)\);", text, re.DOTALL)]
    assert len(spans) > 3
    for call in spans:
        named = set(re.findall(r"(?:^|,)\s*%?(\w+)\b", re.sub(r'^\s*"\w+",', "", call)))
        assert named <= OF_SPANS, call


def test_nothing_is_logged_past_the_page():
    """Neither by another macro nor with the `log` crate. The lints deny printing."""
    for path, text in sources().items():
        assert not re.search(r"\b(?:event!|log::(?:error|warn|info)!|#\[instrument)", text), path
        imported = re.findall(r"use tracing::(?:\{[^}]*\}|\w+)", text)
        macro = re.compile(r"\b(?:error|warn|info|debug|trace)\b(?!_)")
        assert not [it for it in imported if macro.search(it.removeprefix("use tracing::"))], path
