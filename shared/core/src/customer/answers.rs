//! How access to the customer's account can fail.
//!
//! The distinction that matters is [`Refusal`] against [`Outage`]. A refusal is a decision of the customer's account.
//! It is final: it is never retried, and the other Region is not asked (requirement D3). An outage is nobody's
//! decision, so the other Region is asked.

use core::future::Future;
use core::time::Duration;

use crate::request::time_limit;

/// Why a call to the customer's key or role failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The customer's account refused.
    #[error("the customer's account refuses")]
    Refused(Refusal),
    /// AWS is in trouble or cannot be reached.
    #[error("AWS does not answer")]
    Outage(Outage),
    /// Our fault: we may not assume our access role, or AWS refused our request for a reason that no customer can
    /// cause.
    #[error("AWS refused a call that it should accept")]
    ServiceMisconfigured,
}

/// A decision of the customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The role does not exist, or does not let us in. STS does not say which.
    RoleNotAssumable,
    /// The role let us in, but a policy denied the call.
    AccessDenied,
    /// The key is disabled. This is reversible.
    KeyDisabled,
    /// The key is scheduled for deletion. This is permanent once the waiting period ends.
    KeyPendingDeletion,
    /// KMS knows no such key.
    KeyNotFound,
    /// The key is in another state that forbids its use.
    KeyInvalidState,
    /// The key is not for encryption and decryption, or does not support RSA-OAEP.
    InvalidKeyUsage,
    /// The key cannot decrypt what was encrypted for it, so it is a different key.
    InvalidCiphertext,
}

/// Trouble that is nobody's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outage {
    /// No connection could be made.
    Unreachable,
    /// No answer came in time.
    TimedOut,
    /// AWS answered 5xx, or the answer could not be read.
    ServerError,
    /// AWS throttled the call for longer than we may retry.
    Throttled,
}

/// How long a Region is left alone after it gave no answer. The pause is short because a Region that is not asked
/// cannot refuse: a key that was disabled in that Region alone goes unnoticed meanwhile (docs/adr/0012).
pub const PAUSE_AFTER_SILENCE: Duration = Duration::from_secs(5);

/// Makes a call, and answers [`Outage::TimedOut`] when it takes longer than `patience`.
pub(crate) async fn within_patience<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, AccessError>>,
) -> Result<T, AccessError> {
    let answer = time_limit::within(patience, call).await;
    answer.unwrap_or(Err(AccessError::Outage(Outage::TimedOut)))
}
