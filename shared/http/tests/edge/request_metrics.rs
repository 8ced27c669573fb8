//! What CloudWatch counts from a request's line: one request, how long it took, whose errors it met, and what it
//! sealed.

use core::time::Duration;

use latchkey_core::customer::Outage;
use latchkey_core::values::Region;
use latchkey_in_memory::{KeyState, RegionOutage};
use serde_json::{Value, json};

use crate::service::{Service, api_event, invoke, member};

/// The names of a line's metrics, in the order of the line.
fn metrics(line: &Value) -> Vec<&str> {
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
    let names = metrics
        .into_iter()
        .flatten()
        .filter_map(|metric| metric["Name"].as_str());
    names.collect()
}

async fn opening(service: &Service, items: &[(&str, &str)]) -> Value {
    let items: Vec<_> = items
        .iter()
        .map(|(id, sealed)| json!({ "item_id": id, "sealed_item": sealed }))
        .collect();
    let answer = service
        .decrypt_item(&member(), &json!({ "items": items }).to_string())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.audit
}

#[tokio::test]
async fn a_request_that_seals_counts_once_with_what_it_sealed() {
    let service = Service::new();
    service.with_vault().await;
    let items: Vec<_> = (0..3)
        .map(|id| json!({ "item_id": id.to_string(), "plaintext": "aGk=" }))
        .collect();
    let line = service
        .encrypt_item(&member(), &json!({ "items": items }).to_string())
        .await
        .audit;
    assert_eq!(metrics(&line), ["duration_ms", "errors_dependency", "items_sealed"]);
    assert_eq!(
        (&line["items_sealed"], &line["data_key_generation"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        (&line["errors_dependency"], &line["stage"]),
        (&json!(0), &json!("production"))
    );
    let written = line["_aws"]["Timestamp"].as_i64().expect("milliseconds");
    let at: jiff::Timestamp = line["at"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(written, at.as_millisecond());
}

/// The answer is 200. Each owner counts once, however many items fail by its fault.
#[tokio::test]
async fn items_that_fail_count_by_their_owners() {
    let service = Service::new();
    service.with_vault().await;
    let sealed = service.sealed("i", b"secret", &json!({})).await;
    let line = opening(&service, &[("i", &sealed)]).await;
    assert_eq!(metrics(&line), ["duration_ms", "errors_dependency"]);
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let line = opening(
        &service,
        &[("i", &sealed), ("i", &sealed), ("i", "AAAA"), ("other", &sealed)],
    )
    .await;
    assert_eq!(
        metrics(&line),
        [
            "duration_ms",
            "errors_caller",
            "errors_customer_key",
            "errors_dependency"
        ]
    );
    assert_eq!(
        (&line["errors_caller"], &line["errors_customer_key"]),
        (&json!(1), &json!(1))
    );
    assert_eq!((&line["errors_dependency"], line.get("fault")), (&json!(0), None));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_the_dependencys_and_a_refusal_the_customers() {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let body = json!({ "items": [{ "item_id": "i", "plaintext": "aGk=" }] }).to_string();
    for region in Region::ALL {
        service
            .customer
            .set_outage(region, Some(RegionOutage::Fails(Outage::ServerError)));
    }
    let line = service.encrypt_item(&member(), &body).await.audit;
    assert_eq!(
        (&line["fault"], &line["errors_dependency"]),
        (&json!("dependency"), &json!(1))
    );
    assert_eq!(line.get("items_sealed"), None, "nothing was sealed");
    Region::ALL
        .iter()
        .for_each(|region| service.customer.set_outage(*region, None));
    service.customer.change_key(|key| key.state = KeyState::Disabled);
    let line = service.encrypt_item(&member(), &body).await.audit;
    assert_eq!(
        (&line["fault"], &line["errors_customer_key"]),
        (&json!("customer_key"), &json!(1))
    );
    assert_eq!(line["errors_dependency"], 0);
    let line = service.disable_vault(&member(), &vault_id, "").await.audit;
    assert_eq!((&line["fault"], &line["errors_caller"]), (&json!("caller"), &json!(1)));
}

/// A sweep may take any time, and is not a caller's request.
#[tokio::test]
async fn a_sweep_is_no_request() {
    let service = Service::new();
    service.with_vault().await;
    service.clock.advance(Duration::from_secs(61));
    let event = json!({ "sweep": { "shard": 0 } });
    let line = invoke(&service.validate_vault_endpoint(), &event).await.audit;
    assert_eq!((line.get("_aws"), line.get("errors_dependency")), (None, None));
    // A schedule that was set up wrong may start a function that does not sweep.
    let line = invoke(&service.decrypt_item_endpoint(), &event).await.audit;
    assert_eq!(metrics(&line), ["errors_caller"], "{line}");
}

/// The lines that docs/cost.md calculates with: one item, sealed or opened under a data key that is held, and a
/// customer's usual names.
#[tokio::test]
async fn a_line_of_one_item_is_as_long_as_the_bill_reckons() {
    let service = Service::new();
    service.with_vault().await;
    let id = "0193af5c-c80b-7d1c-9d2f-6a1e5b7c3d4e";
    let sealed = service.sealed(id, b"secret", &json!({})).await;
    let opened = opening(&service, &[(id, &sealed)]).await.to_string().len();
    let endpoint = service.encrypt_item_endpoint();
    let event = api_event(
        &member(),
        None,
        &json!({ "items": [{ "item_id": id, "plaintext": "aGk=" }] }).to_string(),
    );
    invoke(&endpoint, &event).await;
    let sealed = invoke(&endpoint, &event).await.audit.to_string().len();
    assert!(
        (700..=950).contains(&opened) && (700..=950).contains(&sealed),
        "{opened}, {sealed}"
    );
}
