//! The vault records.

use jiff::Timestamp;

use super::records::{InMemoryRecords, Tables};
use latchkey_core::health::Health;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::ports::{DueVault, DueVaults, NameClaim, StoreError, VaultPage, VaultStore};
use latchkey_core::values::{DataKeyCacheBound, VaultId, VaultName, WorkspaceId};
use latchkey_core::vault::{Vault, VaultStatus};

impl VaultStore for InMemoryRecords {
    async fn vault(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<Option<Vault>, StoreError> {
        let key = (workspace_id.clone(), vault_id.clone());
        let vault = self.read("vault", |tables| tables.vaults.get(&key).cloned()).await?;
        Ok(vault.filter(|_| !self.hides_vaults()))
    }

    async fn list_vaults(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<&VaultId>,
        limit: usize,
    ) -> Result<VaultPage, StoreError> {
        self.read("list_vaults", |tables| {
            let listed = |vault: &&Vault| {
                vault.workspace_id == *workspace_id && after.is_none_or(|after| vault.vault_id > *after)
            };
            let vaults: Vec<_> = tables.vaults.values().filter(listed).take(limit).cloned().collect();
            let full = vaults.len() == limit;
            let more_after = vaults.last().filter(|_| full).map(|last| last.vault_id.clone());
            VaultPage { vaults, more_after }
        })
        .await
    }

    async fn name_claim(&self, workspace_id: &WorkspaceId, name: &VaultName) -> Result<Option<NameClaim>, StoreError> {
        let key = (workspace_id.clone(), name.normalized());
        self.read("name_claim", |tables| tables.names.get(&key).cloned()).await
    }

    async fn claim_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        seen: Option<&NameClaim>,
        claim: &NameClaim,
    ) -> Result<bool, StoreError> {
        let key = (workspace_id.clone(), name.normalized());
        self.write("claim_name", |tables| {
            let is_as_seen = tables.names.get(&key) == seen;
            if is_as_seen {
                tables.names.insert(key, claim.clone());
            }
            is_as_seen
        })
        .await
    }

    async fn release_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        vault_id: &VaultId,
        version: u64,
    ) -> Result<(), StoreError> {
        let key = (workspace_id.clone(), name.normalized());
        self.write("release_name", |tables| {
            let claim = tables.names.get(&key);
            if claim.is_some_and(|claim| claim.vault_id == *vault_id && claim.version <= version) {
                tables.names.remove(&key);
            }
        })
        .await
    }

    async fn insert_vault(&self, vault: &Vault) -> Result<bool, StoreError> {
        let key = (vault.workspace_id.clone(), vault.vault_id.clone());
        self.write("insert_vault", |tables| {
            let is_new = !tables.vaults.contains_key(&key);
            tables.vaults.entry(key).or_insert_with(|| vault.clone());
            is_new
        })
        .await
    }

    async fn default_vault_id(&self, workspace_id: &WorkspaceId) -> Result<Option<VaultId>, StoreError> {
        self.read("default_vault_id", |tables| tables.defaults.get(workspace_id).cloned())
            .await
    }

    async fn set_default(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<(), StoreError> {
        self.write("set_default", |tables| {
            tables.defaults.insert(workspace_id.clone(), vault_id.clone());
        })
        .await
    }

    async fn clear_default(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<(), StoreError> {
        self.write("clear_default", |tables| {
            if tables.defaults.get(workspace_id) == Some(vault_id) {
                tables.defaults.remove(workspace_id);
            }
        })
        .await
    }

    async fn change_settings(
        &self,
        vault: &Vault,
        name: &VaultName,
        data_key_cache: DataKeyCacheBound,
        at: Timestamp,
    ) -> Result<Option<Vault>, StoreError> {
        self.write("change_settings", |tables| {
            let on_record = vault_mut(tables, &vault.workspace_id, &vault.vault_id);
            let on_record = on_record.filter(|on_record| on_record.version == vault.version)?;
            on_record.name = name.clone();
            on_record.data_key_cache = data_key_cache;
            on_record.version = on_record.version.saturating_add(1);
            on_record.updated_at = at;
            Some(on_record.clone())
        })
        .await
    }

    async fn change_status(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        from: &[VaultStatus],
        to: VaultStatus,
        version: Option<u64>,
        at: Timestamp,
    ) -> Result<Option<Vault>, StoreError> {
        self.write("change_status", |tables| {
            let vault = vault_mut(tables, workspace_id, vault_id)
                .filter(|vault| from.contains(&vault.status))
                .filter(|vault| version.is_none_or(|version| vault.version == version))?;
            vault.status = to;
            vault.version = vault.version.saturating_add(1);
            vault.updated_at = at;
            Some(vault.clone())
        })
        .await
    }

    async fn record_health(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        health: &Health,
        due: &Due,
    ) -> Result<bool, StoreError> {
        self.write("record_health", |tables| {
            let vault = vault_mut(tables, workspace_id, vault_id);
            let replaced = vault.filter(|vault| vault.health.revision.checked_add(1) == Some(health.revision));
            let is_replaced = replaced.is_some();
            if let Some(vault) = replaced {
                vault.health = health.clone();
                vault.due = *due;
            }
            is_replaced
        })
        .await
    }

    async fn mark_due(&self, workspace_id: &WorkspaceId, vault_id: &VaultId, at: Timestamp) -> Result<(), StoreError> {
        self.write("mark_due", |tables| {
            let vault = vault_mut(tables, workspace_id, vault_id);
            if let Some(vault) = vault.filter(|vault| vault.due.at > at) {
                vault.due = Due::at_once(at);
            }
        })
        .await
    }
}

impl DueVaults for InMemoryRecords {
    async fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueVault>, StoreError> {
        self.read("due_vaults", |tables| {
            let due = |vault: &&Vault| DuePartition::of(&vault.vault_id) == partition && vault.due.at <= now;
            let mut due: Vec<_> = tables
                .vaults
                .values()
                .filter(due)
                .map(|vault| DueVault {
                    workspace_id: vault.workspace_id.clone(),
                    vault_id: vault.vault_id.clone(),
                    due_at: vault.due.at,
                })
                .collect();
            due.sort_by_key(|due| due.due_at);
            due.truncate(limit);
            due
        })
        .await
    }

    async fn claim(&self, due: &DueVault, until: Timestamp) -> Result<Option<Vault>, StoreError> {
        self.write("claim", |tables| {
            let vault = vault_mut(tables, &due.workspace_id, &due.vault_id);
            let vault = vault.filter(|vault| vault.due.at == due.due_at)?;
            vault.due.at = until;
            Some(vault.clone())
        })
        .await
    }
}

fn vault_mut<'a>(tables: &'a mut Tables, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Option<&'a mut Vault> {
    tables.vaults.get_mut(&(workspace_id.clone(), vault_id.clone()))
}
