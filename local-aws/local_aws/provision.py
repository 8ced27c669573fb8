"""Makes a customer's AWS account: the key, its replica and the role. It uses customer-setup/, as the customer would. It also
makes the service's managed key from managed-key/."""

import time
from pathlib import Path

from local_aws.layout import PRIMARY_REGION, REPLICA_REGION, REPOSITORY, SERVICE_ACCOUNT_ID, STAGE, StepFailed, aws_client

KEY_STACK = "latchkey-key"
REPLICA_STACK = "latchkey-key-replica"


def provision_customer(endpoint: str, account_id: str, workspace_id: str, service_account_id: str) -> dict[str, str]:
    """Deploys the customer's two stacks for a workspace. It is safe to repeat. Returns the customer's entry for stack.json."""
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
    """Deploys the service's own key, for workspaces without one. It is safe to repeat. Returns the key's id."""
    return deploy_key(endpoint, SERVICE_ACCOUNT_ID, "managed-key", {"Stage": STAGE})["KmsKeyId"]


def deploy_key(endpoint: str, account_id: str, folder: str, parameters: dict[str, str]) -> dict[str, str]:
    """Deploys the two stacks of a folder: the key with its role, and the replica. Returns the outputs of the first."""
    templates = REPOSITORY / folder
    primary = aws_client(endpoint, "cloudformation", PRIMARY_REGION, account_id)
    outputs = deployed(primary, KEY_STACK, templates / "key-and-role.yaml", parameters)
    replica = aws_client(endpoint, "cloudformation", REPLICA_REGION, account_id)
    deployed(replica, REPLICA_STACK, templates / "replica.yaml", {"PrimaryKeyArn": outputs["PrimaryKeyArn"]})
    return outputs


def deployed(cloudformation, stack_name: str, template: Path, parameters: dict[str, str]) -> dict[str, str]:
    """Creates a stack unless it exists. Returns its outputs."""
    try:
        cloudformation.describe_stacks(StackName=stack_name)
    except cloudformation.exceptions.ClientError:
        cloudformation.create_stack(
            StackName=stack_name,
            TemplateBody=template.read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
            reasons = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"].endswith("FAILED")]
            raise StepFailed(f"{template.relative_to(REPOSITORY)}: {stack['StackStatus']}: {'; '.join(reasons)}")
        time.sleep(0.05)
    raise StepFailed(f"{template.relative_to(REPOSITORY)}: not deployed within 30 s")
