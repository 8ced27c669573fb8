//! What a customer's security admin is told: what is wrong in words that tell "locked" from "lost" (requirement H2),
//! and the exact thing to change.

use serde_json::Value;

use crate::access::CustomerAccess;
use crate::customer_role::RoleArn;
use crate::policies;
use crate::region::Region;

/// The role refuses a request that live traffic made.
pub(crate) const ROLE_NOT_ASSUMABLE: &str = "The role does not let us in, so nothing can be sealed or opened. No data is lost: \
    the items open again once the role lets us in.";
/// kms:Decrypt is denied.
pub(crate) const DECRYPT_DENIED: &str = "kms:Decrypt is denied, so nothing can be sealed or opened. No data is lost: the items \
    open again once the action is allowed.";
/// The key is disabled.
pub(crate) const KEY_DISABLED: &str =
    "The key is disabled. This can be undone: the items open again once the key is enabled.";
/// What to do about a state that passes by itself.
pub(super) const WAIT: &str = "Validate again in a minute: this state passes by itself.";
/// The key is scheduled for deletion.
pub(crate) const KEY_PENDING_DELETION: &str = "The key is scheduled for deletion. When its waiting period ends, nothing sealed \
    with it can ever be opened again. Until then the deletion can be cancelled.";
/// There is no such key.
pub(crate) const KEY_NOT_FOUND: &str = "The key is not there. If it was deleted in both Regions, nothing sealed with it can ever \
    be opened again; if only the replica is gone, it can be made again from the primary.";
/// The key is in a state that forbids its use.
pub(crate) const KEY_INVALID_STATE: &str = "The key is in a state in which it cannot be used.";
/// The key is for something else.
pub(crate) const KEY_WRONG_USAGE: &str = "The key is not an RSA key for encryption and decryption.";
/// Another key answers under the ARN.
pub(crate) const KEY_REPLACED: &str = "The key is not the one that the vault was created with: it cannot open what was sealed \
    for that one.";
/// How to mend it.
pub(crate) const RESTORE_KEY: &str = "Restore the key that the vault was created with. If it is meant to be replaced, make a new \
    vault with the new key and move the items to it while the old key still works.";

pub(super) fn replace_trust_policy(access: &CustomerAccess, access_role: &RoleArn) -> String {
    format!(
        "Make this the whole trust policy of the role {} (IAM console: Roles, {}, Trust relationships, Edit): {}",
        access.role_arn,
        access.role_arn.name(),
        text_of(&policies::trust_policy(access_role, &access.workspace_id))
    )
}

pub(crate) fn mend_role(access: &CustomerAccess) -> String {
    format!(
        "Restore the role {} and its trust policy, then validate the vault: the report names the exact statement.",
        access.role_arn
    )
}

pub(crate) fn allow_action(access: &CustomerAccess, action: &str) -> String {
    format!(
        "Make this the inline policy of the role {}, so that it allows {action} on the key in both Regions; if it does \
         already, look for a Deny in the key policy, in a permissions boundary and in service control policies: {}",
        access.role_arn,
        text_of(&policies::key_policy(&access.key))
    )
}

pub(crate) fn find_key(access: &CustomerAccess, region: Region) -> String {
    let key_id = &access.key.key_id;
    if region == Region::PRIMARY {
        format!(
            "Check the key id {key_id} and the account {} in the KMS console in {region}. If the key was deleted, what \
             was sealed with it cannot be opened any more: make a new key and a new vault.",
            access.key.account_id
        )
    } else {
        format!(
            "Replicate the primary key to {region}: aws kms replicate-key --region {} --key-id {key_id} \
             --replica-region {region} (only a multi-Region key, mrk-..., can be replicated).",
            Region::PRIMARY
        )
    }
}

pub(crate) fn enable_key(access: &CustomerAccess, region: Region) -> String {
    format!("aws kms enable-key --region {region} --key-id {}", access.key.key_id)
}

pub(crate) fn cancel_deletion(access: &CustomerAccess, region: Region) -> String {
    let key_id = &access.key.key_id;
    format!(
        "aws kms cancel-key-deletion --region {region} --key-id {key_id} && {}",
        enable_key(access, region)
    )
}

pub(super) fn mend_topology(access: &CustomerAccess) -> String {
    let key_id = &access.key.key_id;
    format!(
        "The primary key belongs in us-east-2 and a replica in us-west-2. If the primary is elsewhere: aws kms \
         update-primary-region --key-id {key_id} --primary-region us-east-2, in the Region of the primary. If the \
         replica is missing: aws kms replicate-key --region us-east-2 --key-id {key_id} --replica-region us-west-2."
    )
}

pub(crate) fn new_key(why: &str) -> String {
    format!(
        "{why} This cannot be changed on an existing key: make a new one with the customer's CloudFormation template, or \
         with aws kms create-key --region us-east-2 --key-spec RSA_4096 --key-usage ENCRYPT_DECRYPT --multi-region, and \
         replicate it to us-west-2."
    )
}

fn text_of(policy: &Value) -> String {
    policy.to_string()
}
