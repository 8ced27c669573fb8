//! What is sealed opens again, at every size where the frames change shape.

use sealed_item::{
    EncryptedDataKey, ItemSealingParameters, Message, OpenError, PlaintextDataKey, SealError, SealedItem, seal_item,
};
use zeroize::Zeroizing;

use crate::fixtures::{
    KEY_ARN, data_key, encrypted_data_key, encryption_context, identity, sealed_item, sealed_message,
};

const MIB: usize = 1 << 20;

#[test]
fn every_size_round_trips_as_a_message() {
    for frame in [16, 4096, 65_536] {
        for size in [0, 1, frame - 1, frame, frame + 1, 2 * frame, 2 * frame + 1, MIB] {
            let plaintext: Vec<u8> = (0..=250).cycle().take(size).collect();
            let sealed = sealed_message(u32::try_from(frame).unwrap(), &plaintext);
            let message = Message::parse(&sealed).unwrap();
            assert_eq!(message.frame_count(), size.div_ceil(frame).max(1));
            assert_eq!(message.plaintext_length(), size);
            assert_eq!(usize::try_from(message.frame_length().unwrap().as_u32()), Ok(frame));
            assert_eq!(message.encryption_context(), &encryption_context());
            assert_eq!(message.encrypted_data_key(), &encrypted_data_key());
            let opened = message.open(&data_key()).unwrap();
            assert!(opened.as_bytes() == plaintext, "{size} bytes in frames of {frame}");
            assert_eq!(opened.is_empty(), size == 0);
        }
    }
}

#[test]
fn every_size_round_trips_as_an_item() {
    for size in [0, 1, 4095, 4096, 4097, MIB] {
        let plaintext = vec![0x17; size];
        let sealed = sealed_item("item-1", &plaintext);
        let item = SealedItem::parse(&sealed).unwrap();
        assert_eq!(item.key_arn(), KEY_ARN);
        assert_eq!(item.encrypted_data_key(), &encrypted_data_key());
        assert_eq!(item.encryption_context(), &encryption_context());
        assert!(item.matches(&identity("item-1")));
        assert!(
            item.open(&identity("item-1"), &data_key()).unwrap().as_bytes() == plaintext,
            "{size} bytes"
        );
    }
}

#[test]
fn a_message_is_sealed_into_exactly_the_room_set_aside_for_it() {
    for size in [0, 1, 4096, 10_000] {
        let sealed = sealed_message(4096, &vec![0; size]);
        assert_eq!(sealed.capacity(), sealed.len(), "{size} bytes");
    }
}

#[test]
fn one_item_sealed_twice_shares_neither_message_id_nor_keys() {
    let (one, other) = (sealed_item("item-1", &[0; 64]), sealed_item("item-1", &[0; 64]));
    let message_id = |sealed: &[u8]| *SealedItem::parse(sealed).unwrap().message().message_id();
    assert_ne!(message_id(&one).as_bytes()[..16], message_id(&other).as_bytes()[..16]);
    assert_ne!(message_id(&one).as_bytes()[16..], message_id(&other).as_bytes()[16..]);
    assert_ne!(one[one.len() - 80..], other[other.len() - 80..]);
}

#[test]
fn another_data_key_does_not_open() {
    let sealed = sealed_message(4096, b"plaintext");
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
            seal_item(&parameters, &identity("item-1"), b"plaintext"),
            Err(SealError::KeyProvider)
        );
    }
}
