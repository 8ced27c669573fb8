//! What all work for one request shares: its id, its deadline, and what the audit log will say, which is its items and
//! its key uses.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant; // the clock of the timeouts that the deadline is divided into

use crate::request::{AuditedItems, ItemIdHash, KeyUse, SealedItems};
use crate::values::{RequestId, VaultId, WorkspaceId};

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
    /// A request that must be answered within `time_left`.
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

    /// Records a call to the customer's key or role for the audit log.
    pub fn record_key_use(&self, key_use: KeyUse) {
        self.key_uses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(key_use);
    }

    /// Records the items that are asked for, whatever becomes of them.
    pub fn record_items<'a>(&self, workspace_id: &WorkspaceId, item_ids: impl IntoIterator<Item = &'a str>) {
        let hashes = item_ids.into_iter().map(|id| ItemIdHash::new(workspace_id, id));
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .asked
            .extend(hashes);
    }

    /// Records an item that failed on its own.
    pub fn record_failed_item(&self, workspace_id: &WorkspaceId, item_id: &str) {
        let hash = ItemIdHash::new(workspace_id, item_id);
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failed
            .push(hash);
    }

    /// Records a vault that items are in, or are to be sealed in.
    pub fn record_item_vault(&self, vault_id: &VaultId) {
        self.items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .vault_ids
            .insert(vault_id.clone());
    }

    /// Records that items were sealed.
    pub fn record_sealed(&self, sealed: SealedItems) {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).sealed = Some(sealed);
    }

    /// The items recorded so far.
    pub fn items(&self) -> AuditedItems {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key uses recorded so far.
    pub fn key_uses(&self) -> Vec<KeyUse> {
        self.key_uses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
