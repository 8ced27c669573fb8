//! The canary, against the endpoints in one process: what it finds, how it names it, and what its line says.

use core::future::pending;
use core::time::Duration;
use std::io;
use std::sync::Mutex;

use latchkey_core::ports::{DeployedFunctions, InvocationError};
use latchkey_core::values::{Region, RequestId};
use latchkey_http::canary::{Canary, WORKSPACE};
use latchkey_in_memory::KeyState;
use serde_json::{Value, json};

use crate::service::{Service, deployment, managed_key, respond};

const TIME: Duration = Duration::from_secs(60);

/// What goes wrong with one function.
#[derive(Clone, Copy)]
enum Mishap {
    WrongByte,
    Silent,
    Fails(InvocationError),
    Answers(&'static str),
}

/// The functions, each invoked as Lambda would.
struct InOneProcess {
    service: Service,
    mishap: Option<(&'static str, Region, Mishap)>,
    invoked: Mutex<Vec<(&'static str, Region)>>,
}

impl DeployedFunctions for InOneProcess {
    async fn invoke(&self, operation: &'static str, region: Region, event: String) -> Result<Vec<u8>, InvocationError> {
        self.invoked.lock().expect("whole").push((operation, region));
        let event: Value = serde_json::from_str(&event).expect("an event");
        let mishap = self.mishap.filter(|(of, at, _)| (*of, *at) == (operation, region));
        match mishap.map(|(_, _, mishap)| mishap) {
            Some(Mishap::Silent) => return pending().await,
            Some(Mishap::Fails(error)) => return Err(error),
            Some(Mishap::Answers(answer)) => return Ok(answer.as_bytes().to_vec()),
            Some(Mishap::WrongByte) | None => {}
        }
        let (response, _) = match operation {
            "create-vault" => respond(&self.service.create_vault_endpoint(), &event).await,
            "encrypt-item" => respond(&self.service.encrypt_item_endpoint(), &event).await,
            "decrypt-item" => respond(&self.service.decrypt_item_endpoint(), &event).await,
            other => panic!("the canary does not call {other}"),
        };
        let mut response = serde_json::to_value(&response).expect("JSON");
        if matches!(mishap, Some((_, _, Mishap::WrongByte))) {
            let mut body: Value = serde_json::from_str(response["body"].as_str().expect("text")).expect("JSON");
            let plaintext = body["items"][0]["plaintext"].as_str().expect("opened");
            let other = if plaintext.starts_with('A') { "B" } else { "A" };
            body["items"][0]["plaintext"] = json!(format!("{other}{}", &plaintext[1..]));
            response["body"] = json!(body.to_string());
        }
        Ok(response.to_string().into_bytes())
    }
}

fn canary(mishap: Option<(&'static str, Region, Mishap)>) -> Canary<InOneProcess> {
    let mut service = Service::of(WORKSPACE);
    service.managed_key = Some(managed_key());
    let functions = InOneProcess {
        service,
        mishap,
        invoked: Mutex::default(),
    };
    Canary {
        functions,
        deployment: deployment(),
    }
}

/// The answer of a round, which is also its log line.
async fn told(canary: &Canary<InOneProcess>) -> Value {
    let mut log = Vec::new();
    let told = canary.tell(RequestId::generate(), TIME, &mut log).await.expect("told");
    let line: Value = serde_json::from_slice(&log).expect("one line of JSON");
    assert_eq!(line, told);
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Dimensions"], json!([["stage"]]));
    for metric in directive["Metrics"].as_array().expect("metrics") {
        assert!(
            line[metric["Name"].as_str().expect("a name")].is_u64(),
            "{metric}: {line}"
        );
    }
    line
}

fn steps(line: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let steps = line["steps"].as_array().expect("steps");
    steps
        .iter()
        .map(|step| {
            (
                step["operation"].as_str().expect("text"),
                step["region"].as_str().expect("text"),
                step["failure"].as_str(),
            )
        })
        .collect()
}

#[tokio::test]
async fn it_makes_its_vault_once_and_opens_in_both_regions() {
    let canary = canary(None);
    let first = told(&canary).await;
    assert_eq!(
        (&first["outcome"], &first["canary_succeeded"], &first["canary_failed"]),
        (&json!("succeeded"), &json!(1), &json!(0)),
        "{first}"
    );
    assert_eq!(
        steps(&first),
        [
            ("create-vault", "us-east-2", None),
            ("encrypt-item", "us-east-2", None),
            ("decrypt-item", "us-east-2", None),
            ("decrypt-item", "us-west-2", None),
        ]
    );
    let second = told(&canary).await;
    assert_eq!(steps(&second), steps(&first)[1..]);
    for metric in ["canary_encrypt_ms", "canary_decrypt_ms", "canary_decrypt_elsewhere_ms"] {
        assert!(second[metric].is_u64(), "{metric}");
    }
    assert_ne!(first["request_id"], second["request_id"]);
}

/// Each mishap with the step that it hits. The other Region is still tried.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_is_named_with_its_step() {
    use InvocationError::{Crashed, NotStarted, Unanswered};
    use Mishap::{Answers, Fails, Silent, WrongByte};
    let [east, west] = Region::ALL;
    let cases = [
        ("decrypt-item", east, WrongByte, "wrong_bytes"),
        ("decrypt-item", west, WrongByte, "wrong_bytes"),
        ("decrypt-item", west, Silent, "unanswered"),
        ("decrypt-item", west, Fails(Unanswered), "unanswered"),
        ("decrypt-item", east, Fails(NotStarted), "not_started"),
        ("encrypt-item", east, Fails(Crashed), "crashed"),
        ("encrypt-item", east, Silent, "unanswered"),
        (
            "encrypt-item",
            east,
            Answers(r#"{"statusCode":200,"body":"{}"}"#),
            "not_understood",
        ),
        (
            "decrypt-item",
            west,
            Answers(r#"{"statusCode":200,"body":"{\"items\":[]}"}"#),
            "not_understood",
        ),
        ("decrypt-item", west, Answers("<!doctype html>"), "not_understood"),
        ("create-vault", east, Fails(NotStarted), "not_started"),
    ];
    for (operation, region, mishap, failure) in cases {
        let line = told(&canary(Some((operation, region, mishap)))).await;
        assert_eq!(
            (&line["outcome"], &line["canary_failed"]),
            (&json!("failed"), &json!(1)),
            "{line}"
        );
        let failed: Vec<_> = steps(&line)
            .into_iter()
            .filter(|(.., failure)| failure.is_some())
            .collect();
        let expected = (operation, region.code(), Some(failure));
        assert!(failed.contains(&expected), "{expected:?}: {line}");
        if operation == "decrypt-item" {
            assert_eq!(failed, [expected], "{line}");
            assert_eq!(steps(&line).len(), 4, "both Regions are tried: {line}");
        } else {
            assert!(
                steps(&line).iter().all(|(tried, ..)| *tried != "decrypt-item"),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_is_named_by_its_problem() {
    let canary = canary(None);
    told(&canary).await;
    canary
        .functions
        .service
        .customer
        .change_key(|key| key.state = KeyState::Disabled);
    let line = told(&canary).await;
    assert_eq!(line["steps"][0]["failure"], "refused");
    assert_eq!(line["steps"][0]["problem"], "urn:latchkey:problem:customer-key-refused");
    assert_eq!(
        (&line["outcome"], line["steps"].as_array().map(Vec::len)),
        (&json!("failed"), Some(1))
    );
}

/// The line quotes nothing of an answer except the type of one of our problems.
#[tokio::test]
async fn what_a_function_answers_is_in_no_line() {
    const ANSWER: &str =
        r#"{"statusCode":500,"body":"{\"type\":\"urn:latchkey:problem:NEEDLE\",\"detail\":\"NEEDLE\"}"}"#;
    let line = told(&canary(Some((
        "encrypt-item",
        Region::UsEast2,
        Mishap::Answers(ANSWER),
    ))))
    .await;
    assert_eq!(line["steps"][0]["failure"], "not_understood");
    assert!(!line.to_string().contains("NEEDLE"), "{line}");
}

/// Then there is no line and so no metric, which makes the alarm ring.
#[tokio::test(start_paused = true)]
async fn a_round_that_cannot_be_told_is_an_error() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("the log takes no more"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let told = canary(None).tell(RequestId::generate(), TIME, Full).await;
    assert!(told.is_err());
}

/// A round reports what it has when the function's time is over.
#[tokio::test(start_paused = true)]
async fn a_round_whose_time_is_over_is_told_all_the_same() {
    let silent = canary(Some(("encrypt-item", Region::UsEast2, Mishap::Silent)));
    let told = silent
        .tell(RequestId::generate(), Duration::from_secs(1), io::sink())
        .await;
    let told = told.expect("told");
    assert_eq!(
        (&told["outcome"], &told["steps"][0]["failure"]),
        (&json!("failed"), &json!("unanswered"))
    );
}
