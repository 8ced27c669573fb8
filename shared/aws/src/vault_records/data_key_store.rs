//! The data keys of a vault.

use latchkey_core::ports::{DataKeyStore, StoreError};
use latchkey_core::values::VaultId;
use latchkey_core::vault::{DataKeyId, IssuedDataKey};

use super::VaultRecords;
use super::data_key_record::DataKeyRecord;
use super::errors::Record as _;
use super::key::RecordKey;

impl DataKeyStore for VaultRecords {
    async fn data_key(&self, vault_id: &VaultId, data_key_id: &DataKeyId) -> Result<Option<IssuedDataKey>, StoreError> {
        let found: Option<DataKeyRecord> = self.table.read(RecordKey::data_key(vault_id, data_key_id)).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        match found.issued_data_key() {
            Ok(issued) if issued.data_key_id == *data_key_id => Ok(Some(issued)),
            _ => Err(DataKeyRecord::corrupt()),
        }
    }

    async fn issue(&self, vault_id: &VaultId, data_key: &IssuedDataKey) -> Result<IssuedDataKey, StoreError> {
        let key = RecordKey::data_key(vault_id, &data_key.data_key_id);
        if self.table.write_if_absent(key, &DataKeyRecord::from(data_key)).await? {
            return Ok(data_key.clone());
        }
        // Data keys are never removed, so the one that kept us from writing is still there.
        let first = self.data_key(vault_id, &data_key.data_key_id).await?;
        first.ok_or_else(|| {
            tracing::warn!("a data key was neither written nor found");
            StoreError::Unavailable
        })
    }
}
