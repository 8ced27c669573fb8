//! Every way an operation can fail, with whose fault it is and whether trying again can help.

mod cause;

pub use cause::Cause;
pub(crate) use cause::log_undone;

use serde::Serialize;

use crate::customer::Refusal;
use crate::findings::{Finding, Report};
use crate::values::Region;
use crate::vault::VaultStatus;

/// Why an operation did not do what was asked. Holds no plaintext, no text of an AWS error and nothing of another
/// workspace.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The caller's role may not do this.
    #[error("the caller's role may not do this")]
    Forbidden,
    /// No such vault in the caller's workspace. The same for a missing vault and a foreign one.
    #[error("no such vault")]
    VaultNotFound,
    /// No vault was named and the workspace has no default.
    #[error("the workspace has no default vault")]
    NoDefaultVault,
    /// The vault's status does not allow it.
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
    /// The vault is not as the caller's precondition wants it.
    #[error("the vault has changed since it was read")]
    PreconditionFailed,
    /// The vault was changed by another request while this one was at work, and nothing was decided over its head.
    #[error("another request changed the vault")]
    VaultChanged,
    /// Validation failed, so nothing was stored.
    #[error("validation failed")]
    ValidationFailed(Box<Report>),
    /// The item does not open: altered, truncated, foreign, under another item id or context, or not made by us.
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
    /// AWS asks us to slow down: the Region that was asked last, or our own records. Or too many requests wait for one vault's key.
    #[error("AWS throttles")]
    Throttled,
    /// AWS does not answer, in both Regions, or our own records do not.
    #[error("AWS is unavailable")]
    Unavailable,
    /// The request ran out of time.
    #[error("out of time")]
    OutOfTime,
    /// We broke a promise. The caller learns nothing of the cause; the log does, once for each answer.
    #[error("internal: {0}")]
    Internal(Cause),
}

/// Why an item does not open, as far as the caller may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemFault {
    /// It is not a sealed item of ours at all.
    Malformed,
    /// It was sealed under another item id or context than the ones given.
    WrongIdentity,
    /// The data key it names was not issued for this vault.
    DataKeyNotOnRecord,
    /// Its bytes were altered.
    Altered,
}

/// Whose fault a failure is: decides who is told and which alarm rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller's.
    Caller,
    /// The customer's key or role.
    CustomerKey,
    /// A service that we depend on.
    Dependency,
    /// Ours: the service's.
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

    /// The stable name of what went wrong, for the log: the cause, where the fault is ours.
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

    /// Whether the same request may succeed if it is simply sent again.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::OutOfTime | Self::VaultChanged => true,
            Self::ValidationFailed(report) => report.failed_for_want_of_answers(),
            _ => false,
        }
    }
}
