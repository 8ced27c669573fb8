//! Events that are not as AWS makes them, in each shape: nobody is taken for the caller, and the text of an answer is ours.

use serde_json::{Value, json};

use crate::bad_input::assert_problem;
use crate::service::{Answer, Service, WORKSPACE, admin, api_event, invoke_raw, member};
use crate::shapes::{Shape, sent_as};

const VAULT_ID: &str = "vlt_01jd0f3zt5e8w9x7kq2m4n6p8r";

/// What validate-vault answers to an event that a text is; with claims of an admin it would be 404 for the vault.
async fn answer_to(shape: Shape, event: &str) -> Answer {
    let service = Service::new();
    let endpoint = service.validate_vault_endpoint();
    sent_as(shape, invoke_raw(&endpoint, event)).await
}

fn event_in(shape: Shape, claims: &Value) -> String {
    shape.of(&api_event(claims, Some(VAULT_ID), "")).to_string()
}

/// The event with one text in it replaced, which must be there.
fn altered(event: &str, from: &str, to: &str) -> String {
    assert!(event.contains(from), "{from} is not in {event}");
    event.replacen(from, to, 1)
}

#[tokio::test]
async fn as_it_is_made_each_event_names_its_caller() {
    for shape in Shape::WITH_CLAIMS {
        assert_problem(
            &answer_to(shape, &event_in(shape, &admin())).await,
            404,
            "vault-not-found",
        );
        assert_problem(&answer_to(shape, &event_in(shape, &member())).await, 403, "forbidden");
    }
}

