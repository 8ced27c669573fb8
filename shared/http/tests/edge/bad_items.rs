//! Bad items that a stranger can send: batches of a wrong size, ids and contexts of a wrong form, and sealed items that
//! were altered, cut, extended, moved or made elsewhere.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::service::{Service, member};

#[tokio::test]
async fn batches_and_their_fields_are_checked() {
    let service = Service::new();
    service.with_vault().await;
    let item = |changes: Value| {
        let mut item = json!({ "item_id": "i", "plaintext": "aGk=" });
        for (name, value) in changes.as_object().expect("an object") {
            item[name] = value.clone();
        }
        item
    };
    let many_pairs: Value = (0..33)
        .map(|n| (n.to_string(), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let cases = [
        (json!({ "items": [] }), "#/items"),
        (json!({ "items": vec![item(json!({})); 101] }), "#/items"),
        (json!({ "items": "all" }), "#/items"),
        (json!({ "items": [["i", "aGk=", {}]] }), "#/items/0"),
        (
            json!({ "items": [item(json!({ "item_id": "" }))] }),
            "#/items/0/item_id",
        ),
        (
            json!({ "items": [item(json!({})), item(json!({ "item_id": "a\nb" }))] }),
            "#/items/1/item_id",
        ),
        (
            json!({ "items": [item(json!({ "item_id": "i".repeat(257) }))] }),
            "#/items/0/item_id",
        ),
        (
            json!({ "items": [item(json!({ "plaintext": "aGk" }))] }),
            "#/items/0/plaintext",
        ),
        (
            json!({ "items": [item(json!({ "plaintext": "aGl=" }))] }),
            "#/items/0/plaintext",
        ),
        (
            json!({ "items": [item(json!({ "plaintext": 7 }))] }),
            "#/items/0/plaintext",
        ),
        (
            json!({ "items": [item(json!({ "context": { "": "v" } }))] }),
            "#/items/0/context",
        ),
        (
            json!({ "items": [item(json!({ "context": { "k": "v".repeat(1025) } }))] }),
            "#/items/0/context",
        ),
        (
            json!({ "items": [item(json!({ "context": many_pairs }))] }),
            "#/items/0/context",
        ),
        (
            json!({ "items": [item(json!({ "context": { "k": 1 } }))] }),
            "#/items/0/context",
        ),
        (json!({ "items": [item(json!({ "extra": 1 }))] }), "#/items/0"),
        (json!({ "items": [item(json!({}))], "vault_id": "acme" }), "#/vault_id"),
    ];
    for (body, pointer) in cases {
        let answer = service.encrypt_item(&member(), &body.to_string()).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, "malformed-request"),
            "{}",
            answer.text
        );
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    assert!(
        service.records.data_keys().is_empty(),
        "a malformed request issues no data key"
    );
}

#[tokio::test]
async fn more_plaintext_than_one_call_may_carry() {
    let service = Service::new();
    service.with_vault().await;
    let half = Base64::encode_string(&vec![0; 2 * 1024 * 1024]);
    let items =
        |count: usize| json!({ "items": vec![json!({ "item_id": "i", "plaintext": half }); count] }).to_string();
    assert_eq!(service.encrypt_item(&member(), &items(2)).await.status, 200);
    let answer = service.encrypt_item(&member(), &items(3)).await;
    assert_eq!((answer.status, answer.problem()), (413, "too-large"));
}

#[tokio::test]
async fn without_a_default_vault_one_must_be_named() {
    let service = Service::new();
    let answer = service
        .encrypt_item(&member(), r#"{"items":[{"item_id":"i","plaintext":""}]}"#)
        .await;
    assert_eq!((answer.status, answer.problem()), (409, "no-default-vault"));
}

#[tokio::test]
async fn an_item_that_does_not_open_says_why_and_fails_no_neighbour() {
    let service = Service::new();
    service.with_vault().await;
    let context = json!({ "field": "password" });
    let sealed = service.sealed("item-1", b"canary plaintext", &context).await;
    let bytes = Base64::decode_vec(&sealed).expect("base64");
    let altered = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        Base64::encode_string(&bytes)
    };
    let item = |item_id: &str, sealed: &str, context: &Value| json!({ "item_id": item_id, "sealed_item": sealed, "context": context });
    let bad = [
        item("item-1", &altered(&|bytes| bytes.truncate(bytes.len() - 1)), &context),
        item("item-1", &altered(&|bytes| bytes.push(0)), &context),
        item(
            "item-1",
            &altered(&|bytes| *bytes.last_mut().expect("bytes") ^= 1),
            &context,
        ),
        item("item-1", &altered(&|bytes| bytes[2] ^= 1), &context),
        item("item-1", &altered(&|bytes| bytes[200] ^= 1), &context),
        item("item-1", "", &context),
        item("item-1", "aGk", &context),
        item("item-1", "aGk=", &context),
        item("item-2", &sealed, &context),
        item("item-1", &sealed, &json!({})),
        item("item-1", &sealed, &json!({ "field": "username" })),
    ];
    let mut items = bad.to_vec();
    items.push(item("item-1", &sealed, &context));
    let answer = service
        .decrypt_item(&member(), &json!({ "items": items }).to_string())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let outcomes = answer.body["items"].as_array().expect("items");
    for outcome in &outcomes[..bad.len()] {
        let error = &outcome["error"];
        assert_eq!(error["type"], "urn:latchkey:problem:item-does-not-open", "{outcome}");
        assert_eq!(error["status"], 422);
        assert!(error["detail"].is_string() && error["request_id"].is_string());
        assert!(outcome.get("plaintext").is_none());
    }
    assert_eq!(
        outcomes[bad.len()]["plaintext"],
        Base64::encode_string(b"canary plaintext")
    );
}

#[tokio::test]
async fn another_workspaces_item_names_no_vault_of_ones_own() {
    let service = Service::new();
    service.with_vault().await;
    let sealed = service.sealed("item-1", b"secret", &json!({})).await;
    let calls = service.customer.calls();
    let stranger = json!({ "workspace_id": "ws-other", "role": "owner", "sub": "user-9" });
    let body = json!({ "items": [{ "item_id": "item-1", "sealed_item": sealed }] });
    let answer = service.decrypt_item(&stranger, &body.to_string()).await;
    assert_eq!(
        answer.body["items"][0]["error"]["type"],
        "urn:latchkey:problem:vault-not-found"
    );
    assert_eq!(service.customer.calls(), calls, "refused before KMS");
}

#[tokio::test]
async fn a_disabled_vault_opens_nothing() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let sealed = service.sealed("item-1", b"secret", &json!({})).await;
    let disabled = service.disable_vault(&crate::service::admin(), &vault_id, "").await;
    assert_eq!(disabled.body["status"], "disabled");
    let body = json!({ "items": [{ "item_id": "item-1", "sealed_item": sealed }] });
    let answer = service.decrypt_item(&member(), &body.to_string()).await;
    assert_eq!(
        answer.body["items"][0]["error"]["type"],
        "urn:latchkey:problem:wrong-vault-status"
    );
    let encrypt = json!({ "vault_id": vault_id, "items": [{ "item_id": "i", "plaintext": "" }] });
    let answer = service.encrypt_item(&member(), &encrypt.to_string()).await;
    assert_eq!((answer.status, answer.problem()), (409, "wrong-vault-status"));
}
