"""Each alarm has a runbook, and the log has the fields that the runbooks query."""

import json
import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

REPOSITORY = Path(__file__).resolve().parents[2]
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
# Words of Logs Insights, and names that a query defines with `as`.
NOT_FIELDS = {"filter", "stats", "fields", "sort", "desc", "by", "and", "or", "not", "in", "like", "as", "count", "count_distinct"}
NOT_FIELDS |= {"pct", "bin", "latest", "ispresent", "answers", "people", "checks", "last", "p50", "p99", "5m", "1m"}
NOT_FIELDS |= {"sum", "max", "vaults", "sealed", "generation", "1d", "asc", "calls"}


def alarms() -> set[str]:
    resources = yaml_parse((REPOSITORY / "template.yaml").read_text())["Resources"].values()
    names = [it["Properties"]["AlarmName"]["Fn::Sub"] for it in resources if it["Type"] == "AWS::CloudWatch::Alarm"]
    # The alarms on errors of each function share one page, and so do the alarms on throttles.
    return {re.sub(r"^(function-errors|functions-throttled)-.*", r"\1", name.removeprefix("${Stage}-latchkey-")) for name in names}


def test_each_alarm_has_its_page_and_each_page_its_alarm():
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == alarms()
    index = (RUNBOOKS / "README.md").read_text()
    for name in pages:
        assert f"`<stage>-latchkey-{name}`" in index and f"({name}.md)" in index
        assert (RUNBOOKS / f"{name}.md").read_text().startswith(f"# Alarm: {name}\n")


def test_a_query_names_fields_that_a_line_has():
    schema = json.loads((REPOSITORY / "docs" / "audit.schema.json").read_text())["$defs"]
    schemas = [schema["request"], schema["check"], json.loads((REPOSITORY / "docs" / "canary.schema.json").read_text())]
    known = {name for line in schemas for name in line["properties"]}
    fields_of_traces = (REPOSITORY / "docs" / "logging.md").read_text().split("\n## Fields of a trace line\n")[1].split("\n## ")[0]
    known |= {name for row in re.findall(r"^\| (`.*?) \|", fields_of_traces, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    queried = set()
    for page in RUNBOOKS.glob("*.md"):
        for query in re.findall(r"```text\n(.*?)```", page.read_text(), re.DOTALL):
            bare = re.sub(r'"[^"]*"|/[^/]*/|@\w+', "", query)
            queried |= {name.split(".")[0] for name in re.findall(r"[a-z][\w.]*|\d+[md]", bare)} - NOT_FIELDS
    assert len(queried) > 10
    assert queried <= known, queried - known
