//! The IAM policies of the integration, as data: what the customer grants (requirements R2, R3), and what our sessions
//! are limited to.

use serde_json::{Value, json};

use crate::values::{CustomerKey, Region, RoleArn, WorkspaceId};

/// The only actions that the customer grants on its key.
pub const KEY_ACTIONS: [&str; 4] = ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"];

/// The trust policy of the customer's role. It lets in our access role and no other principal, and only with this
/// workspace's external id.
pub fn trust_policy(access_role: &RoleArn, workspace_id: &WorkspaceId) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": access_role.as_str() },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": workspace_id.as_str() } }
        }]
    })
}

/// The inline policy of the customer's role: the four actions on exactly the two key ARNs.
pub fn key_policy(key: &CustomerKey) -> Value {
    allow(&KEY_ACTIONS, key_arns(key))
}

/// The inline policy for a customer that has no key yet, to be completed by hand. It is valid JSON. Its placeholders
/// match no account and no key, so it allows nothing until they are filled in.
pub fn key_policy_to_fill_in() -> Value {
    let to_fill_in =
        |region: Region| format!("arn:aws:kms:{region}:REPLACE-WITH-YOUR-ACCOUNT-ID:key/REPLACE-WITH-YOUR-KEY-ID");
    allow(&KEY_ACTIONS, Region::ALL.map(to_fill_in))
}

/// The session policy for one purpose: `actions` on exactly the two key ARNs.
pub fn session_policy(actions: &[&str], key: &CustomerKey) -> Value {
    allow(actions, key_arns(key))
}

/// The session policy for an attempt that must be refused. If the role lets us in after all, the session can do
/// nothing.
pub fn powerless_session_policy() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }]
    })
}

fn key_arns(key: &CustomerKey) -> [String; 2] {
    Region::ALL.map(|region| key.arn(region).as_str().to_owned())
}

fn allow(actions: &[&str], key_arns: [String; 2]) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": actions,
            "Resource": key_arns
        }]
    })
}
