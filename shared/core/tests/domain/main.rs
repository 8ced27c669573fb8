//! The domain from outside, through its public API and the ports in one process. It is one test binary, so that all
//! modules share the fixtures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::use_debug
)]

mod announcing;
mod concurrency;
mod create_vault;
mod create_vault_crashes;
mod disable_vault;
mod fixtures;
mod health;
mod health_gate;
mod health_model;
mod lifecycle;
mod lifecycle_model;
mod lifecycle_world;
mod lifecycle_writes;
mod managed_vaults;
mod memory;
mod reassigning;
mod regions;
mod revocation;
mod revocation_model;
mod rotation;
mod sealing;
mod setup_kit;
mod sweep;
mod sweep_claims;
mod sweep_many;
mod sweep_outages;
mod unauthentic_items;
mod update_vault;
mod validation;
mod validation_report;
