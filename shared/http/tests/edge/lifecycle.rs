//! Listing, updating, disabling and enabling vaults: what is answered, and what is refused.

use latchkey_in_memory::KeyState;
use serde_json::{Value, json};

use crate::bad_input::assert_problem;
use crate::service::{Answer, Service, admin, member, vault_body};

const MISSING: &str = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r";

fn etag(answer: &Answer) -> &str {
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    answer.etag().expect("an ETag")
}

fn parameters(answer: &Answer) -> Vec<&str> {
    assert_problem(answer, 400, "malformed-request");
    let errors = answer.body["errors"].as_array().expect("errors");
    errors.iter().filter_map(|error| error["parameter"].as_str()).collect()
}

async fn named(service: &Service, name: &str) -> String {
    let created = service
        .create_vault(&admin(), &vault_body(json!({ "name": name })).to_string())
        .await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.body["vault_id"].as_str().expect("an id").to_owned()
}

fn names(answer: &Answer) -> Vec<&str> {
    let vaults = answer.body["vaults"].as_array().expect("vaults");
    vaults.iter().filter_map(|vault| vault["name"].as_str()).collect()
}

#[tokio::test]
async fn any_member_reads_a_vault_as_its_changes_answer_it_and_with_the_same_etag() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let read = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
    assert_eq!(
        (etag(&read), &read.body["is_default"]),
        ("\"v1-default\"", &json!(true))
    );
    assert_eq!(read.audit["operation"], "get-vault");
    let body = json!({ "name": "Renamed", "is_default": false, "data_key_cache_seconds": 5 }).to_string();
    let updated = service
        .update_vault(&admin(), &vault_id, &body, Some("\"v1-default\""))
        .await;
    assert_eq!(etag(&updated), "\"v2\"");
    let shown = ["name", "is_default", "data_key_cache_seconds"].map(|field| updated.body[field].clone());
    assert_eq!(shown, [json!("Renamed"), json!(false), json!(5)]);
    let disabled = service.disable_vault(&admin(), &vault_id, "").await;
    assert_eq!(etag(&disabled), "\"v3\"");
    let enabled = service.enable_vault(&admin(), &vault_id, "", Some("\"v3\"")).await;
    assert_eq!((etag(&enabled), &enabled.body["status"]), ("\"v4\"", &json!("active")));
    assert_eq!(enabled.body["validation"]["result"], "pass");
    let read = service.list_vaults(&member(), Some(&vault_id), &json!({})).await;
    assert_eq!(etag(&read), "\"v4\"");
    let again = service.enable_vault(&admin(), &vault_id, "{}", None).await;
    assert_eq!(etag(&again), "\"v4\"");
}

#[tokio::test]
async fn a_change_meant_for_another_state_of_the_vault_is_not_made() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    for stale in ["\"v1\"", "\"v2-default\"", "W/\"v1-default\"", "\"x\""] {
        let body = json!({ "name": "Other" }).to_string();
        let answer = service.update_vault(&admin(), &vault_id, &body, Some(stale)).await;
        assert_problem(&answer, 412, "precondition-failed");
        let answer = service.disable_vault_if(&admin(), &vault_id, stale).await;
        assert_problem(&answer, 412, "precondition-failed");
    }
    let read = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
    assert_eq!((etag(&read), &read.body["name"]), ("\"v1-default\"", &json!("Acme")));
    let answer = service
        .update_vault(&admin(), &vault_id, r#"{"name":"Other"}"#, Some("v1-default"))
        .await;
    assert_eq!(parameters(&answer), ["If-Match"]);
    assert_eq!(
        etag(&service.disable_vault_if(&admin(), &vault_id, "\"v1-default\"").await),
        "\"v2\""
    );
    let answer = service
        .enable_vault(&admin(), &vault_id, "", Some("\"v1-default\""))
        .await;
    assert_problem(&answer, 412, "precondition-failed");
}

#[tokio::test]
async fn enabling_what_does_not_validate_answers_the_report_and_changes_nothing() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    service.disable_vault(&admin(), &vault_id, "").await;
    let before = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let answer = service.enable_vault(&admin(), &vault_id, "", None).await;
    assert_problem(&answer, 422, "validation-failed");
    assert_eq!(answer.body["validation"]["result"], "fail");
    let after = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
    assert_eq!((&after.body, after.etag()), (&before.body, before.etag()));
}

