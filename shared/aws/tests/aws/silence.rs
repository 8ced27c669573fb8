//! Calls pause for a while after a silence: to one vault's key, or to a Region once several vaults' keys are silent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey_aws::customer_keys::KmsCustomerKeys;
use latchkey_core::customer::{AccessError, AccessPurpose, CustomerAccess, Outage, Refusal};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::request::RequestContext;
use latchkey_core::values::Region;
use latchkey_core::values::Region::{UsEast2, UsWest2};
use tokio::time::Instant;

use crate::fixtures::{StoppedClock, access, context, customer_keys_by};
use crate::stand_in::{Answer, Request, StandIn};

const SILENT: Result<(), AccessError> = Err(AccessError::Outage(Outage::TimedOut));
const LEFT_ALONE: Result<(), AccessError> = Err(AccessError::Outage(Outage::Unreachable));

/// KMS in us-east-2 has some trouble, and everything else is in order.
struct Kms {
    aws: StandIn,
    trouble: Arc<Mutex<Answer>>,
    clock: Arc<StoppedClock>,
    keys: KmsCustomerKeys,
}

impl Kms {
    fn silent() -> Self {
        Self::with_trouble(Answer::Silence)
    }

    fn with_trouble(trouble: Answer) -> Self {
        let trouble = Arc::new(Mutex::new(trouble));
        let answer = Arc::clone(&trouble);
        let aws = StandIn::answering(move |request| {
            if of_kms_in_us_east_2(request) {
                answer.lock().expect("not poisoned").clone()
            } else {
                Answer::Success
            }
        });
        let clock = StoppedClock::new();
        let keys = customer_keys_by(&aws, Arc::clone(&clock) as _);
        Self {
            aws,
            trouble,
            clock,
            keys,
        }
    }

    fn answers(&self, answer: Answer) {
        *self.trouble.lock().expect("not poisoned") = answer;
    }

    async fn asked(&self, access: &CustomerAccess, region: Region) -> Result<(), AccessError> {
        self.asked_within(&context(), access, region).await
    }

    async fn asked_within(
        &self,
        context: &RequestContext,
        access: &CustomerAccess,
        region: Region,
    ) -> Result<(), AccessError> {
        let decrypted = self.keys.decrypt(context, access, region, b"x").await;
        decrypted.map(drop)
    }

    fn calls(&self) -> usize {
        let calls = self.aws.requests("Decrypt");
        calls.iter().filter(|call| of_kms_in_us_east_2(call)).count()
    }
}

fn of_kms_in_us_east_2(request: &Request) -> bool {
    request.host.starts_with("kms.us-east-2.")
}

fn a_vault() -> CustomerAccess {
    access(AccessPurpose::UnwrapDataKeys)
}

#[tokio::test(start_paused = true)]
async fn a_silent_key_costs_one_request_its_time() {
    let (kms, vault) = (Kms::silent(), a_vault());
    assert_eq!(kms.asked(&vault, UsEast2).await, SILENT);
    let (calls, start) = (kms.calls(), Instant::now());
    for _ in 0..10 {
        assert_eq!(kms.asked(&vault, UsEast2).await, LEFT_ALONE);
    }
    assert_eq!((kms.calls(), start.elapsed()), (calls, Duration::ZERO));
    assert_eq!(kms.asked(&vault, UsWest2).await, Ok(()), "its other Region is asked");
    assert_eq!(kms.asked(&a_vault(), UsEast2).await, SILENT, "and other vaults are");
}

