//! The encryption context: cleartext pairs that say what a data key is for. They are bound to the data key.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::error::{EncryptionContextError, ParseError};
use crate::wire::{Reader, TooLong, write_short_field};

/// Keys with this prefix belong to the specification itself (framework/structures.md, "Encryption Context").
pub const RESERVED_KEY_PREFIX: &str = "aws-crypto-";

/// Pairs of text with unique keys, sorted by the UTF-8 bytes of the key. Not secret: a message carries them in the
/// clear.
///
/// The serialised context, each key and each value have at most 65,535 bytes. There are at most 65,535 pairs.
///
/// ```
/// use sealed_item::{EncryptionContext, EncryptionContextError};
///
/// let context = EncryptionContext::new([("vault", "vlt_1"), ("period", "7")])?;
/// assert_eq!(context.get("vault"), Some("vlt_1"));
/// assert_eq!(context.iter().next(), Some(("period", "7")), "in the order of their keys");
/// assert_eq!(EncryptionContext::new([("aws-crypto-x", "")]), Err(EncryptionContextError::ReservedPrefix));
/// # Ok::<_, EncryptionContextError>(())
/// ```
#[derive(Clone, Default, Eq, PartialEq)]
pub struct EncryptionContext {
    /// Pairs are read from these bytes when they are asked for. Each message needs the bytes and few need a pair.
    /// Parsing a context allocates nothing else.
    serialized: Vec<u8>,
}

impl EncryptionContext {
    /// The encryption context of these pairs.
    ///
    /// # Errors
    /// [`EncryptionContextError`] if a key has the prefix [`RESERVED_KEY_PREFIX`], if two pairs have the same key, or
    /// if a length does not fit in 16 bits.
    pub fn new<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, EncryptionContextError>
    where
        K: Into<String>,
        V: Into<String>,
    {
        // `String` orders by UTF-8 bytes, which is the order that the specification asks for.
        let mut sorted = BTreeMap::new();
        for (key, value) in pairs {
            let key = key.into();
            if key.starts_with(RESERVED_KEY_PREFIX) {
                return Err(EncryptionContextError::ReservedPrefix);
            }
            if sorted.insert(key, value.into()).is_some() {
                return Err(EncryptionContextError::DuplicateKey);
            }
        }
        let serialized = serialize(&sorted).map_err(|TooLong| EncryptionContextError::TooLong)?;
        Ok(Self { serialized })
    }

    /// Reads what [`serialize`](Self::serialize) writes. Reserved keys are accepted, because official messages may have
    /// them.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        // The whole field is here. If it runs out now, a length inside it is wrong; the message is not truncated.
        check_pairs(bytes).map_err(|error| match error {
            ParseError::Truncated => ParseError::EncryptionContextLength,
            other => other,
        })?;
        Ok(Self {
            serialized: bytes.to_vec(),
        })
    }

    /// The value of this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The pairs, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        Pairs::new(&self.serialized)
    }

    /// The number of pairs, then each pair. No pairs give no bytes (framework/structures.md, "Serialization";
    /// data-format/message-header.md, "AAD", without its leading length).
    pub fn serialize(&self) -> Vec<u8> {
        self.serialized.clone()
    }

    pub(crate) fn as_serialized(&self) -> &[u8] {
        &self.serialized
    }
}

/// Prints the number of pairs only, because the pairs are the customer's.
impl fmt::Debug for EncryptionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionContext")
            .field("pairs", &self.iter().len())
            .finish_non_exhaustive()
    }
}

fn serialize(pairs: &BTreeMap<String, String>) -> Result<Vec<u8>, TooLong> {
    let mut out = Vec::new();
    if pairs.is_empty() {
        return Ok(out);
    }
    let count = u16::try_from(pairs.len()).map_err(|_| TooLong)?;
    out.extend_from_slice(&count.to_be_bytes());
    for (key, value) in pairs {
        write_short_field(&mut out, key.as_bytes())?;
        write_short_field(&mut out, value.as_bytes())?;
    }
    // The header states the total length in 16 bits too.
    u16::try_from(out.len()).map_err(|_| TooLong)?;
    Ok(out)
}

