"""Each promise in the documents names the test that proves it. Every test that they name must exist in the file that they name."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(str(path.relative_to(REPOSITORY / "docs")) for path in (REPOSITORY / "docs").glob("**/*.md"))
# This page walks through the files of an operation that does not exist, `retire-vault`.
NOT_THERE = {"adding-an-operation.md": "retire"}
# The least number of tests that a page names.
DOCUMENTS = {"leaving.md": 2, "quality.md": 5, "semantics.md": 200}
SOURCES = [path for folder in ["shared", "tests", "tools", "fuzz/targets"] for path in (REPOSITORY / folder).glob("**/*.*s")]
SOURCES += [path for folder in ["tests", "benches"] for path in (REPOSITORY / folder).glob("**/*.py")]

# `file: test` or `test`: in backquotes, with or without its file.
NAMED = re.compile(r"`(?:([a-z_/]+\.(?:rs|py)):?\s*)?([a-z][a-z0-9]*(?:_[a-z0-9]+){3,})?`")


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"\b(?:fn|def) (\w+)", path.read_text()))


@pytest.mark.parametrize("document", PAGES)
def test_every_test_that_a_document_names_exists(document):
    known = {path: names_in(path) for path in SOURCES}
    text = (REPOSITORY / "docs" / document).read_text()
    # Other pages have other names in backquotes. There a test is named together with its file.
    named = [(file, test) for file, test in NAMED.findall(text) if (file or test) and (file or document in DOCUMENTS)]
    if document in NOT_THERE:
        named = [(file, test) for file, test in named if NOT_THERE[document] not in file + test]
    assert len(named) > DOCUMENTS.get(document, -1)
    for file, test in named:
        files = [path for path in known if str(path).endswith(f"/{file}")] if file else list(known)
        assert files, file
        assert not test or any(test in known[path] for path in files), (file, test)
