//! A vault: one customer key, and what may be done with it (requirements V1 to V5).

use core::fmt;
use core::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::Invalid;
use crate::customer_role::RoleArn;
use crate::health::Health;
use crate::health::due::{BETWEEN_CHECKS, BETWEEN_VALIDATIONS, Due};
use crate::kms_key::CustomerKey;
use crate::public_key::CustomerPublicKey;
use crate::workspace::WorkspaceId;

/// A vault with everything that is on record of it.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Its id; never reused.
    pub vault_id: VaultId,
    /// The only workspace that sees it.
    pub workspace_id: WorkspaceId,
    /// Its name, unique in the workspace.
    pub name: VaultName,
    /// Who owns the key.
    pub strategy: Strategy,
    /// What it lets through.
    pub status: VaultStatus,
    /// The customer's key, or the managed one.
    pub customer_key: CustomerKey,
    /// The customer's role, through which alone we reach the key; for a managed key, our own in its place.
    pub aws_role_arn: RoleArn,
    /// The key's public half, pinned when the vault was created: a key swapped under the same ARN is noticed.
    pub public_key: CustomerPublicKey,
    /// The key's RSA spec, in KMS's words (`RSA_4096`).
    pub key_spec: String,
    /// How long an unwrapped data key may be held.
    pub data_key_cache: DataKeyCacheBound,
    /// What the last checks found.
    pub health: Health,
    /// When it is to be checked next.
    pub due: Due,
    /// When the vault was created.
    pub created_at: Timestamp,
    /// The subject of the token that created it.
    pub created_by: String,
    /// Counts the changes of name, status and bound, from 1, so that of two who change them at the same time one is told
    /// so. Health has its own count.
    pub version: u64,
    /// When name, status or bound last changed. Health has its own times, and the default is no part of this record.
    pub updated_at: Timestamp,
}

impl Vault {
    /// Whether this is its name, in whatever spelling.
    pub fn is_called(&self, name: &VaultName) -> bool {
        self.name.normalized() == name.normalized()
    }

    /// Whether a create request with these settings asks for exactly this vault.
    pub fn has_settings(&self, settings: &VaultSettings) -> bool {
        self.name == settings.name
            && self.strategy == settings.strategy
            && self.customer_key == settings.customer_key
            && self.aws_role_arn == settings.aws_role_arn
            && self.data_key_cache == settings.data_key_cache
    }
}

/// What the creator of a vault decides.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// See [`Vault::name`].
    pub name: VaultName,
    /// See [`Vault::strategy`].
    pub strategy: Strategy,
    /// See [`Vault::customer_key`].
    pub customer_key: CustomerKey,
    /// See [`Vault::aws_role_arn`].
    pub aws_role_arn: RoleArn,
    /// See [`Vault::data_key_cache`].
    pub data_key_cache: DataKeyCacheBound,
}

/// `vlt_` and a UUIDv7 in 26 digits of Crockford's base 32, lower case: short enough for a role session name to hold
/// it beside a request id, and in order of creation.
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

/// A vault's name: 1 to 64 characters, no control characters, no white space at its ends; stored in Unicode NFC.
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
        // The normalized name is part of a DynamoDB sort key of at most 1,024 bytes, and one character can become many.
        let fits = (1..=64).contains(&text.chars().count()) && (1..=512).contains(&name.normalized().len());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(name)
        } else {
            Err(Invalid::expected(
                "1 to 64 characters, without control characters and without white space at either end",
            ))
        }
    }

    /// The form under which names are compared: two spellings that a person would read as one name are one name.
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

/// Who owns the key of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The customer, in its own AWS account.
    AwsKms,
    /// The service, in its own: for workspaces that bring no key, or none yet (requirement W3).
    Managed,
}

impl Strategy {
    /// The strategy as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwsKms => "aws_kms",
            Self::Managed => "managed",
        }
    }

    /// Between the beginnings of two checks of a vault. All managed vaults share one key, which nobody but ourselves can
    /// take away, and we pay for each look at it.
    pub(crate) const fn between_checks(self) -> Duration {
        match self {
            Self::AwsKms => BETWEEN_CHECKS,
            Self::Managed => BETWEEN_VALIDATIONS,
        }
    }
}

/// What a vault lets through (requirement V5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultStatus {
    /// Items are sealed and opened.
    Active,
    /// Items are opened; none is sealed.
    DecryptOnly,
    /// Nothing is sealed or opened.
    Disabled,
}

impl VaultStatus {
    /// Whether new items may be sealed.
    pub const fn seals(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether items may be opened.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Active | Self::DecryptOnly)
    }

    /// The status of this name.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Active, Self::DecryptOnly, Self::Disabled];
        all.into_iter().find(|status| status.as_str() == text)
    }

    /// The status as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DecryptOnly => "decrypt_only",
            Self::Disabled => "disabled",
        }
    }
}

/// The longest time for which an execution environment may hold an unwrapped data key: 0 to 300 whole seconds, 30
/// unless chosen (requirement E2). At 0 nothing is held: each request asks KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataKeyCacheBound(u16);

impl DataKeyCacheBound {
    /// The longest bound, in seconds.
    pub const MAX_SECONDS: u16 = 300;

    /// The longest bound.
    pub const LONGEST: Self = Self(Self::MAX_SECONDS);

    /// Parses a bound in seconds.
    ///
    /// # Errors
    /// [`Invalid`] above [`Self::MAX_SECONDS`].
    pub fn from_seconds(seconds: u64) -> Result<Self, Invalid> {
        u16::try_from(seconds)
            .ok()
            .filter(|&seconds| seconds <= Self::MAX_SECONDS)
            .map(Self)
            .ok_or(Invalid::expected("a whole number of seconds from 0 to 300"))
    }

    /// The bound in seconds.
    pub const fn seconds(self) -> u16 {
        self.0
    }

    /// The bound.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Default for DataKeyCacheBound {
    fn default() -> Self {
        Self(30)
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

    #[test]
    fn the_cache_bound_ends_at_five_minutes() {
        assert_eq!(
            DataKeyCacheBound::from_seconds(300).map(DataKeyCacheBound::seconds),
            Ok(300)
        );
        assert!(DataKeyCacheBound::from_seconds(301).is_err());
        assert!(DataKeyCacheBound::from_seconds(u64::MAX).is_err());
    }
}
