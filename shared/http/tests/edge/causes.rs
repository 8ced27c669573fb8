//! Makes each cause of an answer that is our fault happen, in a process that logs as a function does. Finds it with the
//! queries of the runbook.

use core::time::Duration;
use std::io::{self, Write};
use std::process::Command;

use latchkey_core::Error;
use latchkey_core::caller::Caller;
use latchkey_core::error::Cause;
use latchkey_core::operations::Operation;
use latchkey_core::ports::{DataKeyStore, StoreError};
use latchkey_core::request::RequestContext;
use latchkey_core::values::{RequestId, VaultId};
use latchkey_http::answers::Problem;
use latchkey_http::event::ApiRequest;
use latchkey_http::{Endpoint, Success, answer, init};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::insights;
use crate::service::{Service, admin, api_event, deployment, member, vault_body};

const IS_THE_PROCESS: &str = "LATCHKEY_TEST_IS_THE_PROCESS_THAT_FAILS";
/// The request id in the queries of the runbooks.
const A_REQUEST_ID: &str = "0193af5cc80b7d1c9d2f6a1e5b7c3d4e";

/// An operation that fails with this cause, for causes that only a defect of ours or a broken random generator has. A
/// public key that cannot wrap does not parse, so its vault's record is corrupt.
struct FailsBy(Cause);

impl Endpoint for FailsBy {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        Err(Error::Internal(self.0).into())
    }
}

struct Panics;

impl Endpoint for Panics {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, request: &ApiRequest) -> Result<Success, Problem> {
        panic!("choked on {}", String::from_utf8_lossy(request.body()))
    }
}

/// Its answer has a member whose name is not text, so it cannot be JSON.
struct AnswersWithNoJson;

impl Endpoint for AnswersWithNoJson {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        Success::json(200, &std::collections::BTreeMap::from([((), "canary")]))
    }
}

struct FullLog;

