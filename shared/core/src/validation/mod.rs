//! Validation: proves live that the customer's role and key are what they must be
//! (requirements K1 to K4, R1 to R3, V2).
//!
//! All checks run side by side, and one failure hides no other. A check that another failure makes impossible is
//! `skipped`, and its message names that failure. So a skipped check means that something has failed, with two
//! exceptions: the comparison with the pinned public key when there is none yet, and the checks that concern only a
//! customer's role when the role is our own.

mod challenge;
mod key_calls;
mod key_checks;
mod key_description;
mod light_check;
mod observed;
mod patience;
mod region_comparison;
mod role_checks;

use core::time::Duration;

use futures::future::join3;
use jiff::Timestamp;

use crate::findings::{Check, Report, Verdict};
pub use light_check::{LightCheck, light_check};

use crate::customer::CustomerAccess;
use crate::ports::CustomerKeys;
use crate::request::RequestContext;
use crate::values::{CustomerPublicKey, Region, RoleArn};

use crate::findings::denials::Permissions;
use key_checks::Place;

/// What one validation found.
#[derive(Debug)]
pub struct Validation {
    /// Every check with its result.
    pub report: Report,
    /// The key's public half, if both Regions answered with the same one. A new vault pins it.
    pub public_key: Option<CustomerPublicKey>,
    /// The key's spec, as the primary's Region describes it, or else the replica's.
    pub key_spec: Option<String>,
    /// If both Regions refused to open data keys: how long sessions that were already open may go on. `None` if at
    /// least one Region may still open them.
    pub opening_ended: Option<Duration>,
}

/// Validates the key and role of `access`, from `asked_at` on. `pinned` is the public key of an existing vault.
/// `access_role` is the service's access role, for the policy texts in remedies.
///
/// It never fails, and ends well within the request's time. What could not be found out is in the report.
pub async fn validate<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    access_role: &RoleArn,
    home: Region,
    asked_at: Timestamp,
    pinned: Option<&CustomerPublicKey>,
) -> Validation {
    // Boxed because each makes several calls at once, and every layer above would hold the futures several times over.
    let (mut checks, east, west) = join3(
        Box::pin(role_checks::check_role(
            customer_keys,
            context,
            access,
            access_role,
            home,
        )),
        Box::pin(key_calls::ask_key(
            customer_keys,
            context,
            access,
            Region::UsEast2,
            pinned,
        )),
        Box::pin(key_calls::ask_key(
            customer_keys,
            context,
            access,
            Region::UsWest2,
            pinned,
        )),
    )
    .await;
    let role_lets_us_in = checks
        .iter()
        .any(|outcome| outcome.check == Check::RoleAssumable && outcome.verdict == Verdict::Pass);
    for (region, answers, other) in [(Region::UsEast2, &east, &west), (Region::UsWest2, &west, &east)] {
        let place = Place {
            access,
            region,
            role_lets_us_in,
            asked_at,
            here: Permissions::of(answers),
            there: Permissions::of(other),
            described_there: other.description.as_ref().ok(),
        };
        checks.extend(place.check_key(answers));
    }
    checks.extend(region_comparison::compare_regions(access, &east, &west, pinned));
    Validation {
        report: Report::new(checks),
        public_key: region_comparison::agreed_public_key(&east, &west).cloned(),
        key_spec: region_comparison::key_spec(&east, &west).map(str::to_owned),
        opening_ended: region_comparison::opening_ended(&east, &west),
    }
}
