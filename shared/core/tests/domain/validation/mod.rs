//! Each condition is broken by itself, and gives exactly the outcomes that show it. This module holds what the others
//! share.

mod across_regions;
mod any_answers;
mod denied_actions;
mod documentation;
mod key_in_region;
mod role;
mod unanswered;

use jiff::Timestamp;
use latchkey_core::customer::CustomerAccess;
use latchkey_core::findings::{Check, CheckOutcome, Finding, Report, Verdict};
use latchkey_core::validation::validate;
use latchkey_core::values::{CustomerPublicKey, Region, VaultId};
use latchkey_in_memory::InMemoryCustomer;

use Check::*;
use Verdict::{Fail, Skipped, Warn};

use crate::fixtures::{ACCESS_ROLE, KEY_PAIR, Service, request, role_arn, settings, workspace};

/// When every validation in these tests begins.
fn asked_at() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// In the documented order.
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
        asked_at(),
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

/// Asserts all outcomes in the documented order: as in `expected`, otherwise passed, each with the texts that it must
/// have.
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
    if needs_remedy {
        let one = Report::new(vec![outcome.clone()]);
        assert_tells_what_it_means(&one.findings()[0]);
    }
}

/// Asserts that the text names the Region and what becomes of the items, and does not speak of "us" or "we".
pub(crate) fn assert_tells_what_it_means(finding: &Finding) {
    let message = &finding.message;
    assert!(
        finding.region.is_none_or(|region| message.contains(region.code())),
        "{finding:?}"
    );
    let told = ["lost", "locked", "affected", "sealed"]
        .iter()
        .any(|word| message.contains(word));
    assert!(told || finding.unanswered, "{finding:?}");
    let text = format!("{message} {}", finding.remedy.as_deref().unwrap());
    assert!(
        !text.contains(" us ") && !text.contains(" we ") && !text.contains("  "),
        "{finding:?}"
    );
}

/// What even the best validation of a new vault skips, because nothing is pinned yet.
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
