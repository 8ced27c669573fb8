//! What a report says: its remedies can be followed to the letter.

use latchkey_core::Error;
use latchkey_core::customer::{AccessError, Refusal};
use latchkey_core::findings::{Check, Report};
use latchkey_core::values::Region;
use latchkey_in_memory::InMemoryCustomer;
use serde_json::{Value, json};

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, KEY_ID, Service, WORKSPACE};
use crate::validation::{assert_tells_what_it_means, report_of};

async fn report_with(break_it: impl FnOnce(&InMemoryCustomer)) -> Report {
    let customer = Service::new().customer;
    break_it(&customer);
    report_of(&customer, None).await
}

/// The policies in the report's remedies. A remedy that mentions a policy and contains none fails the test.
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

/// A live call has met one refusal. It says where, what becomes of the items and what to do, and claims no more.
#[tokio::test]
async fn a_live_refusal_tells_as_much_as_a_single_call_can_know() {
    for (refusal, check, words) in [
        (Refusal::RoleNotAssumable, Check::RoleAssumable, "locked, not lost"),
        (
            Refusal::AccessDenied,
            Check::DecryptAllowed,
            "does not tell which policy",
        ),
        (Refusal::KeyDisabled, Check::KeyEnabled, "can be undone"),
        (
            Refusal::KeyPendingDeletion,
            Check::KeyNotPendingDeletion,
            "once its waiting period ends",
        ),
        (Refusal::KeyNotFound, Check::KeyFound, "may be wrong"),
        (Refusal::KeyInvalidState, Check::KeyEnabled, "depends on the state"),
        (
            Refusal::InvalidKeyUsage,
            Check::KeyUsageEncryptDecrypt,
            "not an RSA key for encryption",
        ),
        (Refusal::InvalidCiphertext, Check::PublicKeyUnchanged, "is not the one"),
    ] {
        let (service, _) = Service::with_vault(0).await;
        let sealed = service.environment().seal("item").await.unwrap();
        for region in Region::ALL {
            service
                .customer
                .answer_with(region, "kms:Decrypt", AccessError::Refused(refusal));
        }
        let refused = service.environment_in(Region::UsWest2).open("item", &sealed).await;
        let Err(Error::KeyRefused { finding, .. }) = refused else {
            panic!("{refused:?}");
        };
        let region = (check != Check::RoleAssumable).then_some(Region::UsWest2);
        assert_eq!((finding.check, finding.region), (check, region));
        assert!(finding.message.contains(words), "{finding:?}");
        assert_tells_what_it_means(&finding);
        assert!(finding.remedy.is_some_and(|remedy| remedy.len() > 20));
    }
}
