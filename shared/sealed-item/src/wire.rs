//! Reading and writing big-endian fields.

use crate::error::ParseError;

/// Reads fields from the start of a byte string. A missing field is [`ParseError::Truncated`]. Nothing is copied, and
/// nothing is allocated for a length that exceeds the remaining bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], ParseError> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(ParseError::Truncated)?;
        self.rest = rest;
        Ok(field)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], ParseError> {
        let (field, rest) = self.rest.split_first_chunk().ok_or(ParseError::Truncated)?;
        self.rest = rest;
        Ok(field)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ParseError> {
        self.array().copied().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ParseError> {
        self.array().copied().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ParseError> {
        self.array().copied().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ParseError> {
        self.array().copied().map(u64::from_be_bytes)
    }

    /// A field, preceded by its length in 16 bits.
    pub(crate) fn short_field(&mut self) -> Result<&'a [u8], ParseError> {
        let length = self.u16()?;
        self.bytes(length.into())
    }
}

/// A length that does not fit in 16 bits.
pub(crate) struct TooLong;

/// Writes a field, preceded by its length in 16 bits.
pub(crate) fn write_short_field(out: &mut Vec<u8>, field: &[u8]) -> Result<(), TooLong> {
    let length = u16::try_from(field.len()).map_err(|_| TooLong)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(field);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_off_in_order() {
        let mut reader = Reader::new(&[1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2, 5, 6, 7]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(2));
        assert_eq!(reader.u32(), Ok(3));
        assert_eq!(reader.u64(), Ok(4));
        assert_eq!(reader.short_field(), Ok([5, 6].as_slice()));
        assert_eq!(reader.remaining(), 1);
        assert_eq!(reader.u16(), Err(ParseError::Truncated));
        assert_eq!(reader.bytes(1), Ok([7].as_slice()));
        assert!(reader.is_empty());
    }

    #[test]
    fn a_length_that_lies_is_truncated() {
        assert_eq!(Reader::new(&[0xff, 0xff, 1]).short_field(), Err(ParseError::Truncated));
        assert_eq!(Reader::new(&[1]).bytes(usize::MAX), Err(ParseError::Truncated));
    }

    #[test]
    fn a_short_field_holds_65535_bytes() {
        let mut out = Vec::new();
        assert!(write_short_field(&mut out, &[0; 65_535]).is_ok());
        assert_eq!(out.len(), 65_537);
        assert!(write_short_field(&mut out, &[0; 65_536]).is_err());
    }
}