fn check_pairs(bytes: &[u8]) -> Result<(), ParseError> {
    let mut reader = Reader::new(bytes);
    let count = reader.u16()?;
    if count == 0 {
        return Err(ParseError::EncryptionContextPairCount);
    }
    let mut last = None;
    for _ in 0..count {
        let key = text(reader.short_field()?)?;
        text(reader.short_field()?)?;
        // Compares the bytes, as the specification orders keys.
        match last.map(|last: &str| last.cmp(key)) {
            Some(Ordering::Equal) => return Err(ParseError::EncryptionContextDuplicateKey),
            Some(Ordering::Greater) => return Err(ParseError::EncryptionContextOrder),
            _ => last = Some(key),
        }
    }
    if reader.is_empty() {
        Ok(())
    } else {
        Err(ParseError::EncryptionContextLength)
    }
}

/// The pairs of a serialised context that was checked.
struct Pairs<'a> {
    reader: Reader<'a>,
    left: u16,
}

impl<'a> Pairs<'a> {
    fn new(serialized: &'a [u8]) -> Self {
        let mut reader = Reader::new(serialized);
        let left = reader.u16().unwrap_or_default();
        Self { reader, left }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut next = || text(self.reader.short_field().ok()?).ok();
        Some((next()?, next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

impl ExactSizeIterator for Pairs<'_> {}

fn text(bytes: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(bytes).map_err(|_| ParseError::EncryptionContextUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sorted_by_utf8_bytes() {
        // U+10000 comes after U+FFFD in UTF-8, before it in UTF-16.
        let context = EncryptionContext::new([("\u{10000}", "c"), ("\u{fffd}", "b"), ("a", "a")]).unwrap();
        assert_eq!(context.iter().map(|(_, value)| value).collect::<String>(), "abc");
        assert_eq!(&context.serialize()[..8], [0, 3, 0, 1, b'a', 0, 1, b'a']);
        assert_eq!(context.get("\u{fffd}"), Some("b"));
        assert_eq!(context.get("b"), None);
    }

    #[test]
    fn no_pairs_are_no_bytes() {
        let context = EncryptionContext::new::<&str, &str>([]).unwrap();
        assert!(context.serialize().is_empty());
        assert_eq!(EncryptionContext::parse(&[]), Ok(context));
    }

    #[test]
    fn reserved_and_duplicate_keys_are_refused() {
        let error = |pairs: &[(&str, &str)]| EncryptionContext::new(pairs.iter().copied()).unwrap_err();
        assert_eq!(
            error(&[("aws-crypto-public-key", "x")]),
            EncryptionContextError::ReservedPrefix
        );
        assert_eq!(error(&[("a", "1"), ("a", "1")]), EncryptionContextError::DuplicateKey);
        assert!(EncryptionContext::new([("aws-crypt", "fine")]).is_ok());
    }

    #[test]
    fn lengths_are_checked() {
        // 2 for the count, 2 and 2 for the lengths, 1 for the key.
        let longest = 65_535 - 7;
        assert_eq!(
            EncryptionContext::new([("k", "v".repeat(longest))])
                .unwrap()
                .serialize()
                .len(),
            65_535
        );
        let too_long = Err(EncryptionContextError::TooLong);
        assert_eq!(EncryptionContext::new([("k", "v".repeat(longest + 1))]), too_long);
        assert_eq!(EncryptionContext::new([("k", "v".repeat(65_536))]), too_long);
        assert_eq!(EncryptionContext::new([("k".repeat(65_536), "v")]), too_long);
    }

    #[test]
    fn the_parser_takes_reserved_keys() {
        let bytes = [[0, 1, 0, 12].as_slice(), b"aws-crypto-x", &[0, 0]].concat();
        assert_eq!(EncryptionContext::parse(&bytes).unwrap().get("aws-crypto-x"), Some(""));
    }

    #[test]
    fn debug_shows_no_pair() {
        let context = EncryptionContext::new([("canary-key", "canary-value")]).unwrap();
        assert!(!format!("{context:?}").contains("canary"));
    }
}
