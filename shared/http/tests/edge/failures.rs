//! Each way that an operation can fail, as its caller sees it. docs/problems/ has a page for each.

use latchkey_core::Error;
use latchkey_core::caller::Caller;
use latchkey_core::customer::Refusal;
use latchkey_core::error::{Cause, ItemFault};
use latchkey_core::findings::{Check, CheckOutcome, Finding, Report, Verdict};
use latchkey_core::operations::Operation;
use latchkey_core::request::RequestContext;
use latchkey_core::values::Region;
use latchkey_core::vault::VaultStatus;
use latchkey_http::answers::Problem;
use latchkey_http::event::ApiRequest;
use latchkey_http::{Endpoint, Success};

use crate::bad_input::assert_problem;
use crate::service::{Answer, api_event, invoke_made_up, member};

/// An operation that fails with this error.
struct Fails(Error);

impl Endpoint for Fails {
    const OPERATION: Operation = Operation::EncryptItem;

    async fn call(&self, _: &RequestContext, _: &Caller, _: &ApiRequest) -> Result<Success, Problem> {
        Err(self.0.clone().into())
    }
}

async fn told(error: Error) -> Answer {
    invoke_made_up(&Fails(error), &api_event(&member(), None, "{}")).await
}

fn finding() -> Finding {
    Finding {
        check: Check::KeyEnabled,
        region: Some(Region::UsWest2),
        message: "The key in us-west-2 is disabled.".to_owned(),
        remedy: Some("Enable it.".to_owned()),
        since: None,
        deletion_at: None,
        unanswered: false,
    }
}

#[tokio::test]
async fn each_failure_has_its_status_its_problem_and_whether_to_try_again() {
    let status = VaultStatus::Disabled;
    for (error, status, problem, retry_after) in [
        (Error::Forbidden, 403, "forbidden", None),
        (Error::VaultNotFound, 404, "vault-not-found", None),
        (Error::NoDefaultVault, 409, "no-default-vault", None),
        (Error::WrongVaultStatus { status }, 409, "wrong-vault-status", None),
        (
            Error::VaultUnusable { findings: Vec::new() },
            409,
            "vault-unusable",
            None,
        ),
        (Error::VaultNameTaken, 409, "vault-name-taken", None),
        (Error::PreconditionFailed, 412, "precondition-failed", None),
        (Error::VaultChanged, 409, "vault-changed", Some("1")),
        (Error::Throttled, 429, "throttled", Some("1")),
        (Error::Unavailable, 503, "unavailable", Some("5")),
        (Error::OutOfTime, 504, "out-of-time", None),
        (Error::Internal(Cause::StepSkipped), 500, "internal", None),
    ] {
        let answer = told(error).await;
        assert_problem(&answer, status, problem);
        let header = answer.headers.get("retry-after").map(String::as_str);
        assert_eq!(header, retry_after, "{problem}");
        assert!(!answer.text.contains("a promise of ours"), "{}", answer.text);
    }
    for fault in [
        ItemFault::Malformed,
        ItemFault::WrongIdentity,
        ItemFault::DataKeyNotOnRecord,
        ItemFault::Altered,
    ] {
        assert_problem(&told(Error::ItemDoesNotOpen(fault)).await, 422, "item-does-not-open");
    }
}

#[tokio::test]
async fn a_refusal_of_the_customers_key_is_told_with_its_finding() {
    let answer = told(Error::KeyRefused {
        region: Region::UsWest2,
        refusal: Refusal::KeyDisabled,
        finding: Box::new(finding()),
    })
    .await;
    assert_problem(&answer, 424, "customer-key-refused");
    assert_eq!(answer.body["findings"][0]["remedy"], "Enable it.");
    assert!(
        answer.body["detail"].as_str().unwrap().contains("us-west-2"),
        "{}",
        answer.text
    );
}

/// If nothing was refused, there is nothing for the customer to fix.
#[tokio::test]
async fn a_validation_that_was_not_answered_is_not_one_that_failed() {
    for (unanswered, status, problem, retry_after) in [
        (true, 503, "validation-unanswered", Some("5")),
        (false, 422, "validation-failed", None),
    ] {
        let check = CheckOutcome {
            check: Check::KeyEnabled,
            region: Some(Region::UsWest2),
            verdict: Verdict::Fail,
            message: "It could not be checked.".to_owned(),
            remedy: Some("Try again.".to_owned()),
            deletion_at: None,
            unanswered,
        };
        let answer = told(Error::ValidationFailed(Box::new(Report::new(vec![check])))).await;
        assert_problem(&answer, status, problem);
        assert_eq!(answer.headers.get("retry-after").map(String::as_str), retry_after);
        assert_eq!(answer.body["findings"][0]["check"], "key_enabled");
        assert_eq!(answer.body["validation"]["result"], "fail");
    }
}
