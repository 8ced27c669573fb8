//! The texts for a customer's security admin that more than one check uses: what is wrong, in words that keep "locked"
//! and "lost" apart (requirement H2), and the exact thing to change. A policy text comes last in its remedy, so that it
//! can be copied to the end.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use crate::customer::{CustomerAccess, policies};
use crate::values::{Region, RoleArn};

/// What to do about a state that ends by itself.
pub(crate) const WAIT: &str = "Nothing to change: this state passes by itself, within minutes.";
/// What to do about a key that is not the vault's.
pub(crate) const RESTORE_KEY: &str = "Restore the key that the vault was created with. If it is to be replaced, create a new \
    vault with the new key and reassign the items to it while the old key still works.";

/// The role does not let the service in.
pub(crate) fn role_not_assumable(access: &CustomerAccess) -> String {
    format!(
        "The role {} does not let the service in. Either it does not exist, or its trust policy names another principal or \
         another external id; AWS does not tell which. Once sessions that are still open have ended (after 15 minutes at \
         most), items cannot be opened. They are locked, not lost: they open again once the role lets the service in.",
        access.role_arn
    )
}

pub(crate) fn replace_trust_policy(access: &CustomerAccess, access_role: &RoleArn) -> String {
    format!(
        "Make this the whole trust policy of the role {} (IAM console: Roles, {}, Trust relationships, Edit trust policy): {}",
        access.role_arn,
        access.role_arn.name(),
        policies::trust_policy(access_role, &access.workspace_id)
    )
}

/// For live calls, which do not know the full text of the trust policy.
pub(crate) fn mend_role(access: &CustomerAccess) -> String {
    let name = access.role_arn.name();
    format!(
        "See that the role {} exists and that its trust policy names the service's role and the external id {}: aws iam \
         get-role --role-name {name}. Then validate the vault: the report has the whole trust policy.",
        access.role_arn, access.workspace_id
    )
}

pub(crate) fn show_key_policy(access: &CustomerAccess, region: Region) -> String {
    format!(
        "aws kms get-key-policy --region {region} --key-id {} --policy-name default --output text",
        access.key.key_id
    )
}

/// KMS knows no such key. It does not say whether the id is wrong or the key was deleted.
pub(crate) fn key_not_found(access: &CustomerAccess, region: Region) -> String {
    let (key_id, account) = (&access.key.key_id, &access.key.account_id);
    let other = region.other();
    format!(
        "KMS knows no key {key_id} of the account {account} in {region}. The key id or the account may be wrong, the key may \
         never have been there, or it was deleted. A deletion cannot be undone, but as long as the \
         key is there in {other}, no data is lost. If it was deleted in both Regions, nothing sealed with it can ever be \
         opened again."
    )
}

pub(crate) fn find_key(access: &CustomerAccess, region: Region) -> String {
    let (key_id, account) = (&access.key.key_id, &access.key.account_id);
    if region == Region::PRIMARY {
        format!(
            "Look for the key in the account {account}: aws kms describe-key --region {region} --key-id {key_id}. If the id \
             or the account is wrong, create a vault with the right ones. If the key was deleted, make a new key and a new \
             vault, and reassign the items that still open."
        )
    } else {
        format!(
            "Replicate the primary key: aws kms replicate-key --region {} --key-id {key_id} --replica-region {region}. Only \
             a multi-Region key (mrk-...) can be replicated. If that finds no key either, check the key id and the account \
             {account}.",
            Region::PRIMARY
        )
    }
}

/// The key is disabled. The text does not speak of loss, because nothing is lost.
pub(crate) fn key_disabled(region: Region) -> String {
    format!(
        "The key in {region} is disabled, so items cannot be opened through {region}. They are locked and safe. This can be \
         undone: they open again once the key is enabled."
    )
}

pub(crate) fn enable_key(access: &CustomerAccess, region: Region) -> String {
    format!(
        "Enable the key: {}, or in the KMS console in {region}: Customer managed keys, the key, Key actions, Enable.",
        enable_command(access, region)
    )
}

fn enable_command(access: &CustomerAccess, region: Region) -> String {
    format!("aws kms enable-key --region {region} --key-id {}", access.key.key_id)
}

/// The key is scheduled for deletion. `when` comes from [`deletion_date`] if KMS states the date.
pub(crate) fn key_pending_deletion(region: Region, when: &str, elsewhere: &str) -> String {
    format!(
        "The key in {region} is scheduled for deletion: KMS deletes it {when}. Until then items cannot be opened through \
         {region}, and the deletion can be cancelled. A deletion itself is permanent. {elsewhere}"
    )
}

