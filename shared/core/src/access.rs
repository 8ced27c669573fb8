//! Access to the customer's account: as whom, for what, and the ways in which it can fail.
//!
//! The one distinction that matters is [`Refusal`] against [`Outage`]. A refusal is somebody's decision and final: it is
//! never retried and never answered by the other Region (requirement D3). An outage is nobody's decision: the other
//! Region is tried.

use core::future::Future;
use core::time::Duration;

use crate::customer_role::RoleArn;
use crate::error::Error;
use crate::health::Finding;
use crate::kms_key::CustomerKey;
use crate::region::Region;
use crate::request::RequestContext;
use crate::time_limit;
use crate::validation::Check;
use crate::validation::denials::Denial;
use crate::validation::remedies;
use crate::vault::{Strategy, Vault, VaultId, VaultSettings};
use crate::workspace::WorkspaceId;

/// How long a session in the customer's role lasts, and so for how long a change of its trust policy may go unnoticed.
pub const LONGEST_SESSION: Duration = Duration::from_secs(900);

/// The customer's role and key, entered for one purpose on behalf of one vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomerAccess {
    /// The vault; its id goes into the role session name.
    pub vault_id: VaultId,
    /// The workspace; its id is the external id (requirement R4).
    pub workspace_id: WorkspaceId,
    /// The customer's role.
    pub role_arn: RoleArn,
    /// The customer's key.
    pub key: CustomerKey,
    /// Who owns role and key.
    pub strategy: Strategy,
    /// What the session may do.
    pub purpose: AccessPurpose,
}

/// What a session in the customer's role is for. Its session policy allows no more, on no other key than the vault's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessPurpose {
    /// Unwrap data keys: `kms:Decrypt`.
    UnwrapDataKeys,
    /// Exercise the whole grant: `kms:Encrypt`, `kms:Decrypt`, `kms:GetPublicKey`, `kms:DescribeKey`.
    Validate,
}

impl AccessPurpose {
    /// The actions that the session policy allows.
    pub const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::UnwrapDataKeys => &["kms:Decrypt"],
            Self::Validate => &crate::policies::KEY_ACTIONS,
        }
    }
}

impl CustomerAccess {
    /// Access to unwrap the data keys of a vault.
    pub fn to_unwrap(vault: &Vault) -> Self {
        Self {
            vault_id: vault.vault_id.clone(),
            workspace_id: vault.workspace_id.clone(),
            role_arn: vault.aws_role_arn.clone(),
            key: vault.customer_key.clone(),
            strategy: vault.strategy,
            purpose: AccessPurpose::UnwrapDataKeys,
        }
    }

    /// Access to validate a vault, or what is to become one.
    pub fn to_validate(vault_id: &VaultId, workspace_id: &WorkspaceId, settings: &VaultSettings) -> Self {
        Self {
            vault_id: vault_id.clone(),
            workspace_id: workspace_id.clone(),
            role_arn: settings.aws_role_arn.clone(),
            key: settings.customer_key.clone(),
            strategy: settings.strategy,
            purpose: AccessPurpose::Validate,
        }
    }
}

/// Why a call to the customer's key or role did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Somebody decided so.
    #[error("the customer's account refuses")]
    Refused(Refusal),
    /// Nobody did: AWS is in trouble, or out of reach.
    #[error("AWS gives no answer")]
    Outage(Outage),
    /// Ours: we may not enter our access role, or AWS refused what we asked in a way that no customer can bring about.
    #[error("the service did not ask AWS as it must")]
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

/// What one Region may take at most before the other is asked. A dead Region shall cost a request seconds, not all it has.
const LONGEST_TRY: Duration = Duration::from_millis(4_500);

/// A call that gets half of the time left and then counts as timed out, so that what must come after it has its time.
pub(crate) async fn in_half_the_time_left<T>(
    context: &RequestContext,
    call: impl Future<Output = Result<T, AccessError>>,
) -> Result<T, AccessError> {
    let patience = context.time_left().checked_div(2).unwrap_or_default();
    within_patience(patience, call).await
}

