//! The canary. Every few minutes it seals random bytes through the deployed functions, and opens them again in both
//! Regions. It is a caller like any other, with a workspace of the service's own and a managed vault. But it invokes
//! the functions directly, without API Gateway and its token.
//!
//! The bytes protect nothing, but no log holds them either.

mod call;
mod report;
mod serving;

pub use report::{CanaryReport, Failure, Step};
pub use serving::serve_canary;

use core::time::Duration;

use aws_lc_rs::rand;
use base64ct::{Base64, Encoding};
use futures::FutureExt;
use jiff::Timestamp;
use latchkey_core::operations::Operation;
use latchkey_core::ports::DeployedFunctions;
use latchkey_core::request::time_limit;
use latchkey_core::values::{Region, RequestId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::process::Deployment;

/// The canary's workspace. No token may name it: docs/operations.md says who makes sure of that.
pub const WORKSPACE: &str = "latchkey-canary";
/// Twice as long as a request takes if its Region is silent. Any other request takes far less.
const PATIENCE: Duration = Duration::from_secs(10);
/// Creating a vault takes longer, because it validates everything. It happens once in the canary's life.
const PATIENCE_FOR_A_VAULT: Duration = Duration::from_secs(30);
/// With a bound of 0 no data key is held, so each round asks KMS.
const VAULT: &str = r#"{"name":"Canary","strategy":"managed","set_as_default":true,"data_key_cache_seconds":0}"#;

/// The canary of one Region.
pub struct Canary<F> {
    /// The functions that it tries.
    pub functions: F,
    /// Where it is, and the names of the claims.
    pub deployment: Deployment,
}

#[derive(Deserialize)]
struct Sealed {
    items: [SealedItem; 1],
}

#[derive(Deserialize)]
struct SealedItem {
    sealed_item: String,
}

impl<F: DeployedFunctions> Canary<F> {
    /// Runs one round: seals here, then opens here and in the other Region. After a step that fails, every step that
    /// can still be tried is tried.
    pub async fn round(&self, request_id: RequestId) -> CanaryReport {
        let (here, started) = (self.deployment.region, Instant::now());
        let mut steps = Vec::new();
        let mut plaintext = [0; 32];
        let has_plaintext = rand::fill(&mut plaintext).is_ok();
        let plaintext = Base64::encode_string(&plaintext);
        let item_id = request_id.to_string();
        if let Some(sealed_item) = self.seal(&mut steps, &request_id, &item_id, &plaintext).await {
            let item = json!({ "items": [{ "item_id": item_id, "sealed_item": sealed_item }] });
            let open = |region| self.open(&request_id, region, &item, &plaintext);
            let (at_home, elsewhere) = futures::join!(open(here), open(here.other()));
            steps.extend([at_home, elsewhere]);
        }
        CanaryReport {
            at: Timestamp::now(),
            region: here,
            request_id,
            succeeded: has_plaintext && steps.iter().all(|step| step.failure.is_none()),
            steps,
            took: started.elapsed(),
        }
    }

    /// Calls encrypt-item for the default vault. If there is none yet, creates it first.
    async fn seal(&self, steps: &mut Vec<Step>, id: &RequestId, item_id: &str, plaintext: &str) -> Option<String> {
        let here = self.deployment.region;
        let body = json!({ "items": [{ "item_id": item_id, "plaintext": plaintext }] }).to_string();
        let (mut step, mut answer) = self.call(id, Operation::EncryptItem, here, &body, PATIENCE).await;
        if step.failure.as_ref().is_some_and(Failure::is_for_want_of_a_vault) {
            let (made, _) = self
                .call(id, Operation::CreateVault, here, VAULT, PATIENCE_FOR_A_VAULT)
                .await;
            let is_there = made.failure.is_none();
            steps.push(made);
            if is_there {
                (step, answer) = self.call(id, Operation::EncryptItem, here, &body, PATIENCE).await;
            }
        }
        let sealed = answer.map(serde_json::from_value::<Sealed>);
        if matches!(sealed, Some(Err(_))) {
            step.failure = Some(Failure::NotUnderstood);
        }
        steps.push(step);
        let Sealed {
            items: [SealedItem { sealed_item }],
        } = sealed?.ok()?;
        Some(sealed_item)
    }

    /// Calls decrypt-item in a Region. The answer must be what was sealed, byte for byte.
    async fn open(&self, id: &RequestId, region: Region, item: &Value, plaintext: &str) -> Step {
        let (step, answer) = self
            .call(id, Operation::DecryptItem, region, &item.to_string(), PATIENCE)
            .await;
        let Some(answer) = answer else {
            return step;
        };
        let opened = |member: &str| answer.pointer(&format!("/items/0/{member}"));
        let failure = match opened("plaintext").and_then(Value::as_str) {
            Some(opened) if opened == plaintext => None,
            Some(_) => Some(Failure::WrongBytes),
            None => Some(opened("error").map_or(Failure::NotUnderstood, Failure::of_problem)),
        };
        Step { failure, ..step }
    }

    /// Invokes a function with an API call by the canary. Returns the answer if it is a success.
    async fn call(
        &self,
        id: &RequestId,
        operation: Operation,
        region: Region,
        body: &str,
        patience: Duration,
    ) -> (Step, Option<Value>) {
        let started = Instant::now();
        let function = operation.description().function;
        let event = call::event(&self.deployment.claim_names, id, body);
        // Boxed, as in `serve`: the SDK's future is too deep for the compiler to lay out within this one.
        let invoking = self.functions.invoke(function, region, event).boxed();
        let answer = time_limit::within(patience, invoking).await;
        let answer = match answer {
            Ok(Ok(answer)) => call::answer(&answer),
            Ok(Err(error)) => Err(error.into()),
            Err(time_limit::Elapsed) => Err(Failure::Unanswered),
        };
        let (answer, failure) = match answer {
            Ok(answer) => (Some(answer), None),
            Err(failure) => (None, Some(failure)),
        };
        let step = Step {
            operation: operation.name(),
            region,
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            failure,
        };
        (step, answer)
    }
}
