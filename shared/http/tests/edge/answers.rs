//! Answers to valid requests.

use core::time::Duration;

use base64ct::{Base64, Encoding};
use latchkey_in_memory::KeyState;
use serde_json::{Value, json};

use crate::service::{ACCOUNT, KEY_ID, ROLE_ARN, Service, admin, invoke, managed_key, member, vault_body};

#[tokio::test]
async fn a_vault_is_answered_with_everything_about_it_and_its_validation() {
    let service = Service::new();
    let answer = service
        .create_vault(&admin(), &vault_body(json!({ "set_as_default": true })).to_string())
        .await;
    assert_eq!((answer.status, answer.content_type.as_str()), (201, "application/json"));
    let vault = &answer.body;
    assert_eq!(vault["name"], "Acme");
    assert_eq!(vault["strategy"], "aws_kms");
    assert_eq!(vault["status"], "active");
    assert_eq!(vault["is_default"], true);
    assert_eq!(vault["aws_account_id"], ACCOUNT);
    assert_eq!(vault["kms_key_id"], KEY_ID);
    assert_eq!(vault["aws_role_arn"], ROLE_ARN);
    assert_eq!(vault["data_key_cache_seconds"], 30);
    assert_eq!(vault["created_by"], "user-1");
    assert_eq!(
        vault["keys"],
        json!([
            { "region": "us-east-2", "arn": format!("arn:aws:kms:us-east-2:{ACCOUNT}:key/{KEY_ID}"), "multi_region_key_type": "PRIMARY" },
            { "region": "us-west-2", "arn": format!("arn:aws:kms:us-west-2:{ACCOUNT}:key/{KEY_ID}"), "multi_region_key_type": "REPLICA" },
        ])
    );
    assert_eq!(vault["public_key_sha256"].as_str().map(str::len), Some(64));
    assert_eq!(
        vault["validation"]["checks"].as_array().map(Vec::len),
        Some(4 + 2 * 11 + 3)
    );
}

#[tokio::test]
async fn what_was_sealed_opens_in_the_other_region() {
    let service = Service::new();
    service.with_vault().await;
    let sealed = service
        .sealed("item-1", b"a secret", &json!({ "field": "password" }))
        .await;
    let body = json!({ "items": [{ "item_id": "item-1", "sealed_item": sealed, "context": { "field": "password" } }] });
    let answer = service.decrypt_item(&member(), &body.to_string()).await;
    assert_eq!(
        answer.body,
        json!({ "items": [{ "item_id": "item-1", "plaintext": Base64::encode_string(b"a secret") }] })
    );
}

#[tokio::test]
async fn a_validation_that_fails_is_an_answer_and_its_health_is_recorded() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let report = service.validate_vault(&admin(), &vault_id, "").await;
    assert_eq!((report.status, &report.body["result"]), (200, &json!("fail")));
    let vault = service
        .disable_vault(&admin(), &vault_id, r#"{"mode":"decrypt_only"}"#)
        .await;
    assert_eq!(
        (&vault.body["status"], &vault.body["is_default"]),
        (&json!("decrypt_only"), &json!(false))
    );
    assert_eq!(vault.body["health"]["state"], "unusable");
    assert!(
        vault.body["health"]["findings"]
            .as_array()
            .is_some_and(|findings| !findings.is_empty())
    );
}

#[tokio::test]
async fn an_unusable_vault_takes_no_items_and_says_why() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.validate_vault(&admin(), &vault_id, "").await;
    let body = json!({ "items": [{ "item_id": "i", "plaintext": "" }] });
    let answer = service.encrypt_item(&member(), &body.to_string()).await;
    assert_eq!((answer.status, answer.problem()), (409, "vault-unusable"));
    let finding = &answer.body["findings"][0];
    assert_eq!(finding["check"], "key_enabled");
    assert!(
        finding["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("enable-key"))
    );
}

#[tokio::test]
async fn the_schedule_checks_what_is_due() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let sweep = async |event| invoke(&service.validate_vault_endpoint(), &event).await;
    let nothing = json!({
        "shard": 0, "shards": 1, "vaults_checked": 0, "vaults_validated": 0, "vaults_changed": 0, "vaults_failed": 0,
        "vaults_left": 0, "vaults_unannounced": 0, "events_announced": 0,
    });
    let answer = sweep(json!({ "sweep": { "shard": 0 } })).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, nothing),
        "a new vault is not due yet"
    );
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(Duration::from_secs(60));
    let answer = sweep(json!({ "sweep": { "shard": 0, "shards": 1 } })).await;
    assert_eq!((answer.status, &answer.body["vaults_checked"]), (200, &json!(1)));
    assert_eq!(answer.body["vaults_changed"], 1);
    let vault = service
        .disable_vault(&admin(), &vault_id, r#"{"mode":"decrypt_only"}"#)
        .await;
    assert_eq!(vault.body["health"]["state"], "unusable");
}

