//! Messages that are wrong in one way each, by name, each with the one error that it must meet.

mod body;
mod header;

use sealed_item::{Message, OpenError, ParseError, SealedItem};

use crate::fixtures::{data_key, sealed_message};

/// A message taken apart field by field, without the crate's own parser.
pub(crate) struct Parts {
    pub(crate) version: u8,
    pub(crate) algorithm_suite: u16,
    pub(crate) message_id: [u8; 32],
    pub(crate) encryption_context_length: Option<u16>,
    pub(crate) encryption_context: Vec<u8>,
    pub(crate) encrypted_data_key_count: u16,
    pub(crate) encrypted_data_keys: Vec<u8>,
    pub(crate) content_type: u8,
    pub(crate) frame_length: u32,
    pub(crate) commit_key: [u8; 32],
    pub(crate) header_tag: [u8; 16],
    pub(crate) frames: Vec<Vec<u8>>,
}

const FRAME_LENGTH: usize = 16;
const REGULAR_FRAME: usize = 4 + 12 + FRAME_LENGTH + 16;
/// Two regular frames and a final frame of 8 bytes.
const PLAINTEXT: [u8; 40] = [0x17; 40];

impl Parts {
    pub(crate) fn sealed() -> Self {
        let bytes = sealed_message(FRAME_LENGTH as u32, &PLAINTEXT);
        let mut rest = bytes.as_slice();
        let mut take = |length: usize| {
            let (field, after) = rest.split_at(length);
            rest = after;
            field.to_vec()
        };
        assert_eq!(take(3), [2, 0x04, 0x78]);
        let message_id = take(32).try_into().unwrap();
        let length = u16::from_be_bytes(take(2).try_into().unwrap());
        let encryption_context = take(length.into());
        assert_eq!(take(2), [0, 1]);
        let mut encrypted_data_keys = Vec::new();
        for _ in 0..3 {
            let length = take(2);
            encrypted_data_keys.extend_from_slice(&length);
            encrypted_data_keys.extend(take(u16::from_be_bytes(length.try_into().unwrap()).into()));
        }
        assert_eq!(take(5), [2, 0, 0, 0, 16]);
        let commit_key = take(32).try_into().unwrap();
        let header_tag = take(16).try_into().unwrap();
        let frames = vec![take(REGULAR_FRAME), take(REGULAR_FRAME), rest.to_vec()];
        assert_eq!(frames[2].len(), 4 + 4 + 12 + 4 + 8 + 16);
        Self {
            version: 2,
            algorithm_suite: 0x0478,
            message_id,
            encryption_context_length: None,
            encryption_context,
            encrypted_data_key_count: 1,
            encrypted_data_keys,
            content_type: 2,
            frame_length: 16,
            commit_key,
            header_tag,
            frames,
        }
    }

    pub(crate) fn assemble(&self) -> Vec<u8> {
        [
            [self.version].as_slice(),
            &self.algorithm_suite.to_be_bytes(),
            &self.message_id,
            &self.stated_length().to_be_bytes(),
            &self.encryption_context,
            &self.encrypted_data_key_count.to_be_bytes(),
            &self.encrypted_data_keys,
            &[self.content_type],
            &self.frame_length.to_be_bytes(),
            &self.commit_key,
            &self.header_tag,
            &self.frames.concat(),
        ]
        .concat()
    }

    /// The encryption context's length as the message states it: the true one, unless a case says otherwise.
    pub(crate) fn stated_length(&self) -> u16 {
        let stated = self.encryption_context_length;
        stated.unwrap_or_else(|| u16::try_from(self.encryption_context.len()).unwrap())
    }

    /// Replaces the encryption context by these pairs, in this order.
    pub(crate) fn context(&mut self, pairs: &[(&[u8], &[u8])]) {
        self.encryption_context = u16::try_from(pairs.len()).unwrap().to_be_bytes().to_vec();
        for field in pairs.iter().flat_map(|(key, value)| [key, value]) {
            self.encryption_context
                .extend(u16::try_from(field.len()).unwrap().to_be_bytes());
            self.encryption_context.extend_from_slice(field);
        }
    }

    /// Replaces the encrypted data key by these fields.
    pub(crate) fn encrypted_data_key(&mut self, fields: [&[u8]; 3]) {
        self.encrypted_data_keys.clear();
        for field in fields {
            self.encrypted_data_keys
                .extend(u16::try_from(field.len()).unwrap().to_be_bytes());
            self.encrypted_data_keys.extend_from_slice(field);
        }
    }

    /// Makes the body a single block with this stated length and 8 bytes of ciphertext.
    pub(crate) fn single_block(&mut self, length: u64) {
        self.content_type = 1;
        self.frame_length = 0;
        self.frames = vec![[[0; 12].as_slice(), &length.to_be_bytes(), &[0; 8], &[0; 16]].concat()];
    }

    pub(crate) fn renumber(&mut self, frame: usize, sequence_number: u32) {
        let at = if frame + 1 == self.frames.len() { 4 } else { 0 };
        self.frames[frame][at..at + 4].copy_from_slice(&sequence_number.to_be_bytes());
    }
}

/// Where a case must fail.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// As a message, before any key.
    Parse(ParseError),
    /// As an item, before any key, though it is a message.
    ParseItem(ParseError),
    /// With the right data key, though its structure is whole.
    Open,
}

pub(crate) fn refusal(bytes: &[u8]) -> Option<Refusal> {
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(
                SealedItem::parse(bytes).err(),
                Some(error),
                "the item layer must not be laxer"
            );
            return Some(Refusal::Parse(error));
        }
    };
    if let Err(error) = SealedItem::parse(bytes) {
        return Some(Refusal::ParseItem(error));
    }
    message.open(&data_key()).err().map(|error| {
        assert_eq!(error, OpenError::DoesNotOpen);
        Refusal::Open
    })
}

/// Each case by name, the one refusal that it must meet, and what is done to a message that is whole.
macro_rules! check {
    ($($name:literal => $expected:expr, |$parts:ident| $alter:expr;)*) => { $({
        let mut parts = Parts::sealed();
        assert_eq!(refusal(&parts.assemble()), None, "{}: whole before it is altered", $name);
        let alter: fn(&mut Parts) = |$parts| $alter;
        alter(&mut parts);
        assert_eq!(refusal(&parts.assemble()), Some($expected), "{}", $name);
    })* };
}
pub(crate) use check;
