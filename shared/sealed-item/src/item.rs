//! The item: a message that belongs to one item.
//!
//! Many items share a data key and its encryption context, so neither can identify an item. The message id does. Half
//! of it is random; the other half is a digest of that half, the item id and the caller's context. The message id is
//! the salt of the key derivation and the header's tag covers it, so it cannot be exchanged. To other readers it looks
//! like any message id. The item id and the context are not stored.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::rand;

use crate::encrypted_data_key::{EncryptedDataKey, KMS_RSA_PROVIDER_ID};
use crate::encryption_context::EncryptionContext;
use crate::error::{OpenError, ParseError, RandomError, SealError};
use crate::frame::FrameLength;
use crate::message::{self, Message, MessageParameters};
use crate::message_id::MessageId;
use crate::plaintext::Plaintext;
use crate::plaintext_data_key::PlaintextDataKey;

/// The version of the item format. Each data key's encryption context must contain it, so that an item of one version
/// cannot pass for one of another.
pub const ITEM_FORMAT_VERSION: &str = "1";

/// Keeps these digests apart from any other use of SHA-256. It names the version, so it changes with the version.
const DOMAIN_TAG: &[u8] = b"latchkey:item-identity:v1";

/// Items are sealed and opened whole, so short frames gain nothing, and each frame costs a tag. With 4,096-byte frames,
/// AES-GCM over 1 MiB is a quarter slower.
const ITEM_FRAME_LENGTH: FrameLength = match FrameLength::new(65_536) {
    Ok(frame_length) => frame_length,
    Err(_) => FrameLength::DEFAULT,
};

const NONCE_LENGTH: usize = 16;
const BINDING_LENGTH: usize = 16;

/// Identifies an item by its id and the caller's context. Opening the item needs both again.
pub struct ItemIdentity {
    /// No two identities have the same bytes: each text is preceded by its length, and the pairs are counted and
    /// sorted.
    canonical: Vec<u8>,
}

impl ItemIdentity {
    /// The identity of the item with this id and context. Any text is accepted; the caller sets limits.
    pub fn new(item_id: &str, context: &BTreeMap<String, String>) -> Self {
        let texts = context.iter().flat_map(|(key, value)| [key.len(), value.len()]);
        let length = texts.fold(16_usize.saturating_add(item_id.len()), |sum, text| {
            sum.saturating_add(8).saturating_add(text)
        });
        let mut canonical = Vec::with_capacity(length);
        write_text(&mut canonical, item_id);
        canonical.extend_from_slice(&(context.len() as u64).to_be_bytes());
        for (key, value) in context {
            write_text(&mut canonical, key);
            write_text(&mut canonical, value);
        }
        Self { canonical }
    }

    /// The message id of this item under this nonce.
    fn message_id(&self, nonce: &[u8; NONCE_LENGTH]) -> MessageId {
        let mut context = digest::Context::new(&SHA256);
        context.update(DOMAIN_TAG);
        context.update(nonce);
        context.update(&self.canonical);
        let digest = context.finish();
        let (binding, _) = digest.as_ref().split_at(BINDING_LENGTH);

        let mut message_id = [0; MessageId::LENGTH];
        let (nonce_half, binding_half) = message_id.split_at_mut(NONCE_LENGTH);
        nonce_half.copy_from_slice(nonce);
        binding_half.copy_from_slice(binding);
        MessageId::from_bytes(message_id)
    }

    fn generate_message_id(&self) -> Result<MessageId, RandomError> {
        let mut nonce = [0; NONCE_LENGTH];
        rand::fill(&mut nonce).map_err(|_| RandomError)?;
        Ok(self.message_id(&nonce))
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// What an item is sealed with.
pub struct ItemSealingParameters<'a> {
    /// The data key that the message's keys are derived from.
    pub data_key: &'a PlaintextDataKey,
    /// The same data key, wrapped by the AWS KMS RSA keyring. The caller must make sure that it is the same.
    pub encrypted_data_key: &'a EncryptedDataKey,
    /// The encryption context that the data key was wrapped for.
    pub encryption_context: &'a EncryptionContext,
}

/// Seals an item. Each call generates a random nonce of 128 bits, so one data key serves 2^32 items safely.
///
/// # Errors
/// [`SealError::KeyProvider`] if the AWS KMS RSA keyring did not wrap the data key; [`SealError::Random`] if the nonce
/// could not be generated; otherwise as [`message::seal`].
pub fn seal_item(
    parameters: &ItemSealingParameters<'_>,
    identity: &ItemIdentity,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    if parameters.encrypted_data_key.key_arn().is_none() {
        return Err(SealError::KeyProvider);
    }
    let message_parameters = MessageParameters {
        data_key: parameters.data_key,
        encrypted_data_key: parameters.encrypted_data_key,
        encryption_context: parameters.encryption_context,
        message_id: &identity.generate_message_id()?,
        frame_length: ITEM_FRAME_LENGTH,
    };
    message::seal(&message_parameters, plaintext)
}

/// A sealed item with a valid structure. Nothing in it is authentic until [`open`](Self::open) succeeds. First call
/// [`matches`](Self::matches), then check that [`encrypted_data_key`](Self::encrypted_data_key) is on record, and only
/// then call KMS.
pub struct SealedItem<'a> {
    message: Message<'a>,
}

