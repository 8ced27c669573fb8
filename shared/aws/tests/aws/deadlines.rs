//! Every call to AWS takes its timeouts from the time that the request has left, up to a ceiling.

use std::sync::Arc;
use std::time::Duration;

use latchkey_aws::Aws;
use latchkey_core::customer::{AccessError, AccessPurpose, Outage};
use latchkey_core::ports::{CustomerKeys, StoreError, SystemClock, VaultStore};
use latchkey_core::request::{RequestContext, time_limit};
use latchkey_core::values::{Region, RequestId};
use tokio::time::Instant;

use crate::fixtures::{access, customer_keys, settings, workspace};
use crate::stand_in::{Answer, StandIn};

fn silent() -> StandIn {
    StandIn::answering(|_| Answer::Silence)
}

/// The time left, and how much of it a call without an answer takes, in seconds.
const THREE_QUARTERS_OF_WHAT_IS_LEFT: [(f64, f64); 4] = [(1.0, 0.75), (4.0, 3.0), (6.0, 4.5), (28.0, 4.5)];

#[tokio::test(start_paused = true)]
async fn a_call_to_the_records_takes_three_quarters_of_what_is_left_and_at_most_its_ceiling() {
    for (left, takes) in THREE_QUARTERS_OF_WHAT_IS_LEFT {
        let aws = silent();
        let records = Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).vault_records();
        let (workspace, vault_id) = (workspace("ws-acme"), access(AccessPurpose::Validate).vault_id);
        let start = Instant::now();
        let read = time_limit::within(Duration::from_secs_f64(left), records.vault(&workspace, &vault_id)).await;
        assert!(matches!(read, Ok(Err(StoreError::Unavailable))), "in time to say so");
        assert_near(start.elapsed(), takes);
        assert!(aws.requests("GetItem").len() >= 2, "and in time for a second attempt");
    }
}

#[tokio::test(start_paused = true)]
async fn so_does_a_call_to_a_customers_role_or_key() {
    for (left, takes) in THREE_QUARTERS_OF_WHAT_IS_LEFT {
        let aws = silent();
        let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
        let request = RequestContext::new(RequestId::generate(), Duration::from_secs_f64(left));
        let start = Instant::now();
        let answer = keys.decrypt(&request, &access, Region::UsEast2, b"x").await.map(drop);
        assert_eq!(answer, Err(AccessError::Outage(Outage::TimedOut)));
        assert_near(start.elapsed(), takes);
        assert_eq!(aws.requests("AssumeRole").len(), 2);
    }
}

/// Allows for two attempts, with a pause of at most 50 ms, that end a little earlier.
fn assert_near(elapsed: Duration, seconds: f64) {
    let part = elapsed.as_secs_f64() / seconds;
    assert!((0.88..=1.002).contains(&part), "{elapsed:?}, not {seconds} s");
}

/// Two AssumeRole calls and the call itself, each taking a second, fit into the time that one Region may take.
#[tokio::test(start_paused = true)]
async fn what_is_slow_is_waited_for() {
    let aws = StandIn::answering(|_| Answer::Late(Duration::from_secs(1)));
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    let request = RequestContext::new(RequestId::generate(), Duration::from_secs(14));
    let share = Duration::from_millis(4_500);
    let answer = time_limit::within(share, keys.decrypt(&request, &access, Region::UsEast2, b"x")).await;
    assert!(matches!(answer, Ok(Ok(_))));
}
