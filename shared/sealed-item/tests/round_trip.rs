//! What is sealed opens again, at every size at which the frames change shape.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use std::collections::BTreeMap;

use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, ItemIdentity, ItemSealingParameters, Message, MessageId,
    MessageParameters, OpenError, PlaintextDataKey, SealError, SealedItem, message, seal_item,
};
use zeroize::Zeroizing;

const KEY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";

fn data_key() -> PlaintextDataKey {
    PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32]))
}

fn encrypted_data_key() -> EncryptedDataKey {
    EncryptedDataKey::kms_rsa(KEY_ARN, vec![0xed; 512]).unwrap()
}

fn encryption_context() -> EncryptionContext {
    EncryptionContext::new([("latchkey:vault-id", "vlt_1"), ("latchkey:workspace-id", "wsp_1")]).unwrap()
}

fn identity() -> ItemIdentity {
    ItemIdentity::new("item-1", &BTreeMap::from([("owner".to_owned(), "ann".to_owned())]))
}

fn seal(frame_length: FrameLength, plaintext: &[u8]) -> Vec<u8> {
    let parameters = MessageParameters {
        data_key: &data_key(),
        encrypted_data_key: &encrypted_data_key(),
        encryption_context: &encryption_context(),
        message_id: &MessageId::generate().unwrap(),
        frame_length,
    };
    message::seal(&parameters, plaintext).unwrap()
}

#[test]
fn every_size_round_trips_as_a_message() {
    for frame_length in [1, 16, 4096, 65_536] {
        let frame = usize::try_from(frame_length).unwrap();
        for size in [0, 1, frame - 1, frame, frame + 1, 2 * frame, 1 << 20] {
            if size / frame > 1 << 16 {
                continue;
            }
            let plaintext: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
            let sealed = seal(FrameLength::new(frame_length).unwrap(), &plaintext);
            let message = Message::parse(&sealed).unwrap();
            assert_eq!(message.frame_count(), size.div_ceil(frame).max(1));
            assert_eq!(message.plaintext_length(), size);
            assert_eq!(message.frame_length().unwrap().as_u32(), frame_length);
            assert_eq!(message.encryption_context(), &encryption_context());
            assert_eq!(message.encrypted_data_key(), &encrypted_data_key());
            assert!(
                message.open(&data_key()).unwrap().as_bytes() == plaintext,
                "{frame_length} {size}"
            );
        }
    }
}

#[test]
fn every_size_round_trips_as_an_item() {
    for size in [0, 1, 4095, 4096, 4097, 1 << 20] {
        let plaintext = vec![0x17; size];
        let sealed = seal_item(
            &ItemSealingParameters {
                data_key: &data_key(),
                encrypted_data_key: &encrypted_data_key(),
                encryption_context: &encryption_context(),
            },
            &identity(),
            &plaintext,
        )
        .unwrap();
        let item = SealedItem::parse(&sealed).unwrap();
        assert!(item.matches(&identity()));
        assert_eq!(item.key_arn(), KEY_ARN);
        assert!(
            item.open(&identity(), &data_key()).unwrap().as_bytes() == plaintext,
            "{size}"
        );
    }
}

#[test]
fn a_message_is_sealed_into_the_room_set_aside_for_it() {
    let sealed = seal(FrameLength::DEFAULT, &[0; 10_000]);
    assert!(
        sealed.capacity() - sealed.len() < 128,
        "{} of {}",
        sealed.len(),
        sealed.capacity()
    );
}

#[test]
fn one_item_sealed_twice_differs_throughout() {
    let (one, other) = (
        seal(FrameLength::DEFAULT, &[0; 64]),
        seal(FrameLength::DEFAULT, &[0; 64]),
    );
    assert_ne!(one[3..35], other[3..35]);
    assert_ne!(one[one.len() - 80..], other[other.len() - 80..]);
}

#[test]
fn another_data_key_does_not_open() {
    let sealed = seal(FrameLength::DEFAULT, b"plaintext");
    let other = PlaintextDataKey::from_bytes(Zeroizing::new([0x43; 32]));
    assert_eq!(
        Message::parse(&sealed).unwrap().open(&other).err(),
        Some(OpenError::DoesNotOpen)
    );
}

#[test]
fn an_item_needs_a_data_key_of_the_kms_rsa_keyring() {
    for encrypted_data_key in [
        EncryptedDataKey::new("aws-kms", KEY_ARN.into(), vec![1]).unwrap(),
        EncryptedDataKey::new("aws-kms-rsa", vec![0xff], vec![1]).unwrap(),
    ] {
        let parameters = ItemSealingParameters {
            data_key: &data_key(),
            encrypted_data_key: &encrypted_data_key,
            encryption_context: &encryption_context(),
        };
        assert_eq!(
            seal_item(&parameters, &identity(), b"plaintext"),
            Err(SealError::KeyProvider)
        );
    }
}
