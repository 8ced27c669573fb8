//! What a report says: remedies that can be followed to the letter.

use latchkey_core::in_memory::InMemoryCustomer;
use latchkey_core::region::Region;
use latchkey_core::validation::{Check, Report};
use serde_json::{Value, json};

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, KEY_ID, Service, WORKSPACE};
use crate::validation::report_of;

async fn report_with(break_it: impl FnOnce(&InMemoryCustomer)) -> Report {
    let customer = Service::new().customer;
    break_it(&customer);
    report_of(&customer, None).await
}

/// The policies inside the report's remedies. A remedy that speaks of one and holds none is a failure.
fn policies_in(report: &Report) -> Vec<Value> {
    report
        .findings()
        .iter()
        .map(|finding| finding.remedy.as_deref().unwrap())
        .filter(|remedy| remedy.contains("policy"))
        .map(|remedy| serde_json::from_str(&remedy[remedy.find('{').unwrap()..]).unwrap())
        .collect()
}

#[tokio::test]
async fn a_trust_remedy_is_the_exact_trust_policy() {
    let wanted = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": ACCESS_ROLE },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": WORKSPACE } }
        }]
    });
    let loose = report_with(|customer| {
        customer.change_role(|role| {
            role.takes_missing_external_id = true;
            role.takes_wrong_external_id = true;
            role.trusts_root = true;
        });
    });
    let loose = policies_in(&loose.await);
    assert_eq!(loose, vec![wanted.clone(); 3]);
    let closed = report_with(|customer| customer.change_role(|role| role.lets_us_in = false)).await;
    assert_eq!(policies_in(&closed), [wanted]);
    let remedy = closed.findings()[0].remedy.clone().unwrap();
    assert!(remedy.contains(CUSTOMER_ROLE), "{remedy}");
}

#[tokio::test]
async fn a_policy_remedy_is_the_four_actions_on_the_two_arns() {
    let wanted = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GetPublicKey", "kms:DescribeKey"],
            "Resource": [
                format!("arn:aws:kms:us-east-2:222222222222:key/{KEY_ID}"),
                format!("arn:aws:kms:us-west-2:222222222222:key/{KEY_ID}"),
            ]
        }]
    });
    let report = report_with(|customer| customer.change_key(|key| key.allowed.clear())).await;
    assert_eq!(policies_in(&report), vec![wanted; 6]);
}

#[tokio::test]
async fn a_report_reads_as_the_api_documents_it() {
    let report = report_with(|customer| {
        customer.change_key_in(Region::UsWest2, |key| {
            key.allowed.remove("kms:Decrypt");
        });
    })
    .await;
    let written = serde_json::to_value(&report).unwrap();
    assert_eq!(written["result"], "fail");
    let first = &written["checks"][0];
    assert_eq!(first["check"], "role_assumable");
    assert_eq!(first["result"], "pass");
    assert!(first.get("region").is_none() && first.get("remedy").is_none());
    let failed = &written["checks"][25];
    assert_eq!(failed["check"], "decrypt_allowed");
    assert_eq!(failed["region"], "us-west-2");
    assert_eq!(failed["result"], "fail");
    assert!(failed["remedy"].is_string());
}

#[tokio::test]
async fn one_failure_hides_no_other() {
    let report = report_with(|customer| {
        customer.change_role(|role| role.takes_wrong_external_id = true);
        customer.change_key_in(Region::UsEast2, |key| key.origin = "EXTERNAL".to_owned());
        customer.change_key_in(Region::UsWest2, |key| {
            key.allowed.remove("kms:Encrypt");
        });
    })
    .await;
    let found: Vec<_> = report
        .findings()
        .iter()
        .map(|finding| (finding.check, finding.region))
        .collect();
    assert_eq!(
        found,
        [
            (Check::RoleRejectsWrongExternalId, None),
            (Check::KeyOriginKms, Some(Region::UsEast2)),
            (Check::EncryptAllowed, Some(Region::UsWest2)),
        ]
    );
}
