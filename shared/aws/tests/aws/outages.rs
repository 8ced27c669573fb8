//! Calls without an answer: how soon that is noticed, and what is recorded of the call.

use std::time::Duration;

use latchkey_core::customer::{AccessError, AccessPurpose, Outage};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::request::RequestContext;
use latchkey_core::values::{Region, RequestId};
use tokio::time::Instant;

use crate::fixtures::{access, context, customer_keys};
use crate::stand_in::{Answer, StandIn};

fn kms_answering(answer: Answer) -> StandIn {
    StandIn::answering(move |request| match request.operation.as_str() {
        "AssumeRole" => Answer::Success,
        _ => answer.clone(),
    })
}

#[tokio::test(start_paused = true)]
async fn silence_times_out_after_two_bounded_attempts() {
    let aws = kms_answering(Answer::Silence);
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::UnwrapDataKeys));
    let start = Instant::now();
    let answer = keys.decrypt(&context, &access, Region::UsEast2, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Outage(Outage::TimedOut)));
    assert_eq!(aws.requests("Decrypt").len(), 2);
    assert!(start.elapsed() <= Duration::from_millis(4_600), "{:?}", start.elapsed());
    let last = context.key_uses().pop().expect("noted");
    assert_eq!(
        (last.action, last.aws_request_id, last.succeeded),
        ("kms:Decrypt", None, false)
    );
}

#[tokio::test(start_paused = true)]
async fn no_connection_is_unreachable() {
    let aws = kms_answering(Answer::Refused);
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let answer = keys.decrypt(&context(), &access, Region::UsEast2, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Outage(Outage::Unreachable)));
    assert_eq!(aws.requests("Decrypt").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_call_outlasts_its_request() {
    let aws = kms_answering(Answer::Silence);
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let hurried = RequestContext::new(RequestId::generate(), Duration::from_millis(500));
    let start = Instant::now();
    let answer = keys.decrypt(&hurried, &access, Region::UsEast2, b"x").await.map(drop);
    assert_eq!(answer, Err(AccessError::Outage(Outage::TimedOut)));
    assert!(start.elapsed() <= Duration::from_millis(501), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_any_more_is_noted_all_the_same() {
    let aws = kms_answering(Answer::Silence);
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::UnwrapDataKeys));
    let call = keys.decrypt(&context, &access, Region::UsEast2, b"x");
    let abandoned = tokio::time::timeout(Duration::from_millis(100), call).await;
    assert!(abandoned.is_err());
    let last = context.key_uses().pop().expect("noted");
    assert_eq!((last.action, last.succeeded), ("kms:Decrypt", false));
}
