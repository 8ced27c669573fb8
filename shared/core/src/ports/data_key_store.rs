//! The data keys on record.

use core::future::Future;

use crate::ports::StoreError;
use crate::values::VaultId;
use crate::vault::{DataKeyId, IssuedDataKey};

/// The data keys on record. They are written once and never changed.
pub trait DataKeyStore: Send + Sync {
    /// The data key, if it was issued for this vault.
    fn data_key(
        &self,
        vault_id: &VaultId,
        data_key_id: &DataKeyId,
    ) -> impl Future<Output = Result<Option<IssuedDataKey>, StoreError>> + Send;

    /// Puts a data key on record, unless there is one with the same id. Returns the one that is on record.
    fn issue(
        &self,
        vault_id: &VaultId,
        data_key: &IssuedDataKey,
    ) -> impl Future<Output = Result<IssuedDataKey, StoreError>> + Send;
}
