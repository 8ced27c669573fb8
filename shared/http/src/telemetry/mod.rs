//! What is recorded of requests and sweeps: the audit log, metrics, the log of a function and trace lines.

pub mod audit;
pub mod log;
pub mod metrics;
pub(crate) mod trace;
