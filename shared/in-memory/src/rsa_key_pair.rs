//! A real RSA key pair, as KMS would keep it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use zeroize::Zeroizing;

use latchkey_core::values::CustomerPublicKey;

/// A private key with its public half. Making one takes a while. Clones share it.
#[derive(Clone)]
pub struct RsaKeyPair {
    private_key: Arc<OaepPrivateDecryptingKey>,
    pkcs8: Arc<Zeroizing<Vec<u8>>>,
    public_key: CustomerPublicKey,
}

impl RsaKeyPair {
    /// Makes a new key of 2048 bits, the fastest size that KMS has.
    ///
    /// # Errors
    /// [`Unspecified`] if the crypto library fails.
    pub fn generate() -> Result<Self, Unspecified> {
        let pkcs8: Pkcs8V1Der<'_> = PrivateDecryptingKey::generate(KeySize::Rsa2048)?.as_der()?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// Reads the key from an unencrypted PKCS #8 document.
    ///
    /// # Errors
    /// [`Unspecified`] if the document holds no RSA key.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Unspecified> {
        let private_key = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| Unspecified)?;
        let der: PublicKeyX509Der<'_> = private_key.public_key().as_der()?;
        Ok(Self {
            public_key: CustomerPublicKey::from_der(der.as_ref()).map_err(|_| Unspecified)?,
            private_key: Arc::new(OaepPrivateDecryptingKey::new(private_key)?),
            pkcs8: Arc::new(Zeroizing::new(pkcs8.to_vec())),
        })
    }

    /// The private key as an unencrypted PKCS #8 document.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public half.
    pub const fn public_key(&self) -> &CustomerPublicKey {
        &self.public_key
    }

    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let mut plaintext = Zeroizing::new(vec![0; self.private_key.min_output_size()]);
        let length = self
            .private_key
            .decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut plaintext, None)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

impl fmt::Debug for RsaKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKeyPair")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}
