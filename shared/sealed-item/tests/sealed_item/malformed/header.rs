//! What can be wrong with a header.

use sealed_item::ParseError::{
    AlgorithmSuite, ContentType, EncryptedDataKeyCount, EncryptionContextDuplicateKey, EncryptionContextLength,
    EncryptionContextOrder, EncryptionContextPairCount, EncryptionContextUtf8, FrameLength, FrameSequence, KeyProvider,
    KeyProviderIdUtf8, KeyProviderInfoUtf8, MessageVersion, TrailingBytes, Truncated,
};
use sealed_item::{Message, OpenError};

use super::Refusal::{Open, Parse, ParseItem};
use super::{Parts, check, refusal};
use crate::fixtures::data_key;

#[test]
fn version_suite_and_message_id() {
    check! {
        "version 0" => Parse(MessageVersion), |parts| parts.version = 0;
        "version 1" => Parse(MessageVersion), |parts| parts.version = 1;
        "version 3" => Parse(MessageVersion), |parts| parts.version = 3;
        "version 0x82" => Parse(MessageVersion), |parts| parts.version = 0x82;
        "suite of zero" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0;
        "AES-128 without a KDF" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x0014;
        "AES-256 without a KDF" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x0078;
        "AES-256, no commitment" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x0178;
        "signed, no commitment" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x0378;
        "signed, commitment" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x0578;
        "suite id, bytes swapped" => Parse(AlgorithmSuite), |parts| parts.algorithm_suite = 0x7804;
        "message id, nonce half" => Open, |parts| parts.message_id[0] ^= 1;
        "message id, binding half" => Open, |parts| parts.message_id[31] ^= 1;
        "message id of zeros" => Open, |parts| parts.message_id = [0; 32];
    }
}

#[test]
fn encryption_context() {
    check! {
        "no pairs, yet a count" => Parse(EncryptionContextPairCount), |parts| parts.context(&[]);
        "count of zero before pairs" => Parse(EncryptionContextPairCount), |parts| parts.encryption_context[1] = 0;
        "count too low" => Parse(EncryptionContextLength), |parts| parts.encryption_context[1] = 1;
        "count too high" => Parse(EncryptionContextLength), |parts| parts.encryption_context[1] = 3;
        "count of 65,535" => Parse(EncryptionContextLength), |parts| parts.encryption_context[..2].fill(0xff);
        "a key longer than the rest" => Parse(EncryptionContextLength), |parts| parts.encryption_context[2] = 0x7f;
        "half a count" => Parse(EncryptionContextLength), |parts| parts.encryption_context = vec![0];
        "a byte after the last pair" => Parse(EncryptionContextLength), |parts| parts.encryption_context.push(0);
        "a last value that is cut" => Parse(EncryptionContextLength), |parts| parts.encryption_context.truncate(20);
        "length too long for the message" => Parse(Truncated), |parts| parts.encryption_context_length = Some(0xffff);
        "length of zero before pairs" =>
            Parse(EncryptedDataKeyCount), |parts| parts.encryption_context_length = Some(0);
        "length too short by one" =>
            Parse(EncryptionContextLength), |parts| parts.encryption_context_length = Some(parts.stated_length() - 1);
        "unsorted" => Parse(EncryptionContextOrder), |parts| parts.context(&[(b"b", b"1"), (b"a", b"2")]);
        "sorted by length before bytes" =>
            Parse(EncryptionContextOrder), |parts| parts.context(&[(b"b", b"1"), (b"aa", b"2")]);
        "sorted by UTF-16" =>
            Parse(EncryptionContextOrder), |parts| parts.context(&[(b"\xf0\x90\x80\x80", b""), (b"\xef\xbf\xbd", b"")]);
        "a key twice" => Parse(EncryptionContextDuplicateKey), |parts| parts.context(&[(b"a", b"1"), (b"a", b"2")]);
        "a pair twice" => Parse(EncryptionContextDuplicateKey), |parts| parts.context(&[(b"a", b"1"), (b"a", b"1")]);
        "key not UTF-8" => Parse(EncryptionContextUtf8), |parts| parts.context(&[(b"\xff", b"")]);
        "value not UTF-8" => Parse(EncryptionContextUtf8), |parts| parts.context(&[(b"a", b"\xc0\x80")]);
        "value a surrogate" => Parse(EncryptionContextUtf8), |parts| parts.context(&[(b"a", b"\xed\xa0\x80")]);
        "another value" => Open, |parts| parts.context(&[(b"latchkey:vault-id", b"vlt_2")]);
        "a reserved key" => Open, |parts| parts.context(&[(b"aws-crypto-public-key", b"x")]);
        "empty" => Open, |parts| parts.encryption_context.clear();
    }
}

