"""docs/requirements.md lists every rule that a comment cites, with a page that exists."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "requirements.md"
ROW = re.compile(r"^\| ([A-Z]\d) \| .+ \| \[[^\]]+\]\(([^)]+)\) \|$", re.MULTILINE)
CITED = re.compile(r"\brequirements? ((?:[A-Z]\d(?:, | and | to )?)+)")


def rows() -> dict[str, str]:
    """The page that explains each rule, by the rule's number."""
    return dict(ROW.findall(PAGE.read_text()))


def test_every_rule_leads_to_a_page_that_is_there():
    assert len(rows()) == sum(line.startswith("| ") and line[3].isdigit() for line in PAGE.read_text().splitlines()) > 20
    assert not [number for number, page in rows().items() if not (PAGE.parent / page).is_file()]


def test_every_rule_that_a_comment_cites_is_listed():
    sources = [*REPOSITORY.glob("shared/**/*.rs"), *REPOSITORY.glob("functions/**/*.rs"), *REPOSITORY.glob("docs/**/*.md")]
    cited = {number for path in sources for found in CITED.findall(path.read_text()) for number in re.findall(r"[A-Z]\d", found)}
    assert len(cited) > 15
    assert cited <= rows().keys()
