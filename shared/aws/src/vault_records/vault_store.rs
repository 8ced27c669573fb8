//! The vaults of a workspace.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use latchkey_core::health::Health;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::ports::{NameClaim, StoreError, VaultPage, VaultStore};
use latchkey_core::values::{DataKeyCacheBound, VaultId, VaultName, WorkspaceId};
use latchkey_core::vault::{Vault, VaultStatus};

use super::VaultRecords;
use super::errors::{Record as _, if_condition_held};
use super::fields::{first_version, time};
use super::health_update::set_health;
use super::key::RecordKey;
use super::name_claim_record::NameClaimRecord;
use super::table::record;
use super::vault_pointer_record::VaultPointerRecord;
use super::vault_record::VaultRecord;

impl VaultStore for VaultRecords {
    async fn vault(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<Option<Vault>, StoreError> {
        let found: Option<VaultRecord> = self.table.read(RecordKey::vault(workspace_id, vault_id)).await?;
        found.map(|found| parse(found, workspace_id, vault_id)).transpose()
    }

    async fn list_vaults(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<&VaultId>,
        limit: usize,
    ) -> Result<VaultPage, StoreError> {
        let after = after.map(|after| RecordKey::vault(workspace_id, after));
        let prefix = RecordKey::vaults(workspace_id);
        let (items, more) = self.table.read_page(prefix, after, limit).await?;
        let parsed = items.into_iter().map(|item| {
            let vault = record::<VaultRecord>(item)?
                .vault()
                .map_err(|_| VaultRecord::corrupt())?;
            let ours = vault.workspace_id == *workspace_id;
            ours.then_some(vault).ok_or_else(VaultRecord::corrupt)
        });
        let vaults = parsed.collect::<Result<Vec<_>, _>>()?;
        let more_after = vaults.last().filter(|_| more).map(|last| last.vault_id.clone());
        Ok(VaultPage { vaults, more_after })
    }

    async fn name_claim(&self, workspace_id: &WorkspaceId, name: &VaultName) -> Result<Option<NameClaim>, StoreError> {
        let found: Option<NameClaimRecord> = self.table.read(RecordKey::name(workspace_id, name)).await?;
        let claim = found.map(|found| found.name_claim().map_err(|_| NameClaimRecord::corrupt()));
        claim.transpose()
    }

    async fn claim_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        seen: Option<&NameClaim>,
        claim: &NameClaim,
    ) -> Result<bool, StoreError> {
        let (key, claimed) = (RecordKey::name(workspace_id, name), NameClaimRecord::from(claim));
        let written = match seen {
            None => self.table.write_if_absent(key, &claimed).await?,
            Some(seen) => {
                let replace = self
                    .table
                    .replace(
                        key,
                        &claimed,
                        &format!("#vault_id = :seen AND {}", is_version(seen.version)),
                    )?
                    .expression_attribute_names("#vault_id", "vault_id")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":seen", AttributeValue::S(seen.vault_id.as_str().to_owned()))
                    .expression_attribute_values(":version", number(seen.version));
                if_condition_held(replace.send().await)?.is_some()
            }
        };
        // The condition may have failed on our own write: the SDK sends a write again when its answer is lost.
        Ok(written || self.name_claim(workspace_id, name).await?.as_ref() == Some(claim))
    }

    async fn release_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        vault_id: &VaultId,
        version: u64,
    ) -> Result<(), StoreError> {
        let answer = self
            .table
            .delete(RecordKey::name(workspace_id, name))
            .condition_expression("#vault_id = :vault_id AND (attribute_not_exists(#version) OR #version <= :version)")
            .expression_attribute_names("#vault_id", "vault_id")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":vault_id", AttributeValue::S(vault_id.as_str().to_owned()))
            .expression_attribute_values(":version", number(version))
            .send()
            .await;
        if_condition_held(answer).map(drop)
    }

    async fn insert_vault(&self, vault: &Vault) -> Result<bool, StoreError> {
        let key = RecordKey::vault(&vault.workspace_id, &vault.vault_id);
        self.table.write_if_absent(key, &VaultRecord::from(vault)).await
    }

    async fn default_vault_id(&self, workspace_id: &WorkspaceId) -> Result<Option<VaultId>, StoreError> {
        self.pointer(RecordKey::default(workspace_id)).await
    }

    async fn set_default(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<(), StoreError> {
        let default = VaultPointerRecord::at(vault_id);
        self.table.write(RecordKey::default(workspace_id), &default).await
    }

    async fn clear_default(&self, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<(), StoreError> {
        let answer = self
            .table
            .delete(RecordKey::default(workspace_id))
            .condition_expression("#vault_id = :vault_id")
            .expression_attribute_names("#vault_id", "vault_id")
            .expression_attribute_values(":vault_id", AttributeValue::S(vault_id.as_str().to_owned()))
            .send()
            .await;
        if_condition_held(answer).map(drop)
    }

    async fn change_settings(
        &self,
        vault: &Vault,
        name: &VaultName,
        data_key_cache: DataKeyCacheBound,
        at: Timestamp,
    ) -> Result<Option<Vault>, StoreError> {
        let (workspace_id, vault_id) = (&vault.workspace_id, &vault.vault_id);
        let next = vault.version.saturating_add(1);
        let update = self
            .table
            .update(RecordKey::vault(workspace_id, vault_id), is_version(vault.version))
            .update_expression("SET #name = :name, #bound = :bound, #updated_at = :at, #version = :next")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#bound", "data_key_cache_seconds")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":name", AttributeValue::S(name.as_str().to_owned()))
            .expression_attribute_values(":bound", number(data_key_cache.seconds().into()))
            .expression_attribute_values(":at", time(at))
            .expression_attribute_values(":version", number(vault.version))
            .expression_attribute_values(":next", number(next))
            .return_values(ReturnValue::AllNew);
        if let Some(output) = if_condition_held(update.send().await)? {
            let changed = record(output.attributes.ok_or_else(VaultRecord::corrupt)?)?;
            return parse(changed, workspace_id, vault_id).map(Some);
        }
        // The condition may have failed on our own write: the SDK sends a write again when its answer is lost.
        let found = self.vault(workspace_id, vault_id).await?;
        Ok(found.filter(|found| {
            (found.version, found.updated_at, found.data_key_cache) == (next, at, data_key_cache) && found.name == *name
        }))
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
        if from.is_empty() {
            return Ok(None);
        }
        let places: Vec<String> = (0..from.len()).map(|place| format!(":from{place}")).collect();
        let mut condition = format!("#status IN ({})", places.join(", "));
        if let Some(version) = version {
            condition = format!("{condition} AND {}", is_version(version));
        }
        let update = self
            .table
            .update(RecordKey::vault(workspace_id, vault_id), &condition)
            .update_expression(
                "SET #status = :to, #updated_at = :at, #version = if_not_exists(#version, :first) + :one",
            )
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":first", number(first_version()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#updated_at", "updated_at")
            .expression_attribute_values(":to", AttributeValue::S(to.as_str().to_owned()))
            .expression_attribute_values(":at", time(at))
            .return_values(ReturnValue::AllNew);
        let update = places.into_iter().zip(from).fold(update, |update, (place, status)| {
            update.expression_attribute_values(place, AttributeValue::S(status.as_str().to_owned()))
        });
        let update = match version {
            Some(version) => update.expression_attribute_values(":version", number(version)),
            None => update,
        };
        match if_condition_held(update.send().await)? {
            Some(output) => {
                let changed = record(output.attributes.ok_or_else(VaultRecord::corrupt)?)?;
                parse(changed, workspace_id, vault_id).map(Some)
            }
            // The condition may have failed on our own write: the SDK sends a write again when its answer is lost.
            None => Ok(self
                .vault(workspace_id, vault_id)
                .await?
                .filter(|vault| vault.status == to && vault.updated_at == at)
                .filter(|vault| version.is_none_or(|version| version.checked_add(1) == Some(vault.version)))),
        }
    }

    async fn record_health(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        health: &Health,
        due: &Due,
    ) -> Result<bool, StoreError> {
        let replaced = health.revision.saturating_sub(1);
        let condition = match replaced {
            0 => "attribute_not_exists(#health.#revision)",
            _ => "#health.#revision = :replaced",
        };
        let update = self.table.update(RecordKey::vault(workspace_id, vault_id), condition);
        let due_too = "#due_at = :due_at, #whole_due_from = :whole_due_from, #due_partition = :due_partition";
        let update = set_health(update, health, due_too)?
            .expression_attribute_names("#due_partition", "due_partition")
            .expression_attribute_values(":due_partition", partition_of(vault_id))
            .expression_attribute_names("#due_at", "due_at")
            .expression_attribute_names("#whole_due_from", "whole_due_from")
            .expression_attribute_values(":due_at", time(due.at))
            .expression_attribute_values(":whole_due_from", time(due.whole_from));
        let update = match replaced {
            0 => update,
            _ => update.expression_attribute_values(":replaced", AttributeValue::N(replaced.to_string())),
        };
        if if_condition_held(update.send().await)?.is_some() {
            return Ok(true);
        }
        // The condition may have failed on our own write: the SDK sends a write again when its answer is lost.
        let on_record = self.vault(workspace_id, vault_id).await?;
        Ok(on_record.is_some_and(|vault| vault.health == *health))
    }

    async fn mark_due(&self, workspace_id: &WorkspaceId, vault_id: &VaultId, at: Timestamp) -> Result<(), StoreError> {
        let answer = self
            .table
            .update(
                RecordKey::vault(workspace_id, vault_id),
                "(attribute_not_exists(#due_at) OR #due_at > :at)",
            )
            .update_expression("SET #due_at = :at, #whole_due_from = :at, #due_partition = :due_partition")
            .expression_attribute_names("#due_partition", "due_partition")
            .expression_attribute_values(":due_partition", partition_of(vault_id))
            .expression_attribute_names("#due_at", "due_at")
            .expression_attribute_names("#whole_due_from", "whole_due_from")
            .expression_attribute_values(":at", time(at))
            .send()
            .await;
        if_condition_held(answer).map(drop)
    }
}

impl VaultRecords {
    async fn pointer(&self, key: RecordKey) -> Result<Option<VaultId>, StoreError> {
        let found: Option<VaultPointerRecord> = self.table.read(key).await?;
        let vault_id = found.map(|pointer| pointer.vault_id().map_err(|_| VaultPointerRecord::corrupt()));
        vault_id.transpose()
    }
}

/// The vault in a record. A record of another vault is corrupt.
pub(super) fn parse(found: VaultRecord, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<Vault, StoreError> {
    let vault = found.vault().map_err(|_| VaultRecord::corrupt())?;
    if vault.workspace_id == *workspace_id && vault.vault_id == *vault_id {
        Ok(vault)
    } else {
        Err(VaultRecord::corrupt())
    }
}

/// Written whenever a vault's due time changes, so that records from before there was an index get into it.
fn partition_of(vault_id: &VaultId) -> AttributeValue {
    AttributeValue::S(DuePartition::of(vault_id).to_string())
}

/// The condition that a record has the version `:version`.
const fn is_version(version: u64) -> &'static str {
    // Records from before there were versions have the first one.
    if version == first_version() {
        "(attribute_not_exists(#version) OR #version = :version)"
    } else {
        "#version = :version"
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
