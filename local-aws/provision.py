"""A customer's AWS account: the key, its replica and the role, made from customer-setup/ as the customer would make them;
and the same for the service's managed key, from managed-key/."""

import json
import time

from layout import PRIMARY_REGION, REPLICA_REGION, REPOSITORY, SERVICE_ACCOUNT_ID, STAGE, StepFailed, aws_client

STACK_NAME = "latchkey-key"


def provision_customer(endpoint: str, account_id: str, workspace_id: str, service_account_id: str) -> dict[str, str]:
    """Deploys the customer's stack for a workspace. Repeating it is safe; the answer is what stack.json says of a customer."""
    parameters = {
        "ServiceAccountId": service_account_id,
        "ExternalId": workspace_id,
        "AccessRoleName": f"{STAGE}-kms-byo-key-access-role",
    }
    outputs = deploy_key(endpoint, account_id, "customer-setup", parameters)
    return {
        "workspace_id": workspace_id,
        "aws_account_id": outputs["AwsAccountId"],
        "kms_key_id": outputs["KmsKeyId"],
        "primary_key_arn": outputs["PrimaryKeyArn"],
        "replica_key_arn": outputs["ReplicaKeyArn"],
        "aws_role_arn": outputs["AwsRoleArn"],
    }


def provision_managed_key(endpoint: str) -> str:
    """Deploys the service's own key for workspaces that bring none. Repeating it is safe; the answer is the key's id."""
    return deploy_key(endpoint, SERVICE_ACCOUNT_ID, "managed-key", {"Stage": STAGE})["KmsKeyId"]


def deploy_key(endpoint: str, account_id: str, folder: str, parameters: dict[str, str]) -> dict[str, str]:
    """The stack of a folder's key-and-role.yaml, and the replica of its key; answers with the outputs."""
    cloudformation = aws_client(endpoint, "cloudformation", PRIMARY_REGION, account_id)
    try:
        outputs = stack_outputs(cloudformation)
    except cloudformation.exceptions.ClientError:
        cloudformation.create_stack(
            StackName=STACK_NAME,
            TemplateBody=(REPOSITORY / folder / "key-and-role.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        outputs = stack_outputs(cloudformation)
    replicate_key(endpoint, account_id, outputs["PrimaryKeyArn"], outputs["ReplicaKeyArn"])
    return outputs


def stack_outputs(cloudformation) -> dict[str, str]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
            reasons = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"].endswith("FAILED")]
            raise StepFailed(f"key-and-role.yaml: {stack['StackStatus']}: {'; '.join(reasons)}")
        time.sleep(0.05)
    raise StepFailed("key-and-role.yaml: not deployed within 30 s")


def replicate_key(endpoint: str, account_id: str, primary_key_arn: str, replica_key_arn: str) -> None:
    """What customer-setup/replica.yaml does. The emulator does not know AWS::KMS::ReplicaKey, but has the call behind it."""
    replica = aws_client(endpoint, "kms", REPLICA_REGION, account_id)
    try:
        replica.describe_key(KeyId=replica_key_arn)
        return
    except replica.exceptions.NotFoundException:
        pass
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}, "Action": "kms:*", "Resource": "*"}
    aws_client(endpoint, "kms", PRIMARY_REGION, account_id).replicate_key(
        KeyId=primary_key_arn,
        ReplicaRegion=REPLICA_REGION,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [root]}),
    )
