//! Any bytes: the parser accepts or refuses them and never panics. What it accepts has only one encoding: a header
//! written from the parsed values, by hand from the specification, is the header that was read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealed_item::{FrameLength, Message, SealedItem};

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::parse(bytes) else {
        assert!(SealedItem::parse(bytes).is_err(), "the item layer must not be laxer");
        return;
    };
    let header = header_of(&message);
    assert!(bytes.starts_with(&header[..]));

    // The commit key has 32 bytes and the header's tag 16. The frames follow, and none is shorter than its overhead.
    let body = bytes.len() - header.len() - 48;
    assert!(message.plaintext_length() + 32 * message.frame_count() <= body);
    let single_block = message.frame_length().is_none();
    let kms_rsa = message.encrypted_data_key().key_arn().is_some();
    assert_eq!(SealedItem::parse(bytes).is_ok(), kms_rsa && !single_block);
});

/// Writes the header up to the commit key (data-format/message-header.md).
fn header_of(message: &Message<'_>) -> Vec<u8> {
    let mut out = vec![2, 0x04, 0x78];
    out.extend(message.message_id().as_bytes());
    short_field(&mut out, &message.encryption_context().serialize());
    out.extend([0, 1]);
    let encrypted_data_key = message.encrypted_data_key();
    short_field(&mut out, encrypted_data_key.key_provider_id().as_bytes());
    short_field(&mut out, encrypted_data_key.key_provider_info());
    short_field(&mut out, encrypted_data_key.ciphertext());
    out.push(if message.frame_length().is_some() { 2 } else { 1 });
    out.extend(message.frame_length().map_or(0, FrameLength::as_u32).to_be_bytes());
    out
}

fn short_field(out: &mut Vec<u8>, field: &[u8]) {
    out.extend(
        u16::try_from(field.len())
            .expect("it was read with 16 bits")
            .to_be_bytes(),
    );
    out.extend(field);
}
