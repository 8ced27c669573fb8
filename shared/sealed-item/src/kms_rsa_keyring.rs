//! Wraps a data key with the RSA public key of a KMS key, as the AWS KMS RSA keyring of the AWS Cryptographic Material
//! Providers Library does (framework/aws-kms/aws-kms-rsa-keyring.md).
//!
//! Wrapping needs only the public key and happens here. Unwrapping needs `kms:Decrypt` with the encryption algorithm
//! `RSAES_OAEP_SHA_256`; this module checks what KMS returns. KMS takes no encryption context for RSA keys, so a digest
//! of the context is wrapped with the data key.
//!
//! ```
//! use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
//! use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
//! use sealed_item::kms_rsa_keyring::unwrap_payload;
//! use sealed_item::{EncryptionContext, PlaintextDataKey, WrappingPublicKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Stands in for KMS.
//! let private_key = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
//! let der: PublicKeyX509Der<'_> = private_key.public_key().as_der()?;
//! let private_key = OaepPrivateDecryptingKey::new(private_key)?;
//!
//! let context = EncryptionContext::new([("vault", "vlt_1")])?;
//! let wrapped = WrappingPublicKey::from_der(der.as_ref())?.wrap(&context, &PlaintextDataKey::generate()?)?;
//!
//! let mut room = vec![0; private_key.min_output_size()];
//! let payload = private_key.decrypt(&OAEP_SHA256_MGF1SHA256, &wrapped, &mut room, None)?.to_vec();
//! assert!(unwrap_payload(&context, payload.clone().into()).is_ok());
//! assert!(unwrap_payload(&EncryptionContext::default(), payload.into()).is_err(), "it was wrapped for another context");
//! # Ok(())
//! # }
//! ```

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA256, SHA384, SHA384_OUTPUT_LEN};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use zeroize::Zeroizing;

use crate::encryption_context::EncryptionContext;
use crate::error::{UnwrapError, WrapError, WrappingPublicKeyError};
use crate::plaintext_data_key::PlaintextDataKey;

/// The length in bytes of what is wrapped: the digest of the encryption context, then the data key.
pub const PAYLOAD_LENGTH: usize = SHA384_OUTPUT_LEN + PlaintextDataKey::LENGTH;

/// The RSA key specs of KMS, in bits.
const MODULUS_BITS: [usize; 3] = [2048, 3072, 4096];

/// The public half of a customer's RSA key. Not secret, but it decides who can read: pin it by
/// [`sha256`](Self::sha256).
pub struct WrappingPublicKey {
    key: OaepPublicEncryptingKey,
    modulus_bits: usize,
    sha256: [u8; 32],
}

impl WrappingPublicKey {
    /// Parses a key: a `SubjectPublicKeyInfo` in DER, as `kms:GetPublicKey` returns it.
    ///
    /// # Errors
    /// [`WrappingPublicKeyError`] if the bytes are anything else, or if the modulus does not have 2048, 3072 or 4096
    /// bits.
    pub fn from_der(der: &[u8]) -> Result<Self, WrappingPublicKeyError> {
        let malformed = |_| WrappingPublicKeyError::Malformed;
        let key = PublicEncryptingKey::from_der(der).map_err(|_| WrappingPublicKeyError::Malformed)?;
        // A key has one encoding, and so one digest to pin. Bytes that are not that encoding are refused.
        let encoded: PublicKeyX509Der<'_> = key.as_der().map_err(malformed)?;
        if encoded.as_ref() != der {
            return Err(WrappingPublicKeyError::Malformed);
        }
        let modulus_bits = key.key_size_bits();
        if !MODULUS_BITS.contains(&modulus_bits) {
            return Err(WrappingPublicKeyError::ModulusLength);
        }
        let sha256 = digest::digest(&SHA256, der)
            .as_ref()
            .try_into()
            .map_err(|_| WrappingPublicKeyError::Malformed)?;
        Ok(Self {
            key: OaepPublicEncryptingKey::new(key).map_err(malformed)?,
            modulus_bits,
            sha256,
        })
    }

    /// Wraps a data key for this encryption context: encrypts the SHA-384 digest of the serialised context and the data
    /// key with RSA-OAEP. The result is as long as the modulus.
    ///
    /// # Errors
    /// [`WrapError::Encryption`] if the crypto library fails.
    pub fn wrap(
        &self,
        encryption_context: &EncryptionContext,
        data_key: &PlaintextDataKey,
    ) -> Result<Vec<u8>, WrapError> {
        let mut payload = Zeroizing::new([0; PAYLOAD_LENGTH]);
        let (context_digest, key) = payload
            .split_at_mut_checked(SHA384_OUTPUT_LEN)
            .ok_or(WrapError::Encryption)?;
        context_digest.copy_from_slice(digest_of(encryption_context).as_ref());
        key.copy_from_slice(data_key.expose_secret());
        self.encrypt_oaep_sha256(payload.as_slice())
    }

    /// Encrypts with RSA-OAEP with SHA-256, MGF1 with SHA-256 and an empty label, which KMS calls `RSAES_OAEP_SHA_256`.
    /// The result is as long as the modulus.
    ///
    /// # Errors
    /// [`WrapError::TooLong`] if the plaintext is longer than the modulus less 66 bytes.
    pub fn encrypt_oaep_sha256(&self, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        if plaintext.len() > self.key.max_plaintext_size(&OAEP_SHA256_MGF1SHA256) {
            return Err(WrapError::TooLong);
        }
        let mut ciphertext = vec![0; self.key.ciphertext_size()];
        let length = self
            .key
            .encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None)
            .map_err(|_| WrapError::Encryption)?
            .len();
        ciphertext.truncate(length);
        Ok(ciphertext)
    }

    /// The length of the modulus in bits: 2048, 3072 or 4096.
    pub fn modulus_bits(&self) -> usize {
        self.modulus_bits
    }

    /// SHA-256 of the DER, to pin the key by.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl fmt::Debug for WrappingPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappingPublicKey")
            .field("modulus_bits", &self.modulus_bits)
            .finish_non_exhaustive()
    }
}

/// Takes the data key out of what `kms:Decrypt` returned, if it was wrapped for this encryption context. The digest of
/// the context is compared in constant time.
///
/// # Errors
/// [`UnwrapError::Length`] if the payload is not [`PAYLOAD_LENGTH`] bytes long; [`UnwrapError::EncryptionContext`] if
/// the data key was wrapped for another context.
pub fn unwrap_payload(
    encryption_context: &EncryptionContext,
    kms_plaintext: Zeroizing<Vec<u8>>,
) -> Result<PlaintextDataKey, UnwrapError> {
    let (context_digest, data_key) = kms_plaintext
        .split_first_chunk::<SHA384_OUTPUT_LEN>()
        .ok_or(UnwrapError::Length)?;
    let data_key = data_key.try_into().map_err(|_| UnwrapError::Length)?;
    verify_slices_are_equal(context_digest, digest_of(encryption_context).as_ref())
        .map_err(|_| UnwrapError::EncryptionContext)?;
    Ok(PlaintextDataKey::copy_from(data_key))
}

fn digest_of(encryption_context: &EncryptionContext) -> digest::Digest {
    digest::digest(&SHA384, encryption_context.as_serialized())
}
