//! The plaintext data key, which a message's keys are derived from.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::error::RandomError;

/// A plaintext data key of 32 bytes (framework/algorithm-suites.md: the key derivation input of suite 0x0478).
///
/// Zeroed on drop, and boxed so that a move leaves no copy behind. It has no `Debug`, `Clone` or `PartialEq`.
pub struct PlaintextDataKey(Box<Zeroizing<[u8; Self::LENGTH]>>);

impl PlaintextDataKey {
    /// The length in bytes.
    pub const LENGTH: usize = 32;

    /// A fresh random data key.
    ///
    /// # Errors
    /// [`RandomError`] if the system's random number generator fails.
    pub fn generate() -> Result<Self, RandomError> {
        let mut data_key = Self::zeroed();
        rand::fill(data_key.0.as_mut_slice()).map_err(|_| RandomError)?;
        Ok(data_key)
    }

    /// The data key with these bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; Self::LENGTH]>) -> Self {
        Self::copy_from(&bytes)
    }

    pub(crate) fn copy_from(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut data_key = Self::zeroed();
        data_key.0.copy_from_slice(bytes);
        data_key
    }

    /// The bytes, for this crate only: key derivation reads them, and the keyring wraps them.
    pub(crate) fn expose_secret(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// A key to fill in its box. A key built on the stack and moved into a box would leave a copy on the stack.
    fn zeroed() -> Self {
        Self(Box::new(Zeroizing::new([0; Self::LENGTH])))
    }
}

impl From<Zeroizing<[u8; PlaintextDataKey::LENGTH]>> for PlaintextDataKey {
    fn from(bytes: Zeroizing<[u8; Self::LENGTH]>) -> Self {
        Self::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_differ() {
        let (one, other) = (
            PlaintextDataKey::generate().unwrap(),
            PlaintextDataKey::generate().unwrap(),
        );
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_ne!(one.expose_secret(), &[0; 32]);
    }

    #[test]
    fn bytes_are_kept() {
        assert_eq!(
            PlaintextDataKey::from_bytes(Zeroizing::new([7; 32])).expose_secret(),
            &[7; 32]
        );
        assert_eq!(
            PlaintextDataKey::from(Zeroizing::new([8; 32])).expose_secret(),
            &[8; 32]
        );
    }
}
