"""openapi.yaml is consistent, and agrees with the template, the functions, the sample events and its pages. Needs no running
stack."""

import json
import re

import pytest
from openapi_spec_validator import validate

from tests.contract import openapi
from tests.contract.openapi import JSON, METHODS, REPOSITORY, document, faults, operations, resolved

URN = "urn:latchkey:problem:"


def test_it_is_openapi():
    validate(document())


def test_its_operations_are_those_of_the_table():
    entries = {
        (stated["operationId"], method.upper(), path): stated["x-roles"]
        for path, item in document()["paths"].items()
        for method, stated in item.items()
        if method in METHODS
    }
    assert entries == {(it.name, it.method, it.path): it.roles for it in operations().values()}


def test_each_path_parameter_is_stated():
    for operation in operations().values():
        item = document()["paths"][operation.path]
        parameters = [resolved(it) for it in item.get("parameters", []) + operation.stated.get("parameters", [])]
        stated = {it["name"] for it in parameters if it["in"] == "path"}
        assert stated == set(re.findall(r"\{(\w+)\}", operation.path))


def examples() -> list:
    """Every example, with its schema and its path in the document."""
    found = []

    def look(node, way: str) -> None:
        match node:
            case dict():
                if "schema" in node:
                    values = [node["example"]] if "example" in node else []
                    values += [it["value"] for it in node.get("examples", {}).values()]
                    found.extend(pytest.param(node["schema"], value, id=f"{way}:{place}") for place, value in enumerate(values))
                for key, child in node.items():
                    if key not in ("example", "examples"):
                        look(child, f"{way}/{key}")
            case list():
                for place, child in enumerate(node):
                    look(child, f"{way}/{place}")

    look(document(), "")
    return found


@pytest.mark.parametrize(("schema", "value"), examples())
def test_an_example_is_as_its_schema_says(schema, value):
    assert not faults(schema, value)


def test_every_body_has_an_example():
    bodies = [resolved(it) for it in document()["components"]["responses"].values()]
    for operation in operations().values():
        bodies += [resolved(it) for it in operation.stated["responses"].values()]
        bodies += [operation.stated["requestBody"]] if "requestBody" in operation.stated else []
    for body in bodies:
        for media_type, stated in body.get("content", {}).items():
            if media_type.endswith("json"):
                assert "example" in stated or stated.get("examples"), body


@pytest.mark.parametrize("place", ["three-fields", "all-fields"])
def test_what_is_not_stated_is_no_request(place):
    """The schemas do refuse: each field in turn with a wrong type, and an extra field."""
    create = operations()["create-vault"]
    example = create.stated["requestBody"]["content"][JSON]["examples"][place]["value"]
    wrong = [example | {name: {}} for name in example] + [example | {"external_id": "ws-victim"}]
    assert not faults(create.request_schema, example)
    assert all(faults(create.request_schema, it) for it in wrong)


SUCCESSES = sorted(REPOSITORY.glob("events/*/success*.json"))


@pytest.mark.parametrize("path", SUCCESSES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_body_of_a_sample_event_is_a_request(path):
    values = {
        "customer.aws_account_id": "222222222222",
        "customer.kms_key_id": "mrk-1234abcd12ab34cd56ef1234567890ab",
        "customer.aws_role_arn": "arn:aws:iam::222222222222:role/latchkey",
        "vault_id": "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r",
    }
    text = re.sub(r"\$\{([a-z_.]+)\}", lambda found: values.get(found[1], "sample"), path.read_text())
    event = json.loads(text)
    context = event["requestContext"]
    http = context.get("http") or {"method": event["httpMethod"], "path": event["path"]}  # a REST API's
    operation = openapi.operation_of(http["method"], http["path"])
    assert operation, http
    if event.get("body"):
        assert not faults(operation.request_schema, json.loads(event["body"]))


# Problems: each has a page, and a row in the index and in the table of docs/api.md.

PAGES = REPOSITORY / "docs" / "problems"


def types_in_the_code() -> dict[str, tuple[int, str]]:
    """Status and title of each problem type in problem.rs."""
    source = (REPOSITORY / "shared" / "http" / "src" / "answers" / "problem.rs").read_text()
    made = re.findall(r'::new\(\s*"([a-z-]+)",\s*(\d{3}),\s*"([^"]+)"', source)
    return {name: (int(status), title) for name, status, title in made}


def test_the_types_are_found_in_the_code():
    assert len(types_in_the_code()) >= 20


def test_each_problem_type_has_its_page_and_no_other_has():
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} == types_in_the_code().keys()


@pytest.mark.parametrize("name", types_in_the_code())
def test_a_page_says_all_there_is_to_a_problem(name):
    status, title = types_in_the_code()[name]
    page = (PAGES / f"{name}.md").read_text()
    assert page.startswith(f"# {title}\n\n`{URN}{name}`, status {status}\n")
    assert re.findall(r"^\| (whose fault|retry|what to do) \| .+ \|$", page, re.MULTILINE) == ["whose fault", "retry", "what to do"]
    body = json.loads(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1])
    assert (body["type"], body["title"], body["status"]) == (f"{URN}{name}", title, status)
    assert not faults({"$ref": "#/components/schemas/Problem"}, body)


def test_the_index_and_the_table_have_every_type():
    index = re.findall(r"^\| \[`([a-z-]+)`\]\(\1\.md\) \| (\d{3}) \|", (PAGES / "README.md").read_text(), re.MULTILINE)
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (\d{3}) \|", (REPOSITORY / "docs" / "api.md").read_text(), re.MULTILINE)
    table = [(name, status) for names, status in rows for name in re.findall(r"`([a-z-]+)`", names)]
    expected = sorted((name, str(status)) for name, (status, _) in types_in_the_code().items())
    assert sorted(index) == expected
    assert sorted(table) == expected


@pytest.mark.parametrize("name", operations())
def test_the_problems_of_an_operation_have_the_status_they_are_stated_under(name):
    for status, response in operations()[name].stated["responses"].items():
        schema = resolved(response).get("content", {}).get("application/problem+json", {}).get("schema")
        for type_ in (schema or {"properties": {"type": {"enum": []}}})["properties"]["type"]["enum"]:
            assert types_in_the_code()[type_.removeprefix(URN)][0] == int(status)


# Access: docs/access.md has the matrix.


def test_the_matrix_has_every_operation_as_it_is_stated():
    page = (REPOSITORY / "docs" / "access.md").read_text()
    row = re.compile(r"^\| (`list-vaults`[^|]*|every other) \| (yes \| .*) \|$", re.MULTILINE)
    [(named, cells), (others, their_cells)] = row.findall(page)
    assert "| `owner`, `super_admin`, `admin` | `member` | any other |" in page, "a role that is not known is a member"
    assert (cells, others, their_cells) == ("yes | yes | yes", "every other", "yes | no | no")
    may = {name: operation.may for name, operation in operations().items()}
    assert set(re.findall(r"`([a-z-]+)`", named)) == {name for name in may if may[name] == "any_member"}
    assert set(may.values()) == {"any_member", "vault_admins"}
    for operation in operations().values():
        assert ("403" in operation.stated["responses"]) == ("member" not in operation.roles)


def test_methods_are_all_known():
    keys = {key for item in document()["paths"].values() for key in item}
    assert keys <= METHODS | {"parameters"}
