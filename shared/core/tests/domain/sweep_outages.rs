//! The sweep while AWS does not answer: that is neither a refusal nor a proof that all is well.

use std::time::Duration;

use latchkey_core::customer::{AccessError, Outage};
use latchkey_core::findings::Check;
use latchkey_core::health::HealthState;
use latchkey_core::values::Region;
use latchkey_in_memory::RegionOutage;

use crate::fixtures::Service;
use crate::sweep::{MINUTE, on_record, one, sweep};

/// Calls run side by side, so a check ends in time whatever hangs, and a failure does not wait for a call that hangs.
#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_hides_nothing_of_the_other() {
    for (hangs, answers) in [(Region::UsEast2, Region::UsWest2), (Region::UsWest2, Region::UsEast2)] {
        let (service, _) = Service::with_vault(30).await;
        service.customer.set_outage(hangs, Some(RegionOutage::Hangs));
        let start = tokio::time::Instant::now();
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false));
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        service.customer.change_key_in(answers, |key| {
            key.allowed.remove("kms:Decrypt");
        });
        let start = tokio::time::Instant::now();
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        let findings = on_record(&service).health.findings;
        assert!(
            findings
                .iter()
                .any(|finding| finding.check == Check::DecryptAllowed && !finding.unanswered)
        );
    }
}

/// STS throttles our account, for all our customers together.
#[tokio::test]
async fn knocks_that_are_throttled_say_nothing_of_the_vault() {
    let (service, _) = Service::with_vault(30).await;
    for region in Region::ALL {
        let throttled = AccessError::Outage(Outage::Throttled);
        service.customer.answer_with(region, "sts:AssumeRole", throttled);
    }
    for _ in 0..5 {
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, false));
    }
    let health = on_record(&service).health;
    assert_eq!((health.state, health.unanswered_in_a_row), (HealthState::Healthy, 0));
}

/// What only the whole validation checks must not stay unchecked for another hour because AWS was silent for a moment.
#[tokio::test]
async fn a_whole_validation_that_was_left_unanswered_is_made_again_in_a_minute() {
    let (service, _) = Service::with_vault(30).await;
    service.clock.advance(MINUTE * 60);
    service.outage_everywhere(Some(RegionOutage::Fails(Outage::Unreachable)));
    assert_eq!(sweep(&service).await, one(true, false));
    assert_eq!(on_record(&service).health.unanswered_in_a_row, 1);
    service.outage_everywhere(None);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(true, false));
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(false, false));
}

#[tokio::test]
async fn three_unanswered_checks_make_it_unknown_and_one_validation_known_again() {
    let (service, _) = Service::with_vault(30).await;
    let outage = RegionOutage::Fails(Outage::Unreachable);
    service.outage_everywhere(Some(outage));
    for (row, state) in [
        (1, HealthState::Healthy),
        (2, HealthState::Healthy),
        (3, HealthState::Unknown),
    ] {
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, row == 3));
        let health = on_record(&service).health;
        assert_eq!((health.state, health.unanswered_in_a_row), (state, row));
    }
    service.outage_everywhere(None);
    service.clock.advance(MINUTE);
    assert_eq!(sweep(&service).await, one(true, true));
    assert_eq!(on_record(&service).health.state, HealthState::Healthy);
}

/// Only one Region is gone. Everything opens through the other, and new items are sealed there, so the state is not
/// `unknown`.
#[tokio::test]
async fn a_region_that_is_gone_for_three_checks_makes_it_degraded_until_it_is_back() {
    for gone in Region::ALL {
        let (service, _) = Service::with_vault(0).await;
        let sealed = service.environment().seal("item").await.unwrap();
        let outage = Some(RegionOutage::Fails(Outage::Unreachable));
        service.customer.set_outage(gone, outage);
        for (row, state) in [
            (1, HealthState::Healthy),
            (2, HealthState::Healthy),
            (3, HealthState::Degraded),
            (4, HealthState::Degraded),
        ] {
            service.clock.advance(MINUTE);
            assert_eq!(sweep(&service).await, one(false, row == 3));
            let health = on_record(&service).health;
            assert_eq!((health.state, health.unanswered_in_a_row), (state, row));
        }
        let findings = on_record(&service).health.findings;
        assert!(
            findings
                .iter()
                .all(|found| found.unanswered && found.region == Some(gone))
        );
        let environment = service.environment_in(gone.other());
        assert!(environment.open("item", &sealed).await.is_ok());
        assert!(environment.seal("new").await.is_ok());
        service.outage_everywhere(outage);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(false, true));
        assert_eq!(on_record(&service).health.state, HealthState::Unknown);
        service.customer.set_outage(gone.other(), None);
        service.clock.advance(MINUTE);
        sweep(&service).await;
        assert_eq!(on_record(&service).health.state, HealthState::Degraded);
        service.outage_everywhere(None);
        service.clock.advance(MINUTE);
        assert_eq!(sweep(&service).await, one(true, true));
        let health = on_record(&service).health;
        assert_eq!((health.state, health.findings), (HealthState::Healthy, Vec::new()));
    }
}
