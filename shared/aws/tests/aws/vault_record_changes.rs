//! The ports' contract on a DynamoDB that evaluates our conditions: changes of status and health.

use latchkey_core::health::HealthState;
use latchkey_core::ports::VaultStore;
use latchkey_core::vault::VaultStatus;

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
                .change_status(&vault.workspace_id, &vault.vault_id, allowed, Disabled, now)
                .await;
            let changed = changed.expect("answered");
            if allowed.contains(&from) {
                (vault.status, vault.updated_at) = (Disabled, now);
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
    let changed = db
        .records
        .change_status(ws, id, &[VaultStatus::Active], VaultStatus::Disabled, vault.updated_at);
    assert!(matches!(changed.await, Ok(None)));
    assert_eq!(db.records.record_health(ws, id, &vault.health).await, Ok(()));
    assert!(db.items().await.is_empty());
}

#[tokio::test]
async fn the_newest_check_wins_whatever_the_order() {
    let db = LocalDynamoDb::start().await;
    let mut vault = vault();
    vault.health.checked_at = at("2026-11-23T10:00:00Z");
    db.records.insert_vault(&vault).await.expect("inserted");
    // As variable-length text, "10:00:01Z" would sort after "10:00:01.5Z".
    for (checked_at, state, left) in [
        ("2026-11-23T10:00:01.5Z", HealthState::Healthy, HealthState::Healthy),
        ("2026-11-23T10:00:01Z", HealthState::Unusable, HealthState::Healthy),
        (
            "2026-11-23T10:00:01.499999999Z",
            HealthState::Unusable,
            HealthState::Healthy,
        ),
        ("2026-11-23T10:00:01.5Z", HealthState::Degraded, HealthState::Degraded),
        (
            "2026-11-23T10:00:01.500000001Z",
            HealthState::Unknown,
            HealthState::Unknown,
        ),
        ("2026-11-23T10:00:02Z", HealthState::Unusable, HealthState::Unusable),
    ] {
        let mut health = vault.health.clone();
        (health.checked_at, health.state, health.access_ends_by) = (at(checked_at), state, None);
        db.records
            .record_health(&vault.workspace_id, &vault.vault_id, &health)
            .await
            .expect("recorded");
        let there = db
            .records
            .vault(&vault.workspace_id, &vault.vault_id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!(there.health.state, left, "{checked_at}");
    }
}

/// The SDK sends a write again when its answer is lost; the condition then fails on our own write.
#[tokio::test]
async fn a_change_of_status_that_was_sent_twice_is_still_ours() {
    let (before, now) = (vault(), at("2026-11-24T00:00:00Z"));
    let db = LocalDynamoDb::start().await;
    db.records.insert_vault(&before).await.expect("inserted");
    let change = async |at| {
        let (ws, id) = (&before.workspace_id, &before.vault_id);
        let from = [VaultStatus::Active];
        let changed = db.records.change_status(ws, id, &from, VaultStatus::Disabled, at).await;
        changed.expect("answered").is_some()
    };
    assert!(change(now).await);
    assert!(change(now).await);
    assert!(!change(at("2026-11-24T00:00:01Z")).await);
}
