//! What every piece of work for one request carries: its id, its deadline, and what the audit log will say: the items
//! it was about and the key uses it made.

use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::time::Instant; // the clock of the timeouts that the deadline is divided into
use uuid::Uuid;

use crate::Invalid;
use crate::audited_items::{AuditedItems, ItemIdHash, SealedItems};
use crate::region::Region;
use crate::vault::VaultId;
use crate::workspace::WorkspaceId;

/// The id of a request: a UUID, written as 32 hexadecimal digits so that it fits into a role session name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Parses a UUID in any usual notation; Lambda's request ids are UUIDs.
    ///
    /// # Errors
    /// [`Invalid`] when it is not a UUID.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text).map(Self).map_err(|_| Invalid::expected("a UUID"))
    }

    /// A new id, for work that no request started.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

/// One call to the customer's key or role, as our audit log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyUse {
    /// `kms:Decrypt`, `sts:AssumeRole`, ...
    pub action: &'static str,
    /// Where the call went.
    pub region: Region,
    /// AWS's id of the call, as the customer's CloudTrail has it; absent when no answer came.
    pub aws_request_id: Option<String>,
    /// The session in the customer's role under which the call was made.
    pub role_session_name: String,
    /// Whether AWS did what was asked.
    pub succeeded: bool,
}

/// A request under way.
#[derive(Debug)]
pub struct RequestContext {
    /// The request's id.
    pub request_id: RequestId,
    deadline: Instant,
    key_uses: Mutex<Vec<KeyUse>>,
    items: Mutex<AuditedItems>,
}

impl RequestContext {
    /// A request that must have its answer within `time_left`.
    pub fn new(request_id: RequestId, time_left: Duration) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(time_left).unwrap_or(now);
        Self {
            request_id,
            deadline,
            key_uses: Mutex::new(Vec::new()),
            items: Mutex::default(),
        }
    }

    /// How long the request may still take.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Notes a call to the customer's key or role for the audit log.
    pub fn record_key_use(&self, key_use: KeyUse) {
        self.key_uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(key_use);
    }

    /// Notes the items that are asked for, whatever will come of them.
    pub fn record_items<'a>(&self, workspace_id: &WorkspaceId, item_ids: impl IntoIterator<Item = &'a str>) {
        let hashes = item_ids.into_iter().map(|id| ItemIdHash::new(workspace_id, id));
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .asked
            .extend(hashes);
    }

    /// Notes an item that failed by itself.
    pub fn record_failed_item(&self, workspace_id: &WorkspaceId, item_id: &str) {
        let hash = ItemIdHash::new(workspace_id, item_id);
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failed
            .push(hash);
    }

    /// Notes a vault that items are in, or are to be sealed in.
    pub fn record_item_vault(&self, vault_id: &VaultId) {
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .vault_ids
            .insert(vault_id.clone());
    }

    /// Notes that items were sealed.
    pub fn record_sealed(&self, sealed: SealedItems) {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).sealed = Some(sealed);
    }

    /// The items noted so far.
    pub fn items(&self) -> AuditedItems {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls noted so far.
    pub fn key_uses(&self) -> Vec<KeyUse> {
        self.key_uses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
