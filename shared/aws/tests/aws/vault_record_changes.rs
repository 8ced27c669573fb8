//! The ports' contract on a DynamoDB that evaluates our conditions: changes of status and health.

use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::findings::Check;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::health::{Health, HealthState};
use latchkey_core::ports::{DueVaults, VaultStore};
use latchkey_core::values::VaultId;
use latchkey_core::vault::{Vault, VaultStatus};

use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::{at, told, vault};

#[tokio::test]
async fn a_status_changes_from_the_statuses_given_and_from_no_other() {
    use VaultStatus::{Active, DecryptOnly, Disabled};
    let now = at("2026-11-24T00:00:00.1Z");
    for from in [Active, DecryptOnly, Disabled] {
        for allowed in [
            &[Active][..],
            &[Active, DecryptOnly],
            &[Active, DecryptOnly, Disabled],
            &[],
        ] {
            let db = LocalDynamoDb::start().await;
            let mut vault = vault();
            vault.status = from;
            db.records.insert_vault(&vault).await.expect("inserted");
            let changed = db
                .records
                .change_status(&vault.workspace_id, &vault.vault_id, allowed, Disabled, None, now)
                .await;
            let changed = changed.expect("answered");
            if allowed.contains(&from) {
                (vault.status, vault.updated_at, vault.version) = (Disabled, now, vault.version + 1);
                assert_eq!(changed.as_ref().map(told), Some(told(&vault)));
            } else {
                assert!(changed.is_none(), "{from:?} is none of {allowed:?}");
            }
            let there = db
                .records
                .vault(&vault.workspace_id, &vault.vault_id)
                .await
                .expect("read");
            assert_eq!(there.as_ref().map(told), Some(told(&vault)));
        }
    }
}

#[tokio::test]
async fn the_status_and_health_of_a_vault_that_is_not_there_make_none() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    let (ws, id) = (&vault.workspace_id, &vault.vault_id);
    let changed = db.records.change_status(
        ws,
        id,
        &[VaultStatus::Active],
        VaultStatus::Disabled,
        None,
        vault.updated_at,
    );
    assert!(matches!(changed.await, Ok(None)));
    assert_eq!(
        db.records.record_health(ws, id, &vault.health, &vault.due).await,
        Ok(false)
    );
    assert!(db.items().await.is_empty());
}

#[tokio::test]
async fn health_replaces_the_revision_before_it_and_no_other() {
    let db = LocalDynamoDb::start().await;
    let mut vault = vault();
    vault.health.revision = 7;
    db.records.insert_vault(&vault).await.expect("inserted");
    for (revision, state, replaced) in [
        (9, HealthState::Unusable, false),
        (8, HealthState::Healthy, true),
        (8, HealthState::Unusable, false),
        (7, HealthState::Unusable, false),
        (1, HealthState::Unusable, false),
        (9, HealthState::Unknown, true),
        (10, HealthState::Degraded, true),
    ] {
        let before = on_record(&db, &vault).await;
        let mut health = vault.health.clone();
        (health.revision, health.state, health.access_ends_by) = (revision, state, None);
        let answer = db
            .records
            .record_health(&vault.workspace_id, &vault.vault_id, &health, &vault.due)
            .await;
        assert_eq!(answer, Ok(replaced), "revision {revision}, {state:?}");
        let left = if replaced { health } else { before };
        assert_eq!(on_record(&db, &vault).await, left);
    }
}

/// The SDK sends a write again when its answer is lost. The condition then fails on our own write.
#[tokio::test]
async fn health_that_was_sent_twice_is_still_ours() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let mut health = vault.health.clone();
    health.revision += 1;
    for _ in 0..2 {
        let answer = db
            .records
            .record_health(&vault.workspace_id, &vault.vault_id, &health, &vault.due)
            .await;
        assert_eq!(answer, Ok(true));
    }
}

