//! A data key on record: its vault, its period and its wrapped form.

use core::fmt;

use jiff::{SignedDuration, Timestamp};
use sealed_item::EncryptedDataKey;

use crate::values::Invalid;

/// The id of a data key within its vault: the start of its period, and its generation within it, as
/// `20261123T000000Z-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataKeyId(String);

impl DataKeyId {
    /// The first data key of the period that contains `now`.
    pub fn first_of(now: Timestamp, period: DataKeyPeriod) -> Self {
        let seconds = now.as_second();
        let start = seconds.saturating_sub(seconds.checked_rem_euclid(period.seconds()).unwrap_or_default());
        let start = Timestamp::from_second(start).unwrap_or(now);
        Self(format!("{}-1", start.strftime("%Y%m%dT%H%M%SZ")))
    }

    /// Parses an id in the form that a sealed item's encryption context has.
    ///
    /// # Errors
    /// [`Invalid`] for any other form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let start_fits = |start: &str| {
            start.len() == 16
                && start.bytes().enumerate().all(|(place, byte)| match place {
                    8 => byte == b'T',
                    15 => byte == b'Z',
                    _ => byte.is_ascii_digit(),
                })
        };
        let generation_fits = |text: &str| {
            text.parse()
                .is_ok_and(|number: u32| number > 0 && number.to_string() == text)
        };
        match text.split_once('-') {
            Some((start, generation)) if start_fits(start) && generation_fits(generation) => Ok(Self(text.to_owned())),
            _ => Err(Invalid::expected("a data key id")),
        }
    }

    /// The next data key in the same period.
    #[must_use]
    pub fn next_generation(&self) -> Self {
        let (start, generation) = self.parts();
        Self(format!("{start}-{}", generation.saturating_add(1)))
    }

    /// The data key's number within its period, counted from 1.
    pub fn generation(&self) -> u32 {
        self.parts().1
    }

    /// Whether both belong to the same period.
    pub fn is_of_same_period(&self, other: &Self) -> bool {
        self.parts().0 == other.parts().0
    }

    fn parts(&self) -> (&str, u32) {
        let (start, generation) = self.0.split_once('-').unwrap_or((&self.0, "1"));
        (start, generation.parse().unwrap_or(1))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a data key stays the current one: a whole number of seconds, at least one.
#[derive(Clone, Copy, Debug)]
pub struct DataKeyPeriod(SignedDuration);

impl DataKeyPeriod {
    /// One day, the default.
    pub const DAY: Self = Self(SignedDuration::from_hours(24));

    const fn seconds(self) -> i64 {
        self.0.as_secs()
    }
}

/// A data key that was issued and put on record. Only items under a data key on record are opened, so the public key
/// alone is not enough to make items.
#[derive(Clone, Debug)]
pub struct IssuedDataKey {
    /// Its id in its vault.
    pub data_key_id: DataKeyId,
    /// The data key, wrapped with the vault's public key.
    pub encrypted_data_key: EncryptedDataKey,
    /// When it was issued.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn a_data_key_is_current_for_its_whole_period_and_no_longer() {
        let id = |text| DataKeyId::first_of(at(text), DataKeyPeriod::DAY);
        assert_eq!(id("2026-11-23T00:00:00Z").as_str(), "20261123T000000Z-1");
        assert_eq!(id("2026-11-23T23:59:59.999Z"), id("2026-11-23T00:00:00Z"));
        assert_ne!(id("2026-11-24T00:00:00Z"), id("2026-11-23T23:59:59Z"));
    }

    #[test]
    fn a_current_id_parses_and_other_text_does_not() {
        let id = DataKeyId::first_of(at("2026-11-23T10:00:00Z"), DataKeyPeriod::DAY);
        assert_eq!(DataKeyId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(
            DataKeyId::parse(id.next_generation().as_str()),
            Ok(id.next_generation())
        );
        for text in [
            "",
            "20261123",
            "20261123T000000z",
            "2026-11-23T00:00",
            "20261123T000000Z",
            "20261123T000000Z-0",
            "20261123T000000Z-01",
            "20261123T000000Z-+1",
            "20261123T000000Z-4294967296",
            "20261123T0000001Z-1",
        ] {
            assert!(DataKeyId::parse(text).is_err(), "{text}");
        }
    }
}
