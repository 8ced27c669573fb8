"""Concurrent and repeated requests."""

import random
from concurrent.futures import ThreadPoolExecutor

from local_aws.layout import REGIONS
from tests.e2e.e2e_support import problem_of


def test_two_creates_racing_for_one_name_make_one_vault(workspace):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: workspace.create_vault(name="Raced", region=REGIONS[n % 2]), range(8)))
    assert {answer.status for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json["vault_id"] for answer in answers}) == 1


def test_of_two_different_vaults_racing_for_one_name_one_wins(workspace):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: workspace.create_vault(name="Disputed", data_key_cache_seconds=n), range(6)))
    created = [answer for answer in answers if answer.status == 201]
    assert len(created) == 1
    for answer in answers:
        if answer is not created[0]:
            assert problem_of(answer) == (409, "vault-name-taken")


def test_creating_the_same_vault_again_answers_the_first(workspace):
    first = workspace.create_vault(name="Twice")
    second = workspace.create_vault(name="Twice", region="us-west-2")
    assert (first.status, second.status) == (201, 201)
    assert first.json["vault_id"] == second.json["vault_id"] and first.json["created_at"] == second.json["created_at"]
    assert problem_of(workspace.create_vault(name="TWICE", data_key_cache_seconds=1)) == (409, "vault-name-taken")


def test_a_create_that_died_between_two_writes_is_completed_by_its_retry(workspace, service_dynamodb, stack):
    """If a create dies after its first write, the name points at a vault that does not exist."""
    reserved = f"vlt_01{''.join(random.choices('0123456789abcdefghjkmnpqrstvwxyz', k=24))}"
    first = workspace.create_vault(name="Model")
    table = service_dynamodb()
    key = {"pk": {"S": f"WORKSPACE#{workspace.customer.workspace_id}"}, "sk": {"S": "NAME#model"}}
    record = table.get_item(TableName=stack["table_name"], Key=key)["Item"]
    assert record["vault_id"] == {"S": first.json["vault_id"]}
    record |= {"sk": {"S": "NAME#died halfway"}, "vault_id": {"S": reserved}}
    table.put_item(TableName=stack["table_name"], Item=record)
    retried = workspace.create_vault(name="Died halfway", set_as_default=True)
    assert retried.status == 201 and retried.json["vault_id"] == reserved and retried.json["is_default"] is True
    item = workspace.sealed(reserved, "i", b"secret")
    assert workspace.opened(item, "us-west-2") == b"secret"


def test_both_regions_seal_under_one_data_key_even_when_they_start_at_once(workspace, service_dynamodb, stack):
    vault_id = workspace.new_vault()
    with ThreadPoolExecutor(8) as pool:
        items = list(pool.map(lambda n: workspace.sealed(vault_id, f"i{n}", b"x", REGIONS[n % 2]), range(8)))
    records = service_dynamodb().query(
        TableName=stack["table_name"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"VAULT#{vault_id}"}},
    )["Items"]
    assert len(records) == 1
    for item in items:
        assert workspace.opened(item, "us-west-2") == b"x"
