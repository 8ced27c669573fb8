//! The light check looks only at what must be found within a minute: whether the role lets us in and nobody else, what
//! `kms:DescribeKey` says in each Region, and whether `kms:Decrypt` there opens what was wrapped with the vault's
//! public key. It makes eight calls, side by side.

use futures::future::{try_join, try_join3};
use jiff::Timestamp;

use crate::customer::{AccessError, CustomerAccess};
use crate::findings::{Check, CheckOutcome, Finding, Verdict};
use crate::ports::CustomerKeys;
use crate::request::RequestContext;
use crate::validation::challenge::Challenge;
use crate::validation::key_checks::Place;
use crate::validation::patience::in_half_the_time_left;
use crate::validation::role_checks::check_role;
use crate::values::{CustomerPublicKey, Region, RoleArn};
use crate::vault::Vault;

/// What a light check found.
#[derive(Debug, PartialEq, Eq)]
pub enum LightCheck {
    /// Everything is as it must be, apart from warnings that are on record.
    NothingNew,
    /// AWS left calls unanswered. The answers that came were nothing new.
    Unanswered(Vec<Finding>),
    /// Anything else. Only the whole validation can tell what is wrong, or what is no longer wrong.
    SomethingElse,
}

/// Something is refused, or is not as it must be.
struct Wrong;

/// Checks the role, and the key in both Regions, from `asked_at` on, and compares the outcomes with the findings on
/// `vault`'s record. Stops as soon as something is wrong.
pub async fn light_check<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    access_role: &RoleArn,
    home: Region,
    asked_at: Timestamp,
    vault: &Vault,
) -> LightCheck {
    let role = async { unless_wrong(check_role(customer_keys, context, access, access_role, home).await) };
    let key = async |region| {
        let place = Place::alone(access, region, asked_at);
        let described = async {
            let description = customer_keys.describe_key(context, access, region);
            unless_wrong(place.described(&in_half_the_time_left(context, description).await))
        };
        let decrypted = async {
            let answer = decrypt(customer_keys, context, access, region, &vault.public_key).await;
            let answer = answer.as_ref().map(|&()| ());
            unless_wrong(vec![place.exercised(
                Check::DecryptAllowed,
                "kms:Decrypt",
                answer,
                false,
            )])
        };
        try_join(described, decrypted).await
    };
    let Ok((role, east, west)) = try_join3(role, key(Region::UsEast2), key(Region::UsWest2)).await else {
        return LightCheck::SomethingElse;
    };
    let outcomes = [role, east.0, east.1, west.0, west.1].concat();
    if outcomes.iter().any(|outcome| is_news(outcome, &vault.health.findings)) {
        return LightCheck::SomethingElse;
    }
    // Only the key's calls count as unanswered. The attempts to assume the role use our own account's STS quota, so
    // their being throttled says nothing about the customer. If STS is down, the key's calls notice it as soon as they
    // need a session.
    let unanswered = outcomes
        .into_iter()
        .filter(|outcome| outcome.unanswered && outcome.region.is_some());
    let unanswered: Vec<_> = unanswered.collect();
    if unanswered.is_empty() {
        LightCheck::NothingNew
    } else {
        LightCheck::Unanswered(unanswered.into_iter().map(CheckOutcome::into_finding).collect())
    }
}

async fn decrypt<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    region: Region,
    public_key: &CustomerPublicKey,
) -> Result<(), AccessError> {
    let challenge = Challenge::generate()?;
    let wrapped = challenge.wrapped_with(public_key)?;
    challenge
        .decrypt(customer_keys, context, access, region, &wrapped)
        .await
}

fn unless_wrong(outcomes: Vec<CheckOutcome>) -> Result<Vec<CheckOutcome>, Wrong> {
    let wrong = |outcome: &CheckOutcome| outcome.verdict == Verdict::Fail && !outcome.unanswered;
    if outcomes.iter().any(wrong) {
        Err(Wrong)
    } else {
        Ok(outcomes)
    }
}

/// Whether a check newly warns, or passes although its warning is on record. An unanswered check is no news, and
/// neither is a check that only the whole validation makes.
fn is_news(outcome: &CheckOutcome, known: &[Finding]) -> bool {
    let is_known = known
        .iter()
        .any(|finding| (finding.check, finding.region) == (outcome.check, outcome.region));
    match outcome.verdict {
        Verdict::Warn => !is_known,
        Verdict::Pass => is_known,
        Verdict::Fail | Verdict::Skipped => false,
    }
}
