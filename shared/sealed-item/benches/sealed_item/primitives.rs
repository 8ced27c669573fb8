//! The computations that the format requires for one item, and no more: the floor.

use std::hint::black_box;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac, rand};

const FRAME_LENGTH: usize = 65_536;
/// As long as the header of the item that is sealed beside it: context, ARN and 512 bytes of RSA.
const HEADER_LENGTH: usize = 860;
/// Message id, kind, sequence number, length.
const AAD_LENGTH: usize = 32 + 28 + 4 + 8;

/// HKDF-SHA512: one extraction, two expansions; and AES's key schedule.
pub(crate) fn hkdf() -> LessSafeKey {
    let salt = hmac::Key::new(hmac::HMAC_SHA512, black_box(&[7; 32]));
    let prk = hmac::sign(&salt, black_box(&[0x42; 32]));
    let prk = hmac::Key::new(hmac::HMAC_SHA512, prk.as_ref());
    let content_key = hmac::sign(&prk, b"\x04\x78DERIVEKEY\x01");
    let _ = black_box(hmac::sign(&prk, b"COMMITKEY\x01"));
    let (content_key, _) = content_key.as_ref().split_at(32);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).unwrap())
}

fn nonce(index: usize) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// The identity's digest, the keys, the header's tag.
fn before_the_body() -> LessSafeKey {
    let _ = black_box(digest::digest(&digest::SHA256, black_box(&[0; 26 + 16 + 58])));
    let key = hkdf();
    let header = black_box([0; HEADER_LENGTH]);
    let _ = black_box(
        key.seal_in_place_separate_tag(nonce(0), Aad::from(header), &mut [])
            .unwrap(),
    );
    key
}

/// Encrypts in place, frame by frame.
pub(crate) fn seal(buffer: &mut [u8]) {
    let mut random = [0; 16];
    rand::fill(&mut random).unwrap();
    let _ = black_box(random);
    let key = before_the_body();
    for (index, frame) in buffer.chunks_mut(FRAME_LENGTH).enumerate() {
        let aad = Aad::from(black_box([0; AAD_LENGTH]));
        let _ = black_box(key.seal_in_place_separate_tag(nonce(index + 1), aad, frame).unwrap());
    }
}

/// Frames of ciphertext and tag, as [`open`] takes them.
pub(crate) fn sealed(plaintext: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let key = before_the_body();
    let frames = plaintext.chunks(FRAME_LENGTH).enumerate();
    let seal = |(index, frame): (usize, &[u8])| {
        let mut frame = frame.to_vec();
        let aad = Aad::from([0; AAD_LENGTH]);
        let tag = key
            .seal_in_place_separate_tag(nonce(index + 1), aad, &mut frame)
            .unwrap();
        (frame, tag.as_ref().to_vec())
    };
    frames.map(seal).collect()
}

/// Decrypts frame by frame into an existing buffer.
pub(crate) fn open(sealed: &[(Vec<u8>, Vec<u8>)], plaintext: &mut [u8]) {
    let key = before_the_body();
    for (index, ((ciphertext, tag), out)) in sealed.iter().zip(plaintext.chunks_mut(FRAME_LENGTH)).enumerate() {
        let aad = Aad::from(black_box([0; AAD_LENGTH]));
        key.open_separate_gather(nonce(index + 1), aad, ciphertext, tag, out)
            .unwrap();
    }
    let _ = black_box(plaintext);
}
