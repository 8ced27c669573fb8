//! What only the answers of both Regions together show.

use latchkey_core::findings::Check::*;
use latchkey_core::findings::Verdict::{Fail, Warn};
use latchkey_core::values::Region;
use latchkey_in_memory::InMemoryCustomer;

use super::{assert_new, assert_outcomes, at, overall, report_of};
use crate::fixtures::{KEY_PAIR, OTHER_KEY_PAIR, Service};

#[tokio::test]
async fn regions_with_different_keys_are_refused() {
    for region in Region::ALL {
        let replace = |customer: &InMemoryCustomer| {
            customer.change_key_in(region, |key| key.key_pair = OTHER_KEY_PAIR.clone());
        };
        assert_new(replace, &[overall(PublicKeysMatch, Fail)]).await;
        let customer = Service::new().customer;
        replace(&customer);
        let report = report_of(&customer, Some(KEY_PAIR.public_key())).await;
        assert_outcomes(
            &report,
            &[
                at(region, &[DecryptAllowed], Fail),
                overall(PublicKeysMatch, Fail),
                overall(PublicKeyUnchanged, Fail),
            ],
        );
    }
}

#[tokio::test]
async fn a_key_replaced_in_both_regions_is_noticed_by_its_pin() {
    let customer = Service::new().customer;
    customer.change_key(|key| key.key_pair = OTHER_KEY_PAIR.clone());
    let report = report_of(&customer, Some(KEY_PAIR.public_key())).await;
    // The new key cannot open what was wrapped for the vault, either.
    let opens = Region::ALL.map(|region| at(region, &[DecryptAllowed], Fail));
    assert_outcomes(&report, &[opens.concat(), overall(PublicKeyUnchanged, Fail)]);
}

#[tokio::test]
async fn a_smaller_rsa_key_is_a_warning() {
    for spec in ["RSA_2048", "RSA_3072"] {
        let report = assert_new(
            |customer| customer.change_key(|key| key.key_spec = spec.to_owned()),
            &[overall(KeySpecRecommended, Warn)],
        )
        .await;
        assert!(report.findings()[0].message.contains(spec));
    }
}
