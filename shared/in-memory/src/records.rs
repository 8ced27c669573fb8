//! The records of both Regions, in one state: consistent reads, conditional writes, no transactions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::task::yield_now;
use tokio::time::sleep;

use super::calls::Calls;
use super::latency::Latency;
use super::lock;
use super::write_faults::{WriteFault, WriteFaults};
use latchkey_core::ports::{NameClaim, StoreError};
use latchkey_core::values::{VaultId, WorkspaceId};
use latchkey_core::vault::{DataKeyId, IssuedDataKey, Vault};

/// Vaults and data keys on record.
#[derive(Clone, Debug, Default)]
pub struct InMemoryRecords(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    tables: Tables,
    calls: Calls<&'static str>,
    write_faults: WriteFaults,
    read_fault: Option<StoreError>,
    hides_vaults: bool,
    read_latency: Option<Latency>,
    write_latency: Option<Latency>,
}

/// What is on record.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) vaults: BTreeMap<(WorkspaceId, VaultId), Vault>,
    pub(super) names: BTreeMap<(WorkspaceId, String), NameClaim>,
    pub(super) defaults: BTreeMap<WorkspaceId, VaultId>,
    pub(super) data_keys: BTreeMap<(VaultId, DataKeyId), IssuedDataKey>,
}

impl InMemoryRecords {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the `nth` write from now on fail, counted from 1. A conditional write whose condition does not hold counts
    /// too.
    pub fn order_write_fault(&self, nth: usize, fault: WriteFault) {
        lock(&self.0).write_faults.order(nth, fault);
    }

    /// Whether an ordered fault is still to come.
    pub fn awaits_write_fault(&self) -> bool {
        lock(&self.0).write_faults.is_ordered()
    }

    /// Makes every read fail from now on. `None` ends this.
    pub fn fail_reads(&self, error: Option<StoreError>) {
        lock(&self.0).read_fault = error;
    }

    /// Makes every read of one vault find nothing, although the vault is on record.
    pub fn hide_vaults(&self) {
        lock(&self.0).hides_vaults = true;
    }

    pub(super) fn hides_vaults(&self) -> bool {
        lock(&self.0).hides_vaults
    }

    /// Sets how long every read and every write takes, in the runtime's time.
    pub fn set_latency(&self, read: impl Into<Latency>, write: impl Into<Latency>) {
        let mut state = lock(&self.0);
        state.read_latency = Some(read.into());
        state.write_latency = Some(write.into());
    }

    /// How often the operation with this name, as the port spells it, was called.
    pub fn calls_of(&self, operation: &str) -> usize {
        lock(&self.0).calls.count(|called| *called == operation)
    }

    /// How many calls there were, reads and writes.
    pub fn calls(&self) -> usize {
        lock(&self.0).calls.count(|_| true)
    }

    /// Every vault of the workspace.
    pub fn vaults(&self, workspace_id: &WorkspaceId) -> Vec<Vault> {
        let state = lock(&self.0);
        let of_workspace = |vault: &&Vault| vault.workspace_id == *workspace_id;
        state.tables.vaults.values().filter(of_workspace).cloned().collect()
    }

    /// Every data key on record.
    pub fn data_keys(&self) -> Vec<IssuedDataKey> {
        lock(&self.0).tables.data_keys.values().cloned().collect()
    }

    /// Whether nothing is on record: no vault, name, default or data key.
    pub fn is_empty(&self) -> bool {
        let Tables {
            vaults,
            names,
            defaults,
            data_keys,
        } = &lock(&self.0).tables;
        vaults.is_empty() && names.is_empty() && defaults.is_empty() && data_keys.is_empty()
    }

    /// Makes one read. Other tasks get their turn first, as they would while an answer is on its way.
    pub(super) async fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Tables) -> T + Send,
    ) -> Result<T, StoreError> {
        yield_now().await;
        let latency = lock(&self.0).read_latency.as_ref().map(Latency::next);
        if let Some(latency) = latency {
            sleep(latency).await;
        }
        let mut state = lock(&self.0);
        state.calls.note(operation);
        match state.read_fault {
            Some(error) => Err(error),
            None => Ok(read(&state.tables)),
        }
    }

    /// Makes one write, atomic with its condition.
    pub(super) async fn write<T: Send>(
        &self,
        operation: &'static str,
        write: impl FnOnce(&mut Tables) -> T + Send,
    ) -> Result<T, StoreError> {
        yield_now().await;
        let latency = lock(&self.0).write_latency.as_ref().map(Latency::next);
        if let Some(latency) = latency {
            sleep(latency).await;
        }
        match self.write_now(operation, write) {
            Ok(answer) => Ok(answer),
            Err(fault) => Err(fault.strike().await),
        }
    }

    fn write_now<T>(&self, operation: &'static str, write: impl FnOnce(&mut Tables) -> T) -> Result<T, WriteFault> {
        let mut state = lock(&self.0);
        state.calls.note(operation);
        match state.write_faults.next() {
            None => Ok(write(&mut state.tables)),
            Some(fault) => {
                if fault.takes_effect() {
                    write(&mut state.tables);
                }
                Err(fault)
            }
        }
    }
}
