//! The crate from outside, through its public API. One test binary: its modules share their fixtures.
//!
//! A stand-in below the SDK, at the level of HTTP, plays KMS and STS. So the tests check what would go over the wire,
//! down to whose credentials signed it, and the SDK parses AWS's answers as they are documented. DynamoDB is a real
//! one, in this process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod connections;
mod crashes;
mod deadlines;
mod deployed_functions;
mod due_index;
mod endpoints;
mod error_classification;
mod event_bus;
mod fixtures;
mod future_sizes;
mod invariants;
mod kms_calls;
mod local_dynamodb;
mod logged_calls;
mod lost_answers;
mod outages;
mod over_tcp;
mod record_fixtures;
mod released;
mod role_attempts;
mod scenarios;
mod service;
mod session_lifetimes;
mod sessions;
mod silence;
mod stand_in;
mod strong_consistency;
mod vault_record_changes;
mod vault_record_faults;
mod vault_record_races;
mod vault_record_versions;
mod vault_records;
mod wire;
