//! A message's body: its frames, one after the other (data-format/message-body.md).

use crate::content_key::{AeadError, ContentKey, IV_LENGTH, TAG_LENGTH};
use crate::error::{ParseError, SealError};
use crate::frame::{Frame, FrameAad, FrameKind, FrameLength, SEQUENCE_NUMBER_END, frame_iv};
use crate::message_id::MessageId;
use crate::plaintext::Plaintext;
use crate::wire::Reader;

/// Sequence number, initialisation vector, tag.
const REGULAR_FRAME_OVERHEAD: usize = 4 + IV_LENGTH + TAG_LENGTH;
/// A regular frame's overhead, and the end marker and the length field.
const FINAL_FRAME_OVERHEAD: usize = 4 + REGULAR_FRAME_OVERHEAD + 4;

/// How a body is laid out (data-format/message-header.md, "Content Type" and "Frame Length").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    SingleBlock,
    Framed(FrameLength),
}

/// A body's frames in order: any number of regular frames, then the final one. An unframed body is one single block.
pub(crate) struct Body<'a> {
    frames: Vec<Frame<'a>>,
}

impl<'a> Body<'a> {
    /// Parses the rest of the message. Bytes after the final frame are refused.
    pub(crate) fn parse(layout: Layout, reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let frames = match layout {
            Layout::SingleBlock => vec![parse_single_block(reader)?],
            Layout::Framed(frame_length) => parse_frames(frame_length, reader)?,
        };
        if reader.is_empty() {
            Ok(Self { frames })
        } else {
            Err(ParseError::TrailingBytes)
        }
    }

    pub(crate) fn frame_count(&self) -> usize {
        self.frames.len()
    }

    /// The plaintext's length in bytes. It cannot overflow, because the message is longer.
    pub(crate) fn plaintext_length(&self) -> usize {
        self.frames
            .iter()
            .fold(0, |sum, frame| sum.saturating_add(frame.ciphertext.len()))
    }

    /// Decrypts the whole plaintext. If a tag does not match, what was decrypted so far is zeroed and not returned.
    pub(crate) fn open(&self, key: &ContentKey, message_id: &MessageId) -> Result<Plaintext, AeadError> {
        // The buffer never grows, so it leaves no copy behind.
        let mut plaintext = Plaintext::with_capacity(self.plaintext_length());
        let mut aad = FrameAad::new(message_id);
        for frame in &self.frames {
            frame.open(key, &mut aad, plaintext.buffer())?;
        }
        Ok(plaintext)
    }
}

fn parse_single_block<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>, ParseError> {
    let iv = reader.array()?;
    // A length that does not fit in `usize` is longer than the message.
    let length = usize::try_from(reader.u64()?).map_err(|_| ParseError::Truncated)?;
    // The sequence number of a single block is 1 (data-format/message-body-aad.md, "Sequence Number").
    Ok(Frame {
        kind: FrameKind::SingleBlock,
        sequence_number: 1,
        iv,
        ciphertext: reader.bytes(length)?,
        tag: reader.array()?,
    })
}

fn parse_frames<'a>(frame_length: FrameLength, reader: &mut Reader<'a>) -> Result<Vec<Frame<'a>>, ParseError> {
    // Reserves room for the most frames that the remaining bytes can hold, so that the vector never grows.
    let longest = frame_length.as_usize().saturating_add(REGULAR_FRAME_OVERHEAD);
    let most = reader.remaining().checked_div(longest).unwrap_or_default();
    let mut frames = Vec::with_capacity(most.saturating_add(1));
    for expected in 1..=u32::MAX {
        if reader.is_empty() {
            break;
        }
        let number = reader.u32()?;
        let is_final = number == SEQUENCE_NUMBER_END;
        let sequence_number = if is_final { reader.u32()? } else { number };
        if sequence_number != expected {
            return Err(ParseError::FrameSequence);
        }
        let iv = reader.array()?;
        let length = if is_final {
            final_length(frame_length, reader)?
        } else {
            frame_length.as_usize()
        };
        let kind = if is_final { FrameKind::Final } else { FrameKind::Regular };
        frames.push(Frame {
            kind,
            sequence_number,
            iv,
            ciphertext: reader.bytes(length)?,
            tag: reader.array()?,
        });
        if is_final {
            return Ok(frames);
        }
    }
    Err(ParseError::FinalFrameMissing)
}

