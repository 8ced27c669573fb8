//! The one place that decides which error of AWS is a refusal and which an outage.
//!
//! A refusal is final; an outage lets the other Region be asked. So an answer that we do not know is never an outage:
//! that could turn a revocation that AWS words anew into a way in through the other Region.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use latchkey_core::customer::{AccessError, Outage, Refusal};
use latchkey_core::values::Region;

use super::call::Call;
use crate::failed_call::FailedCall;

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// The credentials it was made with are not, or no longer, known: a new session may help.
    SessionNotAccepted,
    /// The session it was made in is past its time: a new one helps.
    SessionExpired,
    /// Somebody decided so.
    Refused(Refusal),
    /// Nobody did.
    Outage(Outage),
    /// AWS does not understand what we ask, or our own set-up does not let us ask it.
    OurFault,
}

impl From<CallFailure> for AccessError {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Refused(refusal) => Self::Refused(refusal),
            CallFailure::Outage(outage) => Self::Outage(outage),
            // A session has been renewed by the time this is asked. One that is past its time as soon as it is issued is
            // nobody's decision: sessions that are revoked or whose role is gone are denied, or not known.
            CallFailure::SessionExpired => Self::Outage(Outage::ServerError),
            CallFailure::SessionNotAccepted | CallFailure::OurFault => Self::ServiceMisconfigured,
        }
    }
}

impl CallFailure {
    /// What an error of the SDK, its retries spent, says of `call` in `region`. A customer's refusal is told to the customer;
    /// all else is logged.
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
                    // Refusals carry a code: this answer is not from KMS or STS, or cannot be read.
                    (None, _) => Self::Outage(Outage::ServerError),
                }
            }
            SdkError::ConstructionFailure(_) | _ => Self::OurFault,
        }
    }

    fn of_code(call: Call, code: &str, message: &str, status: u16) -> Self {
        match code {
            // Common to all of AWS.
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

    /// STS API reference, AssumeRole, "Errors". A role that does not exist is AccessDenied on AWS; stand-ins say
    /// otherwise.
    fn of_sts_code(code: &str) -> Option<Self> {
        Some(match code {
            "NoSuchEntity" | "ValidationError" => Self::Refused(Refusal::RoleNotAssumable),
            "RegionDisabledException" => Self::Outage(Outage::Unreachable),
            "MalformedPolicyDocument" | "PackedPolicyTooLarge" => Self::OurFault,
            _ => return None,
        })
    }

    /// KMS API reference, "Errors" of Decrypt, Encrypt, GetPublicKey and DescribeKey, and the developer guide's
    /// "Key states of AWS KMS keys".
    fn of_kms_code(call: Call, code: &str, message: &str) -> Option<Self> {
        Some(match code {
            "DisabledException" => Self::Refused(Refusal::KeyDisabled),
            "KMSInvalidStateException" => Self::Refused(refusal_of_state(message)),
            "NotFoundException" => Self::Refused(Refusal::KeyNotFound),
            "InvalidKeyUsageException" | "UnsupportedOperationException" => Self::Refused(Refusal::InvalidKeyUsage),
            // The algorithm is not one of a symmetric key's. DescribeKey has no parameter that a key could mind.
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

/// KMS tells the state in the message alone: "... is pending deletion.", "... is disabled."
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
