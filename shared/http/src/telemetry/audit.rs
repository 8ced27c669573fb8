//! The audit log: one line per request, and one per vault that a sweep checks.
//!
//! A line names who did what to which vault, and each use of the customer's key. The role session name and the AWS
//! request id join it to the customer's CloudTrail (requirement E1). It holds no plaintext, and only hashes of item
//! ids. Its shape is a promise to its readers: docs/audit.schema.json, which the tests check every line against.

use std::collections::BTreeSet;

use jiff::Timestamp;
use latchkey_core::caller::Caller;
use latchkey_core::error::Fault;
use latchkey_core::findings::{Check, Finding};
use latchkey_core::health::HealthState;
use latchkey_core::operations::{CheckedVault, VaultCheck};
use latchkey_core::request::{ItemIdHash, KeyUse};
use latchkey_core::values::{Region, RequestId, VaultId};
use serde::Serialize;

use crate::telemetry::metrics::RequestMetrics;

/// One request.
#[derive(Serialize)]
pub struct AuditRecord<'a> {
    /// Marks the line as an audit line; always `audit`.
    pub log: &'static str,
    /// When the answer was ready.
    pub at: Timestamp,
    /// Where the function ran.
    pub region: Region,
    /// The deployment's stage.
    pub stage: &'a str,
    /// Our id for the request.
    pub request_id: String,
    /// API Gateway's id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_request_id: Option<&'a str>,
    /// The operation's name.
    pub operation: &'static str,
    /// The workspace of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<&'a str>,
    /// The subject of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// The role in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The vault, if the request was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<VaultId>,
    /// How many items the request was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// How many of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_failed: Option<usize>,
    /// The hashes of the item ids, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub item_id_hashes: Vec<ItemIdHash>,
    /// The hashes of the ids of the items that failed on their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_item_id_hashes: Vec<ItemIdHash>,
    /// The vaults that the items are in, or were to be sealed in.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub item_vault_ids: BTreeSet<VaultId>,
    /// How many items were sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_sealed: Option<usize>,
    /// The generation of the data key that sealed them, within its period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_key_generation: Option<u32>,
    /// The outcome.
    pub outcome: AuditOutcome,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The problem's type, if the answer is a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'a str>,
    /// Whose fault the problem is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Every call to the customer's key and role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_uses: Vec<KeyUse>,
    /// The time from invocation to answer.
    pub duration_ms: u128,
    /// What CloudWatch counts from this line.
    #[serde(flatten)]
    pub metrics: RequestMetrics,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Everything was done.
    Succeeded,
    /// Some or all of its items failed.
    ItemsFailed,
    /// Refused because of the caller, the request, the vault or the customer's key.
    Refused,
    /// AWS or the service failed.
    Failed,
}

impl AuditOutcome {
    /// The outcome of an answer with this status and this many failed items.
    #[must_use]
    pub const fn of(status: u16, items_failed: usize) -> Self {
        match status {
            ..400 if items_failed == 0 => Self::Succeeded,
            ..400 => Self::ItemsFailed,
            400..500 => Self::Refused,
            500.. => Self::Failed,
        }
    }
}

impl<'a> AuditRecord<'a> {
    /// Names the caller.
    #[must_use]
    pub fn by(self, caller: Option<&'a Caller>) -> Self {
        Self {
            workspace_id: caller.map(|caller| caller.workspace_id.as_str()),
            subject: caller.map(|caller| caller.subject.as_str()),
            role: caller.map(|caller| caller.role.to_string()),
            ..self
        }
    }
}

/// One vault that a sweep has checked.
#[derive(Serialize)]
pub struct CheckAuditRecord<'a> {
    /// Marks the line as an audit line; always `audit`.
    log: &'static str,
    /// When the check was over.
    at: Timestamp,
    /// Where the function ran.
    region: Region,
    /// The sweep's request id.
    request_id: String,
    /// Always `check-vault`.
    operation: &'static str,
    workspace_id: &'a str,
    vault_id: &'a str,
    /// Whether it was the whole validation; absent when the check could not be finished or recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<bool>,
    /// The health before.
    previous_health: HealthState,
    /// The health now.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<HealthState>,
    /// What is wrong now, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingName>,
    /// The ids of the events that were announced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    announced: Vec<&'a str>,
    /// Every call to the customer's key and role.
    #[serde(skip_serializing_if = "<[KeyUse]>::is_empty")]
    key_uses: &'a [KeyUse],
    /// Whether the check could be finished and recorded.
    outcome: AuditOutcome,
    /// The time from claim to record.
    duration_ms: u128,
}

#[derive(Serialize)]
struct FindingName {
    check: Check,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

impl<'a> CheckAuditRecord<'a> {
    /// The line of one check, made in `region`.
    pub fn new(region: Region, request_id: &RequestId, checked: &'a CheckedVault<'_>) -> Self {
        let found = |outcome: &VaultCheck| {
            let named = |finding: &Finding| FindingName {
                check: finding.check,
                region: finding.region,
            };
            outcome.health.findings.iter().map(named).collect()
        };
        let announced = |outcome: &'a VaultCheck| outcome.announced.iter().map(|it| it.event_id.as_str()).collect();
        Self {
            log: "audit",
            at: Timestamp::now(),
            region,
            request_id: request_id.to_string(),
            operation: "check-vault",
            workspace_id: checked.vault.workspace_id.as_str(),
            vault_id: checked.vault.vault_id.as_str(),
            whole: checked.outcome.map(|outcome| outcome.whole),
            previous_health: checked.vault.health.state,
            health: checked.outcome.map(|outcome| outcome.health.state),
            findings: checked.outcome.map(found).unwrap_or_default(),
            announced: checked.outcome.map(announced).unwrap_or_default(),
            key_uses: &checked.key_uses,
            outcome: checked
                .outcome
                .map_or(AuditOutcome::Failed, |_| AuditOutcome::Succeeded),
            duration_ms: checked.took.as_millis(),
        }
    }
}
