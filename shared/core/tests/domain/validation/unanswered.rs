//! What AWS leaves unanswered says nothing about the customer.

use latchkey_core::customer::Outage;
use latchkey_core::findings::Check::*;
use latchkey_core::findings::Report;
use latchkey_core::findings::Verdict::{Fail, Skipped};
use latchkey_core::values::Region;
use latchkey_in_memory::{InMemoryCustomer, RegionOutage};
use tokio::time::Instant;

use super::{DESCRIBED, Expected, ROLE_CHECKS, assert_new, at, overall, report_of};
use crate::fixtures::{KEY_PAIR, REQUEST_TIME, Service};

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_region_is_no_finding_about_the_customer() {
    for region in Region::ALL {
        for outage in outages() {
            let report = assert_new(
                |customer| customer.set_outage(region, Some(outage)),
                &[
                    at(region, &[KeyFound, GetPublicKeyAllowed, EncryptAllowed], Fail),
                    at(region, &DESCRIBED, Skipped),
                    at(region, &[DecryptAllowed], Skipped),
                    overall(PublicKeysMatch, Skipped),
                ],
            )
            .await;
            assert_only_unanswered(&report);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_both_regions_leaves_nothing_known() {
    for outage in outages() {
        let mut expected: Vec<Expected> = ROLE_CHECKS.map(|check| overall(check, Fail)).into();
        for region in Region::ALL {
            expected.push(at(region, &[KeyFound, GetPublicKeyAllowed, EncryptAllowed], Fail));
            expected.push(at(region, &DESCRIBED, Skipped));
            expected.push(at(region, &[DecryptAllowed], Skipped));
        }
        expected.push(overall(PublicKeysMatch, Skipped));
        expected.push(overall(KeySpecRecommended, Skipped));
        let fail = |customer: &InMemoryCustomer| {
            for region in Region::ALL {
                customer.set_outage(region, Some(outage));
            }
        };
        let report = assert_new(fail, &expected).await;
        assert_only_unanswered(&report);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_leaves_time_to_answer() {
    for regions in [[Region::UsEast2].as_slice(), &[Region::UsWest2], &Region::ALL] {
        let customer = Service::new().customer;
        for region in regions {
            customer.set_outage(*region, Some(RegionOutage::Hangs));
        }
        let start = Instant::now();
        report_of(&customer, Some(KEY_PAIR.public_key())).await;
        assert!(start.elapsed() <= REQUEST_TIME * 3 / 4);
    }
}

#[tokio::test]
async fn our_own_misconfiguration_is_never_put_on_the_customer() {
    let customer = Service::new().customer;
    customer.set_service_misconfigured(true);
    let report = report_of(&customer, None).await;
    assert_only_unanswered(&report);
    let remedies: Vec<_> = report.findings().into_iter().filter_map(|f| f.remedy).collect();
    assert!(
        !remedies.is_empty()
            && remedies
                .iter()
                .all(|remedy| remedy.contains("Nothing to change on your side"))
    );
}

fn outages() -> [RegionOutage; 5] {
    [
        RegionOutage::Hangs,
        RegionOutage::Fails(Outage::Unreachable),
        RegionOutage::Fails(Outage::TimedOut),
        RegionOutage::Fails(Outage::ServerError),
        RegionOutage::Fails(Outage::Throttled),
    ]
}

fn assert_only_unanswered(report: &Report) {
    assert!(report.failed_for_want_of_answers());
    for outcome in report.checks.iter().filter(|outcome| outcome.verdict == Fail) {
        let text = format!("{} {}", outcome.message, outcome.remedy.as_deref().unwrap());
        for word in [
            "denied",
            "refuse",
            "does not let",
            "no key",
            "disabled",
            "delet",
            "policy",
        ] {
            assert!(!text.to_lowercase().contains(word), "{text}");
        }
    }
}