fn final_length(frame_length: FrameLength, reader: &mut Reader<'_>) -> Result<usize, ParseError> {
    let length = reader.u32()?;
    if length > frame_length.as_u32() {
        return Err(ParseError::FinalFrameLength);
    }
    usize::try_from(length).map_err(|_| ParseError::Truncated)
}

/// The length in bytes of the body for a plaintext of this length.
pub(crate) fn sealed_length(frame_length: FrameLength, plaintext_length: usize) -> Result<usize, SealError> {
    let regular_frames = frame_count(frame_length, plaintext_length)?.saturating_sub(1);
    usize::try_from(regular_frames)
        .ok()
        .and_then(|frames| frames.checked_mul(REGULAR_FRAME_OVERHEAD))
        .and_then(|overhead| overhead.checked_add(FINAL_FRAME_OVERHEAD))
        .and_then(|overhead| overhead.checked_add(plaintext_length))
        .ok_or(SealError::PlaintextTooLong)
}

/// The number of frames for a plaintext of this length. If the plaintext fills its frames exactly, the final frame is
/// full, as "Final Frame" recommends. Only an empty plaintext has an empty final frame.
///
/// Sequence numbers have 32 bits. Only a final frame can have the highest one: in a regular frame it would read as the
/// end marker.
fn frame_count(frame_length: FrameLength, plaintext_length: usize) -> Result<u32, SealError> {
    let frames = plaintext_length.div_ceil(frame_length.as_usize()).max(1);
    u32::try_from(frames).map_err(|_| SealError::PlaintextTooLong)
}

/// Appends the body to `out`.
pub(crate) fn seal(
    key: &ContentKey,
    message_id: &MessageId,
    frame_length: FrameLength,
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    let last = frame_count(frame_length, plaintext.len())?;
    let mut aad = FrameAad::new(message_id);
    let mut chunks = plaintext.chunks(frame_length.as_usize());
    for sequence_number in 1..=last {
        let chunk = chunks.next().unwrap_or_default();
        let is_final = sequence_number == last;
        let kind = if is_final { FrameKind::Final } else { FrameKind::Regular };
        let iv = frame_iv(sequence_number);
        if is_final {
            out.extend_from_slice(&SEQUENCE_NUMBER_END.to_be_bytes());
        }
        out.extend_from_slice(&sequence_number.to_be_bytes());
        out.extend_from_slice(&iv);
        if is_final {
            let length = u32::try_from(chunk.len()).map_err(|_| SealError::Encryption)?;
            out.extend_from_slice(&length.to_be_bytes());
        }
        let aad = aad
            .of(kind, sequence_number, chunk.len())
            .map_err(|AeadError| SealError::Encryption)?;
        key.seal(iv, aad, chunk, out)
            .map_err(|AeadError| SealError::Encryption)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_plaintext_has_an_empty_final_frame() {
        let frames = |length| frame_count(FrameLength::new(10).unwrap(), length);
        assert_eq!([0, 1, 10, 11, 20, 21].map(frames), [1, 1, 1, 2, 2, 3].map(Ok));
    }

    #[test]
    fn sequence_numbers_have_32_bits() {
        let one = FrameLength::new(1).unwrap();
        assert_eq!(frame_count(one, u32::MAX as usize), Ok(u32::MAX));
        assert_eq!(
            frame_count(one, u32::MAX as usize + 1),
            Err(SealError::PlaintextTooLong)
        );
        assert_eq!(
            sealed_length(FrameLength::MAX, usize::MAX),
            Err(SealError::PlaintextTooLong)
        );
    }
}
