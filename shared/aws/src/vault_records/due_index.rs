//! Which vaults are due for a check, and the claims on them.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use latchkey_core::health::due::DuePartition;
use latchkey_core::ports::{DueVault, DueVaults, StoreError};
use latchkey_core::values::RequestId;
use latchkey_core::vault::Vault;
use serde::Deserialize;

use super::VaultRecords;
use super::errors::{Record, if_condition_held};
use super::fields::{RecordedAt, time};
use super::key::RecordKey;
use super::table::record;
use super::vault_record::VaultRecord;
use super::vault_store::parse;

/// The table's global index: vaults by partition and due time. It holds only keys.
const INDEX: &str = "due";
const DUE_AT: &str = "due_at";
/// An attribute of a vault's record: the id of the last claim. Only the claimant reads it.
const CLAIM: &str = "due_claim";

/// An entry of the index.
#[derive(Deserialize)]
struct DueEntry {
    pk: String,
    sk: String,
    due_at: RecordedAt,
}

impl Record for DueEntry {
    const KIND: &'static str = "due index";
}

impl DueVaults for VaultRecords {
    async fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueVault>, StoreError> {
        let query = self
            .table
            .query(INDEX)
            .key_condition_expression("#due_partition = :partition AND #due_at <= :now")
            .expression_attribute_names("#due_partition", "due_partition")
            .expression_attribute_names("#due_at", "due_at")
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_string()))
            .expression_attribute_values(":now", time(now))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let found = self.table.answered(query).await?;
        let entries = found.into_iter().map(record::<DueEntry>);
        // An entry that is not ours must not keep the others from being checked.
        let vaults = entries.map(|entry| entry?.into_due_vault().ok_or_else(DueEntry::corrupt));
        Ok(vaults.flatten().collect())
    }

    async fn claim(&self, due: &DueVault, until: Timestamp) -> Result<Option<Vault>, StoreError> {
        let (claim, until) = (AttributeValue::S(RequestId::generate().to_string()), time(until));
        let answer = self
            .table
            .update(RecordKey::vault(&due.workspace_id, &due.vault_id), "#due_at = :seen")
            .update_expression("SET #due_at = :until, #claim = :claim")
            .expression_attribute_names("#due_at", DUE_AT)
            .expression_attribute_names("#claim", CLAIM)
            .expression_attribute_values(":seen", time(due.due_at))
            .expression_attribute_values(":until", until.clone())
            .expression_attribute_values(":claim", claim.clone())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let there = match &answer {
            Err(error) => item_there(error),
            Ok(output) => output.attributes.clone(),
        };
        // If the condition failed, the vault is claimed already. The claim may be our own: the SDK sends a write again
        // when its answer is lost.
        let held = if_condition_held(answer)?.is_some();
        let is_ours = |item: &HashMap<_, _>| item.get(CLAIM) == Some(&claim) && item.get(DUE_AT) == Some(&until);
        match there {
            Some(item) if held || is_ours(&item) => parse(record(item)?, &due.workspace_id, &due.vault_id).map(Some),
            None if held => Err(VaultRecord::corrupt()),
            _ => Ok(None),
        }
    }
}

/// The item for which the condition failed.
fn item_there(error: &SdkError<UpdateItemError>) -> Option<HashMap<String, AttributeValue>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed.item.clone(),
        _ => None,
    }
}

impl DueEntry {
    fn into_due_vault(self) -> Option<DueVault> {
        let (workspace_id, vault_id) = RecordKey {
            pk: self.pk,
            sk: self.sk,
        }
        .vault_ids()?;
        Some(DueVault {
            workspace_id,
            vault_id,
            due_at: self.due_at.0,
        })
    }
}
