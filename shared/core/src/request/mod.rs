//! A request under way: its id, its deadline, and what the audit log will say about it.

mod audited_items;
mod context;
mod key_use;
pub mod time_limit;

pub use audited_items::{AuditedItems, ItemIdHash, SealedItems};
pub use context::RequestContext;
pub use key_use::KeyUse;
