//! A message's header (data-format/message-header.md): its body, which is authenticated, and its tag.

use crate::body::Layout;
use crate::content_key::{IV_LENGTH, TAG_LENGTH};
use crate::encrypted_data_key::EncryptedDataKey;
use crate::encryption_context::EncryptionContext;
use crate::error::{OpenError, ParseError, SealError};
use crate::frame::FrameLength;
use crate::key_derivation::{ALGORITHM_SUITE_ID, CommitKey, MessageKeys};
use crate::message_id::MessageId;
use crate::wire::{Reader, TooLong, write_short_field};

const MESSAGE_FORMAT_VERSION: u8 = 2;
const CONTENT_TYPE_SINGLE_BLOCK: u8 = 1;
const CONTENT_TYPE_FRAMED: u8 = 2;

/// The initialisation vector of the header's tag (client-apis/encrypt.md, "Construct the header"). Frames start at 1.
const HEADER_IV: [u8; IV_LENGTH] = [0; IV_LENGTH];

/// The length in bytes of a header with one encrypted data key, apart from the encryption context and the data key's
/// three fields. It has the version, suite and message id; the length of the context; the number of data keys and three
/// lengths; the content type, frame length and commit key; and the tag.
const FIXED_LENGTH: usize = (1 + 2 + MessageId::LENGTH) + 2 + (2 + 3 * 2) + (1 + 4 + CommitKey::LENGTH) + TAG_LENGTH;

/// How many encrypted data keys the parser accepts.
#[derive(Clone, Copy)]
pub(crate) enum KeyCount {
    /// Exactly one. A second one would be a second way to open the message, and not on record.
    One,
    /// One or more. The first is kept. Some official vectors have two.
    #[cfg(test)]
    OneOrMore,
}

/// A header as parsed from a message.
pub(crate) struct Header<'a> {
    /// What the tag authenticates.
    body: &'a [u8],
    pub(crate) message_id: MessageId,
    pub(crate) encryption_context: EncryptionContext,
    pub(crate) encrypted_data_key: EncryptedDataKey,
    pub(crate) layout: Layout,
    pub(crate) commit_key: &'a [u8; CommitKey::LENGTH],
    tag: &'a [u8; TAG_LENGTH],
}

impl<'a> Header<'a> {
    /// Parses the header at the start of `bytes`. Returns it and a reader of the bytes after it.
    pub(crate) fn parse(bytes: &'a [u8], key_count: KeyCount) -> Result<(Self, Reader<'a>), ParseError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != MESSAGE_FORMAT_VERSION {
            return Err(ParseError::MessageVersion);
        }
        if reader.u16()? != ALGORITHM_SUITE_ID {
            return Err(ParseError::AlgorithmSuite);
        }
        let message_id = MessageId::from_bytes(*reader.array()?);
        let encryption_context = EncryptionContext::parse(reader.short_field()?)?;
        let encrypted_data_key = parse_encrypted_data_keys(&mut reader, key_count)?;
        let layout = parse_layout(&mut reader)?;
        let commit_key = reader.array()?;
        let length = bytes
            .len()
            .checked_sub(reader.remaining())
            .ok_or(ParseError::Truncated)?;
        let body = bytes.get(..length).ok_or(ParseError::Truncated)?;
        let tag = reader.array()?;
        let header = Self {
            body,
            message_id,
            encryption_context,
            encrypted_data_key,
            layout,
            commit_key,
            tag,
        };
        Ok((header, reader))
    }

    /// Checks that these keys come from the data key that the message is committed to, then that the header is
    /// unaltered (client-apis/decrypt.md, "Verify the header"). The commitment comes first, because a tag alone can be
    /// made to match two keys.
    pub(crate) fn verify(&self, keys: &MessageKeys) -> Result<(), OpenError> {
        if !keys.commit_key.matches(self.commit_key) {
            return Err(OpenError::DoesNotOpen);
        }
        keys.content_key
            .open(HEADER_IV, self.body, &[], self.tag, &mut Vec::new())
            .map_err(|_| OpenError::DoesNotOpen)
    }
}

fn parse_encrypted_data_keys(reader: &mut Reader<'_>, key_count: KeyCount) -> Result<EncryptedDataKey, ParseError> {
    let count = reader.u16()?;
    match key_count {
        KeyCount::One if count != 1 => Err(ParseError::EncryptedDataKeyCount),
        KeyCount::One => EncryptedDataKey::parse(reader),
        #[cfg(test)]
        KeyCount::OneOrMore => {
            let first = EncryptedDataKey::parse(reader)?;
            for _ in 1..count {
                EncryptedDataKey::parse(reader)?;
            }
            Ok(first)
        }
    }
}

