//! The id of a request.

use core::fmt;

use uuid::Uuid;

use crate::values::Invalid;

/// The id of a request: a UUID, written as 32 hexadecimal digits so that it fits into a role session name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Parses a UUID in any usual notation; Lambda's request ids are UUIDs.
    ///
    /// # Errors
    /// [`Invalid`] when it is not a UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text).map(Self).map_err(|_| Invalid::expected("a UUID"))
    }

    /// A new id, for work that no request started.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}
