//! The data keys on record.

use super::records::InMemoryRecords;
use latchkey_core::ports::{DataKeyStore, StoreError};
use latchkey_core::values::VaultId;
use latchkey_core::vault::{DataKeyId, IssuedDataKey};

impl DataKeyStore for InMemoryRecords {
    async fn data_key(&self, vault_id: &VaultId, data_key_id: &DataKeyId) -> Result<Option<IssuedDataKey>, StoreError> {
        let key = (vault_id.clone(), data_key_id.clone());
        self.read("data_key", |tables| tables.data_keys.get(&key).cloned())
            .await
    }

    async fn issue(&self, vault_id: &VaultId, data_key: &IssuedDataKey) -> Result<IssuedDataKey, StoreError> {
        let key = (vault_id.clone(), data_key.data_key_id.clone());
        self.write("issue", |tables| {
            tables.data_keys.entry(key).or_insert_with(|| data_key.clone()).clone()
        })
        .await
    }
}