#[test]
fn encrypted_data_keys() {
    check! {
        "count of 0" => Parse(EncryptedDataKeyCount), |parts| parts.encrypted_data_key_count = 0;
        "count of 0 and none there" => Parse(EncryptedDataKeyCount), |parts| {
            parts.encrypted_data_key_count = 0;
            parts.encrypted_data_keys.clear();
        };
        "count of 2" => Parse(EncryptedDataKeyCount), |parts| parts.encrypted_data_key_count = 2;
        "count of 2 and both there" => Parse(EncryptedDataKeyCount), |parts| {
            parts.encrypted_data_key_count = 2;
            parts.encrypted_data_keys = parts.encrypted_data_keys.repeat(2);
        };
        "count of 256" => Parse(EncryptedDataKeyCount), |parts| parts.encrypted_data_key_count = 256;
        "count of 65,535" => Parse(EncryptedDataKeyCount), |parts| parts.encrypted_data_key_count = 65_535;
        "two there, count of 1" =>
            Parse(ContentType), |parts| parts.encrypted_data_keys = parts.encrypted_data_keys.repeat(2);
        "provider id longer than the message" => Parse(Truncated), |parts| parts.encrypted_data_keys[0] = 0xff;
        "provider info longer than the message" => Parse(Truncated), |parts| parts.encrypted_data_keys[2 + 11] = 0xff;
        "ciphertext longer than the message" => Parse(Truncated), |parts| {
            let at = parts.encrypted_data_keys.len() - 256 - 2;
            parts.encrypted_data_keys[at] = 0xff;
        };
        "provider id not UTF-8" => Parse(KeyProviderIdUtf8), |parts| parts.encrypted_data_key([b"\xff", b"arn", b"1"]);
        "another keyring" => ParseItem(KeyProvider), |parts| parts.encrypted_data_key([b"aws-kms", b"arn", b"1"]);
        "provider id in upper case" =>
            ParseItem(KeyProvider), |parts| parts.encrypted_data_key([b"AWS-KMS-RSA", b"arn", b"1"]);
        "no provider id" => ParseItem(KeyProvider), |parts| parts.encrypted_data_key([b"", b"arn", b"1"]);
        "ARN not UTF-8" =>
            ParseItem(KeyProviderInfoUtf8), |parts| parts.encrypted_data_key([b"aws-kms-rsa", b"\xff", b"1"]);
        "another ARN" => Open, |parts| parts.encrypted_data_key([b"aws-kms-rsa", b"arn", &[0xed; 256]]);
        "ciphertext altered" => Open, |parts| *parts.encrypted_data_keys.last_mut().unwrap() ^= 1;
    }
}

#[test]
fn content_type_frame_length_commitment_and_tag() {
    check! {
        "content type 0" => Parse(ContentType), |parts| parts.content_type = 0;
        "content type 3" => Parse(ContentType), |parts| parts.content_type = 3;
        "content type 3 without a frame length" => Parse(ContentType), |parts| {
            parts.content_type = 3;
            parts.frame_length = 0;
        };
        "single block with a frame length" => Parse(FrameLength), |parts| parts.content_type = 1;
        "framed, frame length of 0" => Parse(FrameLength), |parts| parts.frame_length = 0;
        "frame length of 2^31" => Parse(FrameLength), |parts| parts.frame_length = 1 << 31;
        "frame length of 2^32-1" => Parse(FrameLength), |parts| parts.frame_length = u32::MAX;
        "frame length of 2^31-1" => Parse(Truncated), |parts| parts.frame_length = (1 << 31) - 1;
        "frame length too long by one" => Parse(FrameSequence), |parts| parts.frame_length += 1;
        "frame length too short by one" => Parse(FrameSequence), |parts| parts.frame_length -= 1;
        "commit key altered" => Open, |parts| parts.commit_key[0] ^= 1;
        "commit key altered at its end" => Open, |parts| parts.commit_key[31] ^= 0x80;
        "commit key of zeros" => Open, |parts| parts.commit_key = [0; 32];
        "header tag altered" => Open, |parts| parts.header_tag[15] ^= 1;
        "header tag of zeros" => Open, |parts| parts.header_tag = [0; 16];
        "single block" => ParseItem(ContentType), |parts| parts.single_block(8);
        "single block, length too long by one" => Parse(Truncated), |parts| parts.single_block(9);
        "single block, length of 2^64-1" => Parse(Truncated), |parts| parts.single_block(u64::MAX);
        "single block, length too short by one" => Parse(TrailingBytes), |parts| parts.single_block(7);
    }
}

#[test]
fn a_forged_single_block_does_not_open_as_a_message() {
    let mut parts = Parts::sealed();
    parts.single_block(8);
    let bytes = parts.assemble();
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(
        (
            message.frame_length(),
            message.frame_count(),
            message.plaintext_length()
        ),
        (None, 1, 8)
    );
    assert_eq!(message.open(&data_key()).err(), Some(OpenError::DoesNotOpen));
}
