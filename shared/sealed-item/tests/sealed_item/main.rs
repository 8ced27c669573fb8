//! Tests the crate from outside, through its public API. It is one test binary, so its modules share their fixtures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::use_debug
)]

mod fixtures;
mod keyring;

mod properties;
mod round_trip;
mod secrets;
mod shapes;
mod vectors;
