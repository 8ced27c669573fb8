//! One line of JSON: an item, and whatever else its owner keeps with it.
//!
//! Only the value of `sealed_item` is ever replaced. All other bytes of the line stay as they are: spaces, the order of
//! the fields, fields of its owner, numbers of any length.

use std::collections::BTreeMap;
use std::ops::Range;

use base64ct::{Base64, Encoding};
use sealed_item::item::{ItemIdentity, SealedItem};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The encryption context's pair that names the vault (docs/sealed-item.md).
const VAULT_ID: &str = "latchkey:vault-id";

/// An item, as the API takes it.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Its id.
    pub item_id: String,
    /// The sealed item, in base64.
    pub sealed_item: String,
    /// Its context.
    pub context: BTreeMap<String, String>,
}

/// A line that is an item.
#[derive(Clone, Debug)]
pub struct ItemLine {
    text: Vec<u8>,
    /// Where in the text the JSON string of the sealed item is.
    place: Range<usize>,
    /// The item.
    pub item: Item,
}

#[derive(Deserialize)]
struct Fields<'a> {
    item_id: String,
    #[serde(borrow)]
    sealed_item: &'a RawValue,
    #[serde(default)]
    context: Option<BTreeMap<String, String>>,
}

impl ItemLine {
    /// Parses a line without its line feed. `None` if it is not an item.
    pub fn parse(text: &[u8]) -> Option<Self> {
        // Serde would also accept an array of the fields, which nobody means to write.
        if text.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        let fields: Fields<'_> = serde_json::from_slice(text).ok()?;
        let raw = fields.sealed_item.get();
        let sealed_item: String = serde_json::from_str(raw).ok()?;
        let start = raw.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
        let place = start..start.checked_add(raw.len())?;
        (text.get(place.clone())? == raw.as_bytes()).then(|| Self {
            text: text.to_vec(),
            place,
            item: Item {
                item_id: fields.item_id,
                sealed_item,
                context: fields.context.unwrap_or_default(),
            },
        })
    }

    /// The line as it was read.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// The line with another sealed item in the same place.
    pub fn with_sealed_item(&self, sealed_item: &str) -> Vec<u8> {
        let (before, after) = (self.text.get(..self.place.start), self.text.get(self.place.end..));
        [
            before.unwrap_or_default(),
            b"\"",
            sealed_item.as_bytes(),
            b"\"",
            after.unwrap_or_default(),
        ]
        .concat()
    }
}

impl Item {
    /// The vault that the sealed item names. This is not authentic until the item has opened.
    pub fn vault_id(&self) -> Option<String> {
        let bytes = Base64::decode_vec(&self.sealed_item).ok()?;
        let sealed = SealedItem::parse(&bytes).ok()?;
        sealed.encryption_context().get(VAULT_ID).map(str::to_owned)
    }

    /// Whether `sealed_item`, in base64, is this item as sealed in the vault: of valid structure, with the same id and
    /// context.
    pub fn is_sealed_as(&self, sealed_item: &str, vault_id: &str) -> bool {
        let Ok(bytes) = Base64::decode_vec(sealed_item) else {
            return false;
        };
        SealedItem::parse(&bytes).is_ok_and(|sealed| {
            sealed.encryption_context().get(VAULT_ID) == Some(vault_id)
                && sealed.matches(&ItemIdentity::new(&self.item_id, &self.context))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sealed_item_is_replaced() {
        let line = br#"  { "sealed_item" : "b\/Q=", "n": 1.00000000000000000001, "item_id":"a\u00e9", "x": {"sealed_item":"b/Q="} } "#;
        let parsed = ItemLine::parse(line).expect("an item");
        assert_eq!(
            (parsed.item.item_id.as_str(), parsed.item.sealed_item.as_str()),
            ("aé", "b/Q=")
        );
        let replaced = String::from_utf8(parsed.with_sealed_item("bmV3")).expect("text");
        assert_eq!(
            replaced,
            r#"  { "sealed_item" : "bmV3", "n": 1.00000000000000000001, "item_id":"a\u00e9", "x": {"sealed_item":"b/Q="} } "#
        );
        assert_eq!(parsed.into_text(), line);
    }

    #[test]
    fn what_is_not_an_item_is_none() {
        for line in [
            "",
            "{}",
            "null",
            r#"["a","b",{}]"#,
            r#"{"item_id":"a"}"#,
            r#"{"item_id":"a","sealed_item":7}"#,
            r#"{"item_id":"a","sealed_item":"b","context":{"k":1}}"#,
            r#"{"item_id":"a","sealed_item":"b"} {}"#,
            r#"{"item_id":"a","item_id":"c","sealed_item":"b"}"#,
            "{\"item_id\":\"\u{0}\",\"sealed_item\":\"b\"}",
        ] {
            assert!(ItemLine::parse(line.as_bytes()).is_none(), "{line}");
        }
        assert!(ItemLine::parse(b"{\"item_id\":\"a\xff\",\"sealed_item\":\"b\"}").is_none());
        assert!(ItemLine::parse(br#"{"item_id":"a","sealed_item":"b","context":null}"#).is_some());
    }
}
