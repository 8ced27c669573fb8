//! Seals, parses and opens messages: ESDK messages, as any official SDK reads and writes them.
//!
//! ```
//! use sealed_item::{
//!     EncryptedDataKey, EncryptionContext, FrameLength, Message, MessageId, MessageParameters, PlaintextDataKey, message,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let data_key = PlaintextDataKey::generate()?;
//! let parameters = MessageParameters {
//!     data_key: &data_key,
//!     encrypted_data_key: &EncryptedDataKey::kms_rsa("arn:aws:kms:...", vec![0; 512])?,
//!     encryption_context: &EncryptionContext::default(),
//!     message_id: &MessageId::generate()?,
//!     frame_length: FrameLength::DEFAULT,
//! };
//! let mut bytes = message::seal(&parameters, &[7; 5000])?;
//! let message = Message::parse(&bytes)?;
//! assert_eq!((message.frame_count(), message.plaintext_length()), (2, 5000));
//! assert_eq!(message.open(&data_key)?.as_bytes(), [7; 5000]);
//!
//! // An altered message does not open.
//! *bytes.last_mut().expect("a tag") ^= 1;
//! assert!(Message::parse(&bytes)?.open(&data_key).is_err());
//! # Ok(())
//! # }
//! ```

use std::fmt;

use crate::body::{self, Body, Layout};
use crate::encrypted_data_key::EncryptedDataKey;
use crate::encryption_context::EncryptionContext;
use crate::error::{OpenError, ParseError, SealError};
use crate::frame::FrameLength;
use crate::header::{Header, HeaderFields, KeyCount};
use crate::key_derivation::MessageKeys;
use crate::message_id::MessageId;
use crate::plaintext::Plaintext;
use crate::plaintext_data_key::PlaintextDataKey;

/// What a message is sealed with.
pub struct MessageParameters<'a> {
    /// The data key that the message's keys are derived from.
    pub data_key: &'a PlaintextDataKey,
    /// The same data key, encrypted. The caller must make sure that it is the same.
    pub encrypted_data_key: &'a EncryptedDataKey,
    /// The encryption context that the data key was encrypted under.
    pub encryption_context: &'a EncryptionContext,
    /// The message id. It must differ from that of every other message under this data key.
    pub message_id: &'a MessageId,
    /// How many bytes of plaintext a frame holds.
    pub frame_length: FrameLength,
}

/// Seals a plaintext into a message (client-apis/encrypt.md).
///
/// # Errors
/// [`SealError::PlaintextTooLong`] if there would be more than 2^32-1 frames; [`SealError::Encryption`] if the crypto
/// library fails.
pub fn seal(parameters: &MessageParameters<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let header = HeaderFields {
        message_id: parameters.message_id,
        encryption_context: parameters.encryption_context,
        encrypted_data_key: parameters.encrypted_data_key,
        frame_length: parameters.frame_length,
    };
    let length = header
        .sealed_length()
        .checked_add(body::sealed_length(parameters.frame_length, plaintext.len())?)
        .ok_or(SealError::PlaintextTooLong)?;
    let keys = MessageKeys::derive(parameters.message_id, parameters.data_key).map_err(|_| SealError::Encryption)?;

    let mut message = Vec::with_capacity(length);
    header.seal(&keys, &mut message)?;
    body::seal(
        &keys.content_key,
        parameters.message_id,
        parameters.frame_length,
        plaintext,
        &mut message,
    )?;
    Ok(message)
}

/// A message with a valid structure. Nothing in it is authentic until [`open`](Self::open) succeeds.
pub struct Message<'a> {
    header: Header<'a>,
    body: Body<'a>,
}

impl<'a> Message<'a> {
    /// Checks the structure of a whole message without a key. A message has version 2, suite 0x0478, exactly one
    /// encrypted data key, a sorted encryption context of unique keys in UTF-8, frames in sequence, a final frame, and
    /// nothing after it. Each length is checked against the remaining bytes before anything is allocated for it.
    ///
    /// # Errors
    /// [`ParseError`] at the first byte that breaks a rule.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(bytes, KeyCount::One)
    }

    pub(crate) fn parse_with(bytes: &'a [u8], key_count: KeyCount) -> Result<Self, ParseError> {
        let (header, mut reader) = Header::parse(bytes, key_count)?;
        let body = Body::parse(header.layout, &mut reader)?;
        Ok(Self { header, body })
    }

    #[cfg(test)]
    pub(crate) fn commit_key(&self) -> &[u8; 32] {
        self.header.commit_key
    }

    /// Decrypts the message. The key commitment, the header's tag and every frame's tag must match. They are checked in
    /// this order (client-apis/decrypt.md).
    ///
    /// # Errors
    /// [`OpenError::DoesNotOpen`] if any of them does not match. The error does not tell which.
    pub fn open(&self, data_key: &PlaintextDataKey) -> Result<Plaintext, OpenError> {
        let keys = MessageKeys::derive(&self.header.message_id, data_key).map_err(|_| OpenError::DoesNotOpen)?;
        self.header.verify(&keys)?;
        self.body
            .open(&keys.content_key, &self.header.message_id)
            .map_err(|_| OpenError::DoesNotOpen)
    }

    /// The message id.
    pub fn message_id(&self) -> &MessageId {
        &self.header.message_id
    }

    /// The encryption context that the data key was encrypted under.
    pub fn encryption_context(&self) -> &EncryptionContext {
        &self.header.encryption_context
    }

    /// The data key, encrypted.
    pub fn encrypted_data_key(&self) -> &EncryptedDataKey {
        &self.header.encrypted_data_key
    }

    /// How many bytes of plaintext a regular frame holds; `None` for a single block (content type 1).
    pub fn frame_length(&self) -> Option<FrameLength> {
        match self.header.layout {
            Layout::Framed(frame_length) => Some(frame_length),
            Layout::SingleBlock => None,
        }
    }

    /// The number of frames, the final one included; 1 for a single block.
    pub fn frame_count(&self) -> usize {
        self.body.frame_count()
    }

    /// The length of the plaintext in bytes.
    pub fn plaintext_length(&self) -> usize {
        self.body.plaintext_length()
    }
}

/// Prints the shape only, not the context or the ciphertext.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("message_id", self.message_id())
            .field("frame_length", &self.frame_length())
            .field("frame_count", &self.frame_count())
            .field("plaintext_length", &self.plaintext_length())
            .finish_non_exhaustive()
    }
}
