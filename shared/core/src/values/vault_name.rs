//! The name of a vault.

use crate::values::Invalid;
use unicode_normalization::UnicodeNormalization;

/// A vault's name: 1 to 64 characters, no control characters, no white space at either end; stored in Unicode NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultName(String);

impl VaultName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, too long, padded, or has a control character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let name = Self(text.nfc().collect());
        let Self(text) = &name;
        // The normalized name is part of a DynamoDB sort key, which is limited to 1,024 bytes, and normalizing can turn
        // one character into many.
        let fits = (1..=64).contains(&text.chars().count()) && (1..=512).contains(&name.normalized().len());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(name)
        } else {
            Err(Invalid::expected(
                "1 to 64 characters, without control characters and without white space at either end",
            ))
        }
    }

    /// The form in which names are compared: two spellings that a person would read as the same name are the same name.
    pub fn normalized(&self) -> String {
        self.0
            .nfkc()
            .flat_map(char::to_lowercase)
            .nfkc()
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_read_the_same_are_the_same() {
        let normalized = |text: &str| VaultName::parse(text).expect("a name").normalized();
        assert_eq!(normalized("Acme  Vault"), normalized("ACME vault"));
        assert_eq!(normalized("Caf\u{e9}"), normalized("Cafe\u{301}"));
        assert_eq!(normalized("\u{ff21}cme"), normalized("acme"));
        assert_ne!(normalized("acme"), normalized("acme 2"));
    }

    #[test]
    fn a_name_is_visible_text_of_bounded_length() {
        let (too_long, long_once_normalized) = ("n".repeat(65), "\u{fdfa}".repeat(64));
        for text in [
            "",
            " ",
            " acme",
            "acme\n",
            "a\u{0}b",
            too_long.as_str(),
            long_once_normalized.as_str(),
        ] {
            assert!(VaultName::parse(text).is_err(), "{text}");
        }
        assert!(VaultName::parse(&"é".repeat(64)).is_ok());
    }
}
