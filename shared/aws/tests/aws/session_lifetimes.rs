//! How long a session in a role is kept, and what ends it sooner.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join;
use latchkey_core::customer::{AccessError, AccessPurpose, Outage, Refusal};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::request::time_limit::within;
use latchkey_core::values::Region;
use tokio::time::timeout;

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, StoppedClock, access, context, customer_keys, customer_keys_by};
use crate::stand_in::{Answer, StandIn};

const REGION: Region = Region::UsEast2;

#[tokio::test]
async fn sessions_are_renewed_ahead_of_their_expiry_and_not_before() {
    let (aws, clock) = (StandIn::in_order(), StoppedClock::new());
    let (keys, access) = (
        customer_keys_by(&aws, clock.clone()),
        access(AccessPurpose::UnwrapDataKeys),
    );
    for (seconds, entries) in [(0, 1), (599, 1), (1, 2), (599, 2), (1, 3)] {
        clock.move_on(seconds);
        keys.decrypt(&context(), &access, REGION, b"x").await.expect("opens");
        assert_eq!(aws.entries(CUSTOMER_ROLE).len(), entries);
        assert_eq!(aws.entries(ACCESS_ROLE).len(), entries);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_serves_on_while_sts_has_an_outage_and_not_past_its_expiry() {
    let down = Arc::new(AtomicBool::new(false));
    let aws = StandIn::answering({
        let down = Arc::clone(&down);
        move |request| match down.load(Ordering::Relaxed) && request.operation == "AssumeRole" {
            true => Answer::Error(503, "ServiceUnavailable", ""),
            false => Answer::Success,
        }
    });
    let clock = StoppedClock::new();
    let (keys, access) = (
        customer_keys_by(&aws, clock.clone()),
        access(AccessPurpose::UnwrapDataKeys),
    );
    let decrypt = async || keys.decrypt(&context(), &access, REGION, b"x").await.map(drop);
    decrypt().await.expect("opens");
    down.store(true, Ordering::Relaxed);
    clock.move_on(600);
    decrypt().await.expect("the session lasts");
    let asked = aws.requests("AssumeRole").len();
    clock.move_on(29);
    decrypt().await.expect("the session lasts");
    assert_eq!(
        aws.requests("AssumeRole").len(),
        asked,
        "the renewal is not tried with every call"
    );
    clock.move_on(240);
    decrypt().await.expect("the session lasts");
    assert!(aws.requests("AssumeRole").len() > asked, "but it is tried again");
    clock.move_on(1);
    assert_eq!(decrypt().await, Err(AccessError::Outage(Outage::ServerError)));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_stopped_leaves_the_session_to_the_others() {
    let renewals = Arc::new(AtomicUsize::new(0));
    let down = Arc::new(AtomicBool::new(false));
    let aws = StandIn::answering({
        let (renewals, down) = (Arc::clone(&renewals), Arc::clone(&down));
        move |request| match down.load(Ordering::Relaxed) && request.operation == "AssumeRole" {
            true if renewals.fetch_add(1, Ordering::Relaxed) == 0 => Answer::Silence,
            true => Answer::Error(503, "ServiceUnavailable", ""),
            false => Answer::Success,
        }
    });
    let clock = StoppedClock::new();
    let keys = customer_keys_by(&aws, clock.clone());
    let (context, access) = (context(), access(AccessPurpose::UnwrapDataKeys));
    keys.decrypt(&context, &access, REGION, b"x").await.expect("opens");
    down.store(true, Ordering::Relaxed);
    clock.move_on(600);
    let stopped = timeout(Duration::from_millis(10), keys.decrypt(&context, &access, REGION, b"x")).await;
    assert!(stopped.is_err());
    keys.decrypt(&context, &access, REGION, b"x")
        .await
        .expect("the session lasts");
}

#[tokio::test(start_paused = true)]
async fn who_has_time_does_not_fail_because_another_had_none() {
    let aws = StandIn::answering(|request| match request.operation.as_str() {
        "AssumeRole" => Answer::Late(Duration::from_secs(1)),
        _ => Answer::Success,
    });
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let (hurried, patient) = (context(), context());
    let hurried = within(
        Duration::from_millis(300),
        keys.decrypt(&hurried, &access, REGION, b"x"),
    );
    let (hurried, patient) = join(hurried, keys.decrypt(&patient, &access, REGION, b"x")).await;
    assert!(matches!(
        hurried,
        Err(_) | Ok(Err(AccessError::Outage(Outage::TimedOut)))
    ));
    patient.expect("opens");
}

#[tokio::test]
async fn a_renewal_that_is_refused_ends_access_at_once() {
    let closed = Arc::new(AtomicBool::new(false));
    let aws = StandIn::answering({
        let closed = Arc::clone(&closed);
        move |request| match closed.load(Ordering::Relaxed) && request.text("RoleArn") == Some(CUSTOMER_ROLE) {
            true => Answer::Error(403, "AccessDenied", ""),
            false => Answer::Success,
        }
    });
    let clock = StoppedClock::new();
    let (keys, access) = (
        customer_keys_by(&aws, clock.clone()),
        access(AccessPurpose::UnwrapDataKeys),
    );
    keys.decrypt(&context(), &access, REGION, b"x").await.expect("opens");
    closed.store(true, Ordering::Relaxed);
    clock.move_on(600);
    let answer = keys.decrypt(&context(), &access, REGION, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Refused(Refusal::RoleNotAssumable)));
}

#[tokio::test]
async fn a_session_that_kms_does_not_take_is_entered_anew_once() {
    for code in [
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
    ] {
        let aws = StandIn::answering(move |request| match request.access_key_id.as_str() {
            "ASIA.latchkey.1" => Answer::Error(400, code, "The security token included in the request is expired"),
            _ => Answer::Success,
        });
        let (keys, access, context) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys), context());
        keys.decrypt(&context, &access, REGION, b"x")
            .await
            .expect("opens with a new session");
        keys.decrypt(&context, &access, REGION, b"x").await.expect("opens");
        assert_eq!(aws.entries(CUSTOMER_ROLE).len(), 2, "{code}");
        assert_eq!(aws.requests("Decrypt").len(), 3, "{code}");
    }
}

