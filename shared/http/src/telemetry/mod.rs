//! What is told of a request and a sweep, and to whom: the audit log, metrics, the log of a function.

pub mod audit;
pub mod log;
pub mod metrics;
pub(crate) mod trace;
