//! The public half of a customer's key.

use core::fmt;
use std::sync::Arc;

use sealed_item::WrappingPublicKey;

use crate::values::Invalid;

/// An RSA public key as kms:GetPublicKey answers it.
#[derive(Clone)]
pub struct CustomerPublicKey {
    der: Arc<[u8]>,
    wrapping_key: Arc<WrappingPublicKey>,
}

impl CustomerPublicKey {
    /// Parses a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`Invalid`] unless it is an RSA key of 2048, 3072 or 4096 bits.
    pub fn from_der(der: &[u8]) -> Result<Self, Invalid> {
        let wrapping_key = WrappingPublicKey::from_der(der)
            .map_err(|_| Invalid::expected("an RSA public key of 2048, 3072 or 4096 bits"))?;
        Ok(Self {
            der: der.into(),
            wrapping_key: Arc::new(wrapping_key),
        })
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The key as the format uses it, to wrap data keys with.
    pub fn wrapping_key(&self) -> &WrappingPublicKey {
        &self.wrapping_key
    }

    /// SHA-256 of the DER, in lower-case hexadecimal.
    pub fn sha256_hex(&self) -> String {
        self.wrapping_key
            .sha256()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl PartialEq for CustomerPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CustomerPublicKey {}

impl fmt::Debug for CustomerPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CustomerPublicKey(sha256 {})", self.sha256_hex())
    }
}
