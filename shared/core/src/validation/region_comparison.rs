//! The checks that need the answers of both Regions (requirements K1, K3, H1).

use core::time::Duration;

use crate::customer::{AccessError, CustomerAccess, LONGEST_SESSION, Refusal};
use crate::findings::{Check, CheckOutcome, remedies};
use crate::validation::key_calls::KeyAnswers;
use crate::values::CustomerPublicKey;

/// The checks that need the answers of both Regions.
pub(super) fn compare_regions(
    access: &CustomerAccess,
    east: &KeyAnswers,
    west: &KeyAnswers,
    pinned: Option<&CustomerPublicKey>,
) -> Vec<CheckOutcome> {
    let keys = [east.public_key.as_ref().ok(), west.public_key.as_ref().ok()];
    let public_keys_match = match keys {
        [Some(east), Some(west)] if east == west => {
            CheckOutcome::pass(Check::PublicKeysMatch, None, "Both Regions have the same public key.")
        }
        [Some(_), Some(_)] => CheckOutcome::fail(
            Check::PublicKeysMatch,
            None,
            "The key in us-east-2 and the key in us-west-2 have different public keys, so what one opens the other does not. \
             No data is lost as long as both keys are kept.",
            remedies::match_public_keys(access),
        ),
        _ => CheckOutcome::skipped(
            Check::PublicKeysMatch,
            None,
            "Not checked: the public key is not known in both Regions (see get_public_key_allowed).",
        ),
    };
    let known = || keys.into_iter().flatten();
    let public_key_unchanged = match pinned {
        None => CheckOutcome::skipped(
            Check::PublicKeyUnchanged,
            None,
            "Not checked: a new vault has no key on record to compare with.",
        ),
        Some(_) if known().count() == 0 => CheckOutcome::skipped(
            Check::PublicKeyUnchanged,
            None,
            "Not checked: no Region told its public key (see get_public_key_allowed).",
        ),
        Some(pinned) if known().all(|key| key == pinned) => CheckOutcome::pass(
            Check::PublicKeyUnchanged,
            None,
            "The public key is the one the vault was created with.",
        ),
        Some(_) => CheckOutcome::fail(
            Check::PublicKeyUnchanged,
            None,
            remedies::key_replaced(None),
            remedies::RESTORE_KEY.to_owned(),
        ),
    };
    let key_spec_recommended = match key_spec(east, west) {
        Some("RSA_4096") => CheckOutcome::pass(Check::KeySpecRecommended, None, "The key's spec is RSA_4096."),
        Some(spec) if spec.starts_with("RSA_") => CheckOutcome::warn(
            Check::KeySpecRecommended,
            None,
            format!("The key's spec is {spec}. It works, and no data is affected; RSA_4096 is recommended."),
            remedies::new_key("Nothing breaks if this key is kept."),
        ),
        _ => CheckOutcome::skipped(
            Check::KeySpecRecommended,
            None,
            "Not checked: the key is not known to be an RSA key.",
        ),
    };
    vec![public_keys_match, public_key_unchanged, key_spec_recommended]
}

/// The key's spec, as the primary's Region describes it, or else the replica's.
pub(super) fn key_spec<'a>(east: &'a KeyAnswers, west: &'a KeyAnswers) -> Option<&'a str> {
    let description = east.description.as_ref().or(west.description.as_ref()).ok()?;
    Some(&description.key_spec)
}

/// The key's public half, if both Regions answered with the same one.
pub(super) fn agreed_public_key<'a>(east: &'a KeyAnswers, west: &KeyAnswers) -> Option<&'a CustomerPublicKey> {
    let east = east.public_key.as_ref().ok()?;
    (west.public_key.as_ref() == Ok(east)).then_some(east)
}

/// If both Regions refused to open data keys, how long sessions that were already open may go on.
pub(super) fn opening_ended(east: &KeyAnswers, west: &KeyAnswers) -> Option<Duration> {
    Some(refuses_to_open(east)?.max(refuses_to_open(west)?))
}

/// KMS checks the key's state and the policies at each call, but a trust policy is only checked when a session begins.
fn refuses_to_open(answers: &KeyAnswers) -> Option<Duration> {
    match answers.decrypted.as_ref()?.as_ref().err()? {
        AccessError::Refused(Refusal::RoleNotAssumable) => Some(LONGEST_SESSION),
        AccessError::Refused(_) => Some(Duration::ZERO),
        AccessError::Outage(_) | AccessError::ServiceMisconfigured => None,
    }
}
