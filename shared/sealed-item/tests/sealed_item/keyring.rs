//! Wraps and unwraps data keys, with RSA keys made here in place of KMS.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{digest, rand};
use sealed_item::kms_rsa_keyring::{PAYLOAD_LENGTH, unwrap_payload};
use sealed_item::{
    EncryptedDataKey, EncryptionContext, ItemSealingParameters, SealedItem, UnwrapError, WrapError, WrappingPublicKey,
    WrappingPublicKeyError, seal_item,
};
use zeroize::Zeroizing;

use crate::fixtures::{KEY_ARN, data_key, encryption_context, identity};

/// A key pair as KMS would keep it.
fn kms_key(size: KeySize) -> (OaepPrivateDecryptingKey, Vec<u8>) {
    let private_key = PrivateDecryptingKey::generate(size).unwrap();
    let der: PublicKeyX509Der<'_> = private_key.public_key().as_der().unwrap();
    let der = der.as_ref().to_vec();
    (OaepPrivateDecryptingKey::new(private_key).unwrap(), der)
}

/// What `kms:Decrypt` does.
fn decrypt(private_key: &OaepPrivateDecryptingKey, ciphertext: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plaintext = vec![0; private_key.min_output_size()];
    let length = private_key
        .decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut plaintext, None)
        .unwrap()
        .len();
    plaintext.truncate(length);
    Zeroizing::new(plaintext)
}

#[test]
fn a_wrapped_data_key_opens_what_the_data_key_sealed() {
    for (size, bits) in [
        (KeySize::Rsa2048, 2048),
        (KeySize::Rsa3072, 3072),
        (KeySize::Rsa4096, 4096),
    ] {
        let (private_key, der) = kms_key(size);
        let public_key = WrappingPublicKey::from_der(&der).unwrap();
        assert_eq!(public_key.modulus_bits(), bits);
        assert!(format!("{public_key:?}").contains(&format!("modulus_bits: {bits}")));
        assert_eq!(public_key.sha256(), digest::digest(&digest::SHA256, &der).as_ref());

        let ciphertext = public_key.wrap(&encryption_context(), &data_key()).unwrap();
        assert_eq!(ciphertext.len(), bits / 8);
        let parameters = ItemSealingParameters {
            data_key: &data_key(),
            encrypted_data_key: &EncryptedDataKey::kms_rsa(KEY_ARN, ciphertext).unwrap(),
            encryption_context: &encryption_context(),
        };
        let sealed = seal_item(&parameters, &identity("item-1"), b"plaintext").unwrap();

        let item = SealedItem::parse(&sealed).unwrap();
        let payload = decrypt(&private_key, item.encrypted_data_key().ciphertext());
        let unwrapped = unwrap_payload(item.encryption_context(), payload).unwrap();
        assert_eq!(
            item.open(&identity("item-1"), &unwrapped).unwrap().as_bytes(),
            b"plaintext"
        );
    }
}

#[test]
fn the_payload_is_the_digest_of_the_context_then_the_data_key() {
    let (private_key, der) = kms_key(KeySize::Rsa2048);
    let public_key = WrappingPublicKey::from_der(&der).unwrap();
    for context in [encryption_context(), EncryptionContext::default()] {
        let payload = decrypt(&private_key, &public_key.wrap(&context, &data_key()).unwrap());
        assert_eq!(payload.len(), PAYLOAD_LENGTH);
        assert_eq!(
            &payload[..48],
            digest::digest(&digest::SHA384, &context.serialize()).as_ref()
        );
        assert_eq!(payload[48..], [0x42; 32]);
    }
}

#[test]
fn a_data_key_of_another_context_is_refused() {
    let (private_key, der) = kms_key(KeySize::Rsa2048);
    let wrapped = WrappingPublicKey::from_der(&der)
        .unwrap()
        .wrap(&encryption_context(), &data_key())
        .unwrap();
    for other in [
        EncryptionContext::default(),
        EncryptionContext::new([("latchkey:vault-id", "vlt_1")]).unwrap(),
        EncryptionContext::new([("latchkey:vault-id", "vlt_2"), ("latchkey:workspace-id", "wsp_1")]).unwrap(),
    ] {
        let refused = unwrap_payload(&other, decrypt(&private_key, &wrapped));
        assert_eq!(refused.err(), Some(UnwrapError::EncryptionContext));
    }
}

