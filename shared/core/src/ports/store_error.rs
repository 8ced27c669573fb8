//! What goes wrong with the records.

use crate::error::{Cause, Error};

/// Our records could not be read or written. Whether a write took effect is then unknown; every write can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Throttled for longer than we may retry.
    #[error("DynamoDB throttles")]
    Throttled,
    /// No answer, a 5xx, or an answer that cannot be read; or the other Region keeps writing the same record.
    #[error("DynamoDB is unavailable")]
    Unavailable,
    /// DynamoDB refused the call: a permission, a missing table or an invalid request. Repeating it changes nothing.
    #[error("DynamoDB refused the call")]
    Refused,
    /// A record is there, but is not one that we wrote.
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
