//! What is sent to the event bus, and which answers count as accepted.

use jiff::Timestamp;
use latchkey_aws::event_bus::EventBus;
use latchkey_core::findings::{Check, Finding};
use latchkey_core::health::HealthState;
use latchkey_core::health::changes::HealthChange;
use latchkey_core::ports::{Announcer, SystemClock};
use latchkey_core::values::Region;
use latchkey_core::vault::announcement::{Announcement, DeletionPending, News};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::fixtures::{KEY_ID, settings};
use crate::record_fixtures::at;
use crate::stand_in::{Answer, StandIn};

fn event_bus(aws: &StandIn) -> EventBus {
    latchkey_aws::Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).event_bus()
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Some announcement.
pub(crate) fn announcement() -> Announcement {
    let nothing_known = DeletionPending {
        announced_at: at("2026-11-23T10:00:00Z"),
        deletion_at: None,
        days_left: None,
        findings: Vec::new(),
    };
    announcement_of("1", News::DeletionPending(nothing_known))
}

fn announcement_of(event_id: &str, news: News) -> Announcement {
    Announcement {
        event_id: format!("vlt_01jd0f3zt5e8w9x7kq2m4n6p8r-{event_id}"),
        workspace_id: "ws-acme".to_owned(),
        vault_id: "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r".to_owned(),
        vault_name: "Production secrets".to_owned(),
        aws_account_id: "222222222222".to_owned(),
        kms_key_id: KEY_ID.to_owned(),
        aws_role_arn: "arn:aws:iam::222222222222:role/latchkey-key-access".to_owned(),
        news,
    }
}

/// The sample's one finding. Its texts are taken from the sample.
fn finding(sample: &Value, check: Check, region: Region, since: &str, deletion_at: Option<Timestamp>) -> Finding {
    let text = |name: &str| sample["detail"]["findings"][0][name].as_str().expect("text").to_owned();
    Finding {
        check,
        region: Some(region),
        message: text("message"),
        remedy: Some(text("remedy")),
        since: Some(at(since)),
        deletion_at,
        unanswered: false,
    }
}

#[tokio::test]
async fn events_are_as_the_samples_have_them() {
    let changed = sample(include_str!("../../../../events/vault-health-changed.json"));
    let changed_at = "2026-11-23T10:01:00.25Z";
    let change = News::HealthChanged(HealthChange {
        revision: 42,
        changed_at: at(changed_at),
        previous_state: HealthState::Healthy,
        state: HealthState::Unusable,
        findings: vec![finding(&changed, Check::KeyEnabled, Region::UsEast2, changed_at, None)],
        access_ends_by: Some(at("2026-11-23T10:01:30.5Z")),
        unexplained: false,
    });
    let pending = sample(include_str!("../../../../events/vault-key-deletion-pending.json"));
    let deletion_at = Some(at("2026-11-30T10:00:00Z"));
    let check = Check::KeyNotPendingDeletion;
    let found = finding(&pending, check, Region::UsWest2, "2026-11-23T09:58:00Z", deletion_at);
    let deletion = News::DeletionPending(DeletionPending {
        announced_at: at("2026-11-23T09:58:00.75Z"),
        deletion_at,
        days_left: Some(7),
        findings: vec![found],
    });
    for (announcement, sample) in [
        (announcement_of("42", change), changed),
        (announcement_of("deletion-1795427880", deletion), pending),
    ] {
        let aws =
            StandIn::answering(|_| Answer::Json(json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e" }] })));
        event_bus(&aws).announce(&announcement).await.expect("taken");
        let requests = aws.requests("PutEvents");
        let [entry] = requests[0].body["Entries"].as_array().expect("entries").as_slice() else {
            panic!("one event a call");
        };
        assert_eq!(entry["EventBusName"], "production-latchkey");
        assert_eq!(
            (&entry["Source"], &entry["DetailType"]),
            (&sample["source"], &sample["detail-type"])
        );
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
        assert_eq!(detail, sample["detail"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_bus_does_not_say_it_has_is_not_taken() {
    for answer in [
        Answer::Json(json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "ThrottlingException" }] })),
        Answer::Error(400, "AccessDeniedException", "no"),
        Answer::Raw(500, "oops"),
        Answer::Refused,
        Answer::Silence,
    ] {
        let told = format!("{answer:?}");
        let aws = StandIn::answering(move |_| answer.clone());
        let announced = event_bus(&aws).announce(&announcement()).await;
        assert!(announced.is_err(), "{told}");
        assert!(!aws.requests("PutEvents").is_empty());
    }
}
