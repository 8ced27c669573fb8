//! The caller and its role. The table of operations says what a role may do.

use core::fmt;

use crate::values::WorkspaceId;

/// A caller whose token was verified, with the workspace that the token names.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The only workspace whose vaults this caller sees.
    pub workspace_id: WorkspaceId,
    /// The caller's role in it.
    pub role: WorkspaceRole,
    /// The token's subject. It is recorded as `created_by` and in the audit log.
    pub subject: String,
}

/// A role in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceRole {
    /// `owner`
    Owner,
    /// `super_admin`
    SuperAdmin,
    /// `admin`
    Admin,
    /// Everyone else in the workspace, whatever the role is called: may seal and open items, and nothing more.
    Member,
}

impl WorkspaceRole {
    /// All of them, the one with the most rights first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::SuperAdmin, Self::Admin, Self::Member];

    /// Whether it administers the workspace's vaults: creates, configures, validates, disables and enables them.
    pub const fn administers_vaults(self) -> bool {
        match self {
            Self::Owner | Self::SuperAdmin | Self::Admin => true,
            Self::Member => false,
        }
    }

    /// Reads the role claim. An unknown role has the fewest rights.
    pub fn from_claim(claim: &str) -> Self {
        match claim {
            "owner" => Self::Owner,
            "super_admin" => Self::SuperAdmin,
            "admin" => Self::Admin,
            _ => Self::Member,
        }
    }
}

impl fmt::Display for WorkspaceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Owner => "owner",
            Self::SuperAdmin => "super_admin",
            Self::Admin => "admin",
            Self::Member => "member",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_admin_roles_may_administer_vaults() {
        let may = |claim: &str| WorkspaceRole::from_claim(claim).administers_vaults();
        for claim in ["owner", "super_admin", "admin"] {
            assert!(may(claim), "{claim}");
        }
        for claim in ["member", "Owner", "ADMIN", "admin ", "", "root"] {
            assert!(!may(claim), "{claim}");
        }
    }
}