async fn within_patience<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, AccessError>>,
) -> Result<T, AccessError> {
    let answer = time_limit::within(patience, call).await;
    answer.unwrap_or(Err(AccessError::Outage(Outage::TimedOut)))
}

/// Makes a call under `access`: in `home` first, and in the other Region only when `home` has an outage. Each try gets its
/// share of the time left, so that what became of both can still be told.
///
/// # Errors
/// The refusal where there was one; else the outage of the Region asked last, as [`Error`].
pub async fn with_failover<T, Call, Answer>(
    context: &RequestContext,
    access: &CustomerAccess,
    home: Region,
    mut call: Call,
) -> Result<T, Error>
where
    Call: FnMut(Region) -> Answer,
    Answer: Future<Output = Result<T, AccessError>>,
{
    let mut error = Error::OutOfTime;
    for region in [home, home.other()] {
        // Half, and then half of the other half: the rest is for the answer, and for what else is in the same batch.
        let share = context.time_left().checked_div(2).unwrap_or_default();
        match within_patience(share.min(LONGEST_TRY), call(region)).await {
            Ok(value) => return Ok(value),
            Err(AccessError::Refused(refusal)) => return Err(refusal.into_error(access, region)),
            Err(AccessError::ServiceMisconfigured) => {
                return Err(Error::Internal("the service did not ask AWS as it must"));
            }
            Err(AccessError::Outage(Outage::Throttled)) => error = Error::Throttled,
            // It is our time that was short, not AWS that was slow.
            Err(AccessError::Outage(Outage::TimedOut)) if share < LONGEST_TRY => error = Error::OutOfTime,
            Err(AccessError::Outage(_)) => error = Error::Unavailable,
        }
    }
    Err(error)
}

impl Refusal {
    /// The refusal as the caller of encrypt or decrypt is told it.
    pub fn into_error(self, access: &CustomerAccess, region: Region) -> Error {
        Error::KeyRefused {
            region,
            refusal: self,
            finding: Box::new(self.finding(access, region)),
        }
    }

    /// What is wrong and the exact thing to change, as a live call can know it; a validation tells more.
    pub(crate) fn finding(self, access: &CustomerAccess, region: Region) -> Finding {
        let denial = Denial::alone(access, region, "kms:Decrypt");
        let (check, message, remedy) = match self {
            Self::RoleNotAssumable => (
                Check::RoleAssumable,
                remedies::role_not_assumable(access),
                remedies::mend_role(access),
            ),
            Self::AccessDenied => (Check::DecryptAllowed, denial.message(), denial.remedy()),
            Self::KeyDisabled => (
                Check::KeyEnabled,
                remedies::key_disabled(region),
                remedies::enable_key(access, region),
            ),
            Self::KeyPendingDeletion => (
                Check::KeyNotPendingDeletion,
                remedies::key_pending_deletion(
                    region,
                    "once its waiting period ends",
                    remedies::DELETION_ELSEWHERE_UNKNOWN,
                ),
                remedies::cancel_deletion(access, region),
            ),
            Self::KeyNotFound => (
                Check::KeyFound,
                remedies::key_not_found(access, region),
                remedies::find_key(access, region),
            ),
            Self::KeyInvalidState => (
                Check::KeyEnabled,
                remedies::key_invalid_state(region),
                remedies::show_key_state(access, region),
            ),
            Self::InvalidKeyUsage => (
                Check::KeyUsageEncryptDecrypt,
                remedies::key_wrong_usage(region),
                remedies::new_key("The spec and usage of a key are fixed when it is created."),
            ),
            Self::InvalidCiphertext => (
                Check::PublicKeyUnchanged,
                remedies::key_replaced(Some(region)),
                remedies::RESTORE_KEY.to_owned(),
            ),
        };
        Finding {
            check,
            // A role has no Region: the whole validation finds it in none, either.
            region: (self != Self::RoleNotAssumable).then_some(region),
            message,
            remedy: Some(remedy),
            since: None,
            deletion_at: None,
            unanswered: false,
        }
    }
}
