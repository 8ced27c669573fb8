//! Any parameters: a sealed message parses and opens with the same values, and does not open once any one byte is
//! changed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, Message, MessageId, MessageParameters, PlaintextDataKey, message,
};
use zeroize::Zeroizing;

/// Data key, message id; pairs; provider id, provider info, ciphertext; frame length, plaintext; where to alter a byte,
/// and how.
type Input<'a> = (
    ([u8; 32], [u8; 32]),
    Vec<(&'a str, &'a str)>,
    (&'a str, &'a [u8], &'a [u8]),
    (u16, &'a [u8]),
    (u32, u8),
);

fuzz_target!(|input: Input<'_>| {
    let (
        (data_key, message_id),
        pairs,
        (provider_id, provider_info, ciphertext),
        (frame_length, plaintext),
        (altered_at, altered_by),
    ) = input;
    let (Ok(encryption_context), Ok(frame_length)) =
        (EncryptionContext::new(pairs), FrameLength::new(frame_length.into()))
    else {
        return;
    };
    let encrypted_data_key = EncryptedDataKey::new(provider_id, provider_info.into(), ciphertext.into())
        .expect("the fuzzer's inputs are shorter than 65,536 bytes");
    let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(data_key));
    let parameters = MessageParameters {
        data_key: &data_key,
        encrypted_data_key: &encrypted_data_key,
        encryption_context: &encryption_context,
        message_id: &MessageId::from_bytes(message_id),
        frame_length,
    };
    let mut sealed = message::seal(&parameters, plaintext).expect("valid parameters");
    {
        let parsed = Message::parse(&sealed).expect("what was sealed is whole");
        assert_eq!(parsed.encryption_context(), &encryption_context);
        assert_eq!(parsed.encrypted_data_key(), &encrypted_data_key);
        assert_eq!(parsed.message_id(), parameters.message_id);
        assert_eq!(parsed.frame_length(), Some(frame_length));
        let opened = parsed.open(&data_key).expect("what was sealed opens");
        assert_eq!(opened.as_bytes(), plaintext);
    }
    let at = altered_at as usize % sealed.len();
    if let (Some(byte), true) = (sealed.get_mut(at), altered_by != 0) {
        *byte ^= altered_by;
        assert!(
            Message::parse(&sealed).map_or(true, |altered| altered.open(&data_key).is_err()),
            "byte {at}"
        );
    }
});
