//! The audit log: one line per request, and one per vault that a sweep checks.
//!
//! It names who did what to which vault and with which uses of the customer's key, so that the customer's CloudTrail can
//! be joined to it by role session name and AWS request id (requirement E1). It holds no plaintext and no item id.

use jiff::Timestamp;
use latchkey_core::caller::Caller;
use latchkey_core::health::{Finding, HealthState};
use latchkey_core::operations::{CheckedVault, VaultCheck};
use latchkey_core::region::Region;
use latchkey_core::request::{KeyUse, RequestId};
use latchkey_core::validation::Check;
use latchkey_core::vault::VaultId;
use serde::Serialize;

/// One request.
#[derive(Serialize)]
pub struct AuditRecord<'a> {
    /// Marks the line among others; always `audit`.
    pub log: &'static str,
    /// When the answer was ready.
    pub at: Timestamp,
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
    /// The HTTP status of the answer.
    pub status: u16,
    /// The problem's type, if the answer is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'a str>,
    /// Every call to the customer's key and role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_uses: Vec<KeyUse>,
    /// From invocation to answer.
    pub duration_ms: u128,
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
    key_uses: &'a [KeyUse],
}

#[derive(Serialize)]
struct FindingName {
    check: Check,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

impl<'a> CheckAuditRecord<'a> {
    /// The line of one check.
    pub fn new(request_id: &RequestId, checked: &'a CheckedVault<'_>) -> Self {
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
        }
    }
}
