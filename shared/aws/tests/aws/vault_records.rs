//! The ports' contract on a DynamoDB that evaluates our conditions: what is written and read back.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use latchkey_core::ports::{DataKeyStore, StoreError, VaultStore};
use latchkey_core::values::VaultId;
use latchkey_core::vault::{Vault, VaultStatus};

use crate::fixtures::workspace;
use crate::local_dynamodb::LocalDynamoDb;
use crate::record_fixtures::{claim, data_key, name, told, vault};

#[tokio::test]
async fn a_vault_comes_back_as_it_was_put() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    let read = async || {
        db.records
            .vault(&vault.workspace_id, &vault.vault_id)
            .await
            .expect("read")
    };
    assert!(read().await.is_none());
    assert_eq!(db.records.insert_vault(&vault).await, Ok(true));
    assert_eq!(told(&read().await.expect("there")), told(&vault));

    let item = db.items().await.pop().expect("an item");
    assert_eq!(item["pk"], AttributeValue::S("WORKSPACE#ws-acme".to_owned()));
    assert_eq!(item["sk"], AttributeValue::S(format!("VAULT#{}", vault.vault_id)));
    assert_eq!(item["record_version"], AttributeValue::N("1".to_owned()));
    assert!(item["public_key"].is_b());
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let db = LocalDynamoDb::start().await;
    let first = vault();
    let mut second = first.clone();
    second.created_by = "somebody else".to_owned();
    assert_eq!(db.records.insert_vault(&first).await, Ok(true));
    assert_eq!(db.records.insert_vault(&second).await, Ok(false));
    let there = db
        .records
        .vault(&first.workspace_id, &first.vault_id)
        .await
        .expect("read");
    assert_eq!(there.expect("there").created_by, first.created_by);
}

#[tokio::test]
async fn a_name_stays_with_the_first_that_claims_it_in_any_spelling() {
    let db = LocalDynamoDb::start().await;
    let (ws, first, second) = (workspace("ws-acme"), VaultId::generate(), VaultId::generate());
    let (first, second) = (claim(&first, 1), claim(&second, 1));
    let claim = async |text: &str, claim| db.records.claim_name(&ws, &name(text), None, claim).await;
    assert_eq!(db.records.name_claim(&ws, &name("Acme")).await, Ok(None));
    assert_eq!(claim("Acme", &first).await, Ok(true));
    assert_eq!(claim("ACME", &second).await, Ok(false));
    assert_eq!(claim("Acme", &first).await, Ok(true), "it is ours already");
    assert_eq!(db.records.name_claim(&ws, &name("acme")).await, Ok(Some(first.clone())));
    assert_eq!(claim("Acme 2", &second).await, Ok(true));
}

#[tokio::test]
async fn the_default_is_set_over_another_and_cleared_only_by_its_own_vault() {
    let db = LocalDynamoDb::start().await;
    let (ws, first, second) = (workspace("ws-acme"), VaultId::generate(), VaultId::generate());
    assert_eq!(db.records.default_vault_id(&ws).await, Ok(None));
    assert_eq!(db.records.clear_default(&ws, &first).await, Ok(()), "there is none");
    for vault_id in [&first, &second] {
        assert_eq!(db.records.set_default(&ws, vault_id).await, Ok(()));
        assert_eq!(db.records.default_vault_id(&ws).await, Ok(Some(vault_id.clone())));
    }
    assert_eq!(db.records.clear_default(&ws, &first).await, Ok(()));
    assert_eq!(db.records.default_vault_id(&ws).await, Ok(Some(second.clone())));
    assert_eq!(db.records.clear_default(&ws, &second).await, Ok(()));
    assert_eq!(db.records.default_vault_id(&ws).await, Ok(None));
}

