//! One frame of a message's body.

use crate::content_key::{AeadError, ContentKey, IV_LENGTH, TAG_LENGTH};
use crate::error::FrameLengthError;
use crate::message_id::MessageId;

/// Marks a final frame, in the place of a regular frame's sequence number (data-format/message-body.md, "Sequence
/// Number End").
pub(crate) const SEQUENCE_NUMBER_END: u32 = u32::MAX;

/// How many bytes of plaintext a regular frame holds: from 1 to 2^31-1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameLength(u32);

impl FrameLength {
    /// 4,096 bytes, the default of the official SDKs.
    pub const DEFAULT: Self = Self(4096);
    /// 2^31-1 bytes.
    pub const MAX: Self = Self(i32::MAX as u32);

    /// A frame length of this many bytes.
    ///
    /// # Errors
    /// [`FrameLengthError`] if that is 0 or more than 2^31-1.
    pub const fn new(bytes: u32) -> Result<Self, FrameLengthError> {
        if bytes == 0 || bytes > Self::MAX.0 {
            Err(FrameLengthError)
        } else {
            Ok(Self(bytes))
        }
    }

    /// The frame length in bytes.
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The frame length in bytes. On every target of this crate, `usize` has at least 32 bits.
    pub(crate) const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl Default for FrameLength {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<u32> for FrameLength {
    type Error = FrameLengthError;

    fn try_from(bytes: u32) -> Result<Self, FrameLengthError> {
        Self::new(bytes)
    }
}

/// The kind of a frame. It is authenticated with the frame, so that no frame can pass for one of another kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FrameKind {
    Regular,
    Final,
    /// The whole of a body that is not framed.
    SingleBlock,
}

impl FrameKind {
    /// data-format/message-body-aad.md, "Body AAD Content".
    fn aad_content(self) -> &'static [u8] {
        match self {
            Self::Regular => b"AWSKMSEncryptionClient Frame",
            Self::Final => b"AWSKMSEncryptionClient Final Frame",
            Self::SingleBlock => b"AWSKMSEncryptionClient Single Block",
        }
    }
}

/// A frame as parsed from a message.
pub(crate) struct Frame<'a> {
    pub(crate) kind: FrameKind,
    pub(crate) sequence_number: u32,
    pub(crate) iv: &'a [u8; IV_LENGTH],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) tag: &'a [u8; TAG_LENGTH],
}

impl Frame<'_> {
    /// Appends the frame's plaintext to `out`. Uses the initialisation vector that the frame states. In the
    /// specification that is the sequence number, but the official vectors have others. The tag fails if it is altered.
    pub(crate) fn open(&self, key: &ContentKey, aad: &mut FrameAad, out: &mut Vec<u8>) -> Result<(), AeadError> {
        let aad = aad.of(self.kind, self.sequence_number, self.ciphertext.len())?;
        key.open(*self.iv, aad, self.ciphertext, self.tag, out)
    }
}

/// The initialisation vector of a frame that we seal: its sequence number, padded on the left (client-apis/encrypt.md,
/// "Construct a frame"). Sequence numbers start at 1, so it differs from the header's, which is 0.
pub(crate) fn frame_iv(sequence_number: u32) -> [u8; IV_LENGTH] {
    u128::from(sequence_number)
        .to_be_bytes()
        .last_chunk()
        .copied()
        .unwrap_or_default()
}

/// What is authenticated with each frame (data-format/message-body-aad.md): message id, kind, sequence number and
/// length. All frames of a message share one buffer.
pub(crate) struct FrameAad([u8; Self::LONGEST]);

impl FrameAad {
    const LONGEST: usize = MessageId::LENGTH + 35 + 4 + 8;

    pub(crate) fn new(message_id: &MessageId) -> Self {
        let mut aad = [0; Self::LONGEST];
        let (start, _) = aad.split_at_mut(MessageId::LENGTH);
        start.copy_from_slice(message_id.as_bytes());
        Self(aad)
    }

    pub(crate) fn of(&mut self, kind: FrameKind, sequence_number: u32, length: usize) -> Result<&[u8], AeadError> {
        let length = u64::try_from(length).map_err(|_| AeadError)?;
        let mut end = MessageId::LENGTH;
        for field in [
            kind.aad_content(),
            &sequence_number.to_be_bytes(),
            &length.to_be_bytes(),
        ] {
            let start = end;
            end = end.saturating_add(field.len());
            self.0.get_mut(start..end).ok_or(AeadError)?.copy_from_slice(field);
        }
        self.0.get(..end).ok_or(AeadError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_lengths_are_from_1_to_2_to_the_31_less_1() {
        assert_eq!(FrameLength::new(0), Err(FrameLengthError));
        assert_eq!(FrameLength::new(1).map(FrameLength::as_u32), Ok(1));
        assert_eq!(FrameLength::new(2_147_483_647), Ok(FrameLength::MAX));
        assert_eq!(FrameLength::try_from(2_147_483_648), Err(FrameLengthError));
        assert_eq!(FrameLength::default().as_u32(), 4096);
    }

    #[test]
    fn the_iv_is_the_sequence_number() {
        assert_eq!(frame_iv(0x0102_0304), [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_aad_is_rebuilt_for_each_frame() {
        let mut aad = FrameAad::new(&MessageId::from_bytes([9; 32]));
        let long = aad.of(FrameKind::SingleBlock, 1, 5).ok().unwrap().to_vec();
        assert_eq!(
            long[32..],
            *b"AWSKMSEncryptionClient Single Block\0\0\0\x01\0\0\0\0\0\0\0\x05"
        );
        let short = aad.of(FrameKind::Regular, 2, 6).ok().unwrap().to_vec();
        assert_eq!(
            short[32..],
            *b"AWSKMSEncryptionClient Frame\0\0\0\x02\0\0\0\0\0\0\0\x06"
        );
        assert_eq!(short[..32], [9; 32]);
    }
}
