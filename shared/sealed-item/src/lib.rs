//! The sealed item: one AWS Encryption SDK (ESDK) message, bound to one item's identity.
//!
//! Bytes in, bytes out: no AWS calls, no I/O, no async. Four layers, each built on the one below it:
//!
//! - [`item`]: an item's identity, bound into the message id ([`item::seal_item`], [`SealedItem`]).
//! - [`message`]: a whole ESDK message, sealed and opened with a plaintext data key ([`message::seal`], [`Message`]).
//! - [`kms_rsa_keyring`]: a data key wrapped with the customer's RSA public key, and the check of what KMS unwrapped.
//! - the values: [`PlaintextDataKey`], [`EncryptedDataKey`], [`EncryptionContext`], [`MessageId`], [`Plaintext`].
//!
//! The bytes are those of the [AWS Encryption SDK specification], message format version 2, algorithm suite 0x0478
//! (AES-256-GCM, HKDF-SHA512, key commitment, no signature), so any official SDK that has the AWS KMS RSA keyring
//! opens a sealed item with nothing but the customer's own access to the key. Comments name the sections of the
//! specification that they follow, by its file names.
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
pub mod message;
mod message_id;
#[cfg(test)]
mod official_vectors;
mod plaintext;
mod plaintext_data_key;
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