impl Write for FullLog {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn call(endpoint: &impl Endpoint, event: &Value, log: impl Write + Send) {
    let context = RequestContext::new(RequestId::generate(), Duration::from_secs(28));
    let payload = RawValue::from_string(event.to_string()).expect("JSON");
    let response = answer(endpoint, &deployment(), &context, payload, log).await;
    assert!(!response.body.contains("canary"), "{}", response.body.as_str());
}

/// Makes one answer with this cause. Returns the vault, if it is about one.
async fn fail_by(cause: Cause) -> Option<String> {
    let event = api_event(&member(), None, "canary");
    let service = Service::new();
    let vault_id = service.with_vault().await;
    let items = json!({ "vault_id": vault_id, "items": [{ "item_id": "i", "plaintext": "Y2FuYXJ5" }] }).to_string();
    match cause {
        Cause::RecordsRefused => {
            service.records.fail_reads(Some(StoreError::Refused));
            let event = api_event(&member(), None, &items);
            call(&service.encrypt_item_endpoint(), &event, io::stdout()).await;
            Some(vault_id)
        }
        // One item fails and others might open, so the answer is 200.
        Cause::RecordCorrupt => {
            let item = service.sealed("i", b"canary", &json!({})).await;
            service.records.fail_reads(Some(StoreError::Corrupt));
            let item = json!({ "item_id": "i", "sealed_item": item });
            let event = api_event(&member(), None, &json!({ "items": [&item, &item] }).to_string());
            call(&service.decrypt_item_endpoint(), &event, io::stdout()).await;
            Some(vault_id)
        }
        Cause::AwsCallRefused => {
            service.customer.set_service_misconfigured(true);
            let event = api_event(&member(), None, &items);
            call(&service.encrypt_item_endpoint(), &event, io::stdout()).await;
            Some(vault_id)
        }
        Cause::AuditLineNotWritten => {
            let event = api_event(&admin(), Some(&vault_id), "{}");
            call(&service.validate_vault_endpoint(), &event, FullLog).await;
            Some(vault_id)
        }
        Cause::AnswerNotWritten => {
            call(&AnswersWithNoJson, &event, io::stdout()).await;
            None
        }
        Cause::Panicked => {
            call(&Panics, &event, io::stdout()).await;
            None
        }
        // The name's claim and the insert show that the vault is there, but no read finds it.
        Cause::RecordMissing => {
            service.records.hide_vaults();
            let event = api_event(&admin(), None, &vault_body(json!({})).to_string());
            call(&service.create_vault_endpoint(), &event, io::stdout()).await;
            None
        }
        // Someone put another vault's data key in the place of the vault's own.
        Cause::DataKeyNotBound => {
            let other = service
                .create_vault(&admin(), &vault_body(json!({ "name": "Other" })).to_string())
                .await;
            let item = json!({ "item_id": "i", "plaintext": "" });
            let sealed = json!({ "vault_id": other.body["vault_id"], "items": [item] });
            assert_eq!(service.encrypt_item(&member(), &sealed.to_string()).await.status, 200);
            let [data_key] = service.records.data_keys().try_into().expect("one data key");
            let vault = VaultId::parse(&vault_id).expect("an id");
            service.records.issue(&vault, &data_key).await.expect("issued");
            let event = api_event(&member(), None, &items);
            call(&service.encrypt_item_endpoint(), &event, io::stdout()).await;
            Some(vault_id)
        }
        Cause::PublicKeyUnusable
        | Cause::NoRandomBytes
        | Cause::FormatExceeded
        | Cause::ValidationIncomplete
        | Cause::StepSkipped
        | Cause::SetupKitBroken => {
            let event = api_event(&member(), Some(&vault_id), "{}");
            call(&FailsBy(cause), &event, io::stdout()).await;
            Some(vault_id)
        }
    }
}

/// The tests below run this in a process of its own, because a process has only one log.
#[tokio::test]
async fn process_that_fails() {
    let Ok(name) = std::env::var(IS_THE_PROCESS) else {
        return;
    };
    init();
    let about = match Cause::ALL.into_iter().find(|cause| cause.as_str() == name) {
        Some(cause) => fail_by(cause).await,
        None => beside_answers(&name).await,
    };
    let line = json!({ "about": about });
    writeln!(io::stdout(), "{line}").expect("its last line");
}

/// What a process that failed like this wrote, and the vault that it was about.
fn written(name: &str) -> (String, Option<String>) {
    let ran = Command::new(std::env::current_exe().expect("the path of this test"))
        .args(["--exact", "causes::process_that_fails", "--nocapture"])
        .env(IS_THE_PROCESS, name)
        .env_remove("RUST_LOG")
        .output()
        .expect("the test in its own process");
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{printed}");
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(
        !printed.contains("canary") && !printed.contains("Y2FuYXJ5"),
        "{printed}"
    );
    // The test's own name may be at the beginning of the first line.
    let mut lines: Vec<_> = printed
        .lines()
        .filter_map(|line| Some(&line[line.find('{')?..]))
        .filter(|line| serde_json::from_str::<Value>(line).is_ok())
        .collect();
    let last: Value = serde_json::from_str(lines.pop().expect("its last line")).expect("JSON");
    (lines.join("\n"), last["about"].as_str().map(str::to_owned))
}

#[test]
fn each_cause_is_found_with_the_queries_of_the_runbook() {
    let [by_cause, lines_of_a_cause, of_one_request] = insights::queries_of("service-errors")
        .try_into()
        .expect("three queries");
    for cause in Cause::ALL {
        let (log, vault_id) = written(cause.as_str());

        let counted = insights::run(&by_cause, &log);
        assert_eq!(counted.len(), 1, "{cause:?}: {log}");
        assert_eq!(
            (&counted[0]["cause"], &counted[0]["count"]),
            (&json!(cause.as_str()), &json!(1))
        );

        let found = insights::run(&lines_of_a_cause.replace("record_corrupt", cause.as_str()), &log);
        assert_eq!(found.len(), 1, "once: {log}");
        let line = &found[0];
        assert!(line["operation"].is_string(), "{line}");
        assert_eq!(line["vault_id"].as_str(), vault_id.as_deref(), "{line}");
        let request_id = line["request_id"].as_str().expect("a request id");
        assert!(
            request_id.len() == 32 && request_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{line}"
        );
        assert_eq!(line["place"].is_string(), cause == Cause::Panicked, "{line}");

        let lines = insights::run(&of_one_request.replace(A_REQUEST_ID, request_id), &log);
        let audited = lines.iter().filter(|line| line["log"] == "audit").count();
        let traced = lines.iter().filter(|line| line["log"] == "trace").count();
        assert_eq!(audited, usize::from(cause != Cause::AuditLineNotWritten), "{log}");
        assert_eq!(traced, 1, "{log}");
    }
}

#[test]
fn a_request_without_a_fault_writes_one_line() {
    let (log, _) = written("no fault");
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 1, "{log}");
    let line: Value = serde_json::from_str(lines[0]).expect("JSON");
    assert_eq!(
        (&line["log"], &line["outcome"]),
        (&json!("audit"), &json!("succeeded")),
        "{line}"
    );
}

