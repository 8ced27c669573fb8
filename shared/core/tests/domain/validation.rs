//! Each condition turned bad by itself: exactly the outcomes that tell it, and no other.

use latchkey_core::access::{AccessError, CustomerAccess, Outage, Refusal};
use latchkey_core::in_memory::{InMemoryCustomer, KeyState, RegionOutage, RegionalKey};
use latchkey_core::kms_key::KmsKeyId;
use latchkey_core::policies::KEY_ACTIONS;
use latchkey_core::public_key::CustomerPublicKey;
use latchkey_core::region::{MultiRegionKeyType, Region};
use latchkey_core::validation::{Check, CheckOutcome, Report, Verdict, validate};
use latchkey_core::vault::VaultId;
use latchkey_core::workspace::WorkspaceId;
use proptest::prelude::*;
use tokio::time::Instant;

use Check::*;
use Verdict::{Fail, Skipped, Warn};

use crate::fixtures::{
    ACCESS_ROLE, KEY_PAIR, OTHER_KEY_PAIR, REQUEST_TIME, Service, request, role_arn, settings, workspace,
};

/// The documented order.
const ROLE_CHECKS: [Check; 4] = [
    RoleAssumable,
    RoleRejectsMissingExternalId,
    RoleRejectsWrongExternalId,
    RoleTrustsOnlyServiceRole,
];
const KEY_CHECKS: [Check; 11] = [
    KeyFound,
    KeyEnabled,
    KeyNotPendingDeletion,
    KeyAsymmetricRsa,
    KeyUsageEncryptDecrypt,
    KeyOriginKms,
    KeyMultiRegion,
    KeyTopology,
    GetPublicKeyAllowed,
    EncryptAllowed,
    DecryptAllowed,
];
const BOTH_REGIONS_CHECKS: [Check; 3] = [PublicKeysMatch, PublicKeyUnchanged, KeySpecRecommended];

const DESCRIBED: [Check; 7] = [
    KeyEnabled,
    KeyNotPendingDeletion,
    KeyAsymmetricRsa,
    KeyUsageEncryptDecrypt,
    KeyOriginKms,
    KeyMultiRegion,
    KeyTopology,
];
const EXERCISED: [Check; 3] = [GetPublicKeyAllowed, EncryptAllowed, DecryptAllowed];

type Expected = Vec<(Check, Option<Region>, Verdict)>;

pub(crate) async fn report_of(customer: &InMemoryCustomer, pinned: Option<&CustomerPublicKey>) -> Report {
    let access = CustomerAccess::to_validate(&VaultId::generate(), &workspace(), &settings("Acme", 30));
    let validation = validate(
        customer,
        &request(),
        &access,
        &role_arn(ACCESS_ROLE),
        Region::UsEast2,
        pinned,
    )
    .await;
    validation.report
}

fn in_order() -> impl Iterator<Item = (Check, Option<Region>)> {
    let in_region = |region| KEY_CHECKS.map(|check| (check, Some(region)));
    ROLE_CHECKS
        .map(|check| (check, None))
        .into_iter()
        .chain(in_region(Region::UsEast2))
        .chain(in_region(Region::UsWest2))
        .chain(BOTH_REGIONS_CHECKS.map(|check| (check, None)))
}

fn at(region: Region, checks: &[Check], verdict: Verdict) -> Expected {
    checks.iter().map(|&check| (check, Some(region), verdict)).collect()
}

fn overall(check: Check, verdict: Verdict) -> Expected {
    vec![(check, None, verdict)]
}