#[tokio::test]
async fn a_claim_that_stands_twice_or_is_no_text_names_nobody_in_any_shape() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for shape in Shape::WITH_CLAIMS {
        let event = event_in(shape, &admin());
        for to in [
            r#""role":"admin","role":"admin""#.to_owned(),
            r#""role":"admin","role":"member""#.to_owned(),
            r#""role":"admin","r\u006fle":"admin""#.to_owned(),
            r#""role":["admin"]"#.to_owned(),
            r#""role":null"#.to_owned(),
            r#""role":7"#.to_owned(),
            r#""role":"\ud800""#.to_owned(),
            format!(r#""role":{deep}"#),
        ] {
            let answer = answer_to(shape, &altered(&event, r#""role":"admin""#, &to)).await;
            assert_problem(&answer, 401, "unauthenticated");
        }
    }
}

/// Claims count where the shape's authorizer puts them, and nowhere else.
#[tokio::test]
async fn claims_in_another_place_name_nobody() {
    let places = [
        json!({ "jwt": { "claims": admin() } }),
        json!({ "claims": admin() }),
        json!({ "lambda": admin() }),
        json!({ "iam": { "jwt": { "claims": admin() } } }),
        json!({ "iam": { "claims": admin() } }),
        admin(),
    ];
    for shape in Shape::WITH_CLAIMS {
        let mut named = 0;
        for place in &places {
            let mut event = shape.of(&api_event(&json!({}), Some(VAULT_ID), ""));
            event["requestContext"]["authorizer"] = place.clone();
            let answer = answer_to(shape, &event.to_string()).await;
            if answer.status == 401 {
                assert_problem(&answer, 401, "unauthenticated");
            } else {
                assert_problem(&answer, 404, "vault-not-found");
                named += 1;
            }
        }
        assert_eq!(named, 1, "{shape:?} has one place");
    }
    // Beside the right ones they are not looked at.
    let mut event = api_event(&member(), Some(VAULT_ID), "");
    event["requestContext"]["authorizer"]["claims"] = admin();
    event["requestContext"]["authorizer"]["lambda"] = admin();
    assert_problem(&answer_to(Shape::HttpApi, &event.to_string()).await, 403, "forbidden");
    let mut event = Shape::RestApi.of(&api_event(&member(), Some(VAULT_ID), ""));
    event["requestContext"]["authorizer"]["jwt"] = json!({ "claims": admin() });
    assert_problem(&answer_to(Shape::RestApi, &event.to_string()).await, 403, "forbidden");
}

#[tokio::test]
async fn a_function_url_has_no_caller_whatever_stands_in_its_event() {
    let iam = json!({ "accessKey": "AKIA", "accountId": "111111111111", "callerId": "AROA", "userArn": "arn:aws:iam::111111111111:user/a" });
    let mut forged = iam.clone();
    forged["jwt"] = json!({ "claims": admin() });
    for authorizer in [
        Value::Null,
        json!({ "iam": iam }),
        json!({ "iam": forged }),
        json!({ "jwt": { "claims": admin() } }),
        json!({ "claims": admin() }),
        admin(),
    ] {
        let mut event = Shape::FunctionUrl.of(&api_event(&json!({}), Some(VAULT_ID), ""));
        event["requestContext"]["authorizer"] = authorizer;
        for shape in [Shape::FunctionUrl, Shape::RestApiWithLambdaAuthorizer] {
            assert_problem(&answer_to(shape, &event.to_string()).await, 401, "unauthenticated");
        }
    }
}

#[tokio::test]
async fn a_token_in_a_header_names_nobody() {
    let token = format!("Bearer e30.{}.c2ln", "eyJ3b3Jrc3BhY2VfaWQiOiJ3cy1hY21lLTAwMDEifQ");
    for shape in Shape::WITH_CLAIMS.into_iter().chain([Shape::FunctionUrl]) {
        let mut event = api_event(&json!({}), Some(VAULT_ID), "");
        event["headers"] =
            json!({ "authorization": token, "workspace_id": WORKSPACE, "role": "admin", "sub": "user-1" });
        let answer = answer_to(shape, &shape.of(&event).to_string()).await;
        assert_problem(&answer, 401, "unauthenticated");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_gets_our_text_in_any_shape() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let not_base64 = |event: &mut Value| {
        event["body"] = json!("*");
        event["isBase64Encoded"] = json!(true);
    };
    for shape in Shape::WITH_CLAIMS {
        let whole = shape.of(&api_event(&admin(), Some(VAULT_ID), ""));
        let mut wrong = vec![whole.clone(); 8];
        not_base64(&mut wrong[0]);
        wrong[1]["headers"] = json!({ "If-Match": 7 });
        wrong[2]["headers"] = json!({ "if-match": [] });
        wrong[3]["headers"] = json!("if-match");
        wrong[4]["body"] = json!({});
        wrong[5]["pathParameters"] = json!({ "vault_id": [VAULT_ID] });
        wrong[6]["queryStringParameters"] = json!({ "limit": { "a": 1 } });
        wrong[7]["version"] = json!("3.0");
        for event in wrong {
            assert_problem(&answer_to(shape, &event.to_string()).await, 400, "unknown-event");
        }
        // What nobody reads may be anything.
        let whole = whole.to_string();
        let other = altered(
            &whole,
            "{",
            &format!(r#"{{"other":{deep},"cookies":7,"stageVariables":[],"rawPath":null,"#),
        );
        assert_problem(&answer_to(shape, &other).await, 404, "vault-not-found");
        let context = altered(
            &whole,
            r#""requestContext":{"#,
            &format!(r#""requestContext":{{"timeEpoch":{deep},"stage":7,"#),
        );
        assert_problem(&answer_to(shape, &context).await, 404, "vault-not-found");
    }
    for event in [
        r#"{"Records":[]}"#,
        r#"{"httpMethod":"GET","path":"/","requestContext":{"elb":{"targetGroupArn":"arn"}}}"#,
        r#"{"requestContext":{"routeKey":"$connect","connectionId":"c","authorizer":{"claims":{}}}}"#,
        r#"{"version":"2.0","path":"/","requestContext":{"serviceArn":"arn","serviceNetworkArn":"arn"}}"#,
        &deep,
    ] {
        assert_problem(&answer_to(Shape::HttpApi, event).await, 400, "unknown-event");
    }
}
