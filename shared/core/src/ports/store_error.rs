//! Failures of our records.

use crate::error::{Cause, Error};

/// Our records could not be read or written. A write may have taken effect all the same. Every write can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Throttled for longer than we may retry.
    #[error("DynamoDB throttles")]
    Throttled,
    /// There was no answer, a 5xx answer or an unreadable one, or the other Region kept writing the same record.
    #[error("DynamoDB is unavailable")]
    Unavailable,
    /// DynamoDB refused the request: we lack the permission, something does not exist, or the request is invalid.
    /// Repeating it changes nothing.
    #[error("DynamoDB refused the call")]
    Refused,
    /// A record exists, but not in a form that we wrote.
    #[error("a record cannot be read")]
    Corrupt,
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Throttled => Self::Throttled,
            StoreError::Unavailable => Self::Unavailable,
            StoreError::Refused => Self::Internal(Cause::RecordsRefused),
            StoreError::Corrupt => Self::Internal(Cause::RecordCorrupt),
        }
    }
}