#[tokio::test]
async fn a_new_session_that_kms_does_not_take_either_is_a_refusal() {
    let aws = StandIn::answering(|request| match request.operation.as_str() {
        "Decrypt" => Answer::Error(400, "UnrecognizedClientException", ""),
        _ => Answer::Success,
    });
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let answer = keys.decrypt(&context(), &access, REGION, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Refused(Refusal::AccessDenied)));
    assert_eq!(aws.requests("Decrypt").len(), 2);
}

#[tokio::test]
async fn a_new_session_that_is_called_expired_is_nobodys_decision() {
    for operation in ["Decrypt", "AssumeRole"] {
        let aws = StandIn::answering(move |request| {
            let in_a_session = request.text("RoleArn") != Some(ACCESS_ROLE);
            match request.operation == operation && in_a_session {
                true => Answer::Error(403, "ExpiredToken", ""),
                false => Answer::Success,
            }
        });
        let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
        let answer = keys.decrypt(&context(), &access, REGION, b"x").await.map(drop);
        assert_eq!(answer, Err(AccessError::Outage(Outage::ServerError)), "{operation}");
        let asked = aws.requests("Decrypt").len() + aws.entries(CUSTOMER_ROLE).len();
        assert_eq!(asked, if operation == "Decrypt" { 4 } else { 2 }, "{operation}");
    }
}

#[tokio::test]
async fn after_a_denial_the_next_call_enters_anew() {
    let aws = StandIn::answering(|request| match request.access_key_id.as_str() {
        "ASIA.latchkey.1" => Answer::Error(400, "AccessDeniedException", ""),
        _ => Answer::Success,
    });
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let answer = keys.decrypt(&context(), &access, REGION, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Refused(Refusal::AccessDenied)));
    assert_eq!(aws.requests("Decrypt").len(), 1, "the denial itself stands");
    keys.decrypt(&context(), &access, REGION, b"x").await.expect("opens");
}

#[tokio::test]
async fn an_access_role_session_that_sts_does_not_take_is_entered_anew_once() {
    let aws = StandIn::answering(|request| match request.access_key_id.as_str() {
        "ASIA.production-kms-byo-key-access-role.0" => Answer::Error(403, "ExpiredToken", ""),
        _ => Answer::Success,
    });
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    keys.decrypt(&context(), &access, REGION, b"x").await.expect("opens");
    assert_eq!(aws.entries(ACCESS_ROLE).len(), 2);
}
