//! The official key-commitment vectors (awslabs/aws-encryption-sdk-test-vectors). They are not part of this repository;
//! the environment variable `LATCHKEY_COMMITMENT_VECTORS` names the file.
//!
//! These tests are not in `tests/`, because nine vectors have two encrypted data keys, which the public parser refuses,
//! and because the public API does not tell a failed commitment from any other failure.

#![allow(clippy::arithmetic_side_effects)]

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::encryption_context::EncryptionContext;
use crate::error::{OpenError, ParseError};
use crate::header::KeyCount;
use crate::key_derivation::MessageKeys;
use crate::message::Message;
use crate::plaintext_data_key::PlaintextDataKey;

#[derive(Deserialize)]
struct File {
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Vector {
    comment: String,
    status: bool,
    exception: Option<String>,
    ciphertext: String,
    decrypted_dek: String,
    message_id: String,
    commitment: String,
    encryption_context: BTreeMap<String, String>,
    plaintext_frames: Option<Vec<String>>,
}

/// How many vectors had which outcome.
#[derive(Debug, Default, Eq, PartialEq)]
struct Tally {
    opened: usize,
    invalid_commitment: usize,
    other_suite: usize,
    two_keys_refused: usize,
}

#[test]
fn official_vectors_come_out_as_they_say() {
    let Some(path) = std::env::var_os("LATCHKEY_COMMITMENT_VECTORS") else {
        println!("skipped: LATCHKEY_COMMITMENT_VECTORS is not set");
        return;
    };
    let file: File = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(file.tests.len(), 46);
    let mut tally = Tally::default();
    for vector in &file.tests {
        println!("{}", vector.comment);
        run(vector, &mut tally);
    }
    assert_eq!(
        tally,
        Tally {
            opened: 20,
            invalid_commitment: 3,
            other_suite: 23,
            two_keys_refused: 9
        }
    );
}

fn run(vector: &Vector, tally: &mut Tally) {
    let bytes = Base64::decode_vec(&vector.ciphertext).unwrap();
    if bytes[1..3] != [0x04, 0x78] {
        assert_eq!(Message::parse(&bytes).unwrap_err(), ParseError::AlgorithmSuite);
        assert!(Message::parse_with(&bytes, KeyCount::OneOrMore).is_err());
        tally.other_suite += 1;
        return;
    }
    let message = Message::parse_with(&bytes, KeyCount::OneOrMore).unwrap();
    match Message::parse(&bytes) {
        Ok(_) => {}
        Err(error) => {
            assert_eq!(error, ParseError::EncryptedDataKeyCount);
            tally.two_keys_refused += 1;
        }
    }

    let data_key = PlaintextDataKey::from_bytes(Zeroizing::new(array(&vector.decrypted_dek)));
    let keys = MessageKeys::derive(message.message_id(), &data_key).ok().unwrap();
    assert_eq!(message.message_id().as_bytes(), &array(&vector.message_id));
    assert_eq!(
        message.encryption_context(),
        &EncryptionContext::new(vector.encryption_context.clone()).unwrap()
    );

    if vector.status {
        assert_eq!(keys.commit_key.as_bytes(), &array(&vector.commitment));
        assert!(keys.commit_key.matches(message.commit_key()));
        let plaintext = message.open(&data_key).unwrap();
        assert_eq!(
            plaintext.as_bytes(),
            vector.plaintext_frames.as_ref().unwrap().concat().as_bytes()
        );
        tally.opened += 1;
    } else {
        assert_eq!(vector.exception.as_deref(), Some("EXCEPTION: Invalid commitment"));
        assert!(!keys.commit_key.matches(message.commit_key()));
        assert_eq!(message.open(&data_key).err(), Some(OpenError::DoesNotOpen));
        tally.invalid_commitment += 1;
    }
}

fn array(base64: &str) -> [u8; 32] {
    Base64::decode_vec(base64).unwrap().try_into().unwrap()
}
