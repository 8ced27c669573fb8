//! The attempts to enter the customer's role.

use latchkey_core::customer::policies::{powerless_session_policy, session_policy};
use latchkey_core::customer::{AccessError, AccessPurpose, Refusal};
use latchkey_core::ports::{CustomerKeys, RoleAttempt};
use latchkey_core::values::Region;
use serde_json::Value;

use crate::fixtures::{CUSTOMER_ROLE, access, context, customer_keys};
use crate::stand_in::{Answer, OWN_CREDENTIALS, Request, StandIn};

const ATTEMPTS: [RoleAttempt; 4] = [
    RoleAttempt::AsAgreed,
    RoleAttempt::WithoutExternalId,
    RoleAttempt::WithWrongExternalId,
    RoleAttempt::FromAnotherRole,
];

async fn knock(aws: &StandIn, attempt: RoleAttempt) -> (Result<(), AccessError>, Request) {
    let (context, access) = (context(), access(AccessPurpose::Validate));
    let keys = customer_keys(aws);
    let answer = keys.attempt_role(&context, &access, attempt, Region::UsWest2).await;
    let request = aws.entries(CUSTOMER_ROLE).pop().expect("a knock");
    let uses = context.key_uses();
    assert_eq!(uses.len(), 1, "our own role is not the customer's business");
    assert_eq!((uses[0].action, uses[0].succeeded), ("sts:AssumeRole", answer.is_ok()));
    assert_eq!(
        Some(uses[0].role_session_name.as_str()),
        request.text("RoleSessionName")
    );
    assert!(uses[0].aws_request_id.is_some());
    (answer, request)
}

fn policy(request: &Request) -> Value {
    serde_json::from_str(request.text("Policy").expect("a policy")).expect("JSON")
}

#[tokio::test]
async fn each_attempt_asks_for_what_it_says() {
    let aws = StandIn::in_order();
    let requests = [
        knock(&aws, ATTEMPTS[0]).await.1,
        knock(&aws, ATTEMPTS[1]).await.1,
        knock(&aws, ATTEMPTS[2]).await.1,
        knock(&aws, ATTEMPTS[3]).await.1,
    ];
    let [agreed, without, wrong, other] = &requests;
    let from_access_role = |request: &Request| request.access_key_id.contains("access-role");
    assert!(from_access_role(agreed) && from_access_role(without) && from_access_role(wrong));
    assert_eq!(other.access_key_id, OWN_CREDENTIALS);
    assert_eq!(
        (agreed.text("ExternalId"), other.text("ExternalId")),
        (Some("ws-acme"), Some("ws-acme"))
    );
    assert_eq!(without.text("ExternalId"), None);
    assert!(wrong.text("ExternalId").is_some_and(|id| id != "ws-acme"));

    let key = access(AccessPurpose::Validate).key;
    assert_eq!(policy(agreed), session_policy(AccessPurpose::Validate.actions(), &key));
    for powerless in [without, wrong, other] {
        assert_eq!(policy(powerless), powerless_session_policy());
    }
    assert!(
        requests
            .iter()
            .all(|request| request.host == "sts.us-west-2.amazonaws.com")
    );
}

#[tokio::test]
async fn no_wrong_external_id_comes_twice() {
    let aws = StandIn::in_order();
    let id = async || {
        knock(&aws, RoleAttempt::WithWrongExternalId)
            .await
            .1
            .text("ExternalId")
            .map(str::to_owned)
    };
    assert_ne!(id().await, id().await);
}

#[tokio::test]
async fn being_let_in_and_being_refused_are_told_apart() {
    for attempt in ATTEMPTS {
        assert_eq!(knock(&StandIn::in_order(), attempt).await.0, Ok(()));
        let closed = StandIn::answering(|request| match request.text("RoleArn") {
            Some(CUSTOMER_ROLE) => Answer::Error(403, "AccessDenied", "not authorized"),
            _ => Answer::Success,
        });
        let refused = AccessError::Refused(Refusal::RoleNotAssumable);
        assert_eq!(knock(&closed, attempt).await.0, Err(refused), "{attempt:?}");
    }
}

#[tokio::test]
async fn every_attempt_is_live_and_leaves_no_session() {
    let aws = StandIn::in_order();
    let (keys, context, access) = (customer_keys(&aws), context(), access(AccessPurpose::Validate));
    keys.describe_key(&context, &access, Region::UsEast2)
        .await
        .expect("described");
    for attempt in ATTEMPTS.into_iter().chain(ATTEMPTS) {
        keys.attempt_role(&context, &access, attempt, Region::UsEast2)
            .await
            .expect("let in");
    }
    assert_eq!(aws.entries(CUSTOMER_ROLE).len(), 9);
    keys.describe_key(&context, &access, Region::UsEast2)
        .await
        .expect("described");
    let signers = aws.requests("DescribeKey");
    assert_eq!(signers[0].access_key_id, signers[1].access_key_id);
    assert_eq!(aws.entries(CUSTOMER_ROLE).len(), 9);
}
