"""docs/audit.md and its schema agree."""

import json
import re
import subprocess

import pytest
from jsonschema import Draft202012Validator

from tests.contract.openapi import REPOSITORY, operations

PAGE = (REPOSITORY / "docs" / "audit.md").read_text()
SCHEMA = json.loads((REPOSITORY / "docs" / "audit.schema.json").read_text())
LINES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["operation"])
def test_a_line_of_the_page_is_as_the_schema_says(line):
    validator = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert not [error.message for error in validator.iter_errors(line)]


def test_each_line_of_the_page_names_an_operation():
    assert {line["operation"] for line in LINES} <= operations().keys() | {"check-vault"}


def test_both_kinds_of_line_are_there():
    assert {line["operation"] == "check-vault" for line in LINES} == {True, False}


def test_the_command_of_the_page_finds_the_item_of_its_line():
    command = re.search(r"```sh\n(printf .*?)```", PAGE, re.DOTALL)[1]
    printed = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    assert printed == LINES[0]["item_id_hashes"][0]


def test_every_outcome_is_explained():
    outcomes = set(SCHEMA["$defs"]["request"]["properties"]["outcome"]["enum"])
    (table,) = re.findall(r"^\| `outcome` .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == outcomes | {"outcome"}
