//! The encrypted data key: a data key, wrapped with the customer's key.

use std::fmt;

use crate::error::{EncryptedDataKeyError, ParseError};
use crate::wire::{Reader, TooLong, write_short_field};

/// The key provider id of the AWS KMS RSA keyring (framework/aws-kms/aws-kms-rsa-keyring.md).
pub const KMS_RSA_PROVIDER_ID: &str = "aws-kms-rsa";

/// One encrypted data key (data-format/message-header.md, "Encrypted Data Key Entries"). Not secret.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct EncryptedDataKey {
    key_provider_id: KeyProviderId,
    /// The key provider info, then the ciphertext.
    fields: Vec<u8>,
    key_provider_info_length: usize,
}

/// Most messages name the AWS KMS RSA keyring, so its id takes no allocation.
#[derive(Clone, Eq, Hash, PartialEq)]
enum KeyProviderId {
    KmsRsa,
    Other(String),
}

impl From<&str> for KeyProviderId {
    fn from(id: &str) -> Self {
        if id == KMS_RSA_PROVIDER_ID {
            Self::KmsRsa
        } else {
            Self::Other(id.to_owned())
        }
    }
}

impl EncryptedDataKey {
    /// An encrypted data key of any key provider.
    ///
    /// # Errors
    /// [`EncryptedDataKeyError::TooLong`] if a field is longer than 65,535 bytes.
    pub fn new(
        key_provider_id: &str,
        key_provider_info: Vec<u8>,
        ciphertext: Vec<u8>,
    ) -> Result<Self, EncryptedDataKeyError> {
        let longest = usize::from(u16::MAX);
        if [key_provider_id.len(), key_provider_info.len(), ciphertext.len()]
            .iter()
            .any(|length| *length > longest)
        {
            return Err(EncryptedDataKeyError::TooLong);
        }
        Ok(Self::of(key_provider_id, &key_provider_info, &ciphertext))
    }

    /// The encrypted data key that the AWS KMS RSA keyring writes: the KMS key's ARN, and what
    /// [`WrappingPublicKey::wrap`](crate::WrappingPublicKey::wrap) returned.
    ///
    /// # Errors
    /// [`EncryptedDataKeyError::TooLong`] if a field is longer than 65,535 bytes.
    pub fn kms_rsa(key_arn: &str, ciphertext: Vec<u8>) -> Result<Self, EncryptedDataKeyError> {
        Self::new(KMS_RSA_PROVIDER_ID, key_arn.as_bytes().to_vec(), ciphertext)
    }

    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let key_provider_id = std::str::from_utf8(reader.short_field()?).map_err(|_| ParseError::KeyProviderIdUtf8)?;
        Ok(Self::of(key_provider_id, reader.short_field()?, reader.short_field()?))
    }

    fn of(key_provider_id: &str, key_provider_info: &[u8], ciphertext: &[u8]) -> Self {
        Self {
            key_provider_id: key_provider_id.into(),
            fields: [key_provider_info, ciphertext].concat(),
            key_provider_info_length: key_provider_info.len(),
        }
    }

    fn key_provider_info_and_ciphertext(&self) -> (&[u8], &[u8]) {
        // The stored length is never longer than the fields.
        let split = self.fields.split_at_checked(self.key_provider_info_length);
        split.unwrap_or_default()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        write_short_field(out, self.key_provider_id().as_bytes())?;
        write_short_field(out, self.key_provider_info())?;
        write_short_field(out, self.ciphertext())
    }

    /// The id of the keyring that wrapped the data key, e.g. [`KMS_RSA_PROVIDER_ID`].
    pub fn key_provider_id(&self) -> &str {
        match &self.key_provider_id {
            KeyProviderId::KmsRsa => KMS_RSA_PROVIDER_ID,
            KeyProviderId::Other(id) => id,
        }
    }

    /// What that keyring uses to find its wrapping key. For the AWS KMS RSA keyring, it is the key's ARN.
    pub fn key_provider_info(&self) -> &[u8] {
        self.key_provider_info_and_ciphertext().0
    }

    /// The ARN of the KMS key, if the AWS KMS RSA keyring wrapped it and the ARN is UTF-8.
    pub fn key_arn(&self) -> Option<&str> {
        match self.key_provider_id {
            KeyProviderId::KmsRsa => std::str::from_utf8(self.key_provider_info()).ok(),
            KeyProviderId::Other(_) => None,
        }
    }

    /// The wrapped data key.
    pub fn ciphertext(&self) -> &[u8] {
        self.key_provider_info_and_ciphertext().1
    }
}

/// Prints the provider id and lengths only, because the ARN names the customer.
impl fmt::Debug for EncryptedDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedDataKey")
            .field("key_provider_id", &self.key_provider_id())
            .field("key_provider_info_length", &self.key_provider_info().len())
            .field("ciphertext_length", &self.ciphertext().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";

    #[test]
    fn three_fields_behind_their_lengths() {
        let encrypted = EncryptedDataKey::new("id", vec![0xff], vec![1, 2, 3]).unwrap();
        let mut out = Vec::new();
        assert!(encrypted.write(&mut out).is_ok());
        assert_eq!(out, [0, 2, b'i', b'd', 0, 1, 0xff, 0, 3, 1, 2, 3]);
        assert_eq!(EncryptedDataKey::parse(&mut Reader::new(&out)).unwrap(), encrypted);
    }

    #[test]
    fn the_arn_is_that_of_the_kms_rsa_keyring() {
        assert_eq!(
            EncryptedDataKey::kms_rsa(KEY_ARN, vec![]).unwrap().key_arn(),
            Some(KEY_ARN)
        );
        assert_eq!(
            EncryptedDataKey::new("aws-kms", KEY_ARN.into(), vec![])
                .unwrap()
                .key_arn(),
            None
        );
        assert_eq!(
            EncryptedDataKey::new(KMS_RSA_PROVIDER_ID, vec![0xff], vec![])
                .unwrap()
                .key_arn(),
            None
        );
    }

    #[test]
    fn lengths_are_checked() {
        let fits = vec![0; 65_535];
        let too_long = vec![0; 65_536];
        assert!(EncryptedDataKey::new("", fits.clone(), fits.clone()).is_ok());
        for fields in [
            ("".to_owned(), fits.clone(), too_long.clone()),
            ("".to_owned(), too_long, vec![]),
        ] {
            assert_eq!(
                EncryptedDataKey::new(&fields.0, fields.1, fields.2),
                Err(EncryptedDataKeyError::TooLong)
            );
        }
        assert_eq!(
            EncryptedDataKey::new(&"a".repeat(65_536), fits, vec![]),
            Err(EncryptedDataKeyError::TooLong)
        );
    }

    #[test]
    fn debug_shows_neither_arn_nor_ciphertext() {
        let shown = format!("{:?}", EncryptedDataKey::kms_rsa(KEY_ARN, vec![0xa5; 512]).unwrap());
        assert!(!shown.contains("222222222222") && !shown.contains("165"));
    }
}
