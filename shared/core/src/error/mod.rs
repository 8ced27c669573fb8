//! Every way an operation can fail: whose fault it is, and whether a retry can help.

mod cause;

pub use cause::Cause;
pub(crate) use cause::log_undone;

use serde::Serialize;

use crate::customer::Refusal;
use crate::findings::{Finding, Report};
use crate::values::Region;
use crate::vault::VaultStatus;

/// Why an operation failed. It holds no plaintext, no AWS error text and no data of another workspace.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The caller's role may not do this.
    #[error("the caller's role may not do this")]
    Forbidden,
    /// The caller's workspace has no such vault. A missing vault and another workspace's vault give the same error.
    #[error("no such vault")]
    VaultNotFound,
    /// No vault was named, and the workspace has no default.
    #[error("the workspace has no default vault")]
    NoDefaultVault,
    /// The vault's status does not allow the operation.
    #[error("the vault is {}", .status.as_str())]
    WrongVaultStatus {
        /// The status it has.
        status: VaultStatus,
    },
    /// The vault's key or role was found unusable, so it takes no new items.
    #[error("the vault is unusable")]
    VaultUnusable {
        /// What was found.
        findings: Vec<Finding>,
    },
    /// The name is taken by a vault with other settings.
    #[error("the vault name is taken")]
    VaultNameTaken,
    /// The vault does not meet the caller's precondition.
    #[error("the vault has changed since it was read")]
    PreconditionFailed,
    /// Another request changed the vault while this one ran. This one did not override that change.
    #[error("another request changed the vault")]
    VaultChanged,
    /// Validation failed, so nothing was stored.
    #[error("validation failed")]
    ValidationFailed(Box<Report>),
    /// The item does not open. [`ItemFault`] says why.
    #[error("the item does not open")]
    ItemDoesNotOpen(ItemFault),
    /// The customer's key or role refuses us.
    #[error("the customer's key or role refuses access in {region}")]
    KeyRefused {
        /// Where it refused.
        region: Region,
        /// How it refused.
        refusal: Refusal,
        /// What to change.
        finding: Box<Finding>,
    },
    /// AWS throttles us: the last Region that we asked, or our own records. Or too many requests wait for one vault's
    /// key.
    #[error("AWS throttles")]
    Throttled,
    /// AWS answers in neither Region, or our own records do not answer.
    #[error("AWS is unavailable")]
    Unavailable,
    /// The request ran out of time.
    #[error("out of time")]
    OutOfTime,
    /// The fault is ours. The cause goes to the log, once for each answer. The caller learns nothing about it.
    #[error("internal: {0}")]
    Internal(Cause),
}

/// Why an item does not open, as far as the caller may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFault {
    /// It is not one of our sealed items.
    Malformed,
    /// It was sealed under another item id or context.
    WrongIdentity,
    /// The data key it names was not issued for this vault.
    DataKeyNotOnRecord,
    /// Its bytes were altered.
    Altered,
}

/// Whose fault a failure is. It decides who is told and which alarm rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller's.
    Caller,
    /// The customer's key or role.
    CustomerKey,
    /// A service that we depend on.
    Dependency,
    /// Ours.
    Service,
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Forbidden
            | Self::VaultNotFound
            | Self::NoDefaultVault
            | Self::WrongVaultStatus { .. }
            | Self::VaultNameTaken
            | Self::PreconditionFailed
            | Self::VaultChanged
            | Self::ItemDoesNotOpen(_) => Fault::Caller,
            Self::ValidationFailed(report) if report.failed_for_want_of_answers() => Fault::Dependency,
            Self::ValidationFailed(_) | Self::VaultUnusable { .. } | Self::KeyRefused { .. } => Fault::CustomerKey,
            Self::Throttled | Self::Unavailable | Self::OutOfTime => Fault::Dependency,
            Self::Internal(_) => Fault::Service,
        }
    }

    /// The stable name of the error, for the log. If the fault is ours, it is the name of the cause.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::VaultNotFound => "vault_not_found",
            Self::NoDefaultVault => "no_default_vault",
            Self::WrongVaultStatus { .. } => "wrong_vault_status",
            Self::VaultUnusable { .. } => "vault_unusable",
            Self::VaultNameTaken => "vault_name_taken",
            Self::PreconditionFailed => "precondition_failed",
            Self::VaultChanged => "vault_changed",
            Self::ValidationFailed(_) => "validation_failed",
            Self::ItemDoesNotOpen(_) => "item_does_not_open",
            Self::KeyRefused { .. } => "key_refused",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::OutOfTime => "out_of_time",
            Self::Internal(cause) => cause.as_str(),
        }
    }

    /// Whether the same request may succeed if it is sent again.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::OutOfTime | Self::VaultChanged => true,
            Self::ValidationFailed(report) => report.failed_for_want_of_answers(),
            _ => false,
        }
    }
}
