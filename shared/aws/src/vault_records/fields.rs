//! How single attributes are stored.

use core::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// A time, always with nine digits of fraction. As text, an earlier time sorts first, so conditions can compare times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordedAt(pub(super) Timestamp);

impl fmt::Display for RecordedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", self.0)
    }
}

impl Serialize for RecordedAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordedAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::deserialize(deserializer).map(Self)
    }
}

/// A time as an attribute value, for conditions.
pub(super) fn time(at: Timestamp) -> AttributeValue {
    AttributeValue::S(RecordedAt(at).to_string())
}

/// The version of a new vault, and of a record from before there were versions.
pub(super) const fn first_version() -> u64 {
    1
}

/// The version of the record format. A record of another version cannot be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordVersion;

impl RecordVersion {
    const CURRENT: u64 = 1;
}

impl Serialize for RecordVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Self::CURRENT)
    }
}

impl<'de> Deserialize<'de> for RecordVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            Self::CURRENT => Ok(Self),
            other => Err(D::Error::invalid_value(Unexpected::Unsigned(other), &"1")),
        }
    }
}

/// Bytes, as an attribute of type B.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Binary(pub(super) Vec<u8>);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BinaryVisitor)
    }
}

struct BinaryVisitor;

impl Visitor<'_> for BinaryVisitor {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Binary, E> {
        Ok(Binary(bytes.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Binary, E> {
        Ok(Binary(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_times_sort_as_text() {
        let times = [
            "2026-11-23T10:00:00Z",
            "2026-11-23T10:00:00.000000001Z",
            "2026-11-23T10:00:00.05Z",
            "2026-11-23T10:00:00.5Z",
            "2026-11-23T10:00:01Z",
            "2027-01-01T00:00:00Z",
        ];
        let recorded = times.map(|text| RecordedAt(text.parse().expect("a time")).to_string());
        assert!(recorded.is_sorted(), "{recorded:?}");
        assert_eq!(recorded[0], "2026-11-23T10:00:00.000000000Z");
    }
}
