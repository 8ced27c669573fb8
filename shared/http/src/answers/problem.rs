//! Problem details (RFC 9457): the one shape of every error answer. Only this file turns a kind of error into a status.

use latchkey_core::Error;
use latchkey_core::customer::PAUSE_AFTER_SILENCE;
use latchkey_core::error::{Cause, Fault, ItemFault};
use latchkey_core::findings::{Finding, Report};
use serde::Serialize;

use crate::answers::FieldError;

/// A service that did not answer is not asked again for this long, so an earlier retry gets the same answer.
const AFTER_SILENCE: Option<u32> = Some(PAUSE_AFTER_SILENCE.as_secs() as u32);

/// A problem as it is sent. It repeats nothing of the request, an AWS message or another workspace's data.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The stable name of the kind of problem: `urn:latchkey:problem:<name>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words; the same for every problem of the kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, and what to do.
    pub detail: String,
    /// The id to quote when asking for help. The audit log and the customer's CloudTrail have it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Everything that is wrong with the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What is wrong with the customer's key or role, with remedies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The whole report of a validation that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<Box<Report>>,
    /// Seconds after which to try again, for the `Retry-After` header.
    #[serde(skip)]
    pub retry_after_seconds: Option<u32>,
    /// Whose fault it is, for the audit log and the alarms. The caller can tell by the type.
    #[serde(skip)]
    pub fault: Fault,
    /// The cause, if the fault is ours. Only the log gets it.
    #[serde(skip)]
    pub cause: Option<Cause>,
}

impl Problem {
    fn new(name: &str, status: u16, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:latchkey:problem:{name}"),
            title,
            status,
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            findings: Vec::new(),
            validation: None,
            retry_after_seconds: None,
            fault: Fault::Service, // unless set otherwise: an error that nobody thought of rings the alarm
            cause: None,
        }
    }

    fn of_the_caller(self) -> Self {
        Self {
            fault: Fault::Caller,
            ..self
        }
    }

    /// 400: the request does not have the form that the operation takes.
    pub fn malformed(errors: Vec<FieldError>) -> Self {
        let detail = "The request is not what this operation takes; see errors for each place and what is expected \
                      there.";
        Self {
            errors,
            ..Self::new("malformed-request", 400, "Malformed request", detail)
        }
        .of_the_caller()
    }

    /// 400: the function was invoked with something that is neither an API's event nor the schedule's.
    pub fn unknown_event() -> Self {
        let detail =
            "Invoke this function with an event of an API Gateway HTTP API or REST API; samples are in events/.";
        Self::new("unknown-event", 400, "Unknown event", detail).of_the_caller()
    }

    /// 401: no verified claims, or claims that do not say who calls.
    pub fn no_caller() -> Self {
        let detail = "The token must carry a workspace id, a role and a subject as text claims. Ask for a new token.";
        Self::new("unauthenticated", 401, "Caller unknown", detail).of_the_caller()
    }

    /// 413: the request has more than one call may carry.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new("too-large", 413, "Too large", detail).of_the_caller()
    }

    /// 504: the function's time ran out.
    pub fn out_of_time() -> Self {
        Self::from(Error::OutOfTime)
    }

    /// 500: the fault is ours. The caller learns nothing about the cause.
    pub fn internal(cause: Cause) -> Self {
        let detail = "Something went wrong on our side. Nothing was lost; quote the request_id when asking for help.";
        Self {
            cause: Some(cause),
            ..Self::new("internal", 500, "Internal error", detail)
        }
    }

    /// The problem with the id of the request it belongs to.
    #[must_use]
    pub fn with_request_id(self, request_id: impl Into<String>) -> Self {
        Self {
            request_id: Some(request_id.into()),
            ..self
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let fault = error.fault();
        Self {
            fault,
            ..Self::of(error)
        }
    }
}

