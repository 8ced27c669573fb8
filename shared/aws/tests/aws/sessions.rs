//! How the customer's role is entered, and which calls share a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::{join, join_all};
use latchkey_core::customer::policies::session_policy;
use latchkey_core::customer::{AccessError, AccessPurpose, Refusal};
use latchkey_core::ports::CustomerKeys;
use latchkey_core::values::Region;
use serde_json::Value;

use crate::fixtures::{ACCESS_ROLE, CUSTOMER_ROLE, access, context, customer_keys, workspace};
use crate::stand_in::{Answer, OWN_CREDENTIALS, Request, StandIn};

const REGION: Region = Region::UsEast2;

fn enters(request: &Request, role: &str) -> bool {
    request.text("RoleArn") == Some(role)
}

#[tokio::test]
async fn the_way_in_is_the_access_role_then_the_customers_role_then_the_key() {
    let aws = StandIn::in_order();
    let (context, access) = (context(), access(AccessPurpose::UnwrapDataKeys));
    let keys = customer_keys(&aws);
    keys.decrypt(&context, &access, REGION, b"wrapped")
        .await
        .expect("opens");

    let entries = aws.requests("AssumeRole");
    assert_eq!(entries.len(), 2);
    let (ours, theirs) = (&entries[0], &entries[1]);
    assert!(enters(ours, ACCESS_ROLE) && enters(theirs, CUSTOMER_ROLE));
    assert_eq!(ours.access_key_id, OWN_CREDENTIALS);
    assert!(
        theirs
            .access_key_id
            .starts_with("ASIA.production-kms-byo-key-access-role.")
    );
    let decrypt = &aws.requests("Decrypt")[0];
    assert!(decrypt.access_key_id.starts_with("ASIA.latchkey."));

    assert_eq!(theirs.text("ExternalId"), Some("ws-acme"));
    let session_name = format!("{}-{}", access.vault_id, context.request_id);
    assert_eq!(theirs.text("RoleSessionName"), Some(session_name.as_str()));
    assert_eq!(theirs.text("DurationSeconds"), Some("900"));
    let policy: Value = serde_json::from_str(theirs.text("Policy").expect("a policy")).expect("JSON");
    assert_eq!(policy, session_policy(&["kms:Decrypt"], &access.key));
    assert_eq!((ours.text("ExternalId"), ours.text("Policy")), (None, None));
}

#[tokio::test]
async fn validation_enters_with_the_four_actions_and_in_a_session_of_its_own() {
    let aws = StandIn::in_order();
    let keys = customer_keys(&aws);
    let unwrapping = access(AccessPurpose::UnwrapDataKeys);
    let mut validating = unwrapping.clone();
    validating.purpose = AccessPurpose::Validate;
    keys.decrypt(&context(), &unwrapping, REGION, b"x")
        .await
        .expect("opens");
    keys.describe_key(&context(), &validating, REGION)
        .await
        .expect("described");
    let policy = aws.entries(CUSTOMER_ROLE)[1]
        .text("Policy")
        .map(str::to_owned)
        .expect("a policy");
    for action in latchkey_core::customer::policies::KEY_ACTIONS {
        assert!(policy.contains(action), "{action}");
    }
    let used = aws.requests("DescribeKey")[0].access_key_id.clone();
    assert_ne!(used, aws.requests("Decrypt")[0].access_key_id);
}

#[tokio::test]
async fn each_region_is_entered_through_its_own_sts_and_asked_through_its_own_kms() {
    let aws = StandIn::in_order();
    let (keys, access) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys));
    for region in Region::ALL {
        keys.decrypt(&context(), &access, region, b"x").await.expect("opens");
    }
    let hosts = |operation| {
        aws.requests(operation)
            .into_iter()
            .map(|request| request.host)
            .collect::<Vec<_>>()
    };
    let sts = |region: &str| format!("sts.{region}.amazonaws.com");
    assert_eq!(
        hosts("AssumeRole"),
        [sts("us-east-2"), sts("us-east-2"), sts("us-west-2"), sts("us-west-2")]
    );
    assert_eq!(
        hosts("Decrypt"),
        ["kms.us-east-2.amazonaws.com", "kms.us-west-2.amazonaws.com"]
    );
    let arns = aws
        .requests("Decrypt")
        .into_iter()
        .map(|request| request.text("KeyId").map(str::to_owned));
    assert_eq!(
        arns.collect::<Vec<_>>(),
        Region::ALL.map(|region| Some(access.key.arn(region).as_str().to_owned()))
    );
}

