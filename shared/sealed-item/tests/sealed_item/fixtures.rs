//! What the tests seal with.

use std::collections::BTreeMap;

use sealed_item::{
    EncryptedDataKey, EncryptionContext, FrameLength, ItemIdentity, ItemSealingParameters, MessageId,
    MessageParameters, PlaintextDataKey, message, seal_item,
};
use zeroize::Zeroizing;

pub(crate) const KEY_ARN: &str = "arn:aws:kms:us-east-2:222222222222:key/mrk-0123456789abcdef0123456789abcdef";

pub(crate) fn data_key() -> PlaintextDataKey {
    PlaintextDataKey::from_bytes(Zeroizing::new([0x42; 32]))
}

pub(crate) fn encrypted_data_key() -> EncryptedDataKey {
    EncryptedDataKey::kms_rsa(KEY_ARN, vec![0xed; 256]).unwrap()
}

pub(crate) fn encryption_context() -> EncryptionContext {
    EncryptionContext::new([("latchkey:vault-id", "vlt_1"), ("latchkey:workspace-id", "wsp_1")]).unwrap()
}

pub(crate) fn identity(item_id: &str) -> ItemIdentity {
    ItemIdentity::new(item_id, &BTreeMap::from([("owner".to_owned(), "ann".to_owned())]))
}

/// A message sealed with the fixtures and a random message id.
pub(crate) fn sealed_message(frame_length: u32, plaintext: &[u8]) -> Vec<u8> {
    let parameters = MessageParameters {
        data_key: &data_key(),
        encrypted_data_key: &encrypted_data_key(),
        encryption_context: &encryption_context(),
        message_id: &MessageId::generate().unwrap(),
        frame_length: FrameLength::new(frame_length).unwrap(),
    };
    message::seal(&parameters, plaintext).unwrap()
}

/// An item sealed with the fixtures and [`identity`].
pub(crate) fn sealed_item(item_id: &str, plaintext: &[u8]) -> Vec<u8> {
    let parameters = ItemSealingParameters {
        data_key: &data_key(),
        encrypted_data_key: &encrypted_data_key(),
        encryption_context: &encryption_context(),
    };
    seal_item(&parameters, &identity(item_id), plaintext).unwrap()
}
