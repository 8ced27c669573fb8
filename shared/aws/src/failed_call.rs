//! What is logged of a call to AWS that failed: which call, where, AWS's error code and AWS's id of the call. The SDK's own
//! text stays out: it can print bodies.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId as _;
use latchkey_core::values::Region;

use crate::error_code::loggable;

/// Why there is no answer that can be used, where there is one.
const UNREADABLE: &str = "the answer cannot be read";

/// A call that AWS did not do.
pub(crate) struct FailedCall<'a> {
    service: &'static str,
    action: &'static str,
    /// Where, if not in the function's own Region.
    region: Option<&'static str>,
    error_code: &'a str,
    aws_request_id: Option<&'a str>,
    /// Why there is no answer; `None` if there is one.
    no_answer: Option<&'static str>,
}

impl<'a> FailedCall<'a> {
    /// The call that failed so, with the SDK's retries spent.
    pub(crate) fn new<E: ProvideErrorMetadata>(
        service: &'static str,
        action: &'static str,
        error: &'a SdkError<E>,
    ) -> Self {
        let no_answer = match error {
            SdkError::ServiceError(answer) if answer.raw().status().is_success() => Some(UNREADABLE),
            SdkError::ServiceError(_) => None,
            SdkError::TimeoutError(_) => Some("timed out"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Some("timed out"),
            SdkError::DispatchFailure(_) => Some("no connection"),
            SdkError::ResponseError(_) => Some(UNREADABLE),
            SdkError::ConstructionFailure(_) | _ => Some("it could not be sent"),
        };
        Self {
            service,
            action,
            region: None,
            error_code: error.code().map_or("none", loggable),
            aws_request_id: error.request_id(),
            no_answer,
        }
    }

    /// An entry of a PutEvents that was answered with 200.
    pub(crate) fn of_entry(error_code: Option<&'a str>, aws_request_id: Option<&'a str>) -> Self {
        Self {
            service: "EventBridge",
            action: "PutEvents",
            region: None,
            error_code: error_code.map_or("none", loggable),
            aws_request_id,
            no_answer: None,
        }
    }

    /// The same call, made in `region`.
    pub(crate) const fn in_region(self, region: Region) -> Self {
        Self {
            region: Some(region.code()),
            ..self
        }
    }

    /// AWS refused it, and no customer can have brought that about: a permission or a setting of ours is wrong.
    pub(crate) fn log_refusal(&self) {
        let Self {
            service,
            action,
            region,
            error_code,
            aws_request_id,
            no_answer,
        } = *self;
        if no_answer.is_some() {
            return self.log_outage();
        }
        tracing::error!(
            service,
            action,
            region,
            error_code,
            aws_request_id,
            "{service} refused {action} ({error_code})"
        );
    }

    /// AWS was in trouble, throttled, or out of reach.
    pub(crate) fn log_outage(&self) {
        let Self {
            service,
            action,
            region,
            error_code,
            aws_request_id,
            no_answer,
        } = *self;
        match no_answer {
            Some(reason) => tracing::warn!(
                service,
                action,
                region,
                reason,
                "{service} did not answer {action} ({reason})"
            ),
            None => tracing::warn!(
                service,
                action,
                region,
                error_code,
                aws_request_id,
                "{service} failed {action} ({error_code})"
            ),
        }
    }

    /// KMS or STS does not know the session that the call was made in, or no longer. A new one is tried.
    pub(crate) fn log_lost_session(&self) {
        let Self {
            service,
            action,
            region,
            error_code,
            aws_request_id,
            ..
        } = *self;
        tracing::warn!(
            service,
            action,
            region,
            error_code,
            aws_request_id,
            "{service} did not accept the session of {action} ({error_code})"
        );
    }
}

/// A call whose answer nobody waited for to the end.
pub(crate) fn log_abandoned(service: &'static str, action: &'static str, region: Region) {
    let (region, reason) = (region.code(), "nobody waited longer");
    tracing::warn!(
        service,
        action,
        region,
        reason,
        "{service} did not answer {action} ({reason})"
    );
}
