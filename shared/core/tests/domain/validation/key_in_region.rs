//! The key in each Region by itself: whether it exists, its state and its kind.

use latchkey_core::customer::CustomerAccess;
use latchkey_core::findings::Check::*;
use latchkey_core::findings::Verdict::{Fail, Skipped, Warn};
use latchkey_core::validation::validate;
use latchkey_core::values::VaultId;
use latchkey_core::values::{KmsKeyId, MultiRegionKeyType, Region};
use latchkey_in_memory::{KeyState, RegionalKey};

use super::{DESCRIBED, EXERCISED, asked_at, assert_new, assert_outcomes, at, no_pin, overall, report_of};
use crate::fixtures::{ACCESS_ROLE, Service, request, role_arn, settings, workspace};

#[tokio::test]
async fn a_missing_key_is_found_in_its_region() {
    for region in Region::ALL {
        assert_new(
            |customer| customer.change_key_in(region, |key| key.state = KeyState::Missing),
            &[
                at(region, &[KeyFound], Fail),
                at(region, &DESCRIBED, Skipped),
                at(region, &EXERCISED, Skipped),
                overall(PublicKeysMatch, Skipped),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn a_wrong_key_id_is_a_missing_key_in_both_regions() {
    let customer = Service::new().customer;
    let mut settings = settings("Acme", 30);
    settings.customer_key.key_id = KmsKeyId::parse("mrk-00000000000000000000000000000000").unwrap();
    let access = CustomerAccess::to_validate(&VaultId::generate(), &workspace(), &settings);
    let role = role_arn(ACCESS_ROLE);
    let validation = validate(&customer, &request(), &access, &role, Region::UsEast2, asked_at(), None).await;
    let mut expected = vec![
        no_pin(),
        overall(PublicKeysMatch, Skipped),
        overall(KeySpecRecommended, Skipped),
    ];
    for region in Region::ALL {
        expected.push(at(region, &[KeyFound], Fail));
        expected.push(at(region, &DESCRIBED, Skipped));
        expected.push(at(region, &EXERCISED, Skipped));
    }
    assert_outcomes(&validation.report, &expected);
}

#[tokio::test]
async fn a_disabled_key_is_locked_and_never_called_gone() {
    for region in Region::ALL {
        let report = assert_new(
            |customer| customer.change_key_in(region, |key| key.state = KeyState::Disabled),
            &[
                at(region, &[KeyEnabled], Fail),
                at(region, &EXERCISED, Skipped),
                overall(PublicKeysMatch, Skipped),
            ],
        )
        .await;
        let finding = &report.findings()[0];
        let text = format!("{} {}", finding.message, finding.remedy.clone().unwrap());
        for word in ["lost", "delet", "never", "gone", "permanent"] {
            assert!(!text.contains(word), "{text}");
        }
        assert!(text.contains("open again"), "{text}");
        assert!(text.contains(&format!("aws kms enable-key --region {region} --key-id mrk-")));
    }
}

/// Making a replica takes a minute or two. A validation in that time says to wait, and speaks of no loss.
#[tokio::test]
async fn a_replica_that_is_still_being_made_is_to_be_waited_for() {
    for region in Region::ALL {
        let report = assert_new(
            |customer| customer.change_key_in(region, |key| key.state = KeyState::Creating),
            &[
                at(region, &[KeyEnabled], Fail),
                at(region, &EXERCISED, Skipped),
                overall(PublicKeysMatch, Skipped),
            ],
        )
        .await;
        let finding = &report.findings()[0];
        assert!(finding.message.contains("still being created"), "{finding:?}");
        assert!(finding.message.contains("No data is lost"), "{finding:?}");
    }
}

#[tokio::test]
async fn a_pending_deletion_tells_its_date_and_what_then_is_lost() {
    let date = "2026-12-01T08:30:00Z".parse().unwrap();
    for region in Region::ALL {
        let report = assert_new(
            |customer| customer.change_key_in(region, |key| key.state = KeyState::PendingDeletion(date)),
            &[
                at(region, &[KeyEnabled], Skipped),
                at(region, &[KeyNotPendingDeletion], Fail),
                at(region, &EXERCISED, Skipped),
                overall(PublicKeysMatch, Skipped),
            ],
        )
        .await;
        let finding = &report.findings()[0];
        assert!(
            finding.message.contains("on 2026-12-01 at 08:30 UTC, in 8 days"),
            "{finding:?}"
        );
        let kept = format!("The key in {} is not scheduled for deletion", region.other());
        assert!(finding.message.contains(&kept), "{finding:?}");
        assert!(finding.message.contains("can ever be opened again"), "{finding:?}");
        assert!(finding.remedy.as_deref().unwrap().contains("cancel-key-deletion"));
    }
}

/// If the key in one Region is kept, nothing is lost. If none is kept, everything is.
#[tokio::test]
async fn a_pending_deletion_in_both_regions_says_that_all_is_lost_then() {
    let customer = Service::new().customer;
    let date = "2026-11-24T08:30:00Z".parse().unwrap();
    customer.change_key(|key| key.state = KeyState::PendingDeletion(date));
    let findings = report_of(&customer, None).await.findings();
    assert_eq!(findings.len(), 2);
    for finding in findings {
        assert_eq!(finding.check, KeyNotPendingDeletion);
        let message = &finding.message;
        assert!(
            message.contains("in 1 day.") && message.contains("as well"),
            "{message}"
        );
        assert!(!message.contains("no data is lost"), "{message}");
    }
}

/// A key that KMS does not know may never have existed, so nothing more is claimed.
#[tokio::test]
async fn a_missing_key_is_not_called_deleted() {
    for region in Region::ALL {
        let customer = Service::new().customer;
        customer.change_key_in(region, |key| key.state = KeyState::Missing);
        let finding = report_of(&customer, None).await.findings().remove(0);
        for words in ["may be wrong", "If it was deleted in both Regions", region.code()] {
            assert!(finding.message.contains(words), "{finding:?}");
        }
    }
}

#[tokio::test]
async fn a_primary_that_waits_for_its_replicas_deletion_has_no_date_yet() {
    let region = Region::UsEast2;
    let report = assert_new(
        |customer| customer.change_key_in(region, |key| key.state = KeyState::PendingReplicaDeletion),
        &[
            at(region, &[KeyEnabled], Skipped),
            at(region, &[KeyNotPendingDeletion], Fail),
            at(region, &EXERCISED, Skipped),
            overall(PublicKeysMatch, Skipped),
        ],
    )
    .await;
    let message = &report.findings()[0].message;
    assert!(message.contains("once its replicas are deleted"), "{message}");
}

#[tokio::test]
async fn a_replica_still_being_made_only_needs_time() {
    let region = Region::UsWest2;
    let report = assert_new(
        |customer| customer.change_key_in(region, |key| key.state = KeyState::Creating),
        &[
            at(region, &[KeyEnabled], Fail),
            at(region, &EXERCISED, Skipped),
            overall(PublicKeysMatch, Skipped),
        ],
    )
    .await;
    let remedy = report.findings()[0].remedy.clone().unwrap();
    assert!(!remedy.contains("enable-key"), "{remedy}");
}

#[tokio::test]
async fn a_key_that_changes_its_primary_works_meanwhile() {
    for region in Region::ALL {
        assert_new(
            |customer| customer.change_key_in(region, |key| key.state = KeyState::Updating),
            &[at(region, &[KeyEnabled], Warn)],
        )
        .await;
    }
}

#[tokio::test]
async fn a_key_that_is_not_rsa_is_refused() {
    for spec in ["SYMMETRIC_DEFAULT", "ECC_NIST_P256", "SM2"] {
        let mut expected = vec![overall(PublicKeysMatch, Skipped), overall(KeySpecRecommended, Skipped)];
        for region in Region::ALL {
            expected.push(at(region, &[KeyAsymmetricRsa], Fail));
            expected.push(at(region, &EXERCISED, Skipped));
        }
        assert_new(
            |customer| customer.change_key(|key| key.key_spec = spec.to_owned()),
            &expected,
        )
        .await;
    }
}

#[tokio::test]
async fn a_signing_key_is_refused() {
    let mut expected = vec![overall(PublicKeysMatch, Skipped)];
    for region in Region::ALL {
        expected.push(at(region, &[KeyUsageEncryptDecrypt], Fail));
        expected.push(at(region, &EXERCISED, Skipped));
    }
    assert_new(
        |customer| customer.change_key(|key| key.key_usage = "SIGN_VERIFY".to_owned()),
        &expected,
    )
    .await;
}

#[tokio::test]
async fn imported_key_material_is_refused() {
    let expected = Region::ALL.map(|region| at(region, &[KeyOriginKms], Fail));
    assert_new(
        |customer| customer.change_key(|key| key.origin = "EXTERNAL".to_owned()),
        &expected,
    )
    .await;
}

#[tokio::test]
async fn a_single_region_key_is_refused_where_it_is_and_missing_where_it_is_not() {
    let (east, west) = (Region::UsEast2, Region::UsWest2);
    assert_new(
        |customer| {
            customer.change_key_in(east, |key| key.multi_region_key_type = None);
            customer.change_key_in(west, |key| key.state = KeyState::Missing);
        },
        &[
            at(east, &[KeyMultiRegion], Fail),
            at(east, &[KeyTopology], Skipped),
            at(west, &[KeyFound], Fail),
            at(west, &DESCRIBED, Skipped),
            at(west, &EXERCISED, Skipped),
            overall(PublicKeysMatch, Skipped),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_set_with_its_primary_elsewhere_is_refused() {
    let expected = Region::ALL.map(|region| at(region, &[KeyTopology], Fail));
    assert_new(
        |customer| {
            customer.change_key(|key| {
                key.primary = Region::UsWest2;
                key.replicas = vec![Region::UsEast2];
            });
            customer.change_key_in(Region::UsEast2, |key| {
                key.multi_region_key_type = Some(MultiRegionKeyType::Replica);
            });
            customer.change_key_in(Region::UsWest2, |key| {
                key.multi_region_key_type = Some(MultiRegionKeyType::Primary);
            });
        },
        &expected,
    )
    .await;
}

#[tokio::test]
async fn a_set_without_its_replica_is_refused() {
    let expected = Region::ALL.map(|region| at(region, &[KeyTopology], Fail));
    assert_new(|customer| customer.change_key(|key| key.replicas.clear()), &expected).await;
}

#[tokio::test]
async fn each_fact_of_the_topology_counts_by_itself() {
    for region in Region::ALL {
        let breakages: [fn(&mut RegionalKey); 3] = [
            |key| key.primary = Region::UsWest2,
            |key| key.replicas.clear(),
            |key| {
                key.multi_region_key_type = match key.multi_region_key_type {
                    Some(MultiRegionKeyType::Primary) => Some(MultiRegionKeyType::Replica),
                    _ => Some(MultiRegionKeyType::Primary),
                };
            },
        ];
        for break_it in breakages {
            assert_new(
                |customer| customer.change_key_in(region, break_it),
                &[at(region, &[KeyTopology], Fail)],
            )
            .await;
        }
    }
}
