//! Messages that open, and that come out byte for byte the same when their values are sealed again.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use sealed_item::kms_rsa_keyring::unwrap_payload;
use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, ItemIdentity, Message, MessageId, MessageParameters, OpenError,
    ParseError, PlaintextDataKey, SealedItem, message,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{decode, hex, read};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key_arn: String,
    encryption_context: BTreeMap<String, String>,
    /// 0 for a single block.
    frame_length: u32,
    /// The plaintext is the bytes 0 to 250, repeated up to this length.
    plaintext_size: usize,
    kms_plaintext: String,
    item: Option<Item>,
    #[serde(flatten)]
    message: Sealed,
}

#[derive(Deserialize)]
struct Item {
    item_id: String,
    context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Sealed {
    Full {
        message: String,
    },
    /// For long messages: the values they are made from, and their digest.
    Digest {
        message_id: String,
        encrypted_data_key: String,
        message_sha256: String,
    },
}

impl Vector {
    fn context(&self) -> EncryptionContext {
        EncryptionContext::new(self.encryption_context.clone()).unwrap()
    }

    fn data_key(&self) -> PlaintextDataKey {
        unwrap_payload(&self.context(), Zeroizing::new(decode(&self.kms_plaintext))).unwrap()
    }

    fn plaintext(&self) -> Vec<u8> {
        (0..=250).cycle().take(self.plaintext_size).collect()
    }

    fn seal(&self, message_id: &MessageId, encrypted_data_key: &EncryptedDataKey) -> Vec<u8> {
        let parameters = MessageParameters {
            data_key: &self.data_key(),
            encrypted_data_key,
            encryption_context: &self.context(),
            message_id,
            frame_length: FrameLength::new(self.frame_length).unwrap(),
        };
        message::seal(&parameters, &self.plaintext()).unwrap()
    }

    /// The message: read from the file, or made again and checked against the digest in the file.
    fn message(&self) -> Vec<u8> {
        match &self.message {
            Sealed::Full { message } => decode(message),
            Sealed::Digest {
                message_id,
                encrypted_data_key,
                message_sha256,
            } => {
                let message_id = MessageId::from_bytes(decode(message_id).try_into().unwrap());
                let encrypted_data_key = EncryptedDataKey::kms_rsa(&self.key_arn, decode(encrypted_data_key)).unwrap();
                let message = self.seal(&message_id, &encrypted_data_key);
                assert_eq!(
                    &hex(digest(&SHA256, &message).as_ref()),
                    message_sha256,
                    "{}",
                    self.name
                );
                message
            }
        }
    }

    /// Checks that the message opens and has the vector's values. Returns whether sealing them again gives the same
    /// bytes.
    fn check(&self) -> bool {
        let bytes = self.message();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.encrypted_data_key().key_arn(), Some(self.key_arn.as_str()));
        assert_eq!(message.encryption_context(), &self.context());
        assert_eq!(message.frame_length().map_or(0, FrameLength::as_u32), self.frame_length);
        let opened = message.open(&self.data_key()).unwrap();
        assert!(opened.as_bytes() == self.plaintext(), "{}", self.name);
        if message.frame_length().is_none() {
            assert_eq!(SealedItem::parse(&bytes).unwrap_err(), ParseError::ContentType);
            return false;
        }
        assert_eq!(SealedItem::parse(&bytes).unwrap().key_arn(), self.key_arn);
        self.seal(message.message_id(), message.encrypted_data_key()) == bytes
    }
}

fn sealed_otherwise(vectors: &[Vector]) -> Vec<&str> {
    let differing = vectors.iter().filter(|vector| !vector.check());
    differing.map(|vector| vector.name.as_str()).collect()
}

#[test]
fn official_messages_open_and_are_sealed_again_byte_for_byte() {
    let file: File = read("official.json");
    assert_eq!(file.vectors.len(), 17);
    // We do not seal single blocks. The specification recommends a full final frame, but allows a full regular frame
    // and an empty final one, as that SDK writes it.
    assert_eq!(
        sealed_otherwise(&file.vectors),
        ["frame of 128", "empty single block", "single block", "frame of 4096"]
    );
}

#[test]
fn our_messages_open_and_are_sealed_again_byte_for_byte() {
    let file: File = read("messages.json");
    assert_eq!(file.vectors.len(), 6);
    assert!(sealed_otherwise(&file.vectors).is_empty());
}

#[test]
fn our_items_open_for_their_own_identity_alone_and_are_sealed_again_byte_for_byte() {
    let file: File = read("items.json");
    assert_eq!(file.vectors.len(), 17);
    assert!(sealed_otherwise(&file.vectors).is_empty());

    let identities: Vec<_> = file
        .vectors
        .iter()
        .map(|vector| vector.item.as_ref().unwrap())
        .collect();
    for vector in &file.vectors {
        let own = vector.item.as_ref().unwrap();
        let bytes = vector.message();
        let sealed = SealedItem::parse(&bytes).unwrap();
        for other in &identities {
            let same = (&own.item_id, &own.context) == (&other.item_id, &other.context);
            let identity = ItemIdentity::new(&other.item_id, &other.context);
            assert_eq!(
                sealed.matches(&identity),
                same,
                "{} as {:?}",
                vector.name,
                other.item_id
            );
            let opened = sealed.open(&identity, &vector.data_key());
            assert_eq!(opened.err(), (!same).then_some(OpenError::WrongItem));
        }
    }
}

#[test]
fn many_items_share_one_data_key_and_no_message_id() {
    let file: File = read("items.json");
    let data_keys = file.vectors.iter().map(|vector| vector.kms_plaintext.as_str());
    assert_eq!(distinct(data_keys), 1);
    let message_ids = file.vectors.iter().map(|vector| hex(&vector.message()[3..35]));
    assert_eq!(distinct(message_ids), file.vectors.len());
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> usize {
    values.collect::<std::collections::BTreeSet<_>>().len()
}
