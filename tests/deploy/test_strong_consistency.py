"""template.yaml uses nothing that strong multi-Region consistency excludes, and lets no role do so.

Source: DynamoDB developer guide, "How DynamoDB global tables work", "Multi-Region strong consistency (MRSC)": no transactions, no
TTL, no local indexes. shared/aws/tests/aws/strong_consistency.rs checks the same for every call.
"""

import re
from pathlib import Path

import pytest

TEMPLATE = (Path(__file__).resolve().parent.parent.parent / "template.yaml").read_text()

# Each works on one item or reads one partition.
ACTIONS = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"}
EXCLUDED = ["TimeToLive", "LocalSecondaryIndex", "Transact", "PartiQL", "ExecuteStatement", "dynamodb:*", "AWS::DynamoDB::Table\n"]


def faults_of(template: str) -> list[str]:
    """What a template uses that strong multi-Region consistency excludes, and the actions that no role needs."""
    actions = re.findall(r"dynamodb:([A-Za-z*]+)\b(?!:)", template)
    found = [f"dynamodb:{action}" for action in actions if action not in ACTIONS]
    found += [word for word in EXCLUDED if word in template]
    found += [f"not {word}" for word in ("AWS::DynamoDB::GlobalTable", "MultiRegionConsistency: STRONG") if word not in template]
    return found


def test_the_template_asks_for_nothing_that_is_excluded():
    assert faults_of(TEMPLATE) == []
    assert set(re.findall(r"dynamodb:([A-Z]\w+)", TEMPLATE)) == ACTIONS


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("dynamodb:PutItem", "dynamodb:TransactWriteItems"),
        ("dynamodb:PutItem", "dynamodb:PartiQLUpdate"),
        ("dynamodb:PutItem", "dynamodb:UpdateTimeToLive"),
        ("dynamodb:PutItem", "dynamodb:*"),
        ("BillingMode: PAY_PER_REQUEST", "TimeToLiveSpecification: { AttributeName: ends_at, Enabled: true }"),
        ("GlobalSecondaryIndexes:", "LocalSecondaryIndexes:"),
        ("MultiRegionConsistency: STRONG", "MultiRegionConsistency: EVENTUAL"),
        ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"),
    ],
)
def test_what_is_excluded_is_found(there, instead):
    assert there in TEMPLATE
    assert faults_of(TEMPLATE.replace(there, instead))