#[tokio::test]
async fn no_workspace_sees_anothers_records() {
    let db = LocalDynamoDb::start().await;
    let (vault, other) = (vault(), workspace("ws-acme2"));
    db.records.insert_vault(&vault).await.expect("inserted");
    db.records
        .claim_name(&vault.workspace_id, &vault.name, None, &claim(&vault.vault_id, 1))
        .await
        .expect("claimed");
    db.records
        .set_default(&vault.workspace_id, &vault.vault_id)
        .await
        .expect("set");
    let before = db.items().await.len();

    assert!(matches!(db.records.vault(&other, &vault.vault_id).await, Ok(None)));
    assert_eq!(db.records.name_claim(&other, &vault.name).await, Ok(None));
    assert_eq!(
        db.records
            .list_vaults(&other, None, 10)
            .await
            .expect("read")
            .vaults
            .len(),
        0
    );
    let foreign = Vault {
        workspace_id: other.clone(),
        ..vault.clone()
    };
    let changed = db
        .records
        .change_settings(&foreign, &vault.name, vault.data_key_cache, vault.updated_at);
    assert!(matches!(changed.await, Ok(None)));
    let released = db.records.release_name(&other, &vault.name, &vault.vault_id, 9).await;
    assert_eq!(released, Ok(()));
    assert_eq!(db.records.default_vault_id(&other).await, Ok(None));
    let statuses = [VaultStatus::Active];
    let changed = db.records.change_status(
        &other,
        &vault.vault_id,
        &statuses,
        VaultStatus::Disabled,
        None,
        vault.updated_at,
    );
    assert!(matches!(changed.await, Ok(None)));
    db.records
        .clear_default(&other, &vault.vault_id)
        .await
        .expect("nothing to clear");
    db.records
        .record_health(&other, &vault.vault_id, &vault.health, &vault.due)
        .await
        .expect("nothing to record");

    assert_eq!(db.items().await.len(), before);
    let there = db
        .records
        .vault(&vault.workspace_id, &vault.vault_id)
        .await
        .expect("read");
    assert_eq!(there.as_ref().map(told), Some(told(&vault)));
    let default = db.records.default_vault_id(&vault.workspace_id).await;
    assert_eq!(default, Ok(Some(vault.vault_id)));
}

#[tokio::test]
async fn a_data_key_is_issued_once_and_only_for_its_vault() {
    let db = LocalDynamoDb::start().await;
    let (vault_id, other) = (VaultId::generate(), VaultId::generate());
    let (first, second) = (data_key(&[0, 255, 1]), data_key(b"second"));
    assert!(matches!(
        db.records.data_key(&vault_id, &first.data_key_id).await,
        Ok(None)
    ));
    for offered in [&first, &second] {
        let on_record = db.records.issue(&vault_id, offered).await.expect("issued");
        assert_eq!(on_record.encrypted_data_key, first.encrypted_data_key);
    }
    let read = db
        .records
        .data_key(&vault_id, &first.data_key_id)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(
        (&read.data_key_id, read.created_at),
        (&first.data_key_id, first.created_at)
    );
    assert_eq!(read.encrypted_data_key, first.encrypted_data_key);
    assert!(matches!(
        db.records.data_key(&other, &first.data_key_id).await,
        Ok(None)
    ));
    assert!(
        db.items()
            .await
            .iter()
            .all(|item| item["ciphertext"].is_b() && item["key_provider_info"].is_b())
    );
}

#[tokio::test]
async fn a_record_that_we_did_not_write_is_corrupt() {
    let db = LocalDynamoDb::start().await;
    let vault = vault();
    db.records.insert_vault(&vault).await.expect("inserted");
    let good = db.items().await.pop().expect("an item");
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (attribute, value) in [
        ("record_version", AttributeValue::N("2".to_owned())),
        ("workspace_id", text("ws-other")),
        ("vault_id", text(VaultId::generate().as_str())),
        ("aws_role_arn", text("*")),
        ("kms_key_id", text("alias/mine")),
        ("data_key_cache_seconds", AttributeValue::N("301".to_owned())),
        ("status", text("open")),
        ("public_key", AttributeValue::B(Blob::new("x"))),
        ("health", text("fine")),
    ] {
        let mut bad = good.clone();
        bad.insert(attribute.to_owned(), value);
        db.put(bad).await;
        let read = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
        assert_eq!(read.map(drop), Err(StoreError::Corrupt), "{attribute}");
    }
}
