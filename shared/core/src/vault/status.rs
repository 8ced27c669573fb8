//! Whether a vault seals and opens items (requirement V5).

use serde::{Deserialize, Serialize};

/// Whether a vault seals and opens items (requirement V5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultStatus {
    /// Items are sealed and opened.
    Active,
    /// Items are opened, but none is sealed.
    DecryptOnly,
    /// Items are neither sealed nor opened.
    Disabled,
}

impl VaultStatus {
    /// Whether new items may be sealed.
    pub const fn seals(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether items may be opened.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Active | Self::DecryptOnly)
    }

    /// The status with this name, as the API spells it.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Active, Self::DecryptOnly, Self::Disabled];
        all.into_iter().find(|status| status.as_str() == text)
    }

    /// The status as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DecryptOnly => "decrypt_only",
            Self::Disabled => "disabled",
        }
    }
}
