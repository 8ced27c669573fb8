//! The audit log: one JSON line per request, on standard output, from where Lambda takes it to CloudWatch Logs.
//!
//! It names who did what to which vault and with which uses of the customer's key, so that the customer's CloudTrail can
//! be joined to it by role session name and AWS request id (requirement E1). It holds no plaintext and no item id.

use std::io::{self, Write};

use latchkey_core::caller::Caller;
use latchkey_core::request::KeyUse;
use latchkey_core::vault::VaultId;
use serde::Serialize;

/// One request.
#[derive(Serialize)]
pub struct AuditRecord<'a> {
    /// Marks the line among others; always `audit`.
    pub log: &'static str,
    /// When the answer was ready.
    pub at: jiff::Timestamp,
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

    /// Writes the line.
    ///
    /// # Errors
    /// When `log` takes no more. An answer that is not audited must not be given.
    pub fn write(&self, mut log: impl Write) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        log.write_all(&line)
    }
}
