//! What the log says of a call that failed: which, where and how, and never in AWS's or the SDK's own words.

use core::fmt;
use std::sync::{Arc, Mutex};

use latchkey_aws::Aws;
use latchkey_core::customer::AccessPurpose;
use latchkey_core::ports::{Announcer, CustomerKeys, SystemClock, VaultStore};
use latchkey_core::values::Region;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::event_bus::announcement;
use crate::fixtures::{ACCESS_ROLE, access, context, customer_keys, settings};
use crate::record_fixtures::vault;
use crate::stand_in::{Answer, StandIn};

/// In what AWS says; must not be in the log.
const SAID: &str = "canary";

/// Keeps our warnings and errors, with all their fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("latchkey")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Log {
    /// What is logged while `work` is done.
    async fn of(work: impl Future) -> Vec<String> {
        let log = Self::default();
        let guard = set_default(log.clone());
        work.await;
        drop(guard);
        let lines = log.0.lock().unwrap().clone();
        assert!(!lines.iter().any(|line| line.contains(SAID)), "{lines:?}");
        lines
    }
}

/// The one line, of this level, with this message, and each of these fields.
#[track_caller]
fn hold(lines: &[String], level: &str, message: &str, fields: &[&str]) {
    let [line] = lines else {
        panic!("one line, {message}: {lines:?}");
    };
    assert!(
        line.starts_with(level) && line.contains(&format!("message={message}")),
        "{line}"
    );
    for field in fields {
        assert!(line.contains(field), "{field}: {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_to_dynamodb() {
    for (answer, level, message, fields) in [
        (
            Answer::Error(400, "AccessDeniedException", SAID),
            "ERROR",
            "DynamoDB refused GetItem (AccessDeniedException)",
            [
                "service=DynamoDB",
                "action=GetItem",
                "error_code=AccessDeniedException",
                "aws_request_id=",
            ]
            .as_slice(),
        ),
        (
            Answer::Error(400, "ThrottlingException", SAID),
            "WARN",
            "DynamoDB failed GetItem (ThrottlingException)",
            &["error_code=ThrottlingException", "aws_request_id="],
        ),
        (
            Answer::Error(500, "b1a4 canary", SAID),
            "WARN",
            "DynamoDB failed GetItem (unreadable)",
            &["error_code=unreadable"],
        ),
        (
            Answer::Refused,
            "WARN",
            "DynamoDB did not answer GetItem (no connection)",
            &["reason=no connection"],
        ),
        (
            Answer::Raw(200, SAID),
            "WARN",
            "DynamoDB did not answer GetItem (the answer cannot be read)",
            &["reason="],
        ),
    ] {
        let aws = StandIn::answering(move |_| answer.clone());
        let records = Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).vault_records();
        let vault = vault();
        let lines = Log::of(records.vault(&vault.workspace_id, &vault.vault_id)).await;
        hold(&lines, level, message, fields);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_by_its_kind() {
    let aws = StandIn::answering(|_| Answer::Json(serde_json::json!({ "Item": { "name": { "S": SAID } } })));
    let records = Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).vault_records();
    let vault = vault();
    let lines = Log::of(records.vault(&vault.workspace_id, &vault.vault_id)).await;
    hold(&lines, "ERROR", "a vault record cannot be read", &["record=vault"]);
    let lines = Log::of(records.default_vault_id(&vault.workspace_id)).await;
    hold(&lines, "ERROR", "a default record cannot be read", &["record=default"]);
}

/// What is logged of a Decrypt whose call of this operation has this answer.
async fn decrypt(operation: &'static str, answer: Answer) -> Vec<String> {
    let aws = StandIn::answering(move |request| match request.operation == operation {
        true => answer.clone(),
        false => Answer::Success,
    });
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::Validate));
    Log::of(keys.decrypt(&context, &access, Region::UsWest2, b"x")).await
}

#[tokio::test(start_paused = true)]
async fn a_call_to_the_customers_key_and_role() {
    let lines = decrypt("Decrypt", Answer::Error(500, "KMSInternalException", SAID)).await;
    let fields = ["service=KMS", "action=Decrypt", "region=us-west-2", "aws_request_id="];
    hold(&lines, "WARN", "KMS failed Decrypt (KMSInternalException)", &fields);
    let lines = decrypt("Decrypt", Answer::Refused).await;
    hold(
        &lines,
        "WARN",
        "KMS did not answer Decrypt (no connection)",
        &["region=us-west-2"],
    );
    let lines = decrypt("Decrypt", Answer::Error(400, "NoSuchThingException", SAID)).await;
    hold(&lines, "ERROR", "KMS refused Decrypt (NoSuchThingException)", &fields);
    let lines = decrypt("Decrypt", Answer::Error(400, "DisabledException", SAID)).await;
    assert!(lines.is_empty(), "the customer's own decision: {lines:?}");
}

#[tokio::test]
async fn an_access_role_that_the_function_may_not_enter() {
    let aws = StandIn::answering(move |request| match request.text("RoleArn") == Some(ACCESS_ROLE) {
        true => Answer::Error(403, "AccessDenied", SAID),
        false => Answer::Success,
    });
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::Validate));
    let lines = Log::of(keys.decrypt(&context, &access, Region::UsEast2, b"x")).await;
    let message = "STS refused AssumeRole of the access role (AccessDenied)";
    hold(
        &lines,
        "ERROR",
        message,
        &["service=STS", "region=us-east-2", "aws_request_id="],
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_not_taken() {
    let entry = serde_json::json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "ThrottlingException", "ErrorMessage": SAID }] });
    for (answer, level, message) in [
        (
            Answer::Json(entry),
            "WARN",
            "EventBridge failed PutEvents (ThrottlingException)",
        ),
        (
            Answer::Error(400, "ThrottlingException", SAID),
            "WARN",
            "EventBridge failed PutEvents (ThrottlingException)",
        ),
        (
            Answer::Error(400, "AccessDeniedException", SAID),
            "ERROR",
            "EventBridge refused PutEvents (AccessDeniedException)",
        ),
    ] {
        let aws = StandIn::answering(move |_| answer.clone());
        let event_bus = Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).event_bus();
        let lines = Log::of(event_bus.announce(&announcement())).await;
        hold(
            &lines,
            level,
            message,
            &["service=EventBridge", "action=PutEvents", "error_code="],
        );
    }
}
