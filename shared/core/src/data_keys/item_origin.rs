//! Where a sealed item comes from.

use sealed_item::EncryptionContext;
use sealed_item::item::ITEM_FORMAT_VERSION;

use crate::error::{Cause, Error};
use crate::values::{VaultId, WorkspaceId};
use crate::vault::DataKeyId;

/// The origin that every sealed item states in its encryption context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemOrigin {
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// The vault it was sealed in.
    pub vault_id: VaultId,
    /// The data key it was sealed under.
    pub data_key_id: DataKeyId,
}

impl ItemOrigin {
    const WORKSPACE_ID: &str = "latchkey:workspace-id";
    const VAULT_ID: &str = "latchkey:vault-id";
    const DATA_KEY_ID: &str = "latchkey:data-key-id";
    const FORMAT_VERSION: &str = "latchkey:format-version";

    /// The encryption context of every item under this data key.
    ///
    /// # Errors
    /// [`Error::Internal`], but never in practice: the four pairs are short.
    pub fn encryption_context(&self) -> Result<EncryptionContext, Error> {
        EncryptionContext::new([
            (Self::WORKSPACE_ID, self.workspace_id.as_str()),
            (Self::VAULT_ID, self.vault_id.as_str()),
            (Self::DATA_KEY_ID, self.data_key_id.as_str()),
            (Self::FORMAT_VERSION, ITEM_FORMAT_VERSION),
        ])
        .map_err(|_| Error::Internal(Cause::FormatExceeded))
    }

    /// Reads the origin back. `None` unless the context is exactly what [`Self::encryption_context`] makes.
    pub fn from_encryption_context(context: &EncryptionContext) -> Option<Self> {
        let origin = Self {
            workspace_id: WorkspaceId::parse(context.get(Self::WORKSPACE_ID)?).ok()?,
            vault_id: VaultId::parse(context.get(Self::VAULT_ID)?).ok()?,
            data_key_id: DataKeyId::parse(context.get(Self::DATA_KEY_ID)?).ok()?,
        };
        (origin.encryption_context().ok()? == *context).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::DataKeyPeriod;

    #[test]
    fn only_our_own_context_names_an_origin() {
        let origin = ItemOrigin {
            workspace_id: WorkspaceId::parse("ws-1").expect("valid"),
            vault_id: VaultId::generate(),
            data_key_id: DataKeyId::first_of("2026-11-23T10:00:00Z".parse().expect("valid"), DataKeyPeriod::DAY),
        };
        let context = origin.encryption_context().expect("fits");
        assert_eq!(ItemOrigin::from_encryption_context(&context), Some(origin));
        let more = context.iter().chain([("extra", "pair")]).collect::<Vec<_>>();
        assert_eq!(
            ItemOrigin::from_encryption_context(&EncryptionContext::new(more).expect("fits")),
            None
        );
        let fewer = context.iter().skip(1).collect::<Vec<_>>();
        assert_eq!(
            ItemOrigin::from_encryption_context(&EncryptionContext::new(fewer).expect("fits")),
            None
        );
    }
}
