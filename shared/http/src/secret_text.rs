//! Text and bytes of a request or answer that may be plaintext. They are zeroed on drop and have no `Debug`.

use core::fmt;
use std::io::{self, Write};

use base64ct::{Base64, Encoding};
use sealed_item::Plaintext;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// The body of a request, before it is parsed.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_bytes(mut self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(core::mem::take(&mut *self.0).into_bytes())
    }
}

/// The bytes of a base64 field, if it is canonical. If it is not, only its item fails, not the request.
pub(crate) struct Base64Bytes(Option<Zeroizing<Vec<u8>>>);

impl Base64Bytes {
    /// The bytes. `None` if the text is not canonical standard base64 with padding (RFC 4648, section 4).
    pub(crate) fn into_bytes(self) -> Option<Zeroizing<Vec<u8>>> {
        self.0
    }
}

/// Decodes canonical standard base64 with padding. base64ct refuses other alphabets, missing padding, and bits set beyond the end.
/// The memory of the bytes is zeroed even if the text is refused.
pub(crate) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len().div_ceil(4).saturating_mul(3)]);
    let length = Base64::decode(text, &mut bytes).map(<[u8]>::len).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

impl<'de> Deserialize<'de> for Base64Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decode;
        impl Visitor<'_> for Decode {
            type Value = Base64Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of standard base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Base64Bytes, E> {
                Ok(Base64Bytes(decode_base64(text)))
            }
        }
        deserializer.deserialize_str(Decode)
    }
}

/// Plaintext on its way out, as base64.
pub(crate) struct PlaintextBase64(Zeroizing<String>);

impl PlaintextBase64 {
    pub(crate) fn of(plaintext: &Plaintext) -> Self {
        Self(Zeroizing::new(Base64::encode_string(plaintext.as_bytes())))
    }
}

impl Serialize for PlaintextBase64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// An answer as JSON, in one allocation of the right size, because a string that grows leaves copies behind. `None` if the answer
/// cannot be JSON.
pub(crate) fn secret_json(body: &impl Serialize) -> Option<Zeroizing<String>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, body).ok()?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *bytes, body).ok()?;
    String::from_utf8(core::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}

/// Counts the bytes that are written, and keeps none.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Option<Vec<u8>> {
        let json = serde_json::to_string(text).expect("a string");
        serde_json::from_str::<Base64Bytes>(&json)
            .expect("a string")
            .into_bytes()
            .map(|bytes| bytes.to_vec())
    }

    #[test]
    fn only_canonical_base64_is_taken() {
        assert_eq!(decode("aGk="), Some(b"hi".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        for text in ["aGk", "aGl=", "aGk=\n", " aGk=", "aGk==", "_-8=", "aG k="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
