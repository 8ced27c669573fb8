//! The role: who it must let in, and who it must refuse.

use latchkey_core::findings::Check::*;
use latchkey_core::findings::Verdict::{Fail, Skipped, Warn};
use latchkey_core::values::WorkspaceId;

use super::{Expected, assert_new, in_order, overall};
use crate::fixtures::role_arn;

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
