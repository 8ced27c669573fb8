//! A vault: one customer key, and what may be done with it (requirements V1 to V5).

mod access;
pub mod announcement;
mod data_key;
mod status;
mod tag;

pub use data_key::{DataKeyId, DataKeyPeriod, IssuedDataKey};
pub use status::VaultStatus;
pub use tag::{Precondition, VaultTag};

use jiff::Timestamp;

use crate::health::Health;
use crate::health::due::Due;
use crate::values::{
    CustomerKey, CustomerPublicKey, DataKeyCacheBound, RoleArn, Strategy, VaultId, VaultName, WorkspaceId,
};

/// A vault, with everything that is on record about it.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Its id; never reused.
    pub vault_id: VaultId,
    /// The only workspace that sees it.
    pub workspace_id: WorkspaceId,
    /// Its name, unique in the workspace.
    pub name: VaultName,
    /// Who owns the key.
    pub strategy: Strategy,
    /// Whether it seals and opens items.
    pub status: VaultStatus,
    /// The customer's key, or the managed one.
    pub customer_key: CustomerKey,
    /// The customer's role, which is our only way to the key. For a managed key, our own role.
    pub aws_role_arn: RoleArn,
    /// The key's public half, pinned when the vault was created, so that a key swapped under the same ARN is noticed.
    pub public_key: CustomerPublicKey,
    /// The key's RSA spec, in KMS's words (`RSA_4096`).
    pub key_spec: String,
    /// How long an unwrapped data key may be held.
    pub data_key_cache: DataKeyCacheBound,
    /// What the last checks found.
    pub health: Health,
    /// When it is checked next.
    pub due: Due,
    /// When the vault was created.
    pub created_at: Timestamp,
    /// The subject of the token that created it.
    pub created_by: String,
    /// Counts the changes of name, status and bound, from 1. When two callers change them at the same time, one is told
    /// about the conflict. Health has its own count.
    pub version: u64,
    /// When name, status or bound last changed. Health has its own times. Whether a vault is the default is not part of
    /// this record.
    pub updated_at: Timestamp,
}

impl Vault {
    /// Whether this is its name, in any spelling.
    pub fn is_called(&self, name: &VaultName) -> bool {
        self.name.normalized() == name.normalized()
    }

    /// Whether a create request with these settings asks for exactly this vault.
    pub fn has_settings(&self, settings: &VaultSettings) -> bool {
        self.name == settings.name
            && self.strategy == settings.strategy
            && self.customer_key == settings.customer_key
            && self.aws_role_arn == settings.aws_role_arn
            && self.data_key_cache == settings.data_key_cache
    }
}

/// What the creator of a vault decides.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// See [`Vault::name`].
    pub name: VaultName,
    /// See [`Vault::strategy`].
    pub strategy: Strategy,
    /// See [`Vault::customer_key`].
    pub customer_key: CustomerKey,
    /// See [`Vault::aws_role_arn`].
    pub aws_role_arn: RoleArn,
    /// See [`Vault::data_key_cache`].
    pub data_key_cache: DataKeyCacheBound,
}