#[tokio::test]
async fn a_managed_vault_is_made_where_it_is_offered_and_names_no_key() {
    let mut service = Service::new();
    let body = json!({ "name": "Managed", "strategy": "managed", "set_as_default": true });
    let refused = service.create_vault(&admin(), &body.to_string()).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (400, &json!("#/strategy"))
    );

    service.customer.change_role(|role| {
        role.takes_missing_external_id = true;
        role.takes_wrong_external_id = true;
    });
    service.managed_key = Some(managed_key());
    let with_a_key = vault_body(json!({ "strategy": "managed" }));
    let refused = service.create_vault(&admin(), &with_a_key.to_string()).await;
    let pointers: Vec<_> = refused.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|it| &it["pointer"])
        .collect();
    assert_eq!(pointers, ["#/aws_account_id", "#/kms_key_id", "#/aws_role_arn"]);

    let created = service.create_vault(&admin(), &body.to_string()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(
        (&created.body["strategy"], &created.body["is_default"]),
        (&json!("managed"), &json!(true))
    );
    assert_eq!(created.body["validation"]["result"], "pass");
}

/// Otherwise a customer could name the managed key's role, or another of ours, as its own.
#[tokio::test]
async fn a_key_in_the_services_account_is_no_customers() {
    let service = Service::new();
    let own = vault_body(json!({
        "aws_account_id": "111111111111",
        "aws_role_arn": "arn:aws:iam::111111111111:role/production-latchkey-managed-key",
    }));
    let refused = service.create_vault(&admin(), &own.to_string()).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (400, &json!("#/aws_account_id"))
    );
    assert_eq!(service.customer.calls(), 0);
}

#[tokio::test]
async fn reassigned_items_are_answered_one_by_one() {
    let service = Service::new();
    let from = service.with_vault().await;
    let target = vault_body(json!({ "name": "Target" })).to_string();
    let to = service.create_vault(&admin(), &target).await.body["vault_id"].clone();
    let sealed = service.sealed("i", b"canary", &json!({})).await;
    let items = json!([{ "item_id": "i", "sealed_item": sealed }, { "item_id": "j", "sealed_item": sealed }]);
    let call = async |body: Value| service.reassign_item(&member(), &body.to_string()).await;

    let would = call(json!({ "to_vault_id": to, "items": items, "dry_run": true })).await;
    assert_eq!(
        (would.status, &would.body["items"][0]),
        (200, &json!({ "item_id": "i", "outcome": "would_move" }))
    );
    let moved = call(json!({ "to_vault_id": to, "items": items })).await;
    assert_eq!(
        (&moved.body["vault_id"], &moved.body["items"][0]["outcome"]),
        (&to, &json!("moved"))
    );
    assert_eq!(moved.body["items"][1]["error"]["status"], 422, "another id");
    assert_eq!(
        (&moved.audit["items"], &moved.audit["items_failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(moved.audit["item_id_hashes"].as_array().map(Vec::len), Some(2));
    assert_eq!(moved.audit["item_vault_ids"].as_array().map(Vec::len), Some(2));
    let again = json!([{ "item_id": "i", "sealed_item": moved.body["items"][0]["sealed_item"] }]);
    let again = call(json!({ "to_vault_id": to, "items": again })).await;
    assert_eq!(again.body["items"][0]["outcome"], "unchanged");

    let malformed = call(json!({ "to_vault_id": "x", "items": [] })).await;
    let pointers: Vec<_> = malformed.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|it| &it["pointer"])
        .collect();
    assert_eq!(pointers, ["#/to_vault_id", "#/items"]);
    service
        .disable_vault(&admin(), to.as_str().expect("an id"), r#"{"mode":"decrypt_only"}"#)
        .await;
    let refused = call(json!({ "to_vault_id": to, "items": items })).await;
    assert_eq!((refused.status, refused.problem()), (409, "wrong-vault-status"));
    assert_ne!(json!(from), to);
}
