//! Maps DynamoDB's errors to the domain's.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use latchkey_core::ports::StoreError;

use crate::failed_call::FailedCall;

/// The error of one of DynamoDB's actions.
pub(super) trait ActionError: ProvideErrorMetadata {
    /// The action, as IAM names it.
    const ACTION: &'static str;
}

impl ActionError for DeleteItemError {
    const ACTION: &'static str = "DeleteItem";
}

impl ActionError for GetItemError {
    const ACTION: &'static str = "GetItem";
}

impl ActionError for PutItemError {
    const ACTION: &'static str = "PutItem";
}

impl ActionError for QueryError {
    const ACTION: &'static str = "Query";
}

impl ActionError for UpdateItemError {
    const ACTION: &'static str = "UpdateItem";
}

/// The answer, or `None` if the condition failed.
pub(super) fn if_condition_held<T, E: ActionError>(answer: Result<T, SdkError<E>>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(store_error(&error)),
    }
}

/// Maps an error that remains after the SDK's retries. The SDK has retried `ReplicatedWriteConflictException` too.
pub(super) fn store_error<E: ActionError>(error: &SdkError<E>) -> StoreError {
    let failed = FailedCall::new("DynamoDB", E::ACTION, error);
    let store_error = kind(error);
    match store_error {
        StoreError::Refused | StoreError::Corrupt => failed.log_refusal(),
        StoreError::Throttled | StoreError::Unavailable => failed.log_outage(),
    }
    store_error
}

fn kind<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    match error.code().unwrap_or_default() {
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

/// A record of the table.
pub(super) trait Record {
    /// What it is, for the log.
    const KIND: &'static str;

    /// This release cannot read one. What stands in it stays out of the log.
    fn corrupt() -> StoreError {
        let record = Self::KIND;
        tracing::error!(record, "a {record} record cannot be read");
        StoreError::Corrupt
    }
}
