//! The keys of the records. Nothing outside this directory knows them.

use latchkey_core::values::{VaultId, VaultName, WorkspaceId};
use latchkey_core::vault::DataKeyId;

/// The primary key of one record. No two records share a key: ids contain no `#`, and a name, which may, comes last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl RecordKey {
    pub(super) fn vault(workspace_id: &WorkspaceId, vault_id: &VaultId) -> Self {
        Self::in_workspace(workspace_id, format!("VAULT#{vault_id}"))
    }

    /// What the keys of all vaults of a workspace begin with.
    pub(super) fn vaults(workspace_id: &WorkspaceId) -> Self {
        Self::in_workspace(workspace_id, "VAULT#".to_owned())
    }

    pub(super) fn name(workspace_id: &WorkspaceId, name: &VaultName) -> Self {
        Self::in_workspace(workspace_id, format!("NAME#{}", name.normalized()))
    }

    pub(super) fn default(workspace_id: &WorkspaceId) -> Self {
        Self::in_workspace(workspace_id, "DEFAULT".to_owned())
    }

    pub(super) fn data_key(vault_id: &VaultId, data_key_id: &DataKeyId) -> Self {
        Self {
            pk: format!("VAULT#{vault_id}"),
            sk: format!("DATAKEY#{data_key_id}"),
        }
    }

    /// The ids in the key, if it is the key of a vault's record.
    pub(super) fn vault_ids(&self) -> Option<(WorkspaceId, VaultId)> {
        let workspace_id = self.pk.strip_prefix("WORKSPACE#")?;
        let vault_id = self.sk.strip_prefix("VAULT#")?;
        Some((WorkspaceId::parse(workspace_id).ok()?, VaultId::parse(vault_id).ok()?))
    }

    fn in_workspace(workspace_id: &WorkspaceId, sk: String) -> Self {
        Self {
            pk: format!("WORKSPACE#{workspace_id}"),
            sk,
        }
    }
}
