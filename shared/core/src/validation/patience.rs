//! How long one call of a validation may take.

use core::future::Future;

use crate::customer::{AccessError, within_patience};
use crate::request::RequestContext;

/// Makes a call that times out after half of the time left. The calls after it get the rest.
pub(crate) async fn in_half_the_time_left<T>(
    context: &RequestContext,
    call: impl Future<Output = Result<T, AccessError>>,
) -> Result<T, AccessError> {
    let patience = context.time_left().checked_div(2).unwrap_or_default();
    within_patience(patience, call).await
}
