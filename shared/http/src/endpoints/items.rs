//! The rules for items that every operation shares: how many, which ids, which contexts.

use core::fmt;
use std::collections::BTreeMap;

use latchkey_core::values::Invalid;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::answers::FieldErrors;

/// The most items a call may carry.
pub(super) const MAX_ITEMS: usize = 100;
/// The most plaintext a call may carry, in bytes, all items together: 4 MiB, which as base64 fits Lambda's 6 MB.
pub(super) const MAX_PLAINTEXT: usize = 4 * 1024 * 1024;

/// An item id: 1 to 256 bytes of UTF-8 without control characters.
pub(super) fn check_item_id(item_id: &str) -> Result<(), Invalid> {
    if (1..=256).contains(&item_id.len()) && !item_id.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(Invalid::expected("1 to 256 bytes of text without control characters"))
    }
}

/// A context as it was sent. A duplicate key is refused: two readers may read different values, and the item would be
/// bound to one of them.
#[derive(Default)]
pub(super) struct ItemContextRequest(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for ItemContextRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;
        impl<'de> Visitor<'de> for EachOnce {
            type Value = ItemContextRequest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of text in which each key stands once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ItemContextRequest, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry()? {
                    if pairs.insert(key, value).is_some() {
                        return Err(A::Error::invalid_value(Unexpected::Map, &self));
                    }
                }
                Ok(ItemContextRequest(pairs))
            }
        }
        deserializer.deserialize_map(EachOnce)
    }
}

/// A context: up to 32 pairs, keys of 1 to 128 bytes, values of up to 1,024, no control characters in keys.
pub(super) fn check_context(context: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let key_fits = |key: &str| (1..=128).contains(&key.len()) && !key.chars().any(char::is_control);
    if context.len() <= 32 && context.iter().all(|(key, value)| key_fits(key) && value.len() <= 1024) {
        Ok(())
    } else {
        Err(Invalid::expected(
            "up to 32 pairs of text, with keys of 1 to 128 bytes without control characters and values of up to 1,024",
        ))
    }
}

/// Returns the items if they are 1 to 100. If not, notes that error and returns none, because nobody wants to be told
/// what is wrong with each of too many items.
pub(super) fn counted<T>(errors: &mut FieldErrors, items: Vec<T>) -> Vec<T> {
    if (1..=MAX_ITEMS).contains(&items.len()) {
        return items;
    }
    errors.note("/items", "must have 1 to 100 items");
    Vec::new()
}
