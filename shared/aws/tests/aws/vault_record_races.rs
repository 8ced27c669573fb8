//! Races: in any order, one wins and all see the same winner.

use std::collections::HashSet;

use futures::future::join_all;
use latchkey_core::ports::{DataKeyStore, VaultStore};
use latchkey_core::values::VaultId;
use latchkey_core::vault::VaultStatus;

use crate::fixtures::workspace;
use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::{at, claim, data_key, name, vault};

const RACERS: u8 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_claims_a_name() {
    let db = LocalDynamoDb::start().await;
    let racers = (0..RACERS).map(|_| {
        let records = db.records.clone();
        tokio::spawn(async move {
            let (ws, vault_id) = (workspace("ws-acme"), VaultId::generate());
            records
                .claim_name(&ws, &name("Acme"), None, &claim(&vault_id, 1))
                .await
                .expect("answered")
                .then_some(vault_id)
        })
    });
    let winners: HashSet<VaultId> = join_all(racers)
        .await
        .into_iter()
        .filter_map(|racer| racer.expect("ran"))
        .collect();
    assert_eq!(winners.len(), 1);
    let on_record = db.records.name_claim(&workspace("ws-acme"), &name("Acme")).await;
    let on_record = on_record.expect("read").map(|claim| claim.vault_id);
    assert_eq!(on_record, winners.into_iter().next());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_takes_over_a_name() {
    let db = LocalDynamoDb::start().await;
    let (ws, before) = (workspace("ws-acme"), claim(&VaultId::generate(), 2));
    let claimed = db.records.claim_name(&ws, &name("Acme"), None, &before).await;
    assert_eq!(claimed, Ok(true));
    let racers = (0..RACERS).map(|_| {
        let (records, ws, before) = (db.records.clone(), ws.clone(), before.clone());
        tokio::spawn(async move {
            let wanted = claim(&VaultId::generate(), 1);
            records
                .claim_name(&ws, &name("Acme"), Some(&before), &wanted)
                .await
                .expect("answered")
        })
    });
    let answers = join_all(racers).await;
    let winners = answers.into_iter().filter(|racer| *racer.as_ref().expect("ran"));
    assert_eq!(winners.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_makes_the_next_version() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let racers = (0..RACERS).map(|racer| {
        let (records, vault) = (db.records.clone(), vault.clone());
        tokio::spawn(async move {
            let (name, bound) = (name(&racer.to_string()), vault.data_key_cache);
            let changed = records.change_settings(&vault, &name, bound, vault.updated_at).await;
            changed.expect("answered").map(|changed| changed.name)
        })
    });
    let answers = join_all(racers).await;
    let winners: Vec<_> = answers.into_iter().filter_map(|racer| racer.expect("ran")).collect();
    assert_eq!(winners.len(), 1);
    let there = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
    let there = there.expect("read").expect("there");
    assert_eq!((&there.name, there.version), (&winners[0], vault.version + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_inserts_a_vault() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    let racers = (0..RACERS).map(|racer| {
        let (records, mut vault) = (db.records.clone(), vault.clone());
        vault.created_by = racer.to_string();
        tokio::spawn(async move {
            records
                .insert_vault(&vault)
                .await
                .expect("answered")
                .then_some(vault.created_by)
        })
    });
    let answers = join_all(racers).await;
    let winners: Vec<String> = answers.into_iter().filter_map(|racer| racer.expect("ran")).collect();
    assert_eq!(winners.len(), 1);
    let there = db
        .records
        .vault(&vault.workspace_id, &vault.vault_id)
        .await
        .expect("read");
    assert_eq!(there.expect("there").created_by, winners[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_issues_a_data_key() {
    let db = LocalDynamoDb::start().await;
    let vault_id = VaultId::generate();
    let racers = (0..RACERS).map(|racer| {
        let (records, vault_id) = (db.records.clone(), vault_id.clone());
        tokio::spawn(async move { records.issue(&vault_id, &data_key(&[racer])).await.expect("issued") })
    });
    let issued = join_all(racers)
        .await
        .into_iter()
        .map(|racer| racer.expect("ran").encrypted_data_key);
    assert_eq!(issued.collect::<HashSet<_>>().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_changes_a_status() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let racers = (0..RACERS).map(|racer| {
        let (records, vault) = (db.records.clone(), vault.clone());
        tokio::spawn(async move {
            let now = at(&format!("2026-11-24T00:00:{racer:02}Z"));
            let (ws, id) = (&vault.workspace_id, &vault.vault_id);
            records
                .change_status(ws, id, &[VaultStatus::Active], VaultStatus::Disabled, None, now)
                .await
                .expect("answered")
        })
    });
    let answers = join_all(racers).await;
    let changed = answers
        .into_iter()
        .filter(|racer| racer.as_ref().expect("ran").is_some());
    assert_eq!(changed.count(), 1);
}
