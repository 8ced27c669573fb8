//! Whatever a request says, and however much of it there is, it gets a plain 4xx, and what is allocated for it, at a time and
//! in all, is bounded by a multiple of its length. Nothing can be copied again and again, or made of little, that is not
//! allocated; so the second bound is one on time, too.
//!
//! A test binary of its own with a single test: the allocator counts for the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout
)]

mod allocations;
mod requests;
mod service;

use base64ct::{Base64, Encoding};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::requests::{MOST_OF_A_HEAD, bodies, bytes, event, heads};
use crate::service::{Cost, Service};

/// What a request may make us allocate at a time, and in all: so many times its length. The test prints what it was at most.
const PEAK_MULTIPLE: usize = 16;
const TOTAL_MULTIPLE: usize = 40;
/// And what each request costs, however short it is.
const EACH: usize = 256 * 1024;

/// The operations that read no body.
const WITHOUT_BODY: [&str; 2] = ["list-vaults", "get-setup-kit"];

fn hold(operation: &str, cost: &Cost, length: usize, request: &str) {
    let Cost {
        status, peak, total, ..
    } = cost;
    let request: String = request.chars().take(200).collect();
    assert!(*status < 500, "{operation}: {status} for {request}");
    let answered = cost.body.len();
    assert!(
        *status < 400 || answered < 64 * 1024,
        "{operation}: {answered} bytes for {request}"
    );
    let allowed = PEAK_MULTIPLE * length + EACH;
    assert!(
        *peak <= allowed,
        "{operation}: {peak} bytes at a time for {length}: {request}"
    );
    let allowed = TOTAL_MULTIPLE * length + EACH;
    assert!(
        *total <= allowed,
        "{operation}: {total} bytes in all for {length}: {request}"
    );
}

#[tokio::test]
async fn no_request_costs_more_than_a_multiple_of_its_length() {
    let service = Service::new();
    let mut most_tenths = (0, 0);
    let mut requests: Vec<(Value, bool)> = bodies()
        .into_iter()
        .map(|body| (event(json!({ "body": body })), false))
        .collect();
    requests.extend(bytes().into_iter().map(|body| {
        let body = Base64::encode_string(&body);
        (event(json!({ "body": body, "isBase64Encoded": true })), false)
    }));
    let refused_bodies = requests.len();
    requests.extend(heads().into_iter().map(|(head, refused)| (event(head), refused)));
    for (number, (event, refused)) in requests.into_iter().enumerate() {
        let payload = event.to_string();
        for (operation, cost) in service.costs(&event).await {
            hold(operation, &cost, payload.len(), &payload);
            let reads_it = number < refused_bodies && !WITHOUT_BODY.contains(&operation);
            if reads_it || refused {
                let request: String = payload.chars().take(200).collect();
                assert!(
                    (400..500).contains(&cost.status),
                    "{operation}: {} for {request}",
                    cost.status
                );
                assert!(
                    cost.body.contains("urn:latchkey:problem:"),
                    "{operation}: {}",
                    cost.body
                );
            }
            if payload.len() > MOST_OF_A_HEAD / 2 {
                let tenths = |bytes: usize| bytes * 10 / payload.len();
                most_tenths = (
                    most_tenths.0.max(tenths(cost.peak)),
                    most_tenths.1.max(tenths(cost.total)),
                );
            }
        }
    }
    // What JSON cannot write with serde_json: deeper than its own reader goes, a lone surrogate, and names that stand twice.
    let claims =
        |claims: &str| format!("{{\"requestContext\":{{\"authorizer\":{{\"jwt\":{{\"claims\":{claims}}}}}}}}}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for payload in [
        claims(&format!("{{\"sub\":{deep}}}")),
        claims("{\"sub\":\"\\ud800\",\"role\":\"admin\",\"workspace_id\":\"ws-acme-0001\"}"),
        claims("{\"sub\":\"s\",\"role\":\"member\",\"role\":\"admin\",\"workspace_id\":\"ws-acme-0001\"}"),
        "{\"requestContext\":{},\"body\":\"\\ud800\"}".to_owned(),
        "{\"httpMethod\":\"POST\",\"requestContext\":{\"httpMethod\":\"POST\",\"authorizer\":{\"claims\":{\"sub\":\"s\",\"role\":\"member\",\
         \"role\":\"admin\",\"workspace_id\":\"ws-acme-0001\"}}}}"
            .to_owned(),
        format!("{{\"httpMethod\":\"POST\",\"requestContext\":{{\"httpMethod\":\"POST\",\"authorizer\":{deep}}}}}"),
        format!("{{\"requestContext\":{{}},\"requestContext\":{{}},\"other\":{deep}}}"),
        format!("{{\"sweep\":{deep}}}"),
        "{\"sweep\":{\"shard\":0,\"shard\":1}}".to_owned(),
        "{\"sweep\":{\"shard\":1e999999}}".to_owned(),
        deep.clone(),
    ] {
        let length = payload.len();
        let payload = RawValue::from_string(payload).unwrap();
        for (operation, cost) in service.costs_of(&payload).await {
            hold(operation, &cost, length, payload.get());
            assert!(
                (400..500).contains(&cost.status),
                "{operation}: {} for {payload:.100}",
                cost.status
            );
        }
    }
    assert!(service.records.is_empty(), "nothing is stored");
    println!(
        "at most {} and {} tenths of its length, at a time and in all",
        most_tenths.0, most_tenths.1
    );
}
