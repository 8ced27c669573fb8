//! Access to the customer's account: which role, which key, and what for.

use core::time::Duration;

use crate::values::{CustomerKey, RoleArn, Strategy, VaultId, WorkspaceId};

/// How long a session in the customer's role lasts. A change to the role's trust policy may go unnoticed for that long.
pub const LONGEST_SESSION: Duration = Duration::from_secs(900);

/// The customer's role and key, used for one purpose and for one vault.
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
    /// Who owns the role and the key.
    pub strategy: Strategy,
    /// What the session may do.
    pub purpose: AccessPurpose,
}

/// What a session in the customer's role is for. Its session policy allows that and nothing else, on the vault's key
/// alone.
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
