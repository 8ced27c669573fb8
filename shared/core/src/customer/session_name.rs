//! The role session name (requirement E1).

use crate::values::{RequestId, VaultId};

/// The name of a session in the customer's role: `<vault id>-<request id>`. It lets the customer match each use of the
/// key in CloudTrail to our audit log (requirement E1).
///
/// STS allows 2 to 64 characters of `A-Z a-z 0-9 _ + = , . @ -`; this has 63: 30 + 1 + 32.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleSessionName(String);

impl RoleSessionName {
    /// The session name for one request and one vault.
    pub fn new(vault_id: &VaultId, request_id: &RequestId) -> Self {
        Self(format!("{vault_id}-{request_id}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_names_fit_what_sts_takes() {
        let name = RoleSessionName::new(&VaultId::generate(), &RequestId::generate());
        assert_eq!(name.as_str().len(), 63);
        assert!(
            name.as_str()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        );
    }
}
