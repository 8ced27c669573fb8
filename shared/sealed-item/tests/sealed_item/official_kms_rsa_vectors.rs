//! Frozen messages that the official SDK sealed with its AWS KMS RSA keyring, each with what `kms:Decrypt` answers
//! (tests/interop/freeze_vectors.py made them). They open; and the same values, sealed here, come out as the same
//! bytes.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use sealed_item::kms_rsa_keyring::unwrap_payload;
use sealed_item::{EncryptionContext, Message, MessageParameters, ParseError, SealedItem, message};
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
struct File {
    key_arn: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    plaintext: String,
    /// 0 for a single block.
    frame_length: u32,
    encryption_context: BTreeMap<String, String>,
    kms_plaintext: String,
    message: String,
}

fn decode(base64: &str) -> Vec<u8> {
    Base64::decode_vec(base64).unwrap()
}

#[test]
fn official_messages_open_and_are_sealed_again_byte_for_byte() {
    let file: File = serde_json::from_str(include_str!("official_kms_rsa_vectors.json")).unwrap();
    let (mut same_bytes, mut full_final_frame, mut single_block) = (0, 0, 0);
    for vector in &file.vectors {
        let (bytes, plaintext) = (decode(&vector.message), decode(&vector.plaintext));
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.encrypted_data_key().key_arn(), Some(file.key_arn.as_str()));
        let context = EncryptionContext::new(vector.encryption_context.clone()).unwrap();
        assert_eq!(message.encryption_context(), &context);

        let data_key = unwrap_payload(&context, Zeroizing::new(decode(&vector.kms_plaintext))).unwrap();
        assert_eq!(message.open(&data_key).unwrap().as_bytes(), plaintext);

        let Some(frame_length) = message.frame_length() else {
            assert_eq!(vector.frame_length, 0);
            assert_eq!(SealedItem::parse(&bytes).unwrap_err(), ParseError::ContentType);
            single_block += 1;
            continue;
        };
        assert_eq!(vector.frame_length, frame_length.as_u32());
        assert_eq!(SealedItem::parse(&bytes).unwrap().key_arn(), file.key_arn);
        let parameters = MessageParameters {
            data_key: &data_key,
            encrypted_data_key: message.encrypted_data_key(),
            encryption_context: &context,
            message_id: message.message_id(),
            frame_length,
        };
        let again = message::seal(&parameters, &plaintext).unwrap();
        if !plaintext.is_empty() && plaintext.len().is_multiple_of(frame_length.as_u32() as usize) {
            // The specification recommends a full final frame and allows an empty one after it, as that SDK has it.
            assert_eq!(message.frame_count(), Message::parse(&again).unwrap().frame_count() + 1);
            full_final_frame += 1;
            continue;
        }
        assert!(
            again == bytes,
            "{} bytes in frames of {}",
            plaintext.len(),
            vector.frame_length
        );
        same_bytes += 1;
    }
    assert_eq!((same_bytes, full_final_frame, single_block), (5, 1, 2));
}
