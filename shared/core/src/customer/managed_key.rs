//! The key that the service owns, for workspaces without a key of their own (requirement W3).
//!
//! It is used in the same way as a customer's key: through a role, in sessions that are named after the vault and the
//! request and limited to their purpose. The role is our own; `managed-key/` makes it together with the key.

use crate::values::{CustomerKey, RoleArn};

/// The managed key of this deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedKey {
    /// The key, in the service's account.
    pub key: CustomerKey,
    /// The one role that may use it.
    pub role_arn: RoleArn,
}
