//! The id of a vault.

use core::fmt;

use serde::Serialize;
use uuid::Uuid;

use crate::values::Invalid;

/// `vlt_` and a UUIDv7 in 26 digits of Crockford's base 32, in lower case. It sorts by creation time, and it is short
/// enough for a role session name to hold it beside a request id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct VaultId(String);

impl VaultId {
    const PREFIX: &str = "vlt_";
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

    /// A new id.
    pub fn generate() -> Self {
        let value = Uuid::now_v7().as_u128();
        let digits = (0..26_u32).rev().filter_map(|place| {
            let digit = usize::try_from(value.checked_shr(place.saturating_mul(5))? & 31).ok()?;
            Self::ALPHABET.get(digit).map(|&byte| char::from(byte))
        });
        Self(Self::PREFIX.chars().chain(digits).collect())
    }

    /// Parses an id.
    ///
    /// # Errors
    /// [`Invalid`] when it cannot be the id of a vault.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let is_id = text
            .strip_prefix(Self::PREFIX)
            .is_some_and(|digits| digits.len() == 26 && digits.bytes().all(|byte| Self::ALPHABET.contains(&byte)));
        if is_id {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::expected("a vault id such as vlt_01jd0f3zt5e8w9x7kq2m4n6p8r"))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of its last two digits, 0 to 1023: random bits of the UUID.
    pub(crate) fn last_two_digits(&self) -> usize {
        let value = |digit: u8| {
            Self::ALPHABET
                .iter()
                .position(|known| *known == digit)
                .unwrap_or_default()
        };
        let mut last = self.0.bytes().rev().map(value);
        let (ones, tens) = (last.next().unwrap_or_default(), last.next().unwrap_or_default());
        tens.saturating_mul(Self::ALPHABET.len()).saturating_add(ones)
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_vault_id_parses_and_none_comes_twice() {
        let (first, second) = (VaultId::generate(), VaultId::generate());
        assert_eq!(VaultId::parse(first.as_str()), Ok(first.clone()));
        assert_ne!(first, second);
    }

    #[test]
    fn what_is_not_a_vault_id_does_not_parse() {
        for text in [
            "",
            "vlt_",
            "vlt_01JD0F3ZT5E8W9X7KQ2M4N6P8R",
            "vlt_01jd0f3zt5e8w9x7kq2m4n6p8",
            "vault_1",
            "vlt_../../x",
        ] {
            assert!(VaultId::parse(text).is_err(), "{text}");
        }
    }
}
