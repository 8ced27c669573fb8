//! The report of a validation: every check, its result, what is wrong and how to fix it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::customer::{AccessError, Outage};
use crate::findings::{Check, Finding, Verdict};
use crate::values::Region;

/// One check of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// What was checked.
    pub check: Check,
    /// The Region, if the check concerns a single Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The result.
    #[serde(rename = "result")]
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// The exact thing to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// When KMS deletes the key, if the check found it scheduled for deletion and KMS states the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_at: Option<Timestamp>,
    /// Whether it failed only because AWS gave no answer, which says nothing about the customer's set-up.
    #[serde(skip)]
    pub unanswered: bool,
}

impl CheckOutcome {
    pub(crate) fn pass(check: Check, region: Option<Region>, message: impl Into<String>) -> Self {
        Self::new(check, region, Verdict::Pass, message, None)
    }

    pub(crate) fn warn(check: Check, region: Option<Region>, message: impl Into<String>, remedy: String) -> Self {
        Self::new(check, region, Verdict::Warn, message, Some(remedy))
    }

    pub(crate) fn fail(check: Check, region: Option<Region>, message: impl Into<String>, remedy: String) -> Self {
        Self::new(check, region, Verdict::Fail, message, Some(remedy))
    }

    pub(crate) fn skipped(check: Check, region: Option<Region>, message: impl Into<String>) -> Self {
        Self::new(check, region, Verdict::Skipped, message, None)
    }

    /// A check whose call AWS did not answer, or which our own set-up kept us from making.
    pub(crate) fn unanswered(check: Check, region: Option<Region>, error: &AccessError) -> Self {
        let place = region.map(|region| format!(" in {region}")).unwrap_or_default();
        let (what, remedy) = match error {
            AccessError::ServiceMisconfigured => (
                format!("The service could not call AWS{place}"),
                "Nothing to change on your side: the operators of the service have to mend its deployment.",
            ),
            AccessError::Outage(Outage::Throttled) => (
                format!("AWS throttled the call{place}"),
                "Nothing to change on your side. Try again in a minute; a vault is checked again by itself.",
            ),
            AccessError::Outage(_) | AccessError::Refused(_) => (
                format!("AWS did not answer in time{place}"),
                "Try again in a minute; a vault is checked again by itself. If it stays so, look at the AWS Health \
                 Dashboard: https://health.aws.amazon.com/health/status",
            ),
        };
        let message = format!("{what}, so this could not be checked. That says nothing about your key or role.");
        let unanswered = Self::fail(check, region, message, remedy.to_owned());
        Self {
            unanswered: true,
            ..unanswered
        }
    }

    pub(crate) fn into_finding(self) -> Finding {
        Finding {
            check: self.check,
            region: self.region,
            message: self.message,
            remedy: self.remedy,
            since: None,
            deletion_at: self.deletion_at,
            unanswered: self.unanswered,
        }
    }

    fn new(
        check: Check,
        region: Option<Region>,
        verdict: Verdict,
        message: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            check,
            region,
            verdict,
            message: message.into(),
            remedy,
            deletion_at: None,
            unanswered: false,
        }
    }
}

/// The report of a whole validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// `fail` if any check failed, else `warn` if any warned, else `pass`.
    #[serde(rename = "result")]
    pub verdict: Verdict,
    /// Every check, in the order of the documentation.
    pub checks: Vec<CheckOutcome>,
}

impl Report {
    /// The report of these checks.
    pub fn new(checks: Vec<CheckOutcome>) -> Self {
        let any = |verdict| checks.iter().any(|outcome| outcome.verdict == verdict);
        let verdict = if any(Verdict::Fail) {
            Verdict::Fail
        } else if any(Verdict::Warn) {
            Verdict::Warn
        } else {
            Verdict::Pass
        };
        Self { verdict, checks }
    }

    /// What is wrong: the checks that failed or warned.
    pub fn findings(&self) -> Vec<Finding> {
        let wrong = |outcome: &&CheckOutcome| matches!(outcome.verdict, Verdict::Fail | Verdict::Warn);
        self.checks
            .iter()
            .filter(wrong)
            .cloned()
            .map(CheckOutcome::into_finding)
            .collect()
    }

    /// Whether the report failed, and every failed check failed only because AWS gave no answer.
    pub fn failed_for_want_of_answers(&self) -> bool {
        let failed = || self.checks.iter().filter(|outcome| outcome.verdict == Verdict::Fail);
        failed().count() > 0 && failed().all(|outcome| outcome.unanswered)
    }
}
