//! How the canary invokes the functions: by which name, in which Region, and how it classifies failures.

use std::sync::Arc;
use std::time::Duration;

use latchkey_aws::Aws;
use latchkey_aws::deployed_functions::LambdaFunctions;
use latchkey_core::ports::InvocationError::{Crashed, NotStarted, Unanswered};
use latchkey_core::ports::{DeployedFunctions, SystemClock};
use latchkey_core::request::time_limit;
use latchkey_core::values::Region;
use serde_json::json;

use crate::fixtures::settings;
use crate::stand_in::{Answer, OWN_CREDENTIALS, StandIn};

fn functions(aws: &StandIn) -> LambdaFunctions {
    Aws::from_sdk_config(&aws.sdk_config(), &settings(), Arc::new(SystemClock)).deployed_functions()
}

#[tokio::test]
async fn a_function_is_invoked_by_its_name_in_the_region_that_is_asked_for() {
    for region in Region::ALL {
        let aws = StandIn::answering(|_| Answer::Json(json!({ "statusCode": 200 })));
        let event = json!({ "body": "x" });
        let answer = functions(&aws).invoke("decrypt-item", region, event.to_string()).await;
        assert_eq!(answer, Ok(br#"{"statusCode":200}"#.to_vec()));
        let requests = aws.requests("Invoke");
        let [request] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert_eq!(request.host, format!("lambda.{region}.amazonaws.com"));
        assert_eq!(
            request.path,
            "2015-03-31/functions/production-latchkey-decrypt-item/invocations?Qualifier=live"
        );
        assert_eq!(
            (&request.body, request.access_key_id.as_str()),
            (&event, OWN_CREDENTIALS)
        );
    }
}

/// No failure is retried: the canary wants to know about every answer that did not come.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_told_apart() {
    for (answer, error) in [
        (Answer::Crashed, Crashed),
        (Answer::Error(404, "ResourceNotFoundException", "no"), NotStarted),
        (Answer::Error(403, "AccessDeniedException", "no"), NotStarted),
        (Answer::Error(429, "TooManyRequestsException", "no"), NotStarted),
        (Answer::Error(500, "ServiceException", "no"), Unanswered),
        (Answer::Raw(502, "<html>"), Unanswered),
        (Answer::Refused, Unanswered),
        (Answer::Silence, Unanswered),
    ] {
        let told = format!("{answer:?}");
        let aws = StandIn::answering(move |_| answer.clone());
        let answered = functions(&aws)
            .invoke("decrypt-item", Region::UsWest2, "{}".to_owned())
            .await;
        assert_eq!(answered, Err(error), "{told}");
        assert_eq!(aws.requests("Invoke").len(), 1, "{told}");
    }
}

/// A function may take longer than any other call to AWS, but no longer than its caller has patience for.
#[tokio::test(start_paused = true)]
async fn an_answer_is_waited_for_as_long_as_whoever_asks_has_patience() {
    let aws = StandIn::answering(|_| Answer::Late(Duration::from_secs(9)));
    let functions = functions(&aws);
    let asked = || functions.invoke("decrypt-item", Region::UsEast2, "{}".to_owned());
    assert!(matches!(
        time_limit::within(Duration::from_secs(10), asked()).await,
        Ok(Ok(_))
    ));
    assert!(time_limit::within(Duration::from_secs(8), asked()).await.is_err());
}
