//! The ports in one process: records, a customer's account, an event bus and a clock. Each has switches that make it
//! fail as the outside world does.
//!
//! They are faithful where the domain could notice: conditional writes, real RSA, KMS's order of refusals, and answers
//! that come later than their calls. Clones share one state, so several operations and several execution environments
//! can work with the same records and the same customer.

mod calls;
mod clock;
mod customer;
mod customer_key;
mod customer_keys;
mod customer_role;
mod customers;
mod data_key_store;
mod event_bus;
mod example;
mod latency;
mod process;
mod records;
mod rsa_key_pair;
mod vault_store;
mod write_faults;

pub use clock::FakeClock;
pub use customer::{InMemoryCustomer, RegionOutage};
pub use customer_key::{KeyState, RegionalKey};
pub use customer_role::RoleTrust;
pub use customers::InMemoryCustomers;
pub use event_bus::InMemoryEventBus;
pub use example::Example;
pub use latency::Latency;
pub use process::{Death, OfProcess, Process};
pub use records::InMemoryRecords;
pub use rsa_key_pair::RsaKeyPair;
pub use write_faults::WriteFault;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the state. The lock is never held across an await. If a test panics with it, other tests still get the state.
fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