impl Problem {
    fn of(error: Error) -> Self {
        match error {
            Error::Forbidden => Self::new(
                "forbidden",
                403,
                "Role may not do this",
                "Only a workspace's owner, super_admin or admin may do this.",
            ),
            Error::VaultNotFound => Self::new(
                "vault-not-found",
                404,
                "Vault not found",
                "There is no such vault in the token's workspace. Check the vault id and the workspace of the token.",
            ),
            Error::NoDefaultVault => Self::new(
                "no-default-vault",
                409,
                "No default vault",
                "No vault_id was given and the workspace has no default vault. Name one, or create one with \
                 set_as_default.",
            ),
            Error::WrongVaultStatus { status } => Self::new(
                "wrong-vault-status",
                409,
                "Vault status does not allow this",
                format!(
                    "The vault is {}. An active vault seals and opens items, a decrypt_only vault opens them, a disabled \
                     vault does neither until an admin enables it.",
                    status.as_str()
                ),
            ),
            Error::VaultUnusable { findings } => Self {
                findings,
                ..Self::new(
                    "vault-unusable",
                    409,
                    "Vault takes no new items",
                    "The last check found that the customer's key or role cannot be relied on, so nothing is sealed. Once \
                     findings are mended, the next check lets the vault take items again.",
                )
            },
            Error::VaultNameTaken => Self::new(
                "vault-name-taken",
                409,
                "Vault name taken",
                "The workspace has a vault of this name with other settings. Choose another name.",
            ),
            Error::PreconditionFailed => Self::new(
                "precondition-failed",
                412,
                "Precondition failed",
                "The vault has changed since it had the ETag that If-Match names. Read it and decide anew.",
            ),
            Error::VaultChanged => Self {
                retry_after_seconds: Some(1),
                ..Self::new(
                    "vault-changed",
                    409,
                    "Vault changed meanwhile",
                    "Another request changed the vault while this one was at work, so nothing was done. Read it and try \
                     again.",
                )
            },
            Error::ValidationFailed(report) => validation_failed(report),
            Error::ItemDoesNotOpen(fault) => item_does_not_open(fault),
            Error::KeyRefused { finding, region, .. } => Self {
                findings: vec![*finding],
                ..Self::new(
                    "customer-key-refused",
                    424,
                    "Customer's key or role refuses",
                    format!(
                        "The customer's key or role refuses access in {region}. The customer's security admin can mend \
                         it; see findings."
                    ),
                )
            },
            Error::Throttled => Self {
                retry_after_seconds: Some(1),
                ..Self::new(
                    "throttled",
                    429,
                    "Throttled",
                    "AWS asks us to slow down, or many requests wait for one vault's key. Try again after Retry-After.",
                )
            },
            Error::Unavailable => Self {
                retry_after_seconds: AFTER_SILENCE,
                ..Self::new(
                    "unavailable",
                    503,
                    "AWS unavailable",
                    "AWS does not answer. This is no refusal and no data is lost. Try again after Retry-After.",
                )
            },
            Error::OutOfTime => Self::new(
                "out-of-time",
                504,
                "Out of time",
                "AWS did not answer within this call's time. No data is lost; the call may be repeated.",
            ),
            Error::Internal(cause) => Self::internal(cause),
        }
    }
}

fn validation_failed(report: Box<Report>) -> Problem {
    let findings = report.findings();
    if report.failed_for_want_of_answers() {
        return Problem {
            findings,
            validation: Some(report),
            retry_after_seconds: AFTER_SILENCE,
            ..Problem::new(
                "validation-unanswered",
                503,
                "Validation unanswered",
                "AWS did not answer every check, so nothing was stored. Try again after Retry-After.",
            )
        };
    }
    Problem {
        findings,
        validation: Some(report),
        ..Problem::new(
            "validation-failed",
            422,
            "Validation failed",
            "The customer's key or role is not as it must be, so nothing was stored. Mend what findings names and try \
             again.",
        )
    }
}

fn item_does_not_open(fault: ItemFault) -> Problem {
    let detail = match fault {
        ItemFault::Malformed => {
            "The sealed item is not one that this service made, or it was cut short or extended. Send it exactly as \
             encrypt answered it."
        }
        ItemFault::WrongIdentity => {
            "The item was sealed under another item_id or context. Give the ones that it was encrypted with."
        }
        ItemFault::DataKeyNotOnRecord => {
            "The item's data key was not issued for its vault, so the item was not made by this service or was altered."
        }
        ItemFault::Altered => "The item was altered after it was sealed.",
    };
    Problem::new("item-does-not-open", 422, "Item does not open", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_tells_nothing_of_its_cause() {
        for cause in Cause::ALL {
            let problem = Problem::from(Error::Internal(cause));
            assert_eq!((problem.status, problem.cause), (500, Some(cause)));
            let text = serde_json::to_string(&problem).expect("JSON");
            assert!(!text.contains("cause") && !text.contains(cause.as_str()), "{text}");
        }
    }
}
