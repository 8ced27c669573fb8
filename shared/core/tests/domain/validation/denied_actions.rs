//! Denied actions: each is found, and the actions that are allowed show what most likely denies it.

use latchkey_core::customer::policies::{KEY_ACTIONS, key_policy};
use latchkey_core::customer::{AccessError, Outage};
use latchkey_core::findings::Check::*;
use latchkey_core::findings::Finding;
use latchkey_core::findings::Verdict::{Fail, Skipped};
use latchkey_core::values::Region;
use latchkey_in_memory::{InMemoryCustomer, KeyState, RegionOutage};
use serde_json::Value;

use super::{DESCRIBED, assert_new, assert_outcomes, at, overall, report_of};
use crate::fixtures::{KEY_ID, KEY_PAIR, Service, customer_key};

fn deny_in(customer: &InMemoryCustomer, region: Region, actions: &[&str]) {
    customer.change_key_in(region, |key| key.allowed.retain(|action| !actions.contains(action)));
}

fn deny(customer: &InMemoryCustomer, actions: &[&str]) {
    for region in Region::ALL {
        deny_in(customer, region, actions);
    }
}

/// The findings for an existing vault after `break_it`.
async fn findings(break_it: impl FnOnce(&InMemoryCustomer)) -> Vec<Finding> {
    let customer = Service::new().customer;
    break_it(&customer);
    report_of(&customer, Some(KEY_PAIR.public_key())).await.findings()
}

/// Asserts that the message contains `words`, and that the remedy names `things` in this order and ends with the inline
/// policy.
fn assert_suggests(finding: &Finding, words: &str, things: &[&str]) {
    assert!(finding.message.contains(words), "{finding:?}");
    assert!(finding.message.contains(finding.region.unwrap().code()), "{finding:?}");
    assert!(finding.message.contains("lost"), "{finding:?}");
    let mut rest = finding.remedy.as_deref().unwrap();
    for thing in things {
        let found = rest.find(thing);
        assert!(found.is_some(), "{thing} in {rest}");
        rest = &rest[found.unwrap() + thing.len()..];
    }
    let policy: Value = serde_json::from_str(&rest[rest.find('{').unwrap()..]).unwrap();
    assert_eq!(policy, key_policy(&customer_key()));
}

fn arn(region: Region) -> String {
    customer_key().arn(region).to_string()
}

fn get_key_policy(region: Region) -> String {
    format!("aws kms get-key-policy --region {region} --key-id {KEY_ID} --policy-name default")
}

fn simulate(action: &str, region: Region) -> String {
    format!("--action-names {action} --resource-arns {}", customer_key().arn(region))
}

const DEFAULT_STATEMENT: &str = "Allow kms:* on * to arn:aws:iam::222222222222:root";

#[tokio::test]
async fn an_action_denied_in_both_regions_suggests_the_inline_policy() {
    for action in KEY_ACTIONS {
        let found = findings(|customer| deny(customer, &[action])).await;
        assert_eq!(found.len(), 2);
        for finding in found {
            let region = finding.region.unwrap();
            let words = format!("{action} is denied in {region} as in {}", region.other());
            let things = [
                "inline policy of the role",
                &simulate(action, region),
                &get_key_policy(Region::UsEast2),
                &get_key_policy(Region::UsWest2),
            ];
            assert_suggests(&finding, &words, &things);
        }
    }
}

#[tokio::test]
async fn an_action_denied_in_one_region_suggests_that_regions_key_policy() {
    for region in Region::ALL {
        for action in KEY_ACTIONS {
            let found = findings(|customer| deny_in(customer, region, &[action])).await;
            assert_eq!(found.len(), 1);
            let words = format!("{action} is denied in {region} and allowed in {}", region.other());
            let things = [
                &get_key_policy(Region::UsEast2),
                &get_key_policy(Region::UsWest2),
                DEFAULT_STATEMENT,
                "inline policy",
                &arn(region),
                &simulate(action, region),
            ];
            assert_suggests(&found[0], &words, &things);
        }
    }
}

