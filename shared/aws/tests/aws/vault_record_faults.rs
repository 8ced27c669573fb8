//! What is sent to DynamoDB, and what happens when DynamoDB refuses or fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use latchkey_aws::Aws;
use latchkey_aws::vault_records::VaultRecords;
use latchkey_core::error::Error;
use latchkey_core::health::due::DuePartition;
use latchkey_core::ports::{DataKeyStore, DueVault, DueVaults, StoreError, SystemClock, VaultStore};
use latchkey_core::vault::VaultStatus;
use serde_json::json;

use crate::fixtures::settings;
use crate::record_fixtures::{claim, data_key, vault};
use crate::stand_in::{Answer, StandIn};

fn records(aws: &StandIn) -> VaultRecords {
    Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).vault_records()
}

/// A DynamoDB that gives `answer` this many times, and then answers as it should.
fn failing(times: usize, answer: Answer) -> StandIn {
    let count = AtomicUsize::new(0);
    StandIn::answering(move |_| match count.fetch_add(1, Ordering::Relaxed) < times {
        true => answer.clone(),
        false => Answer::Json(json!({})),
    })
}

#[tokio::test(start_paused = true)]
async fn a_conflict_between_the_regions_is_tried_again() {
    let conflict = Answer::Error(
        400,
        "com.amazonaws.dynamodb.v20120810#ReplicatedWriteConflictException",
        "",
    );
    let vault = vault();
    let aws = failing(2, conflict.clone());
    assert_eq!(records(&aws).insert_vault(&vault).await, Ok(true));
    assert_eq!(aws.requests("PutItem").len(), 3);
    let aws = failing(2, conflict.clone());
    assert_eq!(
        records(&aws)
            .record_health(&vault.workspace_id, &vault.vault_id, &vault.health, &vault.due)
            .await,
        Ok(true)
    );
    let aws = failing(2, conflict.clone());
    assert_eq!(
        records(&aws).clear_default(&vault.workspace_id, &vault.vault_id).await,
        Ok(())
    );
    let aws = failing(usize::MAX, conflict);
    assert_eq!(records(&aws).insert_vault(&vault).await, Err(StoreError::Unavailable));
    assert_eq!(aws.requests("PutItem").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn throttles_outages_and_denials() {
    let vault = vault();
    for (answer, expected, attempts) in [
        (
            Answer::Error(400, "ProvisionedThroughputExceededException", ""),
            StoreError::Throttled,
            3,
        ),
        (Answer::Error(400, "ThrottlingException", ""), StoreError::Throttled, 3),
        (Answer::Error(400, "RequestLimitExceeded", ""), StoreError::Throttled, 3),
        (
            Answer::Error(500, "InternalServerError", ""),
            StoreError::Unavailable,
            3,
        ),
        (Answer::Refused, StoreError::Unavailable, 3),
        (Answer::Raw(200, "<html>"), StoreError::Unavailable, 1),
        (Answer::Error(400, "AccessDeniedException", ""), StoreError::Refused, 1),
        (
            Answer::Error(400, "ResourceNotFoundException", ""),
            StoreError::Refused,
            1,
        ),
        (Answer::Error(400, "ValidationException", ""), StoreError::Refused, 1),
    ] {
        let aws = failing(usize::MAX, answer.clone());
        let read = records(&aws).vault(&vault.workspace_id, &vault.vault_id).await;
        assert_eq!(read.map(drop), Err(expected), "{answer:?}");
        assert_eq!(aws.requests("GetItem").len(), attempts, "{answer:?}");
        assert_eq!(records(&aws).insert_vault(&vault).await, Err(expected), "{answer:?}");
        assert_eq!(aws.requests("PutItem").len(), attempts, "{answer:?}");
        let (ws, id) = (&vault.workspace_id, &vault.vault_id);
        assert_eq!(
            records(&aws).mark_due(ws, id, vault.updated_at).await,
            Err(expected),
            "{answer:?}"
        );
        assert_eq!(aws.requests("UpdateItem").len(), attempts, "{answer:?}");
        assert_eq!(records(&aws).clear_default(ws, id).await, Err(expected), "{answer:?}");
        assert_eq!(aws.requests("DeleteItem").len(), attempts, "{answer:?}");
    }
}

/// A failed condition is an answer. Another try would only fail again.
#[tokio::test(start_paused = true)]
async fn a_condition_that_does_not_hold_is_not_tried_again() {
    let failed = Answer::Error(400, "ConditionalCheckFailedException", "");
    let (vault, writes) = (vault(), ["PutItem", "UpdateItem", "DeleteItem"]);
    let (ws, id, first) = (&vault.workspace_id, &vault.vault_id, claim(&vault.vault_id, 1));
    let due = DueVault {
        workspace_id: ws.clone(),
        vault_id: id.clone(),
        due_at: vault.due.at,
    };
    let aws = StandIn::answering(move |request| match writes.contains(&request.operation.as_str()) {
        true => failed.clone(),
        false => Answer::Json(json!({})),
    });
    let (records, from) = (records(&aws), [VaultStatus::Active]);
    assert_eq!(records.insert_vault(&vault).await, Ok(false));
    assert_eq!(records.claim_name(ws, &vault.name, None, &first).await, Ok(false));
    assert_eq!(
        records.claim_name(ws, &vault.name, Some(&first), &claim(id, 2)).await,
        Ok(false)
    );
    let issued = records.issue(id, &data_key(b"x")).await.map(drop);
    assert_eq!(issued, Err(StoreError::Unavailable), "neither written nor there");
    assert_eq!(aws.requests("PutItem").len(), 4);
    let changed = records.change_settings(&vault, &vault.name, vault.data_key_cache, vault.updated_at);
    assert!(matches!(changed.await, Ok(None)));
    let changed = records.change_status(ws, id, &from, VaultStatus::Disabled, None, vault.updated_at);
    assert!(matches!(changed.await, Ok(None)));
    assert_eq!(
        records.record_health(ws, id, &vault.health, &vault.due).await,
        Ok(false)
    );
    assert_eq!(records.mark_due(ws, id, vault.updated_at).await, Ok(()));
    assert!(matches!(records.claim(&due, vault.updated_at).await, Ok(None)));
    assert_eq!(aws.requests("UpdateItem").len(), 5);
    assert_eq!(records.release_name(ws, &vault.name, id, 1).await, Ok(()));
    assert_eq!(records.clear_default(ws, id).await, Ok(()));
    assert_eq!(aws.requests("DeleteItem").len(), 2);
}

/// A lasting failure becomes an error that says whether the caller may retry.
#[test]
fn a_caller_is_told_that_it_may_try_again() {
    assert!(matches!(Error::from(StoreError::Throttled), Error::Throttled));
    assert!(matches!(Error::from(StoreError::Unavailable), Error::Unavailable));
    assert!(Error::from(StoreError::Throttled).retryable() && Error::from(StoreError::Unavailable).retryable());
    assert!(!Error::from(StoreError::Corrupt).retryable());
}

#[tokio::test(start_paused = true)]
async fn silence_is_bounded() {
    let vault = vault();
    let start = tokio::time::Instant::now();
    let read = records(&failing(usize::MAX, Answer::Silence))
        .vault(&vault.workspace_id, &vault.vault_id)
        .await;
    assert_eq!(read.map(drop), Err(StoreError::Unavailable));
    assert!(start.elapsed().as_millis() <= 4_600, "{:?}", start.elapsed());
}

#[tokio::test]
async fn every_read_is_consistent_and_no_operation_goes_beyond_the_grants() {
    let aws = failing(0, Answer::Success);
    let (records, vault, data_key) = (records(&aws), vault(), data_key(b"x"));
    let (ws, id) = (&vault.workspace_id, &vault.vault_id);
    records.vault(ws, id).await.expect("read");
    records.name_claim(ws, &vault.name).await.expect("read");
    records.default_vault_id(ws).await.expect("read");
    records.data_key(id, &data_key.data_key_id).await.expect("read");
    let reads = aws.requests("GetItem");
    assert_eq!(reads.len(), 4);
    assert!(reads.iter().all(|read| read.body["ConsistentRead"] == true));

    let first = claim(id, 1);
    records
        .claim_name(ws, &vault.name, None, &first)
        .await
        .expect("written");
    records
        .claim_name(ws, &vault.name, Some(&first), &claim(id, 2))
        .await
        .expect("written");
    records.insert_vault(&vault).await.expect("written");
    records.set_default(ws, id).await.expect("written");
    records.issue(id, &data_key).await.expect("written");
    assert_eq!(aws.requests("PutItem").len(), 5);
    records
        .record_health(ws, id, &vault.health, &vault.due)
        .await
        .expect("written");
    records.mark_due(ws, id, vault.updated_at).await.expect("written");
    let change = records
        .change_status(
            ws,
            id,
            &[VaultStatus::Active],
            VaultStatus::Disabled,
            None,
            vault.updated_at,
        )
        .await;
    assert_eq!(
        change.map(drop),
        Err(StoreError::Corrupt),
        "an answer without the vault"
    );
    let change = records.change_settings(&vault, &vault.name, vault.data_key_cache, vault.updated_at);
    assert_eq!(
        change.await.map(drop),
        Err(StoreError::Corrupt),
        "an answer without the vault"
    );
    assert_eq!(aws.requests("UpdateItem").len(), 4);
    records.clear_default(ws, id).await.expect("written");
    records.release_name(ws, &vault.name, id, 1).await.expect("written");
    assert_eq!(aws.requests("DeleteItem").len(), 2);
    let partition = DuePartition::of(id);
    records.due_vaults(partition, vault.updated_at, 7).await.expect("read");
    let queries = aws.requests("Query");
    assert_eq!(queries.len(), 1);
    assert_eq!(
        (&queries[0].body["IndexName"], &queries[0].body["Limit"]),
        (&json!("due"), &json!(7))
    );
    assert!(queries[0].body.get("ConsistentRead").is_none(), "an index cannot");
    records.list_vaults(ws, None, 7).await.expect("read");
    let list = aws.requests("Query").pop().expect("a query");
    assert_eq!(
        (&list.body["ConsistentRead"], &list.body["Limit"]),
        (&json!(true), &json!(7))
    );
    assert!(
        list.body.get("IndexName").is_none(),
        "only the table itself can be read so"
    );
    assert!(aws.requests("Scan").is_empty());
}