/// Each with the query of its runbook, and what the query finds.
#[test]
fn what_no_answer_tells_is_found_with_the_queries_of_the_runbooks() {
    for (case, page, place, expected) in [
        (
            "records that refuse a sweep",
            "service-errors",
            0,
            json!({ "cause": "records_refused", "operation": "validate-vault" }),
        ),
        (
            "a claim that fails",
            "checks-failing",
            1,
            json!({ "cause": "unavailable", "message": "a vault that is due could not be claimed" }),
        ),
        (
            "a check that is not recorded",
            "checks-failing",
            1,
            json!({ "cause": "unavailable", "message": "a check could not be finished or recorded" }),
        ),
        (
            "an event that is not taken",
            "events-not-taken",
            0,
            json!({ "announcements": 1 }),
        ),
    ] {
        let (log, vault_id) = written(case);
        let found = insights::run(&insights::queries_of(page)[place], &log);
        assert_eq!(found.len(), 1, "{case}: {log}");
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&found[0][name], value, "{case}: {log}");
        }
        if let Some(found) = found[0]["vault_id"].as_str() {
            assert_eq!(Some(found), vault_id.as_deref(), "{case}");
        }
    }
}

/// What goes wrong without an answer that says so: in the sweep, and beside an answer.
async fn beside_answers(name: &str) -> Option<String> {
    let service = Service::new();
    let vault_id = service.with_vault().await;
    service.clock.advance(Duration::from_secs(60));
    let sweep = json!({ "sweep": { "shard": 0, "shards": 1 } });
    match name {
        "no fault" => {
            let items = json!({ "items": [{ "item_id": "i", "plaintext": "Y2FuYXJ5" }] });
            let event = api_event(&member(), None, &items.to_string());
            call(&service.encrypt_item_endpoint(), &event, io::stdout()).await;
        }
        "records that refuse a sweep" => {
            service.records.fail_reads(Some(StoreError::Refused));
            call(&service.validate_vault_endpoint(), &sweep, io::stdout()).await;
        }
        "a claim that fails" => {
            service
                .records
                .order_write_fault(1, latchkey_in_memory::WriteFault::FailsBefore);
            call(&service.validate_vault_endpoint(), &sweep, io::stdout()).await;
        }
        "a check that is not recorded" => {
            service
                .customer
                .change_key(|key| key.state = latchkey_in_memory::KeyState::Disabled);
            service
                .records
                .order_write_fault(2, latchkey_in_memory::WriteFault::FailsBefore);
            call(&service.validate_vault_endpoint(), &sweep, io::stdout()).await;
        }
        "an event that is not taken" => {
            service
                .customer
                .change_key(|key| key.state = latchkey_in_memory::KeyState::Disabled);
            service.event_bus.set_refuses(true);
            call(&service.validate_vault_endpoint(), &sweep, io::stdout()).await;
        }
        other => panic!("no such case: {other}"),
    }
    Some(vault_id)
}
