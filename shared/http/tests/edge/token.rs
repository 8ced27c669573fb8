//! The caller's token: it comes with the event, and is gone before the operation starts.

use core::time::Duration;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64ct::{Base64, Encoding};
use latchkey_core::caller::Caller;
use latchkey_core::operations::Operation;
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use latchkey_http::answers::Problem;
use latchkey_http::event::ApiRequest;
use latchkey_http::{Endpoint, Success, answer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::freed_memory::{NEEDLES, found_so_far, freed_with_a_needle};
use crate::service::{admin, api_event, deployment};
use crate::shapes::Shape;

/// Notes how many copies of a secret were freed before it was called.
#[derive(Default)]
struct Notes(AtomicUsize);

impl Endpoint for Notes {
    const OPERATION: Operation = Operation::ListVaults;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        self.0.store(found_so_far(), Ordering::Relaxed);
        Success::json(200, &json!({ "vaults": [] }))
    }
}

/// Every copy of the token is freed by the time that the operation starts, and there was one alone: the event itself. A function's
/// allocator zeroes what is freed (docs/adr/0017).
#[tokio::test]
async fn it_is_gone_before_the_operation_starts() {
    for shape in Shape::WITH_CLAIMS {
        let mut event = api_event(&admin(), None, "");
        let token = core::str::from_utf8(NEEDLES[0]).expect("text").repeat(20);
        event["headers"] = json!({ "accept": "*/*", "authorization": format!("Bearer {token}") });
        let mut event = shape.of(&event);
        if !event["multiValueHeaders"].is_null() {
            event["multiValueHeaders"]["authorization"] = json!([format!("Bearer {token}")]);
        }
        let payload = RawValue::from_string(event.to_string()).expect("JSON");
        let mut deployment = deployment();
        deployment.rest_claims_place = shape.rest_claims_place();
        let context = RequestContext::new(RequestId::generate(), Duration::from_secs(10));
        let endpoint = Notes::default();
        let answered = answer(&endpoint, &deployment, &context, payload, io::sink());
        let (response, found) = freed_with_a_needle(answered).await;
        assert_eq!(response.status_code, 200, "{shape:?}");
        assert_eq!(endpoint.0.load(Ordering::Relaxed), 1, "{shape:?}: before the operation");
        assert_eq!(found, 1, "{shape:?}: in all");
    }
}

/// A body that is refused half-way was decoded into memory that is zeroed: only the event itself is left to the allocator.
#[tokio::test]
async fn a_body_that_is_not_base64_leaves_no_copy() {
    let mut body = Base64::encode_string(&NEEDLES[0].repeat(201)); // whole groups of four, so that it is decoded at all
    body.replace_range(body.len() - 4.., "****");
    let mut event = api_event(&admin(), None, &body);
    event["isBase64Encoded"] = json!(true);
    let payload = RawValue::from_string(event.to_string()).expect("JSON");
    let (deployment, endpoint) = (deployment(), Notes::default());
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(10));
    let answered = answer(&endpoint, &deployment, &context, payload, io::sink());
    let (response, found) = freed_with_a_needle(answered).await;
    assert_eq!((response.status_code, found), (400, 1));
}
