//! The ways in which access to the customer's account can fail.
//!
//! The one distinction that matters is [`Refusal`] against [`Outage`]. A refusal is somebody's decision and final: it is
//! never retried and never answered by the other Region (requirement D3). An outage is nobody's decision: the other
//! Region is tried.

use core::future::Future;
use core::time::Duration;

use crate::request::time_limit;

/// Why a call to the customer's key or role did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Somebody decided so.
    #[error("the customer's account refuses")]
    Refused(Refusal),
    /// Nobody did: AWS is in trouble, or out of reach.
    #[error("AWS does not answer")]
    Outage(Outage),
    /// Our fault: we may not enter our access role, or AWS refused a call for a reason that no customer can bring about.
    #[error("AWS refused a call that it should accept")]
    ServiceMisconfigured,
}

/// A decision of the customer's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The role does not exist, or does not let us in. STS does not tell which.
    RoleNotAssumable,
    /// The role let us in, but the call was denied by a policy.
    AccessDenied,
    /// The key is disabled. Reversible.
    KeyDisabled,
    /// The key is scheduled for deletion. Permanent once the waiting period ends.
    KeyPendingDeletion,
    /// There is no such key.
    KeyNotFound,
    /// The key is in another state that forbids its use.
    KeyInvalidState,
    /// The key is not for encryption and decryption, or not with RSA-OAEP.
    InvalidKeyUsage,
    /// The key cannot open what was sealed for it: it is another key.
    InvalidCiphertext,
}

/// Trouble that is nobody's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outage {
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// An answer of 5xx, or one that could not be read.
    ServerError,
    /// Throttled for longer than we may retry.
    Throttled,
}

/// For how long nobody is asked after a silence. Short: as long as a Region is not asked, it cannot refuse either, and a
/// key that was disabled in this Region alone is not noticed (docs/adr/0012).
pub const PAUSE_AFTER_SILENCE: Duration = Duration::from_secs(5);

/// A call that counts as timed out when its `patience` is over.
pub(crate) async fn within_patience<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, AccessError>>,
) -> Result<T, AccessError> {
    let answer = time_limit::within(patience, call).await;
    answer.unwrap_or(Err(AccessError::Outage(Outage::TimedOut)))
}
