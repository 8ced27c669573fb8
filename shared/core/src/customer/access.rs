//! Access to the customer's account: as whom, and for what.

use core::time::Duration;

use crate::values::{CustomerKey, RoleArn, Strategy, VaultId, WorkspaceId};

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
            Self::Validate => &crate::customer::policies::KEY_ACTIONS,
        }
    }
}
