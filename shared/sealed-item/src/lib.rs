//! The sealed item: one AWS Encryption SDK (ESDK) message, bound to one item's identity.
//!
//! Bytes in, bytes out: no AWS calls, no I/O, no async. Four layers, each built on the one below it:
//!
//! - [`item`]: an item's identity, bound into the message id ([`item::seal_item`], [`SealedItem`]).
//! - [`message`]: a whole ESDK message, sealed and opened with a plaintext data key ([`message::seal`], [`Message`]).
//! - [`kms_rsa_keyring`]: a data key wrapped with the customer's RSA public key, and the check of what KMS unwrapped.
//! - the values: [`PlaintextDataKey`], [`EncryptedDataKey`], [`EncryptionContext`], [`MessageId`], [`Plaintext`].
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use sealed_item::{
//!     EncryptedDataKey, EncryptionContext, ItemIdentity, ItemSealingParameters, PlaintextDataKey, SealedItem,
//!     WrappingPublicKey, seal_item,
//! };
//!
//! # use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
//! # use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let key_arn = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";
//! # let private_key = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
//! # let public_key: PublicKeyX509Der<'_> = private_key.public_key().as_der()?;
//! // A data key, wrapped with the public key that `kms:GetPublicKey` returns.
//! let encryption_context = EncryptionContext::new([("latchkey:vault-id", "vlt_1")])?;
//! let data_key = PlaintextDataKey::generate()?;
//! let wrapped = WrappingPublicKey::from_der(public_key.as_ref())?.wrap(&encryption_context, &data_key)?;
//! let encrypted_data_key = EncryptedDataKey::kms_rsa(key_arn, wrapped)?;
//!
//! let identity = ItemIdentity::new("item-1", &BTreeMap::new());
//! let parameters = ItemSealingParameters {
//!     data_key: &data_key,
//!     encrypted_data_key: &encrypted_data_key,
//!     encryption_context: &encryption_context,
//! };
//! let sealed = seal_item(&parameters, &identity, b"plaintext")?;
//!
//! // The data key would come from `kms:Decrypt` and `kms_rsa_keyring::unwrap_payload`.
//! let item = SealedItem::parse(&sealed)?;
//! assert_eq!(item.key_arn(), key_arn);
//! assert!(item.matches(&identity));
//! assert_eq!(item.open(&identity, &data_key)?.as_bytes(), b"plaintext");
//! # Ok(())
//! # }
//! ```
//!
//! The format is that of the [AWS Encryption SDK specification]: message format version 2, algorithm suite 0x0478
//! (AES-256-GCM, HKDF-SHA512, key commitment, no signature). Any official SDK that has the AWS KMS RSA keyring opens a
//! sealed item; all it needs is the customer's own access to the key. Comments cite the specification by file name and
//! section.
//!
//! [AWS Encryption SDK specification]: https://github.com/awslabs/aws-encryption-sdk-specification

mod body;
mod content_key;
mod encrypted_data_key;
mod encryption_context;
mod error;
mod frame;
mod header;
pub mod item;
mod key_derivation;
pub mod kms_rsa_keyring;
#[cfg(test)]
mod memory_scan;
pub mod message;
mod message_id;
#[cfg(test)]
mod official_vectors;
mod plaintext;
mod plaintext_data_key;
#[cfg(test)]
mod secrets_in_memory;
mod wire;

pub use encrypted_data_key::{EncryptedDataKey, KMS_RSA_PROVIDER_ID};
pub use encryption_context::{EncryptionContext, RESERVED_KEY_PREFIX};
pub use error::{
    EncryptedDataKeyError, EncryptionContextError, FrameLengthError, OpenError, ParseError, RandomError, SealError,
    UnwrapError, WrapError, WrappingPublicKeyError,
};
pub use frame::FrameLength;
pub use item::{ItemIdentity, ItemSealingParameters, SealedItem, seal_item};
pub use kms_rsa_keyring::WrappingPublicKey;
pub use message::{Message, MessageParameters};
pub use message_id::MessageId;
pub use plaintext::Plaintext;
pub use plaintext_data_key::PlaintextDataKey;
