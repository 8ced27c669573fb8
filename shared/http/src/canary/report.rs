//! The result of a canary's round, and its log line.

use core::time::Duration;

use jiff::Timestamp;
use latchkey_core::operations::Operation;
use latchkey_core::ports::InvocationError;
use latchkey_core::values::{Region, RequestId};
use serde::Serialize;
use serde_json::Value;

use crate::telemetry::metrics::CanaryMetrics;

/// The type of the problem that a workspace has no default vault.
const NO_DEFAULT_VAULT: &str = "urn:latchkey:problem:no-default-vault";

/// The result of one round.
#[derive(Clone, Debug)]
pub struct CanaryReport {
    /// When it was over.
    pub at: Timestamp,
    /// Where the canary is.
    pub region: Region,
    /// The id of the round, and of each of its calls in the audit log.
    pub request_id: RequestId,
    /// Whether what was sealed here opened in both Regions.
    pub succeeded: bool,
    /// The steps that were tried, in order.
    pub steps: Vec<Step>,
    /// How long all of it took.
    pub took: Duration,
}

/// One call of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The function.
    pub operation: &'static str,
    /// Where.
    pub region: Region,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it failed, if it did.
    #[serde(flatten)]
    pub failure: Option<Failure>,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    /// No answer came in time.
    Unanswered,
    /// Lambda did not start the function.
    NotStarted,
    /// The function ended without an answer of its own.
    Crashed,
    /// The function refused, or the one item failed.
    Refused {
        /// The problem's type.
        problem: String,
    },
    /// The answer is not one that the operation gives.
    NotUnderstood,
    /// The item opened, but to other bytes than were sealed.
    WrongBytes,
}

impl Failure {
    /// The failure that a problem stands for. It keeps the problem's type if that is one of ours, and nothing else.
    pub(super) fn of_problem(problem: &Value) -> Self {
        let name = problem["type"].as_str();
        let ours = name.filter(|name| {
            let rest = name.strip_prefix("urn:latchkey:problem:").unwrap_or_default();
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        });
        ours.map_or(Self::NotUnderstood, |problem| Self::Refused {
            problem: problem.to_owned(),
        })
    }

    pub(super) fn is_for_want_of_a_vault(&self) -> bool {
        matches!(self, Self::Refused { problem } if problem == NO_DEFAULT_VAULT)
    }
}

impl From<InvocationError> for Failure {
    fn from(error: InvocationError) -> Self {
        match error {
            InvocationError::Unanswered => Self::Unanswered,
            InvocationError::NotStarted => Self::NotStarted,
            InvocationError::Crashed => Self::Crashed,
        }
    }
}

/// The log line of a round.
#[derive(Serialize)]
pub(super) struct CanaryLine<'a> {
    /// Marks the line as the canary's; always `canary`.
    log: &'static str,
    at: Timestamp,
    region: Region,
    stage: &'a str,
    request_id: String,
    outcome: &'static str,
    steps: &'a [Step],
    duration_ms: u128,
    #[serde(flatten)]
    metrics: CanaryMetrics,
}

impl CanaryReport {
    /// The round's log line, which is also the function's answer.
    pub(super) fn line<'a>(&'a self, stage: &'a str) -> CanaryLine<'a> {
        let took = |operation, region| {
            let mut steps = self.steps.iter().rev();
            let step = steps.find(|step| step.operation == operation && step.region == region);
            step.map(|step| step.duration_ms)
        };
        CanaryLine {
            log: "canary",
            at: self.at,
            region: self.region,
            stage,
            request_id: self.request_id.to_string(),
            outcome: if self.succeeded { "succeeded" } else { "failed" },
            steps: &self.steps,
            duration_ms: self.took.as_millis(),
            metrics: CanaryMetrics::new(
                self.at,
                self.succeeded,
                took(Operation::EncryptItem.name(), self.region),
                took(Operation::DecryptItem.name(), self.region),
                took(Operation::DecryptItem.name(), self.region.other()),
            ),
        }
    }
}
