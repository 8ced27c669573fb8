//! The operations from event to answer, over the domain's ports in one process: what a stranger can send, and what
//! comes back.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]
#![allow(missing_docs, unreachable_pub, reason = "nothing outside uses it")]

mod access;
mod answers;
mod audit;
mod bad_input;
mod bad_items;
mod canary;
mod causes;
mod contract;
mod failures;
mod freed_memory;
mod hostile_events;
mod insights;
mod lifecycle;
mod log_levels;
mod own_faults;
mod request_metrics;
mod service;
mod setup_kit;
mod shapes;
mod token;