/// All outcomes in the documented order, each as `expected` says or else passed, and each telling what it must.
fn assert_outcomes(report: &Report, expected: &[Expected]) {
    let expected = expected.concat();
    let wanted: Vec<_> = in_order()
        .map(|(check, region)| {
            let named = expected.iter().find(|(c, r, _)| (*c, *r) == (check, region));
            (check, region, named.map_or(Verdict::Pass, |(_, _, verdict)| *verdict))
        })
        .collect();
    let found: Vec<_> = report
        .checks
        .iter()
        .map(|outcome| (outcome.check, outcome.region, outcome.verdict))
        .collect();
    assert_eq!(found, wanted);
    let any = |wanted| found.iter().any(|(_, _, verdict)| *verdict == wanted);
    let verdict = match (any(Fail), any(Warn)) {
        (true, _) => Fail,
        (false, true) => Warn,
        (false, false) => Verdict::Pass,
    };
    assert_eq!(report.verdict, verdict);
    report.checks.iter().for_each(assert_tells);
}

fn assert_tells(outcome: &CheckOutcome) {
    assert!(outcome.message.ends_with('.'), "{outcome:?}");
    let needs_remedy = matches!(outcome.verdict, Fail | Warn);
    assert_eq!(outcome.remedy.is_some(), needs_remedy, "{outcome:?}");
    assert!(outcome.remedy.as_deref().is_none_or(|remedy| remedy.len() > 20));
    assert_eq!(outcome.verdict == Skipped, outcome.message.starts_with("Not checked: "));
}

/// What a new vault's validation skips at best: it has no pin yet.
fn no_pin() -> Expected {
    overall(PublicKeyUnchanged, Skipped)
}

async fn assert_new(break_it: impl FnOnce(&InMemoryCustomer), expected: &[Expected]) -> Report {
    let customer = Service::new().customer;
    break_it(&customer);
    let report = report_of(&customer, None).await;
    assert_outcomes(&report, &[&[no_pin()], expected].concat());
    report
}

#[tokio::test]
async fn a_set_up_as_agreed_passes_every_check() {
    assert_new(|_| {}, &[]).await;
    let pinned = report_of(&Service::new().customer, Some(KEY_PAIR.public_key())).await;
    assert_outcomes(&pinned, &[]);
}

#[tokio::test]
async fn a_role_that_lets_nobody_in_is_the_one_failure() {
    let all_but_the_first = || {
        in_order()
            .skip(1)
            .map(|(check, region)| (check, region, Skipped))
            .collect::<Expected>()
    };
    let expected = || [overall(RoleAssumable, Fail), all_but_the_first()];
    assert_new(
        |customer| customer.change_role(|role| role.lets_us_in = false),
        &expected(),
    )
    .await;
    assert_new(
        |customer| customer.change_role(|role| role.role_arn = role_arn("arn:aws:iam::222222222222:role/other")),
        &expected(),
    )
    .await;
    assert_new(
        |customer| customer.change_role(|role| role.external_id = WorkspaceId::parse("ws-other").unwrap()),
        &expected(),
    )
    .await;
}

#[tokio::test]
async fn a_role_that_lets_in_without_an_external_id_is_found() {
    assert_new(
        |customer| customer.change_role(|role| role.takes_missing_external_id = true),
        &[overall(RoleRejectsMissingExternalId, Fail)],
    )
    .await;
}

#[tokio::test]
async fn a_role_that_takes_any_external_id_is_found() {
    assert_new(
        |customer| customer.change_role(|role| role.takes_wrong_external_id = true),
        &[overall(RoleRejectsWrongExternalId, Fail)],
    )
    .await;
}

#[tokio::test]
async fn a_trust_on_the_whole_account_is_a_warning() {
    let report = assert_new(
        |customer| customer.change_role(|role| role.trusts_root = true),
        &[overall(RoleTrustsOnlyServiceRole, Warn)],
    )
    .await;
    assert!(report.findings()[0].message.contains(":root"));
}

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
    let validation = validate(&customer, &request(), &access, &role, Region::UsEast2, None).await;
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
        assert!(finding.message.contains("2026-12-01 at 08:30 UTC"), "{finding:?}");
        assert!(finding.message.contains("can ever be opened again"), "{finding:?}");
        assert!(finding.remedy.as_deref().unwrap().contains("cancel-key-deletion"));
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
    assert!(report.findings()[0].message.contains("once its waiting period ends"));
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

