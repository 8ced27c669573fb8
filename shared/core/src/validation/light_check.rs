//! The light check: what `kms:DescribeKey` tells in both Regions. Two calls, each minute.

use futures::future::join;

use super::key_checks::Place;
use super::report::Verdict;
use crate::access::{CustomerAccess, in_half_the_time_left};
use crate::health::Finding;
use crate::ports::CustomerKeys;
use crate::region::Region;
use crate::request::RequestContext;

/// What a light check found.
#[derive(Debug, PartialEq, Eq)]
pub enum LightCheck {
    /// The key is described in both Regions as it must be.
    AsItMustBe,
    /// AWS did not answer; what did come was as it must be.
    Unanswered(Vec<Finding>),
    /// Anything else: only the whole validation can tell what is wrong.
    SomethingElse,
}

/// Looks at the key as it is described in both Regions.
pub async fn light_check<K: CustomerKeys>(
    customer_keys: &K,
    context: &RequestContext,
    access: &CustomerAccess,
) -> LightCheck {
    let describe = |region| in_half_the_time_left(context, customer_keys.describe_key(context, access, region));
    let (east, west) = join(describe(Region::UsEast2), describe(Region::UsWest2)).await;
    let mut unanswered = Vec::new();
    for (region, description) in [(Region::UsEast2, east), (Region::UsWest2, west)] {
        let place = Place {
            access,
            region,
            role_lets_us_in: true,
            asked_at: jiff::Timestamp::MIN,
            here: super::denials::Permissions::UNKNOWN,
            there: super::denials::Permissions::UNKNOWN,
            described_there: None,
        };
        for outcome in place.described(&description) {
            match outcome.verdict {
                Verdict::Fail if outcome.unanswered => unanswered.push(outcome.into_finding()),
                Verdict::Fail | Verdict::Warn => return LightCheck::SomethingElse,
                Verdict::Pass | Verdict::Skipped => {}
            }
        }
    }
    if unanswered.is_empty() {
        LightCheck::AsItMustBe
    } else {
        LightCheck::Unanswered(unanswered)
    }
}
