//! Opens any bytes with the data key of the malformed vectors. What opens is genuine, because nobody can make its tags
//! without the key. So it holds the one plaintext that was ever sealed under the key, and sealing that plaintext again
//! gives the same bytes.
//!
//! It need not be `whole`: each vector was altered from a message of its own, and the fuzzer finds its way back to
//! those.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sealed_item::{ItemIdentity, Message, MessageParameters, OpenError, PlaintextDataKey, SealedItem, message};
use zeroize::Zeroizing;

/// The data key in malformed.json.
static DATA_KEY: LazyLock<PlaintextDataKey> =
    LazyLock::new(|| PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32])));
const PLAINTEXT: [u8; 40] = [0x17; 40];

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(bytes) else { return };
    match message.open(&DATA_KEY) {
        Ok(plaintext) => {
            assert_eq!(plaintext.as_bytes(), PLAINTEXT, "a forgery");
            let parameters = MessageParameters {
                data_key: &DATA_KEY,
                encrypted_data_key: message.encrypted_data_key(),
                encryption_context: message.encryption_context(),
                message_id: message.message_id(),
                frame_length: message.frame_length().expect("no single block was sealed under it"),
            };
            let again = message::seal(&parameters, plaintext.as_bytes()).expect("what was parsed can be sealed");
            assert!(again == bytes, "a second form of a genuine message");
        }
        Err(error) => assert_eq!(error, OpenError::DoesNotOpen),
    }
    if let Ok(item) = SealedItem::parse(bytes) {
        let other = ItemIdentity::new("an item that nobody sealed", &BTreeMap::new());
        assert_eq!(item.open(&other, &DATA_KEY).err(), Some(OpenError::WrongItem));
    }
});
