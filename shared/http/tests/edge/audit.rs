//! The audit log: one line per request. It says who did what with which uses of the key, and never what was sealed. A
//! request that cannot be audited gets no result.

use core::time::Duration;
use std::io::{self, Write};

use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use latchkey_http::answer;
use latchkey_in_memory::KeyState;
use serde_json::json;
use serde_json::value::RawValue;

use crate::freed_memory::{NEEDLES, freed_with_a_needle};
use crate::service::{Service, admin, api_event, deployment, invoke, member};

#[tokio::test]
async fn a_line_says_who_did_what_with_which_uses_of_the_key() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let body =
        json!({ "items": [{ "item_id": "canary", "plaintext": "Y2FuYXJ5", "context": { "canary": "canary" } }] });
    let answer = service.encrypt_item(&member(), &body.to_string()).await;
    let line = &answer.audit;
    assert_eq!(line["log"], "audit");
    assert_eq!(line["operation"], "encrypt-item");
    assert_eq!(line["workspace_id"], "ws-acme-0001");
    assert_eq!((&line["subject"], &line["role"]), (&json!("user-2"), &json!("member")));
    assert_eq!(line["vault_id"], vault_id);
    assert_eq!((&line["items"], &line["items_failed"]), (&json!(1), &json!(0)));
    assert_eq!(line["status"], 200);
    let uses = line["key_uses"].as_array().expect("uses");
    assert_eq!(uses.len(), 1);
    assert_eq!(uses[0]["action"], "kms:Decrypt");
    assert!(
        uses[0]["role_session_name"]
            .as_str()
            .is_some_and(|name| name.starts_with(&vault_id))
    );
    assert!(!line.to_string().contains("canary") && !line.to_string().contains("Y2FuYXJ5"));
}

#[tokio::test]
async fn a_refused_request_has_its_line_too() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let line = service.disable_vault(&member(), &vault_id, "").await.audit;
    assert_eq!(
        (&line["status"], &line["problem"]),
        (&json!(403), &json!("urn:latchkey:problem:forbidden"))
    );
    assert_eq!(
        (&line["vault_id"], &line["workspace_id"]),
        (&json!(vault_id), &json!("ws-acme-0001"))
    );
    let line = service.create_vault(&json!({}), "").await.audit;
    assert_eq!((&line["status"], line.get("workspace_id")), (&json!(401), None));
}

/// A sweep has no caller to name. Each vault that it checks has a line of its own, and so do the metrics.
#[tokio::test]
async fn a_sweep_has_a_line_for_each_vault_and_one_of_metrics() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    service.clock.advance(Duration::from_secs(61));
    let event = json!({ "sweep": { "shard": 0 } });
    let answer = invoke(&service.validate_vault_endpoint(), &event).await;
    let [check, metrics] = answer.log.as_slice() else {
        panic!("{:?}", answer.log);
    };
    assert_eq!(
        (&check["log"], &check["operation"]),
        (&json!("audit"), &json!("check-vault"))
    );
    assert_eq!(
        (&check["workspace_id"], &check["vault_id"], &check["request_id"]),
        (&json!("ws-acme-0001"), &json!(vault_id), &answer.audit["request_id"])
    );
    assert_eq!(
        (&check["previous_health"], &check["health"], &check["whole"]),
        (&json!("healthy"), &json!("unusable"), &json!(true))
    );
    assert_eq!(
        check["findings"][0],
        json!({ "check": "key_enabled", "region": "us-east-2" })
    );
    assert_eq!(check["announced"], json!([service.event_bus.events()[0].event_id]));
    assert!(check["key_uses"].as_array().is_some_and(|uses| uses.len() >= 12));
    assert_eq!(
        (&metrics["vaults_unusable"], &metrics["stage"]),
        (&json!(1), &json!("production"))
    );
    assert_eq!(metrics["sweep_lag_seconds"], 1);
    assert_eq!(
        (&answer.audit["operation"], answer.audit.get("subject")),
        (&json!("validate-vault"), None)
    );
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("the log takes no more"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_audited_is_not_answered() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let event = api_event(&admin(), Some(&vault_id), "").to_string();
    let payload = RawValue::from_string(event).expect("JSON");
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(10));
    let endpoint = service.validate_vault_endpoint();
    let response = answer(&endpoint, &deployment(), &context, payload, Full).await;
    assert_eq!(response.status_code, 500);
    assert!(!response.body.contains("checks"));
}

/// The plaintext was already open when the line failed. The caller gets none of it, and no copy of it is left behind.
#[tokio::test]
async fn what_was_opened_is_zeroed_when_its_line_cannot_be_written() {
    let service = Service::new();
    service.with_vault().await;
    let plaintext = NEEDLES[0].repeat(200);
    let items = [
        service.sealed("i", &plaintext, &json!({})).await,
        service.sealed("i", &plaintext, &json!({})).await,
    ]
    .map(|sealed| json!({ "item_id": "i", "sealed_item": sealed }));
    let body = json!({ "items": items }).to_string();
    let payload = RawValue::from_string(api_event(&member(), None, &body).to_string()).expect("JSON");
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(10));
    let endpoint = service.decrypt_item_endpoint();
    let deployment = deployment();
    let refusing = answer(&endpoint, &deployment, &context, payload.clone(), Full);
    let (refused, found) = freed_with_a_needle(refusing).await;
    assert_eq!(found, 0, "copies of plaintext that were freed as they were");
    assert_eq!(refused.status_code, 500);
    assert!(refused.body.contains("urn:latchkey:problem:internal") && !refused.body.contains("items"));
    let (found_in_answer, found) = freed_with_a_needle(async {
        let answered = answer(&endpoint, &deployment, &context, payload, io::sink()).await;
        answered.body.matches("Y2FuYXJ5LXBsYWludGV4dGNhbmFyeS1w").count()
    })
    .await;
    assert!(
        found_in_answer > 2,
        "the same request, audited, is answered with what was sealed"
    );
    assert_eq!(found, 0, "and its answer is zeroed once it is sent");
}

/// The longest ids make the line no longer. The line of the most items is far below what a log takes (256 KB).
#[tokio::test]
async fn a_line_is_bounded() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let sealed = service.sealed("i", b"", &json!({})).await;
    let ids = (0..100).map(|place| format!("{place:0256}"));
    let items: Vec<_> = ids.map(|id| json!({ "item_id": id, "sealed_item": sealed })).collect();
    let line = service
        .decrypt_item(&member(), &json!({ "items": items }).to_string())
        .await
        .audit;
    assert_eq!((&line["items"], &line["items_failed"]), (&json!(100), &json!(100)));
    assert_eq!(line["outcome"], "items_failed");
    assert_eq!(line["item_id_hashes"], line["failed_item_id_hashes"]);
    assert_eq!(line["item_id_hashes"].as_array().map(Vec::len), Some(100));
    assert!(line.to_string().len() < 8_000, "{}", line.to_string().len());
    assert_eq!(
        line.get("item_vault_ids"),
        None,
        "refused before {vault_id} is looked for"
    );
}
