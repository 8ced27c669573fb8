//! The audit log: one line per request, and one per vault that a sweep checks.
//!
//! It names who did what to which vault and with which uses of the customer's key, so that the customer's CloudTrail can
//! be joined to it by role session name and AWS request id (requirement E1). It holds no plaintext, and of item ids only
//! hashes. Its shape is a promise to whoever reads it: docs/audit.schema.json, which every line of the tests is held to.

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
    /// Marks the line among others; always `audit`.
    pub log: &'static str,
    /// When the answer was ready.
    pub at: Timestamp,
    /// Where the function ran.
    pub region: Region,
    /// The deployment's stage.
    pub stage: &'a str,
    /// Our id of the request.
    pub request_id: String,
    /// API Gateway's id of it.
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
    /// The vault, where the request was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<VaultId>,
    /// How many items the request was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// How many of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_failed: Option<usize>,
    /// Which items, in the order of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub item_id_hashes: Vec<ItemIdHash>,
    /// Which of them failed by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_item_id_hashes: Vec<ItemIdHash>,
    /// The vaults that the items are in, or were to be sealed in.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub item_vault_ids: BTreeSet<VaultId>,
    /// How many items were sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_sealed: Option<usize>,
    /// The generation, in its period, of the data key that they were sealed under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_key_generation: Option<u32>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The problem's type, if the answer is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'a str>,
    /// Whose fault that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Every call to the customer's key and role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_uses: Vec<KeyUse>,
    /// From invocation to answer.
    pub duration_ms: u128,
    /// What CloudWatch counts of this line.
    #[serde(flatten)]
    pub metrics: RequestMetrics,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// All of it was done.
    Succeeded,
    /// Some of its items failed, or all of them.
    ItemsFailed,
    /// The caller, the vault, the request or the customer's key stood in the way.
    Refused,
    /// AWS or we did.
    Failed,
}

impl AuditOutcome {
    /// The outcome of an answer with this status, in which so many items failed.
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
    /// Marks the line among others; always `audit`.
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
    /// From claim to record.
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
