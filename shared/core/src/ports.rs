//! What the domain asks of the outside world. Each trait has one implementation on AWS (`latchkey-aws`) and one in one
//! process ([`crate::in_memory`]).

use core::future::Future;
use core::time::Duration;
use std::time::Instant;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::access::{AccessError, CustomerAccess};
use crate::data_key::{DataKeyId, IssuedDataKey};
use crate::error::Error;
use crate::health::Health;
use crate::health::announcement::Announcement;
use crate::health::due::{Due, DuePartition};
use crate::public_key::CustomerPublicKey;
use crate::region::{MultiRegionKeyType, Region};
use crate::request::RequestContext;
use crate::vault::{DataKeyCacheBound, Vault, VaultId, VaultName, VaultStatus};
use crate::workspace::WorkspaceId;

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

/// The vault records. Every read is consistent: what one Region has answered, the other sees.
///
/// There are no transactions. The record of the vault itself, keyed by its id, is the only truth; the name and the
/// default are pointers at it.
pub trait VaultStore: Send + Sync {
    /// The vault, if the workspace has it.
    fn vault(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Up to `limit` vaults of the workspace, those whose ids come after `after`, in the order of their ids.
    fn list_vaults(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<&VaultId>,
        limit: usize,
    ) -> impl Future<Output = Result<VaultPage, StoreError>> + Send;

    /// What a name points at. The vault itself may not exist (yet), or have another name.
    fn name_claim(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
    ) -> impl Future<Output = Result<Option<NameClaim>, StoreError>> + Send;

    /// Puts `claim` on a name in the place of the one that was `seen` there. `false`: it is not as it was seen any more, and
    /// nothing was written.
    fn claim_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        seen: Option<&NameClaim>,
        claim: &NameClaim,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes the vault's claim off a name if it is for a version up to `version`; else changes nothing.
    fn release_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        vault_id: &VaultId,
        version: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a new vault on record. `false`: its id is taken, and nothing was written.
    fn insert_vault(&self, vault: &Vault) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The workspace's default vault.
    fn default_vault_id(
        &self,
        workspace_id: &WorkspaceId,
    ) -> impl Future<Output = Result<Option<VaultId>, StoreError>> + Send;

    /// Makes `vault_id` the workspace's default.
    fn set_default(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Leaves the workspace without a default if the default is `vault_id`; else changes nothing.
    fn clear_default(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes the next version of `vault`, with this name and this bound. `None`: the vault has another version by now, and
    /// nothing was written.
    fn change_settings(
        &self,
        vault: &Vault,
        name: &VaultName,
        data_key_cache: DataKeyCacheBound,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Changes the status if it is one of `from` and, where a version is given, the vault has it. `None`: the vault is not
    /// there, or has another status or version.
    fn change_status(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        from: &[VaultStatus],
        to: VaultStatus,
        version: Option<u64>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Replaces the health of the revision before `health`'s, and when the vault is due. `false`: there is no such vault, or another has replaced it
    /// first, and nothing was written.
    fn record_health(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        health: &Health,
        due: &Due,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes the vault due for its whole validation at `at`, unless it is due by then anyway.
    fn mark_due(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A vault's claim on a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameClaim {
    /// The vault.
    pub vault_id: VaultId,
    /// The version from which on the vault is to have the name. Until then it may yet come to have it; from then on it has
    /// it, or the claim is void.
    pub version: u64,
}

/// Some of a workspace's vaults.
#[derive(Clone, Debug)]
pub struct VaultPage {
    /// The vaults, in the order of their ids.
    pub vaults: Vec<Vault>,
    /// The id after which there may be more.
    pub more_after: Option<VaultId>,
}

/// Which vaults are due to be checked, and the claims that decide who checks one.
pub trait DueVaults: Send + Sync {
    /// Up to `limit` vaults of the partition that are due at `now`, the longest due first. The index may be some moments
    /// behind the records: a claim tells.
    fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DueVault>, StoreError>> + Send;

    /// Claims a due vault: it is due again at `until`, should the claimant die. `None`: it is not due any more as it was
    /// seen to be, so somebody else has it.
    fn claim(&self, due: &DueVault, until: Timestamp)
    -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;
}

/// A vault that is due, as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueVault {
    /// The vault's workspace.
    pub workspace_id: WorkspaceId,
    /// The vault.
    pub vault_id: VaultId,
    /// Since when it is due.
    pub due_at: Timestamp,
}

/// The event bus, on which the outside is told of vaults' health.
pub trait Announcer: Send + Sync {
    /// Puts one announcement on the bus. `Ok`: the bus has it.
    fn announce(&self, announcement: &Announcement) -> impl Future<Output = Result<(), AnnouncerError>> + Send;
}

/// The event bus did not take an announcement, or did not say so. It is announced again, under the same event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event bus took no announcement")]
pub struct AnnouncerError;

/// The functions of this deployment, for the one that tries them. Their shapes are the edge's, so the one in one process is
/// with the tests of the edge.
pub trait DeployedFunctions: Send + Sync {
    /// Invokes the function of an operation in a Region and waits for what it answers. Once: whoever tries a function wants to
    /// know of the answer that did not come.
    fn invoke(
        &self,
        operation: &'static str,
        region: Region,
        event: String,
    ) -> impl Future<Output = Result<Vec<u8>, InvocationError>> + Send;
}

/// A function did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// There was no answer, or Lambda had none to give.
    #[error("no answer")]
    Unanswered,
    /// Lambda did not start it: it is not there, we may not, or it is throttled.
    #[error("the function was not started")]
    NotStarted,
    /// It was started and did not end well.
    #[error("the function crashed")]
    Crashed,
}

/// The data keys on record. They are written once and never changed.
pub trait DataKeyStore: Send + Sync {
    /// The data key, if it was issued for this vault.
    fn data_key(
        &self,
        vault_id: &VaultId,
        data_key_id: &DataKeyId,
    ) -> impl Future<Output = Result<Option<IssuedDataKey>, StoreError>> + Send;

    /// Puts a data key on record unless one with its id is there; answers the one that is on record then.
    fn issue(
        &self,
        vault_id: &VaultId,
        data_key: &IssuedDataKey,
    ) -> impl Future<Output = Result<IssuedDataKey, StoreError>> + Send;
}

/// The customer's key and role. Each call is made in the Region it names, in a session of the customer's role that
/// allows only what `access` is for, and is noted in `context`.
pub trait CustomerKeys: Send + Sync {
    /// Does what the first call in a Region needs whoever the customer is, ahead of knowing who. Once it has come off there is
    /// nothing more to do. Whether it did is not told: a call that finds it undone does it.
    fn prepare(&self, region: Region) -> impl Future<Output = ()> + Send;

    /// Knocks at the customer's role. `Ok`: it let us in.
    fn attempt_role(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        attempt: RoleAttempt,
        region: Region,
    ) -> impl Future<Output = Result<(), AccessError>> + Send;

    /// `kms:DescribeKey`
    fn describe_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> impl Future<Output = Result<KeyDescription, AccessError>> + Send;

    /// `kms:GetPublicKey`. An RSA key that cannot wrap, or a key of another kind, is [`Refusal::InvalidKeyUsage`].
    ///
    /// [`Refusal::InvalidKeyUsage`]: crate::access::Refusal::InvalidKeyUsage
    fn public_key(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> impl Future<Output = Result<CustomerPublicKey, AccessError>> + Send;

    /// `kms:Encrypt` with RSAES_OAEP_SHA_256.
    fn encrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        plaintext: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, AccessError>> + Send;

    /// `kms:Decrypt` with RSAES_OAEP_SHA_256.
    fn decrypt(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
        ciphertext: &[u8],
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, AccessError>> + Send;
}

/// How to knock at the customer's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleAttempt {
    /// From the access role, with the workspace's external id: must be let in.
    AsAgreed,
    /// From the access role without an external id: must be refused.
    WithoutExternalId,
    /// From the access role with an external id that is not the workspace's: must be refused.
    WithWrongExternalId,
    /// With the right external id, but from another role of the service's account: let in only when the trust is on the
    /// whole account.
    FromAnotherRole,
}

/// What `kms:DescribeKey` tells of a key, in KMS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDescription {
    /// The key's ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion`, `PendingReplicaDeletion`, `Unavailable`, ...
    pub key_state: String,
    /// `RSA_4096`, `SYMMETRIC_DEFAULT`, ...
    pub key_spec: String,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ...
    pub key_usage: String,
    /// `AWS_KMS`, `EXTERNAL`, ...
    pub origin: String,
    /// Its part in its multi-Region set; `None` for a single-Region key.
    pub multi_region_key_type: Option<MultiRegionKeyType>,
    /// The ARN of its set's primary key.
    pub primary_key_arn: Option<String>,
    /// The ARNs of its set's replica keys.
    pub replica_key_arns: Vec<String>,
    /// When it will be deleted, if that is scheduled.
    pub deletion_date: Option<Timestamp>,
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// A point in time on two clocks. A frozen execution environment's monotonic clock may stand still; the wall clock may
/// be set back. What matters is never to hold access for too long, so the clock that says "longer" is believed.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The monotonic clock.
    pub monotonic: Instant,
    /// The wall clock.
    pub wall: Timestamp,
}

impl Moment {
    /// The time since `earlier`, by the clock that says longer.
    pub fn since(&self, earlier: &Self) -> Duration {
        let wall = Duration::try_from(self.wall.duration_since(earlier.wall)).unwrap_or_default();
        self.monotonic.saturating_duration_since(earlier.monotonic).max(wall)
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment {
            monotonic: Instant::now(),
            wall: Timestamp::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_says_longer_is_believed() {
        let start = SystemClock.now();
        let frozen = Moment {
            wall: start.wall + Duration::from_secs(60),
            ..start
        };
        let set_back = Moment {
            monotonic: start.monotonic + Duration::from_secs(60),
            wall: start.wall - Duration::from_secs(3600),
        };
        assert_eq!(frozen.since(&start), Duration::from_secs(60));
        assert_eq!(set_back.since(&start), Duration::from_secs(60));
    }
}