fn parse_layout(reader: &mut Reader<'_>) -> Result<Layout, ParseError> {
    let content_type = reader.u8()?;
    let frame_length = reader.u32()?;
    match (content_type, frame_length) {
        (CONTENT_TYPE_FRAMED, _) => FrameLength::new(frame_length)
            .map(Layout::Framed)
            .map_err(|_| ParseError::FrameLength),
        (CONTENT_TYPE_SINGLE_BLOCK, 0) => Ok(Layout::SingleBlock),
        (CONTENT_TYPE_SINGLE_BLOCK, _) => Err(ParseError::FrameLength),
        _ => Err(ParseError::ContentType),
    }
}

/// The values that a header is written from.
pub(crate) struct HeaderFields<'a> {
    pub(crate) message_id: &'a MessageId,
    pub(crate) encryption_context: &'a EncryptionContext,
    pub(crate) encrypted_data_key: &'a EncryptedDataKey,
    pub(crate) frame_length: FrameLength,
}

impl HeaderFields<'_> {
    /// The length in bytes of the header and its tag.
    pub(crate) fn sealed_length(&self) -> usize {
        [
            self.encryption_context.as_serialized().len(),
            self.encrypted_data_key.key_provider_id().len(),
            self.encrypted_data_key.key_provider_info().len(),
            self.encrypted_data_key.ciphertext().len(),
        ]
        .iter()
        .fold(FIXED_LENGTH, |sum, length| sum.saturating_add(*length))
    }

    /// Writes the header and its tag to `out`, which must be empty. The tag also authenticates pairs of the encryption
    /// context that are required but not stored in the header; we have none.
    pub(crate) fn seal(&self, keys: &MessageKeys, out: &mut Vec<u8>) -> Result<(), SealError> {
        // The lengths were checked when the values were built.
        self.write(&keys.commit_key, out)
            .map_err(|TooLong| SealError::Encryption)?;
        let tag = keys
            .content_key
            .authenticate(HEADER_IV, out)
            .map_err(|_| SealError::Encryption)?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    fn write(&self, commit_key: &CommitKey, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.push(MESSAGE_FORMAT_VERSION);
        out.extend_from_slice(&ALGORITHM_SUITE_ID.to_be_bytes());
        out.extend_from_slice(self.message_id.as_bytes());
        write_short_field(out, self.encryption_context.as_serialized())?;
        out.extend_from_slice(&1_u16.to_be_bytes());
        self.encrypted_data_key.write(out)?;
        out.push(CONTENT_TYPE_FRAMED);
        out.extend_from_slice(&self.frame_length.as_u32().to_be_bytes());
        out.extend_from_slice(commit_key.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plaintext_data_key::PlaintextDataKey;

    /// The forger has the data key and writes another commit key, so every tag matches.
    #[test]
    fn a_header_is_refused_for_its_commitment_alone() {
        let data_key = PlaintextDataKey::generate().unwrap();
        let fields = HeaderFields {
            message_id: &MessageId::generate().unwrap(),
            encryption_context: &EncryptionContext::default(),
            encrypted_data_key: &EncryptedDataKey::kms_rsa("arn", vec![1]).unwrap(),
            frame_length: FrameLength::DEFAULT,
        };
        let derive = || MessageKeys::derive(fields.message_id, &data_key).ok().unwrap();
        let commit_key_of_another = MessageKeys::derive(&MessageId::from_bytes([0; 32]), &data_key)
            .ok()
            .unwrap();
        let forged = MessageKeys {
            commit_key: commit_key_of_another.commit_key,
            ..derive()
        };

        for (sealed_with, expected) in [(derive(), Ok(())), (forged, Err(OpenError::DoesNotOpen))] {
            let mut bytes = Vec::new();
            fields.seal(&sealed_with, &mut bytes).unwrap();
            let (header, _) = Header::parse(&bytes, KeyCount::One).unwrap();
            assert_eq!(header.verify(&derive()), expected);
            let tag_matches = sealed_with
                .content_key
                .open(HEADER_IV, header.body, &[], header.tag, &mut Vec::new());
            assert!(tag_matches.is_ok());
        }
    }
}