#[tokio::test]
async fn a_list_has_pages_and_filters() {
    let service = Service::new();
    let mut expected = vec!["Acme"];
    let first = service.with_vault().await;
    for name in ["B", "C", "D", "E"] {
        named(&service, name).await;
        expected.push(name);
    }
    let whole = service.list_vaults(&member(), None, &Value::Null).await;
    assert_eq!((names(&whole), whole.body.get("next_token")), (expected.clone(), None));
    assert_eq!(whole.body["vaults"][0]["is_default"], true);
    assert!(whole.etag().is_none());
    assert_eq!(whole.audit["operation"], "list-vaults");

    let (mut listed, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut query = json!({ "limit": "2" });
        if let Some(token) = &token {
            query["next_token"] = json!(token);
        }
        let page = service.list_vaults(&member(), None, &query).await;
        assert!(names(&page).len() <= 2);
        listed.extend(names(&page).into_iter().map(str::to_owned));
        token = page.body["next_token"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(listed, expected);

    service.disable_vault(&admin(), &first, "").await;
    let filtered = async |query: Value| {
        let page = service.list_vaults(&member(), None, &query).await;
        (names(&page).join(" "), page.body["next_token"].is_string())
    };
    assert_eq!(
        filtered(json!({ "status": "disabled" })).await,
        ("Acme".to_owned(), false)
    );
    assert_eq!(
        filtered(json!({ "status": "active" })).await,
        ("B C D E".to_owned(), false)
    );
    assert_eq!(
        filtered(json!({ "status": "decrypt_only" })).await,
        (String::new(), false)
    );
    assert_eq!(
        filtered(json!({ "status": "active", "limit": "3" })).await,
        ("B C D".to_owned(), true)
    );
    assert_eq!(
        filtered(json!({ "health": "healthy", "status": "disabled" })).await,
        ("Acme".to_owned(), false)
    );
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.validate_vault(&admin(), &first, "").await;
    assert_eq!(
        filtered(json!({ "health": "unusable" })).await,
        ("Acme".to_owned(), false)
    );
    assert_eq!(filtered(json!({ "health": "unknown" })).await, (String::new(), false));
}

#[tokio::test]
async fn what_a_list_does_not_take_is_named() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    named(&service, "Second").await;
    for (query, wrong) in [
        (json!({ "limit": "0" }), vec!["limit"]),
        (json!({ "limit": "101" }), vec!["limit"]),
        (json!({ "limit": "+5" }), vec!["limit"]),
        (json!({ "limit": "" }), vec!["limit"]),
        (json!({ "limit": "5,5" }), vec!["limit"]),
        (json!({ "status": "Active" }), vec!["status"]),
        (json!({ "health": "" }), vec!["health"]),
        (json!({ "next_token": "" }), vec!["next_token"]),
        (json!({ "next_token": "garbage" }), vec!["next_token"]),
        (json!({ "next_token": vault_id }), vec!["next_token"]),
        (json!({ "page": "1", "limit": "x" }), vec!["limit", "page"]),
        (json!({ "<canary>": "1" }), vec!["?"]),
    ] {
        let answer = service.list_vaults(&member(), None, &query).await;
        assert_eq!(parameters(&answer), wrong, "{query}");
        assert!(!answer.text.contains("canary"));
    }
    let page = service.list_vaults(&member(), None, &json!({ "limit": "1" })).await;
    let token = &page.body["next_token"];
    let stranger = json!({ "workspace_id": "ws-other", "role": "owner", "sub": "user-9" });
    let moved = service
        .list_vaults(&stranger, None, &json!({ "next_token": token }))
        .await;
    assert_eq!(parameters(&moved), ["next_token"]);
    let refiltered = json!({ "next_token": token, "status": "active" });
    assert_eq!(
        parameters(&service.list_vaults(&member(), None, &refiltered).await),
        ["next_token"]
    );
    let one = service
        .list_vaults(&member(), Some(&vault_id), &json!({ "limit": "1" }))
        .await;
    assert_eq!(parameters(&one), ["limit"]);
}

#[tokio::test]
async fn every_field_of_update_vault_is_checked_and_nothing_is_changed() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    for (body, pointer) in [
        ("", "#"),
        ("{}", "#"),
        ("[]", "#"),
        (r#"{"name":""}"#, "#/name"),
        (r#"{"name":null}"#, "#/name"),
        (r#"{"name":7}"#, "#/name"),
        (r#"{"is_default":"yes"}"#, "#/is_default"),
        (r#"{"is_default":null}"#, "#/is_default"),
        (r#"{"data_key_cache_seconds":301}"#, "#/data_key_cache_seconds"),
        (r#"{"data_key_cache_seconds":null}"#, "#/data_key_cache_seconds"),
        (r#"{"status":"active"}"#, "#"),
        (r#"{"workspace_id":"ws-victim","name":"x"}"#, "#"),
    ] {
        let answer = service.update_vault(&admin(), &vault_id, body, None).await;
        assert_problem(&answer, 400, "malformed-request");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let answer = service
        .enable_vault(&admin(), &vault_id, r#"{"force":true}"#, None)
        .await;
    assert_problem(&answer, 400, "malformed-request");
    let read = service.list_vaults(&member(), Some(&vault_id), &Value::Null).await;
    assert_eq!(etag(&read), "\"v1-default\"");
}

#[tokio::test]
async fn a_name_that_is_taken_and_a_default_that_takes_no_items() {
    let service = Service::new();
    let (first, second) = (service.with_vault().await, named(&service, "Second").await);
    let taken = service
        .update_vault(&admin(), &second, r#"{"name":"ACME"}"#, None)
        .await;
    assert_problem(&taken, 409, "vault-name-taken");
    service
        .disable_vault(&admin(), &second, r#"{"mode":"decrypt_only"}"#)
        .await;
    let refused = service
        .update_vault(&admin(), &second, r#"{"is_default":true,"name":"New"}"#, None)
        .await;
    assert_problem(&refused, 409, "wrong-vault-status");
    let listed = service.list_vaults(&member(), None, &Value::Null).await;
    assert_eq!(names(&listed), ["Acme", "Second"]);
    assert_eq!(listed.body["vaults"][0]["vault_id"], first);
    assert_eq!(listed.body["vaults"][0]["is_default"], true);
}

#[tokio::test]
async fn strangers_members_and_nobody() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let stranger = json!({ "workspace_id": "ws-other", "role": "owner", "sub": "user-9" });
    let rename = r#"{"name":"Mine"}"#;
    for id in [vault_id.as_str(), MISSING] {
        assert_problem(
            &service.update_vault(&stranger, id, rename, None).await,
            404,
            "vault-not-found",
        );
        assert_problem(
            &service.enable_vault(&stranger, id, "", None).await,
            404,
            "vault-not-found",
        );
        assert_problem(
            &service.list_vaults(&stranger, Some(id), &Value::Null).await,
            404,
            "vault-not-found",
        );
    }
    assert_eq!(
        names(&service.list_vaults(&stranger, None, &Value::Null).await),
        Vec::<&str>::new()
    );
    for id in ["", "..", "vlt_"] {
        assert_problem(
            &service.list_vaults(&member(), Some(id), &Value::Null).await,
            404,
            "vault-not-found",
        );
    }
    let calls = service.customer.calls();
    assert_problem(
        &service.update_vault(&member(), &vault_id, rename, None).await,
        403,
        "forbidden",
    );
    assert_problem(
        &service.enable_vault(&member(), &vault_id, "", None).await,
        403,
        "forbidden",
    );
    assert_eq!(service.customer.calls(), calls);
    let nobody = json!({});
    assert_problem(
        &service.update_vault(&nobody, &vault_id, rename, None).await,
        401,
        "unauthenticated",
    );
    assert_problem(
        &service.enable_vault(&nobody, &vault_id, "", None).await,
        401,
        "unauthenticated",
    );
    assert_problem(
        &service.list_vaults(&nobody, None, &Value::Null).await,
        401,
        "unauthenticated",
    );
}