/// For a key that is to be deleted while nothing is known about the other Region's: without either, all is lost.
pub(crate) const DELETION_ELSEWHERE_UNKNOWN: &str = "If the key is deleted in both Regions, nothing sealed with it can ever be \
    opened again.";

/// A date and how many days away it is, by the calendar in UTC.
pub(crate) fn deletion_date(deletion_at: Timestamp, now: Timestamp) -> String {
    let date = |time: Timestamp| TimeZone::UTC.to_datetime(time).date();
    let days = date(now).until((Unit::Day, date(deletion_at)));
    let left = match days.map(|span| span.get_days()) {
        Ok(0) => "today".to_owned(),
        Ok(1) => "in 1 day".to_owned(),
        Ok(days @ 2..) => format!("in {days} days"),
        Ok(..0) | Err(_) => "at any moment".to_owned(),
    };
    format!("on {}, {left}", deletion_at.strftime("%Y-%m-%d at %H:%M UTC"))
}

pub(crate) fn cancel_deletion(access: &CustomerAccess, region: Region) -> String {
    format!(
        "Cancel the deletion and enable the key again: aws kms cancel-key-deletion --region {region} --key-id {} && {}",
        access.key.key_id,
        enable_command(access, region)
    )
}

/// The key is in a state that forbids its use. A live call learns no more than that.
pub(crate) fn key_invalid_state(region: Region) -> String {
    format!(
        "The key in {region} is in a state in which it cannot be used, so items cannot be opened through {region}. They \
         are locked; whether this can be undone depends on the state."
    )
}

pub(crate) fn show_key_state(access: &CustomerAccess, region: Region) -> String {
    format!(
        "See which state it is: aws kms describe-key --region {region} --key-id {} --query KeyMetadata.KeyState. What each \
         state means: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",
        access.key.key_id
    )
}

/// The key has another usage.
pub(crate) fn key_wrong_usage(region: Region) -> String {
    format!(
        "The key in {region} is not an RSA key for encryption and decryption, so it cannot open anything that was sealed. \
         Items stay locked until the key that they were sealed for is back."
    )
}

/// Another key answers under the ARN.
pub(crate) fn key_replaced(region: Option<Region>) -> String {
    let place = region.map(|region| format!(" in {region}")).unwrap_or_default();
    format!(
        "The key{place} is not the one that the vault was created with, and cannot open what was sealed for that one. As long \
         as the first key still exists somewhere, these items are locked; without it they are lost."
    )
}

/// A replica has the key material of its primary, so two keys with the same id but different public keys are not such a
/// pair.
pub(crate) fn match_public_keys(access: &CustomerAccess) -> String {
    let key_id = &access.key.key_id;
    format!(
        "See which Region's key is not the right one: aws kms get-public-key --region us-east-2 --key-id {key_id} and aws kms \
         get-public-key --region us-west-2 --key-id {key_id}. Restore the key that belongs there. Delete neither before \
         every item opens again."
    )
}

pub(crate) fn mend_topology(access: &CustomerAccess) -> String {
    let key_id = &access.key.key_id;
    format!(
        "If the primary key is in another Region: aws kms update-primary-region --region <Region of the primary> --key-id \
         {key_id} --primary-region us-east-2. If the replica is missing: aws kms replicate-key --region us-east-2 --key-id \
         {key_id} --replica-region us-west-2."
    )
}

pub(crate) fn new_key(why: &str) -> String {
    format!(
        "{why} This cannot be changed on an existing key. Make a new one with the CloudFormation template of the setup kit, \
         or with aws kms create-key --region us-east-2 --key-spec RSA_4096 --key-usage ENCRYPT_DECRYPT --multi-region and \
         aws kms replicate-key --region us-east-2 --key-id <its key id> --replica-region us-west-2. Then create a vault \
         with it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_date_says_how_many_days_are_left() {
        let now = "2026-11-23T23:30:00Z".parse().expect("a time");
        for (date, said) in [
            ("2026-11-30T23:30:00Z", "on 2026-11-30 at 23:30 UTC, in 7 days"),
            ("2026-11-25T00:10:00Z", "on 2026-11-25 at 00:10 UTC, in 2 days"),
            ("2026-11-24T00:10:00Z", "on 2026-11-24 at 00:10 UTC, in 1 day"),
            ("2026-11-23T23:59:00Z", "on 2026-11-23 at 23:59 UTC, today"),
            ("2026-11-22T23:59:00Z", "on 2026-11-22 at 23:59 UTC, at any moment"),
            ("2026-12-23T01:00:00Z", "on 2026-12-23 at 01:00 UTC, in 30 days"),
        ] {
            assert_eq!(deletion_date(date.parse().expect("a time"), now), said);
        }
    }
}