impl<'a> SealedItem<'a> {
    /// Checks the structure without a key. An item is a framed [`Message`] with a data key that the AWS KMS RSA keyring
    /// wrapped.
    ///
    /// # Errors
    /// [`ParseError`] for the first rule that is broken.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let message = Message::parse(bytes)?;
        if message.frame_length().is_none() {
            return Err(ParseError::ContentType);
        }
        let encrypted_data_key = message.encrypted_data_key();
        if encrypted_data_key.key_provider_id() != KMS_RSA_PROVIDER_ID {
            return Err(ParseError::KeyProvider);
        }
        if encrypted_data_key.key_arn().is_none() {
            return Err(ParseError::KeyProviderInfoUtf8);
        }
        Ok(Self { message })
    }

    /// Whether the item has this identity. Takes constant time and no key.
    pub fn matches(&self, identity: &ItemIdentity) -> bool {
        let stored = self.message.message_id().as_bytes();
        match stored.first_chunk() {
            Some(nonce) => verify_slices_are_equal(identity.message_id(nonce).as_bytes(), stored).is_ok(),
            None => false,
        }
    }

    /// Decrypts the item.
    ///
    /// # Errors
    /// [`OpenError::WrongItem`] if it is another item, before anything is decrypted; [`OpenError::DoesNotOpen`] as
    /// [`Message::open`].
    pub fn open(&self, identity: &ItemIdentity, data_key: &PlaintextDataKey) -> Result<Plaintext, OpenError> {
        if !self.matches(identity) {
            return Err(OpenError::WrongItem);
        }
        self.message.open(data_key)
    }

    /// The ARN of the KMS key that the data key was wrapped with.
    pub fn key_arn(&self) -> &str {
        // An item without an ARN was refused when it was parsed.
        self.encrypted_data_key().key_arn().unwrap_or_default()
    }

    /// The data key, wrapped.
    pub fn encrypted_data_key(&self) -> &EncryptedDataKey {
        self.message.encrypted_data_key()
    }

    /// The encryption context that the data key was wrapped for.
    pub fn encryption_context(&self) -> &EncryptionContext {
        self.message.encryption_context()
    }

    /// The item as a message.
    pub fn message(&self) -> &Message<'a> {
        &self.message
    }
}

/// Prints the shape only, not the context or the ciphertext.
impl fmt::Debug for SealedItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedItem")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn the_message_id_is_frozen() {
        let mut expected = digest::Context::new(&SHA256);
        expected.update(b"latchkey:item-identity:v1");
        expected.update(&[0xaa; 16]);
        expected.update(b"\0\0\0\0\0\0\0\x06item-1\0\0\0\0\0\0\0\x01");
        expected.update(b"\0\0\0\0\0\0\0\x05owner\0\0\0\0\0\0\0\x03ann");
        let message_id = ItemIdentity::new("item-1", &context([("owner", "ann")])).message_id(&[0xaa; 16]);
        assert_eq!(message_id.as_bytes()[..16], [0xaa; 16]);
        assert_eq!(message_id.as_bytes()[16..], expected.finish().as_ref()[..16]);
    }

    #[test]
    fn no_two_identities_have_the_same_bytes() {
        let identities = [
            ItemIdentity::new("", &context([])),
            ItemIdentity::new("ab", &context([])),
            ItemIdentity::new("a", &context([("b", "")])),
            ItemIdentity::new("a", &context([("", "b")])),
            ItemIdentity::new("", &context([("a", "b")])),
            ItemIdentity::new("", &context([("ab", "")])),
            ItemIdentity::new("", &context([("a", ""), ("b", "")])),
        ];
        let mut canonical: Vec<_> = identities
            .iter()
            .map(|identity| identity.canonical.as_slice())
            .collect();
        canonical.sort_unstable();
        canonical.dedup();
        assert_eq!(canonical.len(), identities.len());
    }

    #[test]
    fn each_seal_has_its_own_nonce() {
        let identity = ItemIdentity::new("item-1", &context([]));
        let (one, other) = (
            identity.generate_message_id().unwrap(),
            identity.generate_message_id().unwrap(),
        );
        assert_ne!(one.as_bytes()[..16], other.as_bytes()[..16]);
    }
}
