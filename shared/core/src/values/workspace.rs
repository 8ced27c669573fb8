//! A workspace: one customer of the service.

use core::fmt;

use crate::values::Invalid;

/// The id of a workspace, from the caller's verified identity (requirement R4). Compared byte for byte.
///
/// It is also the STS external id of the customer's role, so it has that parameter's form: 2 to 1,224 characters of
/// `A-Z a-z 0-9 _ + = , . @ : / -` (STS API reference, AssumeRole, `ExternalId`). We accept up to 128 of them, which is
/// short enough for every other place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspaceId(String);

impl WorkspaceId {
    /// Parses a workspace id.
    ///
    /// # Errors
    /// [`Invalid`] when it could not be an external id.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte);
        if (2..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::expected(
                "2 to 128 characters of A-Z a-z 0-9 _ + = , . @ : / -",
            ))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_a_workspace_id_and_nothing_else_is() {
        assert!(WorkspaceId::parse("ws-acme_0001").is_ok());
        let too_long = "a".repeat(129);
        for text in ["", "a", "ws acme", "ws#acme", "ws\nacme", "wörk", too_long.as_str()] {
            assert!(WorkspaceId::parse(text).is_err(), "{text}");
        }
    }
}
