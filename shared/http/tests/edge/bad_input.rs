//! Bad requests that a stranger can send. Each gets a problem that says what to do. Nothing is stored, and no input
//! comes back.

use latchkey_in_memory::KeyState;
use serde_json::{Value, json};

use crate::service::{Answer, Service, admin, invoke, member, vault_body};

pub(crate) fn assert_problem(answer: &Answer, status: u64, problem: &str) {
    assert_eq!((answer.status, answer.problem()), (status, problem), "{}", answer.text);
    assert_eq!(answer.content_type, "application/problem+json");
    for field in ["title", "detail", "request_id"] {
        assert!(
            answer.body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field}: {}",
            answer.text
        );
    }
    assert_eq!(answer.body["status"], status);
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
}

#[tokio::test]
async fn a_body_that_is_no_json_object_of_the_operation() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    for body in [
        "",
        "nonsense",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{}{}",
        "\u{0}",
        r#"{"name":"a","name":"b"}"#,
    ] {
        assert_problem(&service.create_vault(&admin(), body).await, 400, "malformed-request");
        assert_problem(&service.encrypt_item(&member(), body).await, 400, "malformed-request");
        assert_problem(&service.decrypt_item(&member(), body).await, 400, "malformed-request");
        if !body.is_empty() {
            assert_problem(
                &service.validate_vault(&admin(), &vault_id, body).await,
                400,
                "malformed-request",
            );
            assert_problem(
                &service.disable_vault(&admin(), &vault_id, body).await,
                400,
                "malformed-request",
            );
        }
    }
    let deep = "[".repeat(100_000);
    assert_problem(&service.encrypt_item(&member(), &deep).await, 400, "malformed-request");
}

#[tokio::test]
async fn every_field_of_create_vault_is_checked_and_nothing_is_stored() {
    let service = Service::new();
    let other_account_key = "arn:aws:kms:us-east-2:333333333333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
    let cases = [
        (json!({ "unknown": 1 }), "#"),
        (json!({ "name": null }), "#"),
        (json!({ "name": 7 }), "#/name"),
        (json!({ "name": "" }), "#/name"),
        (json!({ "name": "a\u{7}" }), "#/name"),
        (json!({ "name": "n".repeat(65) }), "#/name"),
        (json!({ "strategy": "managed" }), "#/strategy"),
        (json!({ "aws_account_id": 222_222_222_222_u64 }), "#/aws_account_id"),
        (json!({ "aws_account_id": "2222" }), "#/aws_account_id"),
        (json!({ "aws_account_id": "333333333333" }), "#/aws_role_arn"),
        (json!({ "kms_key_id": "alias/latchkey" }), "#/kms_key_id"),
        (json!({ "kms_key_id": other_account_key }), "#/kms_key_id"),
        (json!({ "aws_role_arn": "latchkey" }), "#/aws_role_arn"),
        (
            json!({ "aws_role_arn": "arn:aws:iam::222222222222:role/*" }),
            "#/aws_role_arn",
        ),
        (json!({ "set_as_default": "yes" }), "#/set_as_default"),
        (json!({ "data_key_cache_seconds": 301 }), "#/data_key_cache_seconds"),
        (json!({ "data_key_cache_seconds": -1 }), "#/data_key_cache_seconds"),
        (json!({ "data_key_cache_seconds": 1.5 }), "#/data_key_cache_seconds"),
        (json!({ "external_id": "ws-victim" }), "#"),
        (json!({ "workspace_id": "ws-victim" }), "#"),
    ];
    for (changes, pointer) in cases {
        let answer = service.create_vault(&admin(), &vault_body(changes).to_string()).await;
        assert_problem(&answer, 400, "malformed-request");
        assert!(pointers(&answer).contains(&pointer), "{pointer}: {}", answer.text);
    }
    assert!(service.records.is_empty());
    assert_eq!(service.customer.calls(), 0);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let service = Service::new();
    let body = vault_body(json!({ "name": "", "strategy": "x", "aws_account_id": "1", "aws_role_arn": "x" }));
    let answer = service.create_vault(&admin(), &body.to_string()).await;
    assert_eq!(
        pointers(&answer),
        ["#/name", "#/strategy", "#/aws_account_id", "#/aws_role_arn"]
    );
}

