//! The one place that decides whether an AWS error is a refusal or an outage.
//!
//! A refusal is final, and after an outage the other Region is asked. So an unknown error code counts as an outage
//! only if its HTTP status says so (429 or 5xx). Otherwise a revocation under a new code would open a way in through
//! the other Region.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use latchkey_core::customer::{AccessError, Outage, Refusal};
use latchkey_core::values::Region;

use super::call::Call;
use crate::failed_call::FailedCall;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// AWS does not know the credentials, or no longer does. A new session may help.
    SessionNotAccepted,
    /// The session has expired. A new one helps.
    SessionExpired,
    /// Somebody's decision, such as a policy or a disabled key.
    Refused(Refusal),
    /// Nobody's decision, such as a timeout or throttling.
    Outage(Outage),
    /// AWS does not understand the call, or our own setup does not allow it.
    OurFault,
}

impl From<CallFailure> for AccessError {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Refused(refusal) => Self::Refused(refusal),
            CallFailure::Outage(outage) => Self::Outage(outage),
            // The session has been renewed by now. If a new session has already expired, nobody decided that: AWS
            // denies or does not know a session that is revoked or whose role is gone.
            CallFailure::SessionExpired => Self::Outage(Outage::ServerError),
            CallFailure::SessionNotAccepted | CallFailure::OurFault => Self::ServiceMisconfigured,
        }
    }
}

impl CallFailure {
    /// Classifies the error with which `call` ended, after the SDK's retries.
    pub(super) fn of<E: ProvideErrorMetadata>(call: Call, region: Region, error: &SdkError<E>) -> Self {
        let failure = Self::kind(call, error);
        let failed = FailedCall::new(call.service(), call.name(), error).in_region(region);
        match failure {
            Self::Refused(_) => {}
            Self::OurFault => failed.log_refusal(),
            Self::Outage(_) => failed.log_outage(),
            Self::SessionNotAccepted | Self::SessionExpired => failed.log_lost_session(),
        }
        failure
    }

    fn kind<E: ProvideErrorMetadata>(call: Call, error: &SdkError<E>) -> Self {
        match error {
            SdkError::TimeoutError(_) => Self::Outage(Outage::TimedOut),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::Outage(Outage::TimedOut),
            SdkError::DispatchFailure(_) => Self::Outage(Outage::Unreachable),
            SdkError::ResponseError(_) => Self::Outage(Outage::ServerError),
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                match (answer.err().code(), status) {
                    (Some(code), _) => Self::of_code(call, code, error.message().unwrap_or_default(), status),
                    (None, 429) => Self::Outage(Outage::Throttled),
                    // Refusals carry a code, so this answer is unreadable, or not from KMS or STS.
                    (None, _) => Self::Outage(Outage::ServerError),
                }
            }
            SdkError::ConstructionFailure(_) | _ => Self::OurFault,
        }
    }

    fn of_code(call: Call, code: &str, message: &str, status: u16) -> Self {
        match code {
            // Codes common to all AWS services.
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TooManyRequestsException"
            | "SlowDown" => Self::Outage(Outage::Throttled),
            "ExpiredToken" | "ExpiredTokenException" => Self::SessionExpired,
            "InvalidClientTokenId" | "InvalidToken" | "UnrecognizedClientException" => Self::SessionNotAccepted,
            "AccessDenied" | "AccessDeniedException" | "NotAuthorized" | "OptInRequired" => Self::Refused(match call {
                Call::AssumeRole => Refusal::RoleNotAssumable,
                Call::DescribeKey | Call::GetPublicKey | Call::Encrypt | Call::Decrypt => Refusal::AccessDenied,
            }),
            _ => match call {
                Call::AssumeRole => Self::of_sts_code(code),
                Call::DescribeKey | Call::GetPublicKey | Call::Encrypt | Call::Decrypt => {
                    Self::of_kms_code(call, code, message)
                }
            }
            .unwrap_or_else(|| Self::of_unknown_code(status)),
        }
    }

    /// Source: STS API reference, AssumeRole, "Errors". For a role that does not exist, AWS answers AccessDenied;
    /// emulators use other codes.
    fn of_sts_code(code: &str) -> Option<Self> {
        Some(match code {
            "NoSuchEntity" | "ValidationError" => Self::Refused(Refusal::RoleNotAssumable),
            "RegionDisabledException" => Self::Outage(Outage::Unreachable),
            "MalformedPolicyDocument" | "PackedPolicyTooLarge" => Self::OurFault,
            _ => return None,
        })
    }

    /// Source: KMS API reference, "Errors" of Decrypt, Encrypt, GetPublicKey and DescribeKey, and the developer
    /// guide's "Key states of AWS KMS keys".
    fn of_kms_code(call: Call, code: &str, message: &str) -> Option<Self> {
        Some(match code {
            "DisabledException" => Self::Refused(Refusal::KeyDisabled),
            "KMSInvalidStateException" => Self::Refused(refusal_of_state(message)),
            "NotFoundException" => Self::Refused(Refusal::KeyNotFound),
            "InvalidKeyUsageException" | "UnsupportedOperationException" => Self::Refused(Refusal::InvalidKeyUsage),
            // A symmetric key does not take our algorithm. DescribeKey has no parameter that could be wrong for a key.
            "ValidationException" if call != Call::DescribeKey => Self::Refused(Refusal::InvalidKeyUsage),
            "InvalidCiphertextException" | "IncorrectKeyException" => Self::Refused(Refusal::InvalidCiphertext),
            "CloudHsmClusterInvalidConfigurationException"
            | "XksKeyInvalidConfigurationException"
            | "XksKeyNotFoundException" => Self::Refused(Refusal::KeyInvalidState),
            "KMSInternalException" | "KeyUnavailableException" | "DependencyTimeoutException" => {
                Self::Outage(Outage::ServerError)
            }
            _ => return None,
        })
    }

    const fn of_unknown_code(status: u16) -> Self {
        match status {
            429 => Self::Outage(Outage::Throttled),
            500.. => Self::Outage(Outage::ServerError),
            _ => Self::OurFault,
        }
    }
}

/// KMS gives the state only in the message: "... is pending deletion.", "... is disabled."
fn refusal_of_state(message: &str) -> Refusal {
    let message = message.to_ascii_lowercase().replace(' ', "");
    if message.contains("pendingdeletion") || message.contains("pendingreplicadeletion") {
        Refusal::KeyPendingDeletion
    } else if message.contains("isdisabled") {
        Refusal::KeyDisabled
    } else {
        Refusal::KeyInvalidState
    }
}
