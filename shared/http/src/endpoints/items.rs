//! What every operation on items takes: how many, under which ids, in which context.

use std::collections::BTreeMap;

use latchkey_core::Invalid;

use crate::json_body::FieldErrors;

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

/// 1 to 100 items.
pub(super) fn check_count(errors: &mut FieldErrors, count: usize) {
    if !(1..=MAX_ITEMS).contains(&count) {
        errors.note("/items", "must have 1 to 100 items");
    }
}