#[tokio::test]
async fn a_token_without_claims_is_nobody() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let wrong = [
        json!({}),
        json!(null),
        json!({ "workspace_id": "ws-acme-0001" }),
        json!({ "role": "admin", "sub": "u" }),
    ];
    for claims in wrong {
        assert_problem(&service.create_vault(&claims, "{}").await, 401, "unauthenticated");
        assert_problem(
            &service.validate_vault(&claims, &vault_id, "").await,
            401,
            "unauthenticated",
        );
        assert_problem(
            &service.disable_vault(&claims, &vault_id, "").await,
            401,
            "unauthenticated",
        );
        assert_problem(&service.encrypt_item(&claims, "{}").await, 401, "unauthenticated");
        assert_problem(&service.decrypt_item(&claims, "{}").await, 401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_member_administers_no_vault() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let calls = service.customer.calls();
    assert_problem(
        &service
            .create_vault(&member(), &vault_body(json!({})).to_string())
            .await,
        403,
        "forbidden",
    );
    assert_problem(
        &service.validate_vault(&member(), &vault_id, "").await,
        403,
        "forbidden",
    );
    assert_problem(&service.disable_vault(&member(), &vault_id, "").await, 403, "forbidden");
    assert_eq!(service.customer.calls(), calls);
}

#[tokio::test]
async fn a_missing_vault_and_a_foreign_one_get_the_same_answer() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let stranger = json!({ "workspace_id": "ws-other", "role": "owner", "sub": "user-9" });
    let missing = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r";
    let encrypt =
        |vault_id: &str| json!({ "vault_id": vault_id, "items": [{ "item_id": "i", "plaintext": "" }] }).to_string();
    for id in [vault_id.as_str(), missing] {
        assert_problem(&service.validate_vault(&stranger, id, "").await, 404, "vault-not-found");
        assert_problem(&service.disable_vault(&stranger, id, "").await, 404, "vault-not-found");
        assert_problem(
            &service.encrypt_item(&stranger, &encrypt(id)).await,
            404,
            "vault-not-found",
        );
    }
    let normalized = |answer: Answer| {
        let mut body = answer.body;
        body["request_id"] = Value::Null;
        body
    };
    assert_eq!(
        normalized(service.validate_vault(&stranger, &vault_id, "").await),
        normalized(service.validate_vault(&stranger, missing, "").await)
    );
    for id in ["", "..", "vlt_", "VAULT"] {
        assert_problem(&service.disable_vault(&admin(), id, "").await, 404, "vault-not-found");
    }
}

#[tokio::test]
async fn a_key_that_fails_its_validation_makes_no_vault() {
    let service = Service::new();
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let answer = service.create_vault(&admin(), &vault_body(json!({})).to_string()).await;
    assert_problem(&answer, 422, "validation-failed");
    let findings = answer.body["findings"].as_array().expect("findings");
    assert!(
        findings.iter().all(|finding| finding["remedy"].is_string()),
        "{}",
        answer.text
    );
    assert!(
        findings.iter().any(|finding| finding["check"] == "key_enabled"),
        "{}",
        answer.text
    );
    assert_eq!(answer.body["validation"]["result"], "fail");
    assert!(service.records.is_empty());
}

#[tokio::test]
async fn an_event_that_is_neither_the_apis_nor_the_schedules() {
    let service = Service::new();
    for event in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "Records": [] }),
        json!({ "sweep": {} }),
    ] {
        let answer = invoke(&service.validate_vault_endpoint(), &event).await;
        assert_problem(&answer, 400, "unknown-event");
    }
}
