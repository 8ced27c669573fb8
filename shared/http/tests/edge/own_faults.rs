//! Faults of our own: an operation that panics, code around it that panics, and an operation that never returns.

use core::future::pending;
use core::time::Duration;
use std::io::{self, Write};
use std::panic::catch_unwind;
use std::process::Command;

use latchkey_core::caller::Caller;
use latchkey_core::operations::Operation;
use latchkey_core::request::RequestContext;
use latchkey_core::values::RequestId;
use latchkey_http::answers::Problem;
use latchkey_http::event::ApiRequest;
use latchkey_http::{Endpoint, Success, answer, init};
use serde_json::json;
use serde_json::value::RawValue;

use crate::service::{api_event, deployment, invoke_made_up, member};

struct Panics;

impl Endpoint for Panics {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        panic!("choked on {}", String::from_utf8_lossy(request.body()))
    }
}

struct Hangs;

impl Endpoint for Hangs {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        pending().await
    }
}

#[tokio::test]
async fn a_panic_is_a_plain_500_that_tells_nothing_of_the_request() {
    let answer = invoke_made_up(&Panics, &api_event(&member(), None, "canary")).await;
    assert_eq!((answer.status, answer.problem()), (500, "internal"));
    assert_eq!(
        (&answer.audit["fault"], &answer.audit["errors_service"]),
        (&json!("service"), &json!(1))
    );
    assert!(
        !answer.text.contains("canary") && !answer.text.contains("choked"),
        "{}",
        answer.text
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_does_not_come_back_is_answered_in_time() {
    let answer = invoke_made_up(&Hangs, &api_event(&member(), None, "{}")).await;
    assert_eq!((answer.status, answer.problem()), (504, "out-of-time"));
}

struct PanicsBeforeTheLine;

impl Endpoint for PanicsBeforeTheLine {
    const OPERATION: Operation = Operation::EncryptItem;

    fn operation(request: &ApiRequest) -> Operation {
        panic!("choked on {}", String::from_utf8_lossy(request.body()))
    }

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        Success::json(200, &json!({ "plaintext": "canary" }))
    }
}

struct Answers;

impl Endpoint for Answers {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        Success::json(200, &json!({ "plaintext": "canary" }))
    }
}

struct PanickingLog;

impl Write for PanickingLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        panic!("choked on {}", String::from_utf8_lossy(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The runtime's own answer to a panic would contain the panic's message.
#[tokio::test]
async fn a_panic_outside_the_operation_is_a_plain_500_too() {
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
    let payload = RawValue::from_string(api_event(&member(), None, "canary").to_string()).unwrap();
    let deployment = deployment();
    let before = answer(&PanicsBeforeTheLine, &deployment, &context, payload.clone(), io::sink());
    let during = answer(&Answers, &deployment, &context, payload, PanickingLog);
    for response in [before.await, during.await] {
        assert_eq!(response.status_code, 500);
        assert!(response.body.contains("urn:latchkey:problem:internal"));
        assert!(response.body.contains(&context.request_id.to_string()));
        for word in ["canary", "choked"] {
            assert!(!response.body.contains(word), "{}", *response.body);
        }
    }
}

const IS_THE_PROCESS: &str = "LATCHKEY_TEST_PANICS";

/// The test below runs this in a process of its own, because a process has only one panic hook.
#[test]
fn process_that_panics() {
    if std::env::var_os(IS_THE_PROCESS).is_none() {
        return;
    }
    init();
    assert!(catch_unwind(|| panic!("choked on {}", "canary")).is_err());
}

#[test]
fn a_panic_is_logged_with_its_place_and_without_its_message() {
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "own_faults::process_that_panics", "--nocapture"])
        .env(IS_THE_PROCESS, "yes")
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    assert!(ran.status.success());
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(
        printed.contains("own_faults.rs:") && printed.contains("\"panicked\""),
        "{printed}"
    );
    assert!(!printed.contains("canary") && !printed.contains("choked"), "{printed}");
}