#[test]
fn a_payload_of_another_length_is_refused() {
    let digest = digest::digest(&digest::SHA384, &encryption_context().serialize());
    for length in [0, 31, 33] {
        let payload = Zeroizing::new([digest.as_ref(), &vec![0x42; length]].concat());
        assert_eq!(
            unwrap_payload(&encryption_context(), payload).err(),
            Some(UnwrapError::Length),
            "{length}"
        );
    }
    assert_eq!(
        unwrap_payload(&encryption_context(), Zeroizing::new(vec![])).err(),
        Some(UnwrapError::Length)
    );
}

#[test]
fn a_challenge_comes_back() {
    let (private_key, der) = kms_key(KeySize::Rsa2048);
    let public_key = WrappingPublicKey::from_der(&der).unwrap();
    for length in [0, 32, 190] {
        let challenge = vec![0xc4; length];
        let encrypted = public_key.encrypt_oaep_sha256(&challenge).unwrap();
        assert_eq!(*decrypt(&private_key, &encrypted), challenge);
    }
    assert_eq!(public_key.encrypt_oaep_sha256(&[0; 191]), Err(WrapError::TooLong));
}

#[test]
fn only_the_der_of_an_rsa_key_is_taken() {
    let (_, der) = kms_key(KeySize::Rsa2048);
    let ec_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let ec_der: PublicKeyX509Der<'_> = ec_key.public_key().as_der().unwrap();
    // The same key, with the length of the outer sequence in three bytes. That is BER, not DER.
    let ber = [&[0x30, 0x83, 0x00], &der[2..]].concat();
    let cases = [
        ("nothing", vec![]),
        ("truncated", der[..der.len() - 1].to_vec()),
        ("trailing byte", [der.as_slice(), &[0]].concat()),
        ("elliptic curve", ec_der.as_ref().to_vec()),
        ("no DER", ber),
        ("PEM", b"-----BEGIN PUBLIC KEY-----".to_vec()),
        ("1024 bits", rsa_public_key_der(128)),
    ];
    for (name, bytes) in cases {
        assert_eq!(
            WrappingPublicKey::from_der(&bytes).err(),
            Some(WrappingPublicKeyError::Malformed),
            "{name}"
        );
    }
}

#[test]
fn only_the_modulus_lengths_of_kms_are_taken() {
    for (bytes, expected) in [
        (256, None),
        (384, None),
        (512, None),
        (257, Some(WrappingPublicKeyError::ModulusLength)),
        (320, Some(WrappingPublicKeyError::ModulusLength)),
        (1024, Some(WrappingPublicKeyError::ModulusLength)),
    ] {
        assert_eq!(
            WrappingPublicKey::from_der(&rsa_public_key_der(bytes)).err(),
            expected,
            "{bytes} bytes"
        );
    }
}

/// A `SubjectPublicKeyInfo` with a random odd modulus of this many bytes. Nobody knows its factors.
fn rsa_public_key_der(modulus_bytes: usize) -> Vec<u8> {
    let mut modulus = vec![0; modulus_bytes];
    rand::fill(&mut modulus).unwrap();
    modulus[0] |= 0x80;
    modulus[modulus_bytes - 1] |= 1;
    let modulus = tlv(0x02, &[&[0], modulus.as_slice()].concat());
    let rsa_key = tlv(0x30, &[modulus, tlv(0x02, &[1, 0, 1])].concat());
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00".to_vec();
    tlv(
        0x30,
        &[algorithm, tlv(0x03, &[&[0], rsa_key.as_slice()].concat())].concat(),
    )
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    let header = match length {
        [0, short @ 0..=0x7f] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, value.to_vec()].concat()
}
