"""The deployed access role. Its trust policy names the whole account and narrows it by a condition, which must work."""

import json
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

TRUSTS_ITS_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}],
}
MAY_ASSUME_ANYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
}


@pytest.fixture
def make_role(service_client):
    """Makes another role in the service's account that may assume any role that trusts it. It is deleted afterwards."""
    iam = service_client("iam")
    made = []

    def make_role() -> str:
        name = f"bystander-{uuid.uuid4()}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUSTS_ITS_ACCOUNT))["Role"]
        made.append(name)
        iam.put_role_policy(RoleName=name, PolicyName="any", PolicyDocument=json.dumps(MAY_ASSUME_ANYTHING))
        return role["Arn"]

    yield make_role
    for name in made:
        iam.delete_role_policy(RoleName=name, PolicyName="any")
        iam.delete_role(RoleName=name)


def sts_as(stack, sts, role_arn: str, **options):
    """STS in a session of a role."""
    session = sts.assume_role(RoleArn=role_arn, RoleSessionName="test", **options)["Credentials"]
    return boto3.client(
        "sts",
        region_name="us-east-2",
        endpoint_url=stack["aws_endpoint"],
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def test_another_role_of_our_account_is_not_let_in(stack, service_client, make_role):
    bystander = sts_as(stack, service_client("sts"), make_role())
    sts_as(stack, bystander, make_role())  # it may assume roles, so below only the access role's trust policy can refuse it
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_as(stack, bystander, stack["access_role_arn"])


def test_the_accounts_root_is_not_let_in(stack, service_client):
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_as(stack, service_client("sts"), stack["access_role_arn"])


def test_a_customer_is_not_let_in_by_another_role_of_our_account(stack, service_client, make_role, customer):
    bystander = sts_as(stack, service_client("sts"), make_role())
    with pytest.raises(ClientError, match="AccessDenied"):
        sts_as(stack, bystander, customer.aws_role_arn, ExternalId=customer.workspace_id)
