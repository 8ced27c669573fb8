//! The key that the service owns, for workspaces that bring none, or none yet (requirement W3).
//!
//! It is reached in the same way as a customer's: through a role, in sessions that are named for the vault and the request
//! and cut down to what they are for. Only that the role is our own, made with the key from managed-key/.

use crate::values::{CustomerKey, RoleArn};

/// The managed key of this deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedKey {
    /// The key, in the service's account.
    pub key: CustomerKey,
    /// The one role that may use it.
    pub role_arn: RoleArn,
}
