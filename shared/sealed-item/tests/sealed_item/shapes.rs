//! Printing a message and its parts shows their shape, which helps to find a fault, and nothing that is the customer's.

use sealed_item::{Message, MessageId, SealedItem};

use crate::fixtures::{KEY_ARN, encrypted_data_key, encryption_context, sealed_item, sealed_message};

#[test]
fn a_message_shows_its_shape_and_nothing_of_the_customers() {
    let (message, item) = (sealed_message(16, &[0x17; 40]), sealed_item("item-1", &[0x17; 40]));
    let (message, item) = (Message::parse(&message).unwrap(), SealedItem::parse(&item).unwrap());
    for (shown, shape) in [
        (format!("{message:?}"), "frame_count: 3, plaintext_length: 40"),
        (format!("{item:?}"), "frame_count: 1, plaintext_length: 40"),
        (format!("{:?}", encrypted_data_key()), "ciphertext_length: 256"),
        (format!("{:?}", encryption_context()), "pairs: 2"),
        (
            format!("{:?}", MessageId::from([0xa7; 32])),
            &format!("MessageId({})", "a7".repeat(32)),
        ),
    ] {
        assert!(shown.contains(shape), "{shown}");
        for theirs in [KEY_ARN, "222222222222", "vlt_1", "wsp_1", "item-1"] {
            assert!(!shown.contains(theirs), "{shown}");
        }
    }
}
