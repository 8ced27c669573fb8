//! The ports' contract on a DynamoDB that evaluates our conditions: versions, claims on names, pages of vaults.

use latchkey_core::ports::{NameClaim, StoreError, VaultStore};
use latchkey_core::values::{DataKeyCacheBound, VaultId};
use latchkey_core::vault::{Vault, VaultStatus};

use crate::fixtures::workspace;
use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::{at, claim, name, told, vault};

async fn on_record(db: &LocalDynamoDb, vault: &Vault) -> Vault {
    let there = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
    there.expect("read").expect("there")
}

#[tokio::test]
async fn settings_make_the_next_version_of_the_one_that_was_read_and_of_no_other() {
    let db = LocalDynamoDb::start().await;
    let first = vault();
    db.records.insert_vault(&first).await.expect("inserted");
    let bound = DataKeyCacheBound::from_seconds(5).expect("a bound");
    let (new_name, now) = (name("New"), at("2026-11-24T00:00:00.5Z"));
    let change = async |vault: &Vault, at| {
        let changed = db.records.change_settings(vault, &new_name, bound, at).await;
        changed.expect("answered")
    };
    let mut expected = first.clone();
    (expected.name, expected.data_key_cache) = (new_name.clone(), bound);
    (expected.version, expected.updated_at) = (first.version + 1, now);
    let changed = change(&first, now).await.expect("changed");
    assert_eq!(told(&changed), told(&expected));
    assert_eq!(told(&on_record(&db, &first).await), told(&expected));

    // The SDK sends a write again when its answer is lost. The condition then fails on our own write.
    assert_eq!(change(&first, now).await.as_ref().map(told), Some(told(&expected)));
    assert!(
        change(&first, at("2026-11-24T00:00:01Z")).await.is_none(),
        "somebody else's"
    );
    let other_bound = DataKeyCacheBound::from_seconds(6).expect("a bound");
    let other = db.records.change_settings(&first, &new_name, other_bound, now).await;
    assert!(matches!(other, Ok(None)), "somebody else's");
    let other = db.records.change_settings(&first, &name("Other"), bound, now).await;
    assert!(matches!(other, Ok(None)), "somebody else's");
    let mut ahead = expected.clone();
    ahead.version += 1;
    assert!(change(&ahead, at("2026-11-24T00:00:01Z")).await.is_none());
    assert_eq!(told(&on_record(&db, &first).await), told(&expected));

    let missing = Vault {
        vault_id: VaultId::generate(),
        ..first
    };
    assert!(change(&missing, now).await.is_none());
    assert_eq!(db.items().await.len(), 1, "changing makes no vault");
}

#[tokio::test]
async fn a_status_changes_from_the_version_given_and_from_no_other() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let change = async |version, to, time| {
        let (ws, id) = (&vault.workspace_id, &vault.vault_id);
        let from = [VaultStatus::Active, VaultStatus::Disabled];
        let changed = db.records.change_status(ws, id, &from, to, version, at(time)).await;
        changed.expect("answered").map(|changed| changed.version)
    };
    let (to, noon) = (VaultStatus::Disabled, "2026-11-24T12:00:00Z");
    assert_eq!(change(Some(2), to, noon).await, None);
    assert_eq!(change(Some(4), to, noon).await, None);
    assert_eq!(change(Some(3), to, noon).await, Some(4));
    assert_eq!(change(Some(3), to, noon).await, Some(4), "sent twice");
    assert_eq!(change(Some(3), to, "2026-11-24T12:00:01Z").await, None);
    let later = "2026-11-24T13:00:00Z";
    assert_eq!(change(None, VaultStatus::Active, later).await, Some(5));
    assert_eq!(
        change(Some(3), VaultStatus::Active, later).await,
        None,
        "of another version"
    );
}

/// Vaults and names from before there were versions.
#[tokio::test]
async fn what_has_no_version_is_of_the_first() {
    for change_settings in [true, false] {
        let db = LocalDynamoDb::start().await;
        let vault = vault();
        let (ws, id) = (&vault.workspace_id, &vault.vault_id);
        db.records.insert_vault(&vault).await.expect("inserted");
        let claimed = db.records.claim_name(ws, &vault.name, None, &claim(id, 7)).await;
        assert_eq!(claimed, Ok(true));
        for mut item in db.items().await {
            item.remove("version").expect("a version");
            db.put(item).await;
        }
        assert_eq!(db.records.name_claim(ws, &vault.name).await, Ok(Some(claim(id, 1))));
        let old = on_record(&db, &vault).await;
        assert_eq!(old.version, 1);
        let now = at("2026-11-24T12:00:00Z");
        let changed = if change_settings {
            db.records
                .change_settings(&old, &name("New"), old.data_key_cache, now)
                .await
        } else {
            let (from, to) = ([VaultStatus::Active], VaultStatus::Disabled);
            db.records.change_status(ws, id, &from, to, Some(1), now).await
        };
        assert_eq!(changed.expect("answered").expect("changed").version, 2);
        assert_eq!(on_record(&db, &vault).await.version, 2);
        let replaced = db
            .records
            .claim_name(ws, &vault.name, Some(&claim(id, 1)), &claim(id, 3))
            .await;
        assert_eq!(replaced, Ok(true));
    }
}

