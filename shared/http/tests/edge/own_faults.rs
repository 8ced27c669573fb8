//! Faults of our own: an operation that panics, and one that does not come back.

use core::future::pending;

use latchkey_core::caller::Caller;
use latchkey_core::request::RequestContext;
use latchkey_http::event::ApiRequest;
use latchkey_http::problem::Problem;
use latchkey_http::{Endpoint, Success};

use crate::service::{api_event, invoke, member};

struct Panics;

impl Endpoint for Panics {
    const NAME: &'static str = "panics";

    async fn call(&self, _: &RequestContext, _: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        panic!("choked on {}", String::from_utf8_lossy(request.body()))
    }
}

struct Hangs;

impl Endpoint for Hangs {
    const NAME: &'static str = "hangs";

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        pending().await
    }
}

#[tokio::test]
async fn a_panic_is_a_plain_500_that_tells_nothing_of_the_request() {
    let answer = invoke(&Panics, &api_event(&member(), None, "canary")).await;
    assert_eq!((answer.status, answer.problem()), (500, "internal"));
    assert!(
        !answer.text.contains("canary") && !answer.text.contains("choked"),
        "{}",
        answer.text
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_does_not_come_back_is_answered_in_time() {
    let answer = invoke(&Hangs, &api_event(&member(), None, "{}")).await;
    assert_eq!((answer.status, answer.problem()), (504, "out-of-time"));
}
