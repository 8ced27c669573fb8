//! Maps DynamoDB's errors to the domain's.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;
use latchkey_core::ports::StoreError;

use crate::error_code::loggable;

/// The answer, or `None` if the condition failed.
pub(super) fn if_condition_held<T, E: ProvideErrorMetadata>(
    answer: Result<T, SdkError<E>>,
) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(store_error(&error)),
    }
}

/// Maps an error that remains after the SDK's retries. The SDK has retried `ReplicatedWriteConflictException` too.
pub(super) fn store_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    let code = error.code().unwrap_or("none");
    tracing::error!(
        error_code = loggable(code),
        aws_request_id = error.request_id(),
        "DynamoDB did not do what was asked"
    );
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "TooManyRequestsException" => StoreError::Throttled,
        "ReplicatedWriteConflictException" => StoreError::Unavailable,
        _ if is_refusal(error) => StoreError::Refused,
        _ => StoreError::Unavailable,
    }
}

/// Whether DynamoDB understood the request and refused it. Source: DynamoDB developer guide, "Error handling with
/// DynamoDB": an HTTP 400 means a problem with the request, except for the errors that may be retried.
fn is_refusal<E>(error: &SdkError<E>) -> bool {
    matches!(error, SdkError::ServiceError(_)) && error.raw_response().is_some_and(|it| it.status().is_client_error())
}
