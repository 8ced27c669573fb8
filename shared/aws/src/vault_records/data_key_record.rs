//! The record of a data key. Nothing in it is secret: the data key is wrapped with the customer's key.

use latchkey_core::values::Invalid;
use latchkey_core::vault::{DataKeyId, IssuedDataKey};
use sealed_item::EncryptedDataKey;
use serde::{Deserialize, Serialize};

use super::errors::Record;
use super::fields::{Binary, RecordVersion, RecordedAt};

#[derive(Serialize, Deserialize)]
pub(super) struct DataKeyRecord {
    record_version: RecordVersion,
    data_key_id: String,
    key_provider_id: String,
    key_provider_info: Binary,
    ciphertext: Binary,
    created_at: RecordedAt,
}

impl Record for DataKeyRecord {
    const KIND: &'static str = "data key";
}

impl From<&IssuedDataKey> for DataKeyRecord {
    fn from(issued: &IssuedDataKey) -> Self {
        let encrypted = &issued.encrypted_data_key;
        Self {
            record_version: RecordVersion,
            data_key_id: issued.data_key_id.as_str().to_owned(),
            key_provider_id: encrypted.key_provider_id().to_owned(),
            key_provider_info: Binary(encrypted.key_provider_info().to_vec()),
            ciphertext: Binary(encrypted.ciphertext().to_vec()),
            created_at: RecordedAt(issued.created_at),
        }
    }
}

impl DataKeyRecord {
    pub(super) fn issued_data_key(self) -> Result<IssuedDataKey, Invalid> {
        Ok(IssuedDataKey {
            data_key_id: DataKeyId::parse(&self.data_key_id)?,
            encrypted_data_key: EncryptedDataKey::new(
                &self.key_provider_id,
                self.key_provider_info.0,
                self.ciphertext.0,
            )
            .map_err(|_| Invalid::expected("an encrypted data key"))?,
            created_at: self.created_at.0,
        })
    }
}