#[tokio::test]
async fn each_denied_action_is_found_in_its_region() {
    for region in Region::ALL {
        for (action, expected) in [
            (
                "kms:DescribeKey",
                vec![at(region, &[KeyFound], Fail), at(region, &DESCRIBED, Skipped)],
            ),
            (
                "kms:GetPublicKey",
                vec![
                    at(region, &[GetPublicKeyAllowed], Fail),
                    overall(PublicKeysMatch, Skipped),
                ],
            ),
            ("kms:Encrypt", vec![at(region, &[EncryptAllowed], Fail)]),
            ("kms:Decrypt", vec![at(region, &[DecryptAllowed], Fail)]),
        ] {
            let deny = |customer: &InMemoryCustomer| {
                customer.change_key_in(region, |key| {
                    key.allowed.remove(action);
                });
            };
            let report = assert_new(deny, &expected).await;
            let finding = &report.findings()[0];
            assert!(finding.message.contains(action) && finding.message.contains("denied"));
        }
    }
}

#[tokio::test]
async fn a_role_without_any_policy_is_told_everything_it_lacks() {
    let mut expected = vec![overall(PublicKeysMatch, Skipped), overall(KeySpecRecommended, Skipped)];
    for region in Region::ALL {
        expected.push(at(region, &[KeyFound, GetPublicKeyAllowed, EncryptAllowed], Fail));
        expected.push(at(region, &DESCRIBED, Skipped));
        expected.push(at(region, &[DecryptAllowed], Skipped));
    }
    assert_new(|customer| customer.change_key(|key| key.allowed.clear()), &expected).await;
}

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
            &[overall(PublicKeysMatch, Fail), overall(PublicKeyUnchanged, Fail)],
        );
    }
}

#[tokio::test]
async fn a_key_replaced_in_both_regions_is_noticed_by_its_pin() {
    let customer = Service::new().customer;
    customer.change_key(|key| key.key_pair = OTHER_KEY_PAIR.clone());
    let report = report_of(&customer, Some(KEY_PAIR.public_key())).await;
    assert_outcomes(&report, &[overall(PublicKeyUnchanged, Fail)]);
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
        report_of(&customer, None).await;
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

fn any_error() -> impl Strategy<Value = AccessError> {
    use Outage::*;
    use Refusal::*;
    let refusal = prop::sample::select(vec![
        RoleNotAssumable,
        AccessDenied,
        KeyDisabled,
        KeyPendingDeletion,
        KeyNotFound,
        KeyInvalidState,
        InvalidKeyUsage,
        InvalidCiphertext,
    ]);
    let outage = prop::sample::select(vec![Unreachable, TimedOut, ServerError, Throttled]);
    prop_oneof![
        refusal.prop_map(AccessError::Refused),
        outage.prop_map(AccessError::Outage),
        Just(AccessError::ServiceMisconfigured),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever KMS answers, and however its answers contradict each other: what did not work fails the report, and
    /// only what no answer came to is for want of answers.
    #[test]
    fn no_call_that_did_not_work_passes_unseen(
        errors in prop::collection::btree_map(
            (prop::sample::select(KEY_ACTIONS.to_vec()), prop::sample::select(Region::ALL.to_vec())),
            any_error(),
            1..4,
        ),
    ) {
        let customer = Service::new().customer;
        for ((action, region), error) in &errors {
            customer.answer_with(*region, action, error.clone());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let report = runtime.block_on(report_of(&customer, Some(KEY_PAIR.public_key())));
        prop_assert_eq!(report.verdict, Fail);
        prop_assert!(in_order().eq(report.checks.iter().map(|outcome| (outcome.check, outcome.region))));
        report.checks.iter().for_each(assert_tells);
        let was_asked = |action: &str, region| customer.calls_in(region, action) > 0;
        let refused = errors.iter().any(|((action, region), error)| {
            matches!(error, AccessError::Refused(_)) && was_asked(action, *region)
        });
        prop_assert_eq!(report.failed_for_want_of_answers(), !refused);
    }
}
