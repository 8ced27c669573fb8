//! Promises that hold for every input, tested on generated ones. Promises about every bit and every prefix of a message
//! are tested on all of them.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, ItemIdentity, ItemSealingParameters, Message, MessageId,
    MessageParameters, OpenError, ParseError, PlaintextDataKey, SealedItem, message, seal_item,
};
use zeroize::Zeroizing;

use crate::fixtures::{self, data_key, encrypted_data_key, identity, sealed_item, sealed_message};

/// Whether these bytes open as a message of this data key.
fn opens(bytes: &[u8]) -> bool {
    Message::parse(bytes).is_ok_and(|message| message.open(&data_key()).is_ok())
}

/// Whether these bytes open as this item.
fn opens_as(item_id: &str, bytes: &[u8]) -> bool {
    SealedItem::parse(bytes).is_ok_and(|item| item.open(&identity(item_id), &data_key()).is_ok())
}

/// Three frames, so that every field of the format is there.
fn message_of_three_frames() -> Vec<u8> {
    sealed_message(16, &[0x17; 40])
}

#[test]
fn no_flipped_bit_opens() {
    let sealed = message_of_three_frames();
    assert!(opens(&sealed));
    for index in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[index] ^= 1 << bit;
            assert!(!opens(&altered), "bit {bit} of byte {index}");
        }
    }
}

#[test]
fn no_flipped_bit_opens_as_an_item() {
    let sealed = sealed_item("item-1", b"plaintext");
    assert!(opens_as("item-1", &sealed));
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 0x10;
        assert!(!opens_as("item-1", &altered), "byte {index}");
    }
}

#[test]
fn no_prefix_parses() {
    let sealed = message_of_three_frames();
    for length in 0..sealed.len() {
        let error = Message::parse(&sealed[..length]).unwrap_err();
        assert!(
            matches!(error, ParseError::Truncated | ParseError::FinalFrameMissing),
            "{length}: {error}"
        );
    }
}

/// Small alphabets, so that identities that a careless encoding would confuse do occur.
fn near_identity() -> impl Strategy<Value = (String, BTreeMap<String, String>)> {
    ("[ab]{0,2}", btree_map("[ab]{0,1}", "[ab]{0,1}", 0..3))
}

