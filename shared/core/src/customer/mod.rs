//! The customer's account: how we enter it, what we may do there, and how it answers.

mod access;
mod answers;
mod managed_key;
pub mod policies;
mod session_name;

pub use access::{AccessPurpose, CustomerAccess, LONGEST_SESSION};
pub(crate) use answers::within_patience;
pub use answers::{AccessError, Outage, PAUSE_AFTER_SILENCE, Refusal};
pub use managed_key::ManagedKey;
pub use session_name::RoleSessionName;
