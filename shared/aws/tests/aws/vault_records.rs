//! The ports' contract on a DynamoDB that evaluates our conditions.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use latchkey_core::customer_role::RoleArn;
use latchkey_core::data_key::{DataKeyId, DataKeyPeriod, IssuedDataKey};
use latchkey_core::health::{Finding, Health, HealthState};
use latchkey_core::ports::{DataKeyStore, StoreError, VaultStore};
use latchkey_core::region::Region;
use latchkey_core::validation::Check;
use latchkey_core::vault::{DataKeyCacheBound, Strategy, Vault, VaultId, VaultName, VaultStatus};
use sealed_item::EncryptedDataKey;

use crate::fixtures::{CUSTOMER_ROLE, customer_key, public_key, workspace};
use crate::local_dynamodb::LocalDynamoDb;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn name(text: &str) -> VaultName {
    VaultName::parse(text).expect("a name")
}

pub(crate) fn vault() -> Vault {
    let checked_at = at("2026-11-23T10:00:00.123456789Z");
    Vault {
        vault_id: VaultId::generate(),
        workspace_id: workspace("ws-acme"),
        name: name("Ärger & Söhne #1"),
        strategy: Strategy::AwsKms,
        status: VaultStatus::Active,
        customer_key: customer_key(),
        aws_role_arn: RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
        public_key: public_key(),
        key_spec: "RSA_2048".to_owned(),
        data_key_cache: DataKeyCacheBound::from_seconds(0).expect("a bound"),
        health: Health {
            state: HealthState::Degraded,
            checked_at,
            since: at("2026-11-01T00:00:00Z"),
            findings: vec![
                Finding {
                    check: Check::KeySpecRecommended,
                    region: Some(Region::UsWest2),
                    message: "RSA_2048".to_owned(),
                    remedy: Some("RSA_4096".to_owned()),
                },
                Finding {
                    check: Check::RoleTrustsOnlyServiceRole,
                    region: None,
                    message: String::new(),
                    remedy: None,
                },
            ],
            access_ends_by: Some(at("2026-11-23T10:05:00.5Z")),
        },
        created_at: at("2026-11-20T08:00:00.000000001Z"),
        created_by: "auth0|5f7c8ec7c33c6c004bbafe82".to_owned(),
        updated_at: at("2026-11-21T09:30:00Z"),
    }
}

pub(crate) fn data_key(ciphertext: &[u8]) -> IssuedDataKey {
    let created_at = at("2026-11-23T10:00:00.25Z");
    IssuedDataKey {
        data_key_id: DataKeyId::current_at(created_at, DataKeyPeriod::DAY),
        encrypted_data_key: EncryptedDataKey::kms_rsa("arn:aws:kms:...:key/mrk-1", ciphertext.to_vec()).expect("fits"),
        created_at,
    }
}

/// Every field of a vault, as text.
fn told(vault: &Vault) -> String {
    format!("{vault:?}")
}

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
    assert_eq!(db.records.vault_id_of_name(&ws, &name("Acme")).await, Ok(None));
    assert_eq!(
        db.records.claim_name(&ws, &name("Acme"), &first).await,
        Ok(first.clone())
    );
    assert_eq!(
        db.records.claim_name(&ws, &name("ACME"), &second).await,
        Ok(first.clone())
    );
    assert_eq!(
        db.records.claim_name(&ws, &name("Acme"), &first).await,
        Ok(first.clone())
    );
    assert_eq!(db.records.vault_id_of_name(&ws, &name("acme")).await, Ok(Some(first)));
    assert_eq!(db.records.claim_name(&ws, &name("Acme 2"), &second).await, Ok(second));
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

#[tokio::test]
async fn no_workspace_sees_anothers_records() {
    let db = LocalDynamoDb::start().await;
    let (vault, other) = (vault(), workspace("ws-acme2"));
    db.records.insert_vault(&vault).await.expect("inserted");
    db.records
        .claim_name(&vault.workspace_id, &vault.name, &vault.vault_id)
        .await
        .expect("claimed");
    db.records
        .set_default(&vault.workspace_id, &vault.vault_id)
        .await
        .expect("set");
    let before = db.items().await.len();

    assert!(matches!(db.records.vault(&other, &vault.vault_id).await, Ok(None)));
    assert_eq!(db.records.vault_id_of_name(&other, &vault.name).await, Ok(None));
    assert_eq!(db.records.default_vault_id(&other).await, Ok(None));
    let statuses = [VaultStatus::Active];
    let changed = db.records.change_status(
        &other,
        &vault.vault_id,
        &statuses,
        VaultStatus::Disabled,
        vault.updated_at,
    );
    assert!(matches!(changed.await, Ok(None)));
    db.records
        .clear_default(&other, &vault.vault_id)
        .await
        .expect("nothing to clear");
    db.records
        .record_health(&other, &vault.vault_id, &vault.health)
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
        (
            "public_key",
            AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new("x")),
        ),
        ("health", text("fine")),
    ] {
        let mut bad = good.clone();
        bad.insert(attribute.to_owned(), value);
        db.put(bad).await;
        let read = db.records.vault(&vault.workspace_id, &vault.vault_id).await;
        assert_eq!(read.map(drop), Err(StoreError::Corrupt), "{attribute}");
    }
}
