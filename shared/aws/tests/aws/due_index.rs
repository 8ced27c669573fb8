//! The due index and the claims, on a DynamoDB that has the index and evaluates our conditions.

use core::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use jiff::Timestamp;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::ports::{DueVault, DueVaults, StoreError, VaultStore};
use latchkey_core::values::VaultId;
use latchkey_core::vault::Vault;

use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::{at, told, vault};

const NOW: &str = "2026-11-23T10:05:00Z";

/// A vault of the partition that is due this many seconds before `NOW`, or after it if the number is negative.
fn due_in(partition: DuePartition, seconds_before: i64) -> Vault {
    let mut vault = vault();
    while DuePartition::of(&vault.vault_id) != partition {
        vault.vault_id = VaultId::generate();
    }
    vault.due = Due::at_once(at(NOW) - jiff::SignedDuration::from_secs(seconds_before));
    vault
}

fn entry(vault: &Vault) -> DueVault {
    DueVault {
        workspace_id: vault.workspace_id.clone(),
        vault_id: vault.vault_id.clone(),
        due_at: vault.due.at,
    }
}

fn until() -> Timestamp {
    at(NOW) + Duration::from_secs(60)
}

#[tokio::test]
async fn what_is_due_is_listed_by_partition_the_longest_due_first() {
    let db = LocalDynamoDb::start().await;
    let partitions = DuePartition::of_shard(0, 1);
    let vaults = [120, 0, 30, -1].map(|seconds| due_in(partitions[3], seconds));
    let elsewhere = due_in(partitions[4], 60);
    for vault in vaults.iter().chain([&elsewhere]) {
        assert_eq!(db.records.insert_vault(vault).await, Ok(true));
    }
    let due = async |partition, limit| {
        let due = db.records.due_vaults(partition, at(NOW), limit).await;
        due.expect("read")
    };
    let [first, last, second, _not_yet] = &vaults;
    assert_eq!(due(partitions[3], 10).await, [entry(first), entry(second), entry(last)]);
    assert_eq!(due(partitions[3], 2).await, [entry(first), entry(second)]);
    assert_eq!(due(partitions[4], 10).await, [entry(&elsewhere)]);
    assert_eq!(due(partitions[5], 10).await, []);
}

#[tokio::test]
async fn a_claimed_vault_is_due_again_at_the_end_of_the_claim() {
    let db = LocalDynamoDb::start().await;
    let partition = DuePartition::of_shard(0, 1)[0];
    let mut vault = due_in(partition, 1);
    assert_eq!(db.records.insert_vault(&vault).await, Ok(true));
    let claimed = db.records.claim(&entry(&vault), until()).await.expect("answered");
    let seen = entry(&vault);
    vault.due.at = until();
    assert_eq!(claimed.as_ref().map(told), Some(told(&vault)));
    assert!(matches!(db.records.claim(&seen, until()).await, Ok(None)));
    assert_eq!(db.records.due_vaults(partition, at(NOW), 10).await, Ok(vec![]));
    let due = db.records.due_vaults(partition, until(), 10).await;
    assert_eq!(due, Ok(vec![entry(&vault)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_claims_a_vault() {
    let db = LocalDynamoDb::start().await;
    let vault = due_in(DuePartition::of_shard(0, 1)[0], 1);
    assert_eq!(db.records.insert_vault(&vault).await, Ok(true));
    let racers = (0..40).map(|_| {
        let (records, due) = (db.records.clone(), entry(&vault));
        tokio::spawn(async move { records.claim(&due, until()).await.expect("answered").is_some() })
    });
    let answers = join_all(racers).await;
    assert_eq!(
        answers
            .into_iter()
            .filter(|racer| *racer.as_ref().expect("ran"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_vault_that_is_gone_is_nobodys_and_a_strange_entry_keeps_no_other_from_being_checked() {
    let db = LocalDynamoDb::start().await;
    let partition = DuePartition::of_shard(0, 1)[0];
    let vault = due_in(partition, 1);
    assert!(matches!(db.records.claim(&entry(&vault), until()).await, Ok(None)));
    assert!(db.items().await.is_empty(), "a claim makes no vault");
    assert_eq!(db.records.insert_vault(&vault).await, Ok(true));
    let mut strange = db.items().await.pop().expect("an item");
    strange.insert("pk".to_owned(), AttributeValue::S("SOMETHING#else".to_owned()));
    db.put(strange.clone()).await;
    let due = db.records.due_vaults(partition, at(NOW), 10).await;
    assert_eq!(due, Ok(vec![entry(&vault)]));
    strange.insert("pk".to_owned(), AttributeValue::S("WORKSPACE#ws-acme".to_owned()));
    strange.insert("status".to_owned(), AttributeValue::S("open".to_owned()));
    db.put(strange).await;
    let claim = db.records.claim(&entry(&vault), until()).await;
    assert_eq!(claim.map(drop), Err(StoreError::Corrupt));
}