#[tokio::test]
async fn a_region_in_which_nothing_is_allowed_suggests_its_arn_and_its_key_policy() {
    for region in Region::ALL {
        // Denials in the other Region do not matter, because this Region's denials have a cause of their own.
        for also_denied in [[].as_slice(), &["kms:Encrypt"]] {
            let found = findings(|customer| {
                deny_in(customer, region, &KEY_ACTIONS);
                deny_in(customer, region.other(), also_denied);
            })
            .await;
            let here = found.iter().filter(|finding| finding.region == Some(region));
            assert_eq!(here.clone().count(), KEY_ACTIONS.len());
            for finding in here {
                let words = format!("is denied in {region}, and so is everything else that was tried on the key there");
                let things = [
                    &arn(region),
                    "under Resource",
                    &get_key_policy(region),
                    DEFAULT_STATEMENT,
                    "simulate-principal-policy",
                ];
                assert_suggests(finding, &words, &things);
            }
        }
    }
}

#[tokio::test]
async fn nothing_allowed_anywhere_suggests_that_the_role_has_no_policy() {
    let found = findings(|customer| deny(customer, &KEY_ACTIONS)).await;
    assert_eq!(found.len(), 2 * KEY_ACTIONS.len());
    for finding in found {
        let things = [
            "Make the policy below the inline policy of the role",
            &get_key_policy(Region::UsEast2),
            &get_key_policy(Region::UsWest2),
            DEFAULT_STATEMENT,
        ];
        assert_suggests(&finding, "in both Regions. Most likely the role has no policy", &things);
    }
}

/// If the other Region gives no answer, or one that says nothing about policies, the denial claims no cause.
#[tokio::test]
async fn a_denial_without_anything_to_compare_it_with_claims_no_cause() {
    let (east, west) = (Region::UsEast2, Region::UsWest2);
    let outage = RegionOutage::Fails(Outage::ServerError);
    for actions in [KEY_ACTIONS.as_slice(), &["kms:Decrypt"]] {
        let found = findings(|customer| {
            deny_in(customer, east, actions);
            customer.set_outage(west, Some(outage));
        })
        .await;
        let denied: Vec<_> = found.iter().filter(|finding| !finding.unanswered).collect();
        assert_eq!(denied.len(), actions.len());
        for finding in denied {
            let things = ["inline policy of the role", &get_key_policy(east), DEFAULT_STATEMENT];
            assert_suggests(finding, "AWS does not tell which policy denies it", &things);
        }
    }
    let found = findings(|customer| {
        deny_in(customer, east, &["kms:Decrypt"]);
        customer.change_key_in(west, |key| key.state = KeyState::Disabled);
    })
    .await;
    let denied = found.iter().find(|finding| finding.check == DecryptAllowed).unwrap();
    assert_suggests(denied, "AWS does not tell which policy denies it", &[]);
}

/// A vault's data keys are wrapped with the pinned public key, so `kms:Decrypt` can be tried when KMS allows nothing
/// else.
#[tokio::test]
async fn decrypt_is_tried_with_the_pinned_key_when_nothing_else_is_allowed() {
    for also_denied in [[].as_slice(), &["kms:Decrypt"]] {
        let customer = Service::new().customer;
        deny(&customer, &["kms:DescribeKey", "kms:GetPublicKey", "kms:Encrypt"]);
        deny(&customer, also_denied);
        let report = report_of(&customer, Some(KEY_PAIR.public_key())).await;
        let mut expected = vec![
            overall(PublicKeysMatch, Skipped),
            overall(PublicKeyUnchanged, Skipped),
            overall(KeySpecRecommended, Skipped),
        ];
        for region in Region::ALL {
            expected.push(at(region, &[KeyFound, GetPublicKeyAllowed, EncryptAllowed], Fail));
            expected.push(at(region, &DESCRIBED, Skipped));
            if !also_denied.is_empty() {
                expected.push(at(region, &[DecryptAllowed], Fail));
            }
        }
        assert_outcomes(&report, &expected);
    }
}

#[tokio::test]
async fn our_own_misconfiguration_narrows_nothing() {
    let found = findings(|customer| {
        deny_in(customer, Region::UsEast2, &["kms:Encrypt"]);
        customer.answer_with(Region::UsWest2, "kms:Encrypt", AccessError::ServiceMisconfigured);
    })
    .await;
    let denied = found.iter().find(|finding| !finding.unanswered).unwrap();
    assert_suggests(denied, "AWS does not tell which policy denies it", &[]);
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
            let report = assert_new(|customer| deny_in(customer, region, &[action]), &expected).await;
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
