//! The message id, which makes each message's keys unique.

use std::fmt;

use aws_lc_rs::rand;

use crate::error::RandomError;

/// A message id of 32 bytes (data-format/message-header.md, "Message ID", version 2). Not secret.
///
/// It is the salt of the key derivation, so no two messages under one data key may share one.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct MessageId([u8; Self::LENGTH]);

impl MessageId {
    /// The length in bytes.
    pub const LENGTH: usize = 32;

    /// A fresh random message id.
    ///
    /// # Errors
    /// [`RandomError`] if the system's random number generator fails.
    pub fn generate() -> Result<Self, RandomError> {
        let mut bytes = [0; Self::LENGTH];
        rand::fill(&mut bytes).map_err(|_| RandomError)?;
        Ok(Self(bytes))
    }

    /// The message id with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl From<[u8; MessageId::LENGTH]> for MessageId {
    fn from(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }
}

/// In hexadecimal.
impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageId(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_ids_differ() {
        assert_ne!(MessageId::generate().unwrap(), MessageId::generate().unwrap());
    }

    #[test]
    fn debug_is_hexadecimal() {
        assert_eq!(
            format!("{:?}", MessageId::from([0xa5; 32])),
            format!("MessageId({})", "a5".repeat(32))
        );
    }
}
