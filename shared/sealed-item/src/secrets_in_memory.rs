//! Shows that secrets are gone when they should be. Each test searches this process's memory while the secrets live, to
//! show that the search finds them, and again afterwards.

#![cfg(target_os = "linux")]

use std::sync::{Mutex, OnceLock, PoisonError};

use aws_lc_rs::digest::{SHA384, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use zeroize::Zeroizing;

use crate::encrypted_data_key::EncryptedDataKey;
use crate::encryption_context::EncryptionContext;
use crate::frame::FrameLength;
use crate::key_derivation::MessageKeys;
use crate::kms_rsa_keyring::{WrappingPublicKey, unwrap_payload};
use crate::memory_scan::{Needle, observe};
use crate::message::{self, Message, MessageParameters};
use crate::message_id::MessageId;
use crate::plaintext_data_key::PlaintextDataKey;

/// The inputs of the derivation. What derives from them was calculated with Python's `hmac`: HKDF's pseudorandom key
/// and the content key.
const DATA_KEY: [u8; 32] = *b"a data key of thirty-two bytes..";
const MESSAGE_ID: MessageId = MessageId::from_bytes(*b"a message id of thirty-two bytes");
const PSEUDORANDOM_KEY: &str = concat!(
    "485ef03f1a765e412dfba5cef9f5d3748c523c56d7eda2b4f63bdcc42e4f5621",
    "734fd143e259222dde74b9fed8eb8b977ea0cb0e96e8e320dda084b604a60b72"
);
const CONTENT_KEY: &str = "a0d22a4f675066bba2d9a7aa16fd34b960db36ebd62d48bbd8ccb5cc3b0e0f85";
/// SHA-512's state after the inner and after the outer padded key. Every HMAC under the pseudorandom key starts from
/// these states, so they are worth as much as that key.
const INNER_STATE: &str = concat!(
    "ffe40baff4013e308d109310de3e43c2c5477248f906a2f067bfd974eb797c88",
    "b5d7456fe8ad3a03bf4e28ad471e80b61d43c0fd361820872f4de992ec7a075d"
);
const OUTER_STATE: &str = concat!(
    "91dc7cdfb5e9b254b4d007ec81fd7b9c01571a1a88499e70fc8cb7f2b0daffa2",
    "fd4f77fdcc584e9875781947e76464141638523ffac455cb72f1b78149df60d5"
);

/// Held by each test that searches for values derived from the constants. In parallel they would find each other's.
static DERIVED: Mutex<()> = Mutex::new(());

/// The data key as KMS returns it, in the only place that may hold it.
fn kms_plaintext(needle: &Needle) -> Zeroizing<Vec<u8>> {
    let mut payload = Zeroizing::new(vec![0; 80]);
    let context_digest = digest(&SHA384, EncryptionContext::default().as_serialized());
    payload[..48].copy_from_slice(context_digest.as_ref());
    needle.reveal(&mut payload[48..]);
    payload
}

fn unwrapped(needle: &Needle) -> PlaintextDataKey {
    unwrap_payload(&EncryptionContext::default(), kms_plaintext(needle)).unwrap()
}

fn seal(data_key: &PlaintextDataKey, message_id: MessageId, plaintext: &[u8]) -> Vec<u8> {
    let parameters = MessageParameters {
        data_key,
        encrypted_data_key: &EncryptedDataKey::kms_rsa("arn", vec![1]).unwrap(),
        encryption_context: &EncryptionContext::default(),
        message_id: &message_id,
        frame_length: FrameLength::DEFAULT,
    };
    message::seal(&parameters, plaintext).unwrap()
}

#[test]
fn a_data_key_is_gone_after_drop() {
    let needle = Needle::random(32);
    observe(
        || unwrapped(&needle),
        || assert_eq!(needle.count(), 1, "in its box, and nowhere else"),
        drop,
        || assert_eq!(needle.count(), 0),
    );
}

#[test]
fn a_data_key_leaves_no_copy_where_it_was_used() {
    let needle = Needle::random(32);
    let swapped = needle.byte_swapped();
    observe(
        || {
            let data_key = unwrapped(&needle);
            let sealed = seal(&data_key, MessageId::generate().unwrap(), b"plaintext");
            let opened = Message::parse(&sealed).unwrap().open(&data_key).unwrap();
            assert_eq!(opened.as_bytes(), b"plaintext");
            data_key
        },
        || assert_eq!((needle.count(), swapped.count()), (1, 0)),
        drop,
        || assert_eq!((needle.count(), swapped.count()), (0, 0)),
    );
}

#[test]
fn a_generated_data_key_is_in_its_box_alone() {
    let needle = OnceLock::new();
    let count = || needle.get().map(Needle::count);
    observe(
        || {
            let data_key = PlaintextDataKey::generate().unwrap();
            needle.get_or_init(|| Needle::of(data_key.expose_secret()));
            data_key
        },
        || assert_eq!(count(), Some(1)),
        drop,
        || assert_eq!(count(), Some(0)),
    );
}

#[test]
fn wrapping_a_data_key_leaves_no_copy() {
    let needle = Needle::random(32);
    let private_key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der: PublicKeyX509Der<'_> = private_key.public_key().as_der().unwrap();
    let public_key = WrappingPublicKey::from_der(der.as_ref()).unwrap();
    observe(
        || {
            let data_key = unwrapped(&needle);
            let wrapped = public_key.wrap(&EncryptionContext::default(), &data_key).unwrap();
            assert_eq!(wrapped.len(), 256);
            data_key
        },
        || assert_eq!(needle.count(), 1),
        drop,
        || assert_eq!(needle.count(), 0),
    );
}

#[test]
fn a_data_key_that_is_refused_is_gone() {
    let needle = Needle::random(32);
    let other_context = EncryptionContext::new([("a", "1")]).unwrap();
    observe(
        || kms_plaintext(&needle),
        || assert_eq!(needle.count(), 1),
        |payload| assert!(unwrap_payload(&other_context, payload).is_err()),
        || assert_eq!(needle.count(), 0),
    );
}

#[test]
fn derived_keys_are_gone_after_drop() {
    let _alone = DERIVED.lock().unwrap_or_else(PoisonError::into_inner);
    let (prk, content_key) = (Needle::from_hex(PSEUDORANDOM_KEY), Needle::from_hex(CONTENT_KEY));
    observe(
        || {
            let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(DATA_KEY));
            MessageKeys::derive(&MESSAGE_ID, &data_key).ok().unwrap()
        },
        // AES-256's first two round keys are the key itself.
        || assert_eq!((prk.count(), content_key.count()), (0, 1)),
        drop,
        || assert_eq!((prk.count(), content_key.count()), (0, 0)),
    );
}

