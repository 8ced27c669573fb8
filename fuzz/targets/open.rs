//! Any bytes, opened with the data key of the vectors. What opens has its tags, which nobody can make without the key: so it
//! is one of the vectors itself, or, as here the fuzzer would have to forge, nothing.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealed_item::{ItemIdentity, Message, OpenError, PlaintextDataKey, SealedItem};
use zeroize::Zeroizing;

/// The data key of the malformed vectors.
static DATA_KEY: LazyLock<PlaintextDataKey> =
    LazyLock::new(|| PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32])));

/// The seeds that open, which run.py writes.
static WHOLE: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = std::env::var("WHOLE_MESSAGES").expect("set by run.py");
    let files = fs::read_dir(folder).expect("written by run.py");
    files
        .map(|file| fs::read(file.expect("a file").path()).expect("a seed"))
        .collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(bytes) else { return };
    match message.open(&DATA_KEY) {
        Ok(plaintext) => {
            assert_eq!(plaintext.len(), message.plaintext_length());
            assert!(WHOLE.iter().any(|whole| whole == bytes), "a forgery");
        }
        Err(error) => assert_eq!(error, OpenError::DoesNotOpen),
    }
    if let Ok(item) = SealedItem::parse(bytes) {
        let other = ItemIdentity::new("an item that nobody sealed", &BTreeMap::new());
        assert_eq!(item.open(&other, &DATA_KEY).err(), Some(OpenError::WrongItem));
    }
});