#[tokio::test(start_paused = true)]
async fn two_silent_keys_are_a_silent_region() {
    let kms = Kms::silent();
    for _ in 0..2 {
        assert_eq!(kms.asked(&a_vault(), UsEast2).await, SILENT);
    }
    let calls = kms.calls();
    assert_eq!(kms.asked(&a_vault(), UsEast2).await, LEFT_ALONE);
    assert_eq!(kms.calls(), calls);
    assert_eq!(
        kms.asked(&a_vault(), UsWest2).await,
        Ok(()),
        "the other Region is not silent"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_one_request_tries_again_for_a_second() {
    let kms = Kms::silent();
    let vaults = [a_vault(), a_vault()];
    for vault in &vaults {
        assert_eq!(kms.asked(vault, UsEast2).await, SILENT);
    }
    kms.clock.move_on(5);
    let (trial, start) = (context(), Instant::now());
    assert_eq!(kms.asked_within(&trial, &vaults[0], UsEast2).await, SILENT);
    assert!(start.elapsed() <= Duration::from_secs(1), "{:?}", start.elapsed());
    let calls = kms.calls();
    for vault in [&vaults[0], &vaults[1], &a_vault()] {
        assert_eq!(
            kms.asked(vault, UsEast2).await,
            LEFT_ALONE,
            "while it tries, and after it failed"
        );
    }
    assert_eq!(kms.calls(), calls);
    assert_eq!(
        kms.asked_within(&trial, &vaults[0], UsEast2).await,
        SILENT,
        "its other calls are of the same trial"
    );

    kms.answers(Answer::Success);
    assert_eq!(kms.asked(&vaults[0], UsEast2).await, LEFT_ALONE);
    kms.clock.move_on(5);
    for vault in [&vaults[0], &a_vault(), &vaults[1], &a_vault()] {
        assert_eq!(kms.asked(vault, UsEast2).await, Ok(()), "an answer ends it");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_no_silence_however_often_it_comes() {
    let troubles = [
        Answer::Error(500, "KMSInternalException", "x"),
        Answer::Error(400, "ThrottlingException", "x"),
        Answer::Error(400, "DisabledException", "x"),
        Answer::Refused,
    ];
    for trouble in troubles {
        let kms = Kms::with_trouble(trouble.clone());
        let vaults = [a_vault(), a_vault(), a_vault()];
        for vault in vaults.iter().cycle().take(9) {
            let before = kms.calls();
            assert!(kms.asked(vault, UsEast2).await.is_err());
            assert!(kms.calls() > before, "{trouble:?}: asked again");
        }
        kms.answers(Answer::Success);
        assert_eq!(kms.asked(&vaults[0], UsEast2).await, Ok(()), "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_and_ends_the_silence() {
    let (kms, vault) = (Kms::silent(), a_vault());
    assert_eq!(kms.asked(&vault, UsEast2).await, SILENT);
    kms.answers(Answer::Error(400, "DisabledException", "x"));
    kms.clock.move_on(5);
    for _ in 0..3 {
        let refused = Err(AccessError::Refused(Refusal::KeyDisabled));
        assert_eq!(kms.asked(&vault, UsEast2).await, refused);
    }
}

#[tokio::test(start_paused = true)]
async fn who_had_no_time_for_an_answer_has_seen_no_silence() {
    let (kms, vault) = (Kms::silent(), a_vault());
    let hurried = |milliseconds| {
        let id = latchkey_core::values::RequestId::generate();
        RequestContext::new(id, Duration::from_millis(milliseconds))
    };
    assert_eq!(kms.asked_within(&hurried(900), &vault, UsEast2).await, SILENT);
    kms.answers(Answer::Success);
    assert_eq!(kms.asked(&vault, UsEast2).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_waits_for_any_more_was_silent_if_it_had_its_time() {
    for (patience, silent) in [
        (Duration::from_millis(900), false),
        (Duration::from_millis(1_100), true),
    ] {
        let (kms, vault) = (Kms::silent(), a_vault());
        let abandoned = tokio::time::timeout(patience, kms.asked(&vault, UsEast2)).await;
        assert!(abandoned.is_err());
        kms.answers(Answer::Success);
        assert_eq!(kms.asked(&vault, UsEast2).await == LEFT_ALONE, silent, "{patience:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_validates_asks_all_the_same_for_a_second() {
    let kms = Kms::silent();
    let vault = access(AccessPurpose::Validate);
    for vault in [&vault, &a_vault()] {
        assert_eq!(kms.asked(vault, UsEast2).await, SILENT);
    }
    let (calls, start) = (kms.calls(), Instant::now());
    assert_eq!(kms.asked(&vault, UsEast2).await, SILENT);
    assert!(kms.calls() > calls && start.elapsed() <= Duration::from_secs(1));
    kms.answers(Answer::Success);
    assert_eq!(kms.asked(&vault, UsEast2).await, Ok(()));
}
