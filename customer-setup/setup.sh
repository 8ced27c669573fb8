#!/bin/sh
# Makes what a Latchkey vault needs in your AWS account: a key in us-east-2, its replica in us-west-2, and a role through
# which the service may use them. STEPS.md explains each. Safe to repeat: what is there already is left as it is.
#
#   sh setup.sh
#   ROLE_NAME=my-role STACK_NAME=my-stack sh setup.sh     with names of your own
#
# Needs the AWS CLI with credentials of your account that may use CloudFormation, KMS and IAM.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"

service_account_id=@service_account_id@
external_id=@external_id@
access_role_name=@access_role_name@
role_name=${ROLE_NAME:-latchkey-byo-key}
stack_name=${STACK_NAME:-latchkey-key}

output_of_first_stack() {
  aws cloudformation describe-stacks --region us-east-2 --stack-name "$stack_name" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

echo "1/2 key in us-east-2 and role $role_name"
aws cloudformation deploy --region us-east-2 --stack-name "$stack_name" \
  --template-file key-and-role.yaml --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset \
  --parameter-overrides \
  "ServiceAccountId=$service_account_id" "ExternalId=$external_id" "AccessRoleName=$access_role_name" "RoleName=$role_name"

echo "2/2 replica in us-west-2"
primary_key_arn=$(output_of_first_stack PrimaryKeyArn)
aws cloudformation deploy --region us-west-2 --stack-name "$stack_name-replica" \
  --template-file replica.yaml --no-fail-on-empty-changeset \
  --parameter-overrides "PrimaryKeyArn=$primary_key_arn"

output_of_first_stack CreateVaultRequest > create-vault.json

cat <<'END'

Done. Now create the vault. Enter these values in the service:
END
cat create-vault.json
cat <<'END'

or run this, in this folder, with LATCHKEY_API set to the address of the service's API and LATCHKEY_TOKEN to a token of an
owner, super_admin or admin of the workspace:

@create_vault@
END