fn encryption_context() -> impl Strategy<Value = EncryptionContext> {
    let key = any::<String>().prop_filter("reserved", |key| !key.starts_with("aws-crypto-"));
    btree_map(key, any::<String>(), 0..6).prop_map(|pairs| EncryptionContext::new(pairs).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parse_gives_back_what_was_sealed(
        key in any::<[u8; 32]>(),
        provider_id in any::<String>(),
        provider_info in vec(any::<u8>(), 0..80),
        ciphertext in vec(any::<u8>(), 0..520),
        encryption_context in encryption_context(),
        message_id in any::<[u8; 32]>(),
        frame_length in 1_u32..600,
        plaintext in vec(any::<u8>(), 0..2000),
    ) {
        let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(key));
        let encrypted_data_key = EncryptedDataKey::new(&provider_id, provider_info, ciphertext).unwrap();
        let parameters = MessageParameters {
            data_key: &data_key,
            encrypted_data_key: &encrypted_data_key,
            encryption_context: &encryption_context,
            message_id: &MessageId::from_bytes(message_id),
            frame_length: FrameLength::new(frame_length).unwrap(),
        };
        let sealed = message::seal(&parameters, &plaintext).unwrap();
        let parsed = Message::parse(&sealed).unwrap();
        prop_assert_eq!(parsed.message_id().as_bytes(), &message_id);
        prop_assert_eq!(parsed.encryption_context(), &encryption_context);
        prop_assert_eq!(parsed.encryption_context().serialize(), encryption_context.serialize());
        prop_assert_eq!(parsed.encrypted_data_key(), &encrypted_data_key);
        prop_assert_eq!(parsed.frame_length(), Some(parameters.frame_length));
        prop_assert_eq!(parsed.plaintext_length(), plaintext.len());
        let opened = parsed.open(&data_key).unwrap();
        prop_assert_eq!(opened.as_bytes(), plaintext.as_slice());

        // Seals the parsed values again and gets the same bytes.
        let again = MessageParameters {
            data_key: &data_key,
            encrypted_data_key: parsed.encrypted_data_key(),
            encryption_context: parsed.encryption_context(),
            message_id: parsed.message_id(),
            frame_length: parsed.frame_length().unwrap(),
        };
        prop_assert_eq!(message::seal(&again, opened.as_bytes()).unwrap(), sealed);
    }

    #[test]
    fn no_suffix_parses(suffix in vec(any::<u8>(), 1..100)) {
        let extended = [message_of_three_frames(), suffix].concat();
        prop_assert_eq!(Message::parse(&extended).err(), Some(ParseError::TrailingBytes));
    }

    #[test]
    fn no_replaced_run_of_bytes_opens(at in any::<prop::sample::Index>(), run in vec(any::<u8>(), 1..40)) {
        let sealed = message_of_three_frames();
        let start = at.index(sealed.len());
        let end = (start + run.len()).min(sealed.len());
        let altered = [&sealed[..start], run.as_slice(), &sealed[end..]].concat();
        prop_assume!(altered != sealed);
        prop_assert!(!opens(&altered));
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in vec(any::<u8>(), 0..300), message_id in any::<[u8; 32]>()) {
        prop_assert!(Message::parse(&bytes).is_err());
        // Starts with valid first fields, so that the rest of the parser is reached too.
        prop_assert!(Message::parse(&[[2, 4, 0x78].as_slice(), &message_id, &bytes].concat()).is_err());
        prop_assert!(Message::parse(&[[2, 4, 0x78].as_slice(), &message_id, &[0, 0, 0, 1], &bytes].concat()).is_err());
    }

    #[test]
    fn an_item_opens_for_its_own_identity_alone(sealed_as in near_identity(), asked_as in near_identity()) {
        let parameters = ItemSealingParameters {
            data_key: &data_key(),
            encrypted_data_key: &encrypted_data_key(),
            encryption_context: &fixtures::encryption_context(),
        };
        let sealed =
            seal_item(&parameters, &ItemIdentity::new(&sealed_as.0, &sealed_as.1), b"plaintext").unwrap();
        let item = SealedItem::parse(&sealed).unwrap();
        let asked = ItemIdentity::new(&asked_as.0, &asked_as.1);
        prop_assert_eq!(item.matches(&asked), sealed_as == asked_as);
        let opened = item.open(&asked, &data_key());
        if sealed_as == asked_as {
            let plaintext = opened.unwrap();
            prop_assert_eq!(plaintext.as_bytes(), b"plaintext");
        } else {
            prop_assert_eq!(opened.err(), Some(OpenError::WrongItem));
        }
        // Whatever the item says, only the right data key opens it.
        let other = PlaintextDataKey::generate().unwrap();
        let own = ItemIdentity::new(&sealed_as.0, &sealed_as.1);
        prop_assert_eq!(item.open(&own, &other).err(), Some(OpenError::DoesNotOpen));
    }

    #[test]
    fn no_splice_of_two_items_opens(at in any::<prop::sample::Index>(), same_item in any::<bool>()) {
        let second_id = if same_item { "item-1" } else { "item-2" };
        let (first, second) = (sealed_item("item-1", &[1; 100]), sealed_item(second_id, &[2; 100]));
        prop_assert_eq!(first.len(), second.len());
        let at = at.index(first.len());
        let spliced = [&first[..at], &second[at..]].concat();
        prop_assume!(spliced != first && spliced != second);
        prop_assert!(!opens_as("item-1", &spliced));
        prop_assert!(!opens_as(second_id, &spliced));
        prop_assert!(!opens(&spliced));
    }
}