/// A record from before there were revisions, as the first release wrote it.
#[tokio::test]
async fn health_without_a_revision_is_read_and_replaced() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let mut item = db.items().await.pop().expect("an item");
    let AttributeValue::M(health) = item.get_mut("health").expect("health") else {
        panic!("a map");
    };
    health.remove("revision");
    health.remove("unanswered_in_a_row");
    item.remove("due_at");
    item.remove("due_partition");
    item.remove("whole_due_from");
    db.put(item).await;
    let read = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
    assert_eq!(read.expect("read").expect("there").due, Due::at_once(vault.created_at));
    let mut health = on_record(&db, &vault).await;
    assert_eq!((health.revision, health.unanswered_in_a_row), (0, 0));
    health.revision = 1;
    let record = async || {
        db.records
            .record_health(&vault.workspace_id, &vault.vault_id, &health, &vault.due)
            .await
    };
    assert_eq!(record().await, Ok(true));
    assert_eq!(on_record(&db, &vault).await.revision, 1);
    let partition = DuePartition::of(&vault.vault_id);
    let due = db.records.due_vaults(partition, vault.due.at, 10).await.expect("read");
    assert_eq!(due.len(), 1, "and is in the index from then on");
}

#[tokio::test]
async fn a_vault_is_made_due_unless_it_is_due_by_then_anyway() {
    let db = LocalDynamoDb::start().await;
    let mut vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let mut mark = async |time: &str| {
        let marked = db
            .records
            .mark_due(&vault.workspace_id, &vault.vault_id, at(time))
            .await;
        marked.expect("marked");
        let read = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
        let there = read.expect("read").expect("there");
        let due = core::mem::replace(&mut vault.due, there.due);
        assert_eq!(told(&there), told(&vault), "nothing else has changed");
        (due, there.due)
    };
    let (before, after) = mark("2026-11-23T10:01:00.2Z").await;
    assert_eq!(before, after, "due by then anyway");
    let (_, after) = mark("2026-11-23T10:00:59Z").await;
    assert_eq!(after, Due::at_once(at("2026-11-23T10:00:59Z")));
    let (_, after) = mark("2026-11-23T10:01:00Z").await;
    assert_eq!(after, Due::at_once(at("2026-11-23T10:00:59Z")));
    let nobody = vault.workspace_id.clone();
    let marked = db
        .records
        .mark_due(&nobody, &VaultId::generate(), at("2020-01-01T00:00:00Z"))
        .await;
    assert_eq!(marked, Ok(()));
    assert_eq!(db.items().await.len(), 1, "marking makes no vault");
}

#[tokio::test]
async fn health_and_when_the_vault_is_due_are_one_write() {
    let db = LocalDynamoDb::start().await;
    let mut vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    vault.health.revision += 1;
    vault.due = Due {
        at: at("2026-11-23T12:00:00Z"),
        whole_from: at("2026-11-23T13:00:00.5Z"),
    };
    let recorded = db
        .records
        .record_health(&vault.workspace_id, &vault.vault_id, &vault.health, &vault.due);
    assert_eq!(recorded.await, Ok(true));
    let read = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
    assert_eq!(told(&read.expect("read").expect("there")), told(&vault));
}

/// A check and a state that this version does not know: a roll-back must not make a vault unreadable.
#[tokio::test]
async fn health_of_a_later_version_is_read() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let mut item = db.items().await.pop().expect("an item");
    let AttributeValue::M(health) = item.get_mut("health").expect("health") else {
        panic!("a map");
    };
    let text = |text: &str| AttributeValue::S(text.to_owned());
    health.insert("state".to_owned(), text("quarantined"));
    let finding = [("check", text("key_not_haunted")), ("message", text("m"))];
    let finding = finding.map(|(name, value)| (name.to_owned(), value)).into();
    health.insert(
        "findings".to_owned(),
        AttributeValue::L(vec![AttributeValue::M(finding)]),
    );
    db.put(item).await;
    let health = on_record(&db, &vault).await;
    assert_eq!(health.state, HealthState::Unknown);
    assert_eq!(health.findings[0].check, Check::Unrecognized);
}

async fn on_record(db: &LocalDynamoDb, vault: &Vault) -> Health {
    let there = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
    there.expect("read").expect("there").health
}

/// The SDK sends a write again when its answer is lost. The condition then fails on our own write.
#[tokio::test]
async fn a_change_of_status_that_was_sent_twice_is_still_ours() {
    let (before, now) = (vault(), at("2026-11-24T00:00:00Z"));
    let db = LocalDynamoDb::start().await;
    db.records.insert_vault(&before).await.expect("inserted");
    let change = async |at| {
        let (ws, id) = (&before.workspace_id, &before.vault_id);
        let from = [VaultStatus::Active];
        let changed = db
            .records
            .change_status(ws, id, &from, VaultStatus::Disabled, None, at)
            .await;
        changed.expect("answered").is_some()
    };
    assert!(change(now).await);
    assert!(change(now).await);
    assert!(!change(at("2026-11-24T00:00:01Z")).await);
}