/// Shows that the needles for the derivation's states are right: they are found while the library's own value lives.
#[test]
fn the_states_that_stand_for_the_pseudorandom_key_can_be_found() {
    let _alone = DERIVED.lock().unwrap_or_else(PoisonError::into_inner);
    let states = [INNER_STATE, OUTER_STATE].map(Needle::from_hex);
    observe(
        || {
            let mut prk = Zeroizing::new([0; 64]);
            Needle::from_hex(PSEUDORANDOM_KEY).reveal(prk.as_mut_slice());
            hmac::Key::new(hmac::HMAC_SHA512, prk.as_slice())
        },
        || assert!(states.iter().all(|state| state.count() > 0)),
        |key| assert_eq!(hmac::sign(&key, b"\x04\x78DERIVEKEY\x01").as_ref().len(), 64),
        // The library does not promise to leave nothing behind.
        || {},
    );
}

fn derived_needles() -> Vec<Needle> {
    let mut needles = [PSEUDORANDOM_KEY, CONTENT_KEY, INNER_STATE, OUTER_STATE]
        .map(Needle::from_hex)
        .to_vec();
    needles.extend([PSEUDORANDOM_KEY, CONTENT_KEY].map(|key| Needle::from_hex(key).byte_swapped()));
    needles
}

#[test]
fn derived_keys_are_gone_after_sealing_and_opening() {
    let _alone = DERIVED.lock().unwrap_or_else(PoisonError::into_inner);
    let needles = derived_needles();
    let counts = || needles.iter().map(Needle::count).collect::<Vec<_>>();
    let nothing = vec![0; needles.len()];
    observe(
        || {
            let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(DATA_KEY));
            seal(&data_key, MESSAGE_ID, &[0x17; 10_000])
        },
        || assert_eq!(counts(), nothing, "after sealing"),
        |sealed| {
            let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(DATA_KEY));
            assert_eq!(Message::parse(&sealed).unwrap().open(&data_key).unwrap().len(), 10_000);
        },
        || assert_eq!(counts(), nothing, "after opening"),
    );
}

/// A message of three frames, with the needle in the middle of the first. Its plaintext is zeroed.
fn sealed_around(needle: &Needle, data_key: &PlaintextDataKey) -> Vec<u8> {
    let mut plaintext = Zeroizing::new(vec![0; 10_000]);
    needle.reveal(&mut plaintext[2000..]);
    seal(data_key, MessageId::generate().unwrap(), &plaintext)
}

#[test]
fn a_plaintext_is_gone_after_drop() {
    let needle = Needle::random(64);
    let data_key = PlaintextDataKey::generate().unwrap();
    observe(
        || {
            let sealed = sealed_around(&needle, &data_key);
            Message::parse(&sealed).unwrap().open(&data_key).unwrap()
        },
        || assert_eq!(needle.count(), 1, "in the buffer that is returned, and nowhere else"),
        drop,
        || assert_eq!(needle.count(), 0),
    );
}

#[test]
fn the_first_frames_of_a_message_that_does_not_open_are_gone() {
    let needle = Needle::random(64);
    let data_key = PlaintextDataKey::generate().unwrap();
    observe(
        || {
            let mut sealed = sealed_around(&needle, &data_key);
            // Alters the tag of the last frame. Two frames have been decrypted by the time it fails to match.
            *sealed.last_mut().unwrap() ^= 1;
            sealed
        },
        || assert_eq!(needle.count(), 0),
        |sealed| assert!(Message::parse(&sealed).unwrap().open(&data_key).is_err()),
        || assert_eq!(needle.count(), 0),
    );
}
