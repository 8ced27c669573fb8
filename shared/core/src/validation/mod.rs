//! Validation: prove live that the customer's role and key are what they must be (requirements K1 to K4, R1 to R3, V2).
//!
//! All checks run, side by side; one failure hides no other. A check that cannot be made because of another's failure is
//! `skipped`, and says because of which.

mod key_checks;
pub mod remedies;
mod report;
mod role_checks;

use futures::future::join3;

pub use report::{Check, CheckOutcome, Report, Verdict};

use crate::access::CustomerAccess;
use crate::customer_role::RoleArn;
use crate::ports::CustomerKeys;
use crate::public_key::CustomerPublicKey;
use crate::region::Region;
use crate::request::RequestContext;

use key_checks::KeyFacts;

/// What one validation found.
#[derive(Debug)]
pub struct Validation {
    /// Every check with its result.
    pub report: Report,
    /// The key's public half, when both Regions answered with the same one: what a new vault pins.
    pub public_key: Option<CustomerPublicKey>,
    /// The key's spec as the primary's Region tells it.
    pub key_spec: Option<String>,
}

/// Validates the key and role of `access`; `pinned` is the vault's public key, where there is a vault already.
///
/// `access_role` is the service's access role, for the policy texts in remedies. Never fails: what could not be found
/// out is in the report.
pub async fn validate<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
    access_role: &RoleArn,
    home: Region,
    pinned: Option<&CustomerPublicKey>,
) -> Validation {
    let (role, east, west) = join3(
        role_checks::check_role(customer_keys, context, access, access_role, home),
        key_checks::check_key(customer_keys, context, access, Region::UsEast2),
        key_checks::check_key(customer_keys, context, access, Region::UsWest2),
    )
    .await;
    let mut checks = role;
    let both_regions = key_checks::compare_regions(&east, &west, pinned);
    let key_spec = east.key_spec.clone().or_else(|| west.key_spec.clone());
    let public_key = agreed_public_key(&east, &west).cloned();
    checks.extend(east.outcomes);
    checks.extend(west.outcomes);
    checks.extend(both_regions);
    Validation {
        report: Report::new(checks),
        public_key,
        key_spec,
    }
}

fn agreed_public_key<'a>(east: &'a KeyFacts, west: &KeyFacts) -> Option<&'a CustomerPublicKey> {
    east.public_key
        .as_ref()
        .filter(|east| west.public_key.as_ref() == Some(east))
}
