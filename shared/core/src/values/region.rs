//! The two Regions of a vault (requirement K3).

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::values::Invalid;

/// A Region in which Latchkey serves and in which each customer's key has its primary or its replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Region {
    /// us-east-2, where the primary key lives.
    #[serde(rename = "us-east-2")]
    UsEast2,
    /// us-west-2, where the replica key lives.
    #[serde(rename = "us-west-2")]
    UsWest2,
}

impl Region {
    /// Both Regions, the primary first.
    pub const ALL: [Self; 2] = [Self::UsEast2, Self::UsWest2];
    /// The Region of the primary key.
    pub const PRIMARY: Self = Self::UsEast2;

    /// The Region's code, as in ARNs and endpoints.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UsEast2 => "us-east-2",
            Self::UsWest2 => "us-west-2",
        }
    }

    /// The Region to turn to when this one has an outage.
    pub const fn other(self) -> Self {
        match self {
            Self::UsEast2 => Self::UsWest2,
            Self::UsWest2 => Self::UsEast2,
        }
    }

    /// The kind of multi-Region key that belongs in this Region.
    pub const fn multi_region_key_type(self) -> MultiRegionKeyType {
        match self {
            Self::UsEast2 => MultiRegionKeyType::Primary,
            Self::UsWest2 => MultiRegionKeyType::Replica,
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|region| region.code() == text)
            .ok_or(Invalid::expected("us-east-2 or us-west-2"))
    }
}

/// The role of a key in its multi-Region set, in KMS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MultiRegionKeyType {
    /// The key that replicas were made from.
    Primary,
    /// A copy of the primary in another Region.
    Replica,
}
