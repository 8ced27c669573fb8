//! Who owns the key of a vault.

use serde::{Deserialize, Serialize};

/// Who owns the key of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The customer, in its own AWS account.
    AwsKms,
    /// The service, in its own account, for workspaces without a key of their own (requirement W3).
    Managed,
}

impl Strategy {
    /// The strategy as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwsKms => "aws_kms",
            Self::Managed => "managed",
        }
    }
}
