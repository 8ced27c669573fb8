//! Moves with a service in this process and a disk that may die at any moment. It is one test binary, so its modules
//! share their fixtures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::use_debug
)]

mod as_a_program;
mod calls;
mod comparing;
mod fixtures;
mod killed;
mod mortal_disk;
mod other_moves;
mod over_http;
mod own_files;
mod requests;
mod service;
