//! Named messages that are each wrong in one way, with the error that each must cause.

use sealed_item::{Message, OpenError, PlaintextDataKey, SealedItem};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{decode, hex, read};

#[derive(Deserialize)]
struct File {
    data_key: String,
    plaintext: String,
    whole: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    refused: Refused,
    /// The name of the `ParseError`. `None` for `Refused::Open`, where the error does not tell why.
    error: Option<String>,
    message: String,
}

/// Where a vector must fail.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Refused {
    /// When it is parsed as a message, before any key.
    Parse,
    /// When it is parsed as an item, before any key. As a message it parses.
    ParseItem,
    /// When it is opened with the right data key. Its structure is valid.
    Open,
}

/// Where these bytes fail, and how; `None` if they open.
fn refusal(bytes: &[u8], data_key: &PlaintextDataKey) -> Option<(Refused, Option<String>)> {
    let message = match Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            let as_item = SealedItem::parse(bytes).err();
            assert_eq!(as_item, Some(error), "the item layer must not be laxer");
            return Some((Refused::Parse, Some(format!("{error:?}"))));
        }
    };
    if let Err(error) = SealedItem::parse(bytes) {
        assert_eq!(message.open(data_key).err(), Some(OpenError::DoesNotOpen));
        return Some((Refused::ParseItem, Some(format!("{error:?}"))));
    }
    let error = message.open(data_key).err()?;
    assert_eq!(error, OpenError::DoesNotOpen);
    Some((Refused::Open, None))
}

#[test]
fn each_malformed_vector_is_refused_where_and_as_it_says() {
    let file: File = read("malformed.json");
    let data_key = PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32]));
    assert_eq!(file.data_key, hex(&[0x42; 32]));
    let whole = decode(&file.whole);
    let opened = Message::parse(&whole).unwrap().open(&data_key).unwrap();
    assert_eq!(hex(opened.as_bytes()), file.plaintext);

    let mut wrong = Vec::new();
    for vector in &file.vectors {
        let met = refusal(&decode(&vector.message), &data_key);
        if met != Some((vector.refused, vector.error.clone())) {
            wrong.push(format!("{}: {met:?}", vector.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let count = |refused| file.vectors.iter().filter(|vector| vector.refused == refused).count();
    assert_eq!(
        [Refused::Parse, Refused::ParseItem, Refused::Open].map(count),
        [77, 5, 39]
    );
}

#[test]
fn the_page_beside_the_vectors_lists_each_of_them() {
    let page = include_str!("../../../vectors/README.md");
    for file in ["official.json", "messages.json", "items.json", "malformed.json"] {
        let content: serde_json::Value = read(file);
        for vector in content["vectors"].as_array().unwrap() {
            let name = vector["name"].as_str().unwrap();
            assert!(page.contains(&format!("| {name} |")), "{file}: {name}");
        }
    }
}

/// A vector equal to the whole message, or to another vector, would prove nothing.
#[test]
fn no_two_malformed_vectors_are_the_same() {
    let file: File = read("malformed.json");
    let mut names: Vec<_> = file.vectors.iter().map(|vector| &vector.name).collect();
    let mut messages: Vec<_> = file.vectors.iter().map(|vector| &vector.message).collect();
    messages.push(&file.whole);
    let counts = (names.len(), messages.len());
    names.sort_unstable();
    names.dedup();
    messages.sort_unstable();
    messages.dedup();
    assert_eq!((names.len(), messages.len()), counts);
}
