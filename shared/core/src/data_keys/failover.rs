//! Fail-over between the Regions: on an outage, never on a refusal (requirements D2, D3).

use core::future::Future;
use core::time::Duration;

use crate::customer::{AccessError, CustomerAccess, Outage, Refusal, within_patience};
use crate::error::{Cause, Error};
use crate::request::RequestContext;
use crate::values::Region;

/// What one Region may take at most before the other is asked. A dead Region shall cost a request seconds, not all it has.
const LONGEST_TRY: Duration = Duration::from_millis(4_500);

/// Makes a call under `access`: in `home` first, and in the other Region only when `home` has an outage. Each try gets its
/// share of the time left, so that what became of both can still be told.
///
/// # Errors
/// The refusal where there was one; else the outage of the Region asked last, as [`Error`].
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
        // Half, and then half of the other half: the rest is for the answer, and for what else is in the same batch.
        let share = context.time_left().checked_div(2).unwrap_or_default();
        match within_patience(share.min(LONGEST_TRY), call(region)).await {
            Ok(value) => return Ok(value),
            Err(AccessError::Refused(refusal)) => return Err(refusal.into_error(access, region)),
            Err(AccessError::ServiceMisconfigured) => return Err(Error::Internal(Cause::AwsCallRefused)),
            Err(AccessError::Outage(Outage::Throttled)) => error = Error::Throttled,
            // It is our time that was short, not AWS that was slow.
            Err(AccessError::Outage(Outage::TimedOut)) if share < LONGEST_TRY => error = Error::OutOfTime,
            Err(AccessError::Outage(_)) => error = Error::Unavailable,
        }
    }
    Err(error)
}

impl Refusal {
    /// The refusal as the caller of encrypt or decrypt is told it.
    pub fn into_error(self, access: &CustomerAccess, region: Region) -> Error {
        Error::KeyRefused {
            region,
            refusal: self,
            finding: Box::new(self.finding(access, region)),
        }
    }
}