#[tokio::test]
async fn a_claim_replaces_the_one_that_was_seen_and_no_other() {
    let db = LocalDynamoDb::start().await;
    let (ws, first, second) = (workspace("ws-acme"), VaultId::generate(), VaultId::generate());
    let name = name("Acme");
    let replace = async |seen: Option<&NameClaim>, wanted: &NameClaim| {
        let claimed = db.records.claim_name(&ws, &name, seen, wanted).await;
        (
            claimed.expect("answered"),
            db.records.name_claim(&ws, &name).await.expect("read"),
        )
    };
    let (of_first, of_second) = (claim(&first, 2), claim(&second, 2));
    assert_eq!(
        replace(Some(&of_second), &of_first).await,
        (false, None),
        "there is none"
    );
    assert_eq!(replace(None, &of_first).await, (true, Some(of_first.clone())));
    for seen in [None, Some(&of_second), Some(&claim(&first, 1)), Some(&claim(&first, 3))] {
        let wanted = claim(&second, 5);
        assert_eq!(
            replace(seen, &wanted).await,
            (false, Some(of_first.clone())),
            "{seen:?}"
        );
    }
    assert_eq!(
        replace(Some(&of_first), &of_second).await,
        (true, Some(of_second.clone()))
    );
    // The SDK sends a write again when its answer is lost. The condition then fails on our own write.
    assert_eq!(replace(Some(&of_first), &of_second).await, (true, Some(of_second)));
}

#[tokio::test]
async fn a_name_is_released_by_its_own_vault_up_to_its_version() {
    let (ws, ours, other) = (workspace("ws-acme"), VaultId::generate(), VaultId::generate());
    let name = name("Acme");
    for (vault_id, version, released) in [
        (&ours, 5, true),
        (&ours, 6, true),
        (&ours, 4, false),
        (&other, 5, false),
        (&other, 9, false),
    ] {
        let db = LocalDynamoDb::start().await;
        assert_eq!(
            db.records.release_name(&ws, &name, vault_id, version).await,
            Ok(()),
            "there is none"
        );
        let on_record = claim(&ours, 5);
        db.records
            .claim_name(&ws, &name, None, &on_record)
            .await
            .expect("claimed");
        assert_eq!(db.records.release_name(&ws, &name, vault_id, version).await, Ok(()));
        let left = db.records.name_claim(&ws, &name).await;
        assert_eq!(left, Ok((!released).then_some(on_record)), "version {version}");
    }
}

#[tokio::test]
async fn vaults_are_listed_in_pages_in_the_order_of_their_ids() {
    let db = LocalDynamoDb::start().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        let vault = Vault {
            vault_id: VaultId::generate(),
            ..vault()
        };
        db.records.insert_vault(&vault).await.expect("inserted");
        // Other records of the same partition, and a vault of another partition.
        let (ws, name) = (&vault.workspace_id, name(&number.to_string()));
        db.records
            .claim_name(ws, &name, None, &claim(&vault.vault_id, 1))
            .await
            .expect("claimed");
        db.records.set_default(ws, &vault.vault_id).await.expect("set");
        let foreign = Vault {
            workspace_id: workspace("ws-acme2"),
            ..vault.clone()
        };
        db.records.insert_vault(&foreign).await.expect("inserted");
        ids.push(vault.vault_id);
    }
    ids.sort();
    for limit in [1, 2, 3, 7, 8, 100] {
        let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = db
                .records
                .list_vaults(&workspace("ws-acme"), after.as_ref(), limit)
                .await
                .expect("read");
            assert!(page.vaults.len() <= limit);
            assert!(
                page.vaults
                    .iter()
                    .all(|vault| vault.workspace_id == workspace("ws-acme"))
            );
            listed.extend(page.vaults.into_iter().map(|vault| vault.vault_id));
            pages += 1;
            after = page.more_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, ids, "limit {limit}");
        assert!(
            pages >= ids.len().div_ceil(limit) && pages <= ids.len() / limit + 1,
            "limit {limit}"
        );
    }
    // A page may start after an id that does not exist: only its position counts.
    let page = db
        .records
        .list_vaults(&workspace("ws-acme"), Some(&VaultId::generate()), 3)
        .await;
    assert!(page.expect("read").vaults.is_empty());
}

#[tokio::test]
async fn a_record_that_we_did_not_write_is_not_left_out_in_silence() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let mut item = db.items().await.pop().expect("an item");
    item.remove("status");
    db.put(item).await;
    let listed = db.records.list_vaults(&vault.workspace_id, None, 10).await;
    assert_eq!(listed.map(drop), Err(StoreError::Corrupt));
}
