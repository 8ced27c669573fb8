//! What goes wrong with the records.

use crate::error::Error;

/// Our records could not be read or written. Whether a write took effect is then unknown; every write can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Throttled for longer than we may retry.
    #[error("the records are throttled")]
    Throttled,
    /// No answer, one of 5xx, one that cannot be read; or the other Region writes the same record all the while.
    #[error("the records are unavailable")]
    Unavailable,
    /// DynamoDB refused what we asked: we may not, or it is not there, or not so. Repeating it changes nothing.
    #[error("the records refuse what was asked")]
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
            StoreError::Refused => Self::Internal("the records refuse what was asked"),
            StoreError::Corrupt => Self::Internal("a record cannot be read"),
        }
    }
}
