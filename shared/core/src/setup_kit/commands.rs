//! The AWS CLI commands that set up a customer's account.

use serde::Serialize;

use crate::setup_kit::ServiceParameters;
use crate::setup_kit::shell::quoted;

/// The stack that contains the key and the role.
pub(super) const KEY_STACK: &str = "latchkey-key";
/// The stack that contains the replica.
pub(super) const REPLICA_STACK: &str = "latchkey-key-replica";
/// The default name of the customer's role.
const ROLE_NAME: &str = "latchkey-byo-key";

/// Creates the vault from the request that `setup.sh` has written to a file.
pub(super) const CREATE_VAULT_FROM_FILE: &str = r#"curl --silent --show-error --fail-with-body "$LATCHKEY_API/v1/vaults" \
  --header "authorization: Bearer $LATCHKEY_TOKEN" --header "content-type: application/json" \
  --data @create-vault.json"#;

/// A command to paste into a shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What it does.
    pub does: &'static str,
    /// The command.
    pub run: String,
}

/// The three commands, in order. Each one looks up what it needs from the stacks of the ones before.
pub(super) fn all(parameters: &ServiceParameters<'_>) -> [Command; 3] {
    let mut overrides: Vec<String> = parameters
        .0
        .iter()
        .map(|(name, value)| format!("    {name}={}", quoted(value)))
        .collect();
    overrides.push(format!("    RoleName={}", quoted(ROLE_NAME)));
    let overrides = overrides.join(" \\\n");
    let (primary_key_arn, request) = (output("PrimaryKeyArn"), output("CreateVaultRequest"));
    [
        Command {
            does: "Makes the key in us-east-2 and the role",
            run: format!(
                "aws cloudformation deploy --region us-east-2 --stack-name {KEY_STACK} \\\n  \
                 --template-file key-and-role.yaml --capabilities CAPABILITY_NAMED_IAM \\\n  \
                 --no-fail-on-empty-changeset --parameter-overrides \\\n{overrides}"
            ),
        },
        Command {
            does: "Makes the key's replica in us-west-2",
            run: format!(
                "aws cloudformation deploy --region us-west-2 --stack-name {REPLICA_STACK} \\\n  \
                 --template-file replica.yaml --no-fail-on-empty-changeset \\\n  \
                 --parameter-overrides PrimaryKeyArn=\"{primary_key_arn}\""
            ),
        },
        Command {
            does: "Creates the vault. LATCHKEY_API is the address of the service's API, LATCHKEY_TOKEN a token of an owner, \
                   super_admin or admin of the workspace",
            run: format!(
                "curl --silent --show-error --fail-with-body \"$LATCHKEY_API/v1/vaults\" \\\n  \
                 --header \"authorization: Bearer $LATCHKEY_TOKEN\" --header \"content-type: application/json\" \\\n  \
                 --data \"{request}\""
            ),
        },
    ]
}

/// Reads an output of the first stack.
fn output(name: &str) -> String {
    format!(
        "$(aws cloudformation describe-stacks --region us-east-2 \\\n    --stack-name {KEY_STACK} \
         --query \"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue\" --output text)"
    )
}