#[tokio::test]
async fn many_at_once_enter_once() {
    let aws = StandIn::in_order();
    let (keys, access, context) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys), context());
    let calls = (0..50).map(|_| keys.decrypt(&context, &access, REGION, b"x"));
    assert!(join_all(calls).await.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(aws.entries(ACCESS_ROLE).len(), 1);
    assert_eq!(aws.entries(CUSTOMER_ROLE).len(), 1);
    assert_eq!(aws.requests("Decrypt").len(), 50);
}

#[tokio::test]
async fn the_access_role_is_entered_ahead_once_and_for_whoever_asks_first() {
    let aws = StandIn::in_order();
    let (keys, access, context) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys), context());
    let ((), opened) = join(keys.prepare(REGION), keys.decrypt(&context, &access, REGION, b"x")).await;
    opened.expect("opens");
    keys.clone().prepare(REGION).await;
    keys.prepare(REGION).await;
    let entered: Vec<_> = aws
        .requests("AssumeRole")
        .iter()
        .map(|it| it.text("RoleArn").map(str::to_owned))
        .collect();
    assert_eq!(entered, [ACCESS_ROLE, CUSTOMER_ROLE].map(|role| Some(role.to_owned())));
    assert_eq!(aws.requests("AssumeRole")[0].host, "sts.us-east-2.amazonaws.com");
}

#[tokio::test]
async fn what_is_not_entered_ahead_is_entered_when_it_is_needed() {
    let entries = AtomicUsize::new(0);
    let aws = StandIn::answering(move |request| match enters(request, ACCESS_ROLE) {
        true if entries.fetch_add(1, Ordering::Relaxed) == 0 => Answer::Error(403, "AccessDenied", "not authorized"),
        _ => Answer::Success,
    });
    let keys = customer_keys(&aws);
    keys.prepare(REGION).await;
    let access = access(AccessPurpose::UnwrapDataKeys);
    keys.decrypt(&context(), &access, REGION, b"x").await.expect("opens");
    assert_eq!(aws.entries(ACCESS_ROLE).len(), 2);
}

#[tokio::test]
async fn many_at_once_are_refused_once_and_the_refusal_is_not_kept() {
    let closed = Arc::new(AtomicBool::new(true));
    let aws = StandIn::answering({
        let closed = Arc::clone(&closed);
        move |request| match closed.load(Ordering::Relaxed) && enters(request, CUSTOMER_ROLE) {
            true => Answer::Error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"),
            false => Answer::Success,
        }
    });
    let (keys, access, context) = (customer_keys(&aws), access(AccessPurpose::UnwrapDataKeys), context());
    let refused = || AccessError::Refused(Refusal::RoleNotAssumable);
    for answer in join_all((0..10).map(|_| keys.decrypt(&context, &access, REGION, b"x"))).await {
        assert_eq!(answer.expect_err("refused"), refused());
    }
    assert_eq!(aws.entries(CUSTOMER_ROLE).len(), 1);
    closed.store(false, Ordering::Relaxed);
    assert!(keys.decrypt(&context, &access, REGION, b"x").await.is_ok());
}

#[tokio::test]
async fn no_two_vaults_workspaces_roles_or_keys_share_a_session() {
    let aws = StandIn::in_order();
    let keys = customer_keys(&aws);
    let first = access(AccessPurpose::UnwrapDataKeys);
    let mut others = vec![first.clone(); 4];
    others[0].vault_id = latchkey_core::values::VaultId::generate();
    others[1].workspace_id = workspace("ws-other");
    others[2].role_arn = latchkey_core::values::RoleArn::parse("arn:aws:iam::222222222222:role/b").expect("valid");
    others[3].key.account_id = latchkey_core::values::AwsAccountId::parse("333333333333").expect("valid");
    for access in others.iter().chain([&first, &first]) {
        keys.decrypt(&context(), access, REGION, b"x").await.expect("opens");
    }
    let mut signers: Vec<_> = aws
        .requests("Decrypt")
        .into_iter()
        .map(|request| request.access_key_id)
        .collect();
    assert_eq!(signers[4], signers[5], "the same access is one session");
    signers.dedup();
    assert_eq!(signers.len(), 5);
    assert_eq!(
        aws.entries(ACCESS_ROLE).len(),
        1,
        "the access role is entered once for all"
    );
}
