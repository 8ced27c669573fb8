//! Timeouts for every call to AWS, derived from the request's deadline.
//!
//! An attempt gets half of the time that the calling work has left, and the call with all its attempts gets three
//! quarters. That leaves time for a second attempt, and for the calling work to react if no answer comes. The
//! ceilings matter when much time is left: no caller should wait long for an answer that never comes.

use core::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use latchkey_core::request::time_limit;

/// The same for all calls: it belongs to the connector, and there is only one (`https`).
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(2);
/// Enough for two attempts that time out and the pause between them.
const LONGEST_CALL: Duration = Duration::from_millis(4_500);

/// The timeouts of a call that no deadline shortens.
pub(crate) fn longest() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(LONGEST_ATTEMPT)
        .operation_timeout(LONGEST_CALL)
        .build()
}

/// Sets the timeouts of each call as it begins.
#[derive(Debug)]
pub(crate) struct DeadlineTimeouts;

#[dyn_dispatch_hint]
impl Intercept for DeadlineTimeouts {
    fn name(&self) -> &'static str {
        "DeadlineTimeouts"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(left) = time_limit::time_left() {
            let half = left.checked_div(2).unwrap_or_default();
            let three_quarters = half.saturating_add(half.checked_div(2).unwrap_or_default());
            let timeouts = TimeoutConfig::builder()
                .operation_timeout(three_quarters.min(LONGEST_CALL))
                .operation_attempt_timeout(half.min(LONGEST_ATTEMPT))
                .build();
            config.interceptor_state().store_put(timeouts);
        }
        Ok(())
    }
}
