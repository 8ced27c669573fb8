//! Fail-over between the Regions: on an outage, never on a refusal (requirements D2, D3).

use core::future::Future;
use core::time::Duration;

use crate::customer::{AccessError, CustomerAccess, Outage, Refusal, within_patience};
use crate::error::{Cause, Error};
use crate::request::RequestContext;
use crate::values::Region;

/// The longest that one Region may take before the other is asked. A dead Region costs a request seconds, not all of
/// its time.
const LONGEST_TRY: Duration = Duration::from_millis(4_500);

/// Makes a call under `access`, in `home` first. Only when `home` has an outage is the other Region asked. Each Region
/// gets a share of the time left, so that there is time to answer even when both fail.
///
/// # Errors
/// The refusal, if a Region refuses. Otherwise the outage of the Region that was asked last, as an [`Error`].
pub async fn with_failover<T, Call, Answer>(
    context: &RequestContext,
    access: &CustomerAccess,
    home: Region,
    mut call: Call,
) -> Result<T, Error>
where
    Call: FnMut(Region) -> Answer,
    Answer: Future<Output = Result<T, AccessError>>,
{
    let mut error = Error::OutOfTime;
    for region in [home, home.other()] {
        // Half for the first Region, half of the rest for the second. What remains is for the answer and the rest of
        // the batch.
        let share = context.time_left().checked_div(2).unwrap_or_default();
        match within_patience(share.min(LONGEST_TRY), call(region)).await {
            Ok(value) => return Ok(value),
            Err(AccessError::Refused(refusal)) => return Err(refusal.into_error(access, region)),
            Err(AccessError::ServiceMisconfigured) => return Err(Error::Internal(Cause::AwsCallRefused)),
            Err(AccessError::Outage(Outage::Throttled)) => error = Error::Throttled,
            // Our time was short. AWS was not slow.
            Err(AccessError::Outage(Outage::TimedOut)) if share < LONGEST_TRY => error = Error::OutOfTime,
            Err(AccessError::Outage(_)) => error = Error::Unavailable,
        }
    }
    Err(error)
}

impl Refusal {
    /// The refusal, as the caller of encrypt-item or decrypt-item sees it.
    pub fn into_error(self, access: &CustomerAccess, region: Region) -> Error {
        Error::KeyRefused {
            region,
            refusal: self,
            finding: Box::new(self.finding(access, region)),
        }
    }
}
