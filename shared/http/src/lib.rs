//! The edge: who calls and with what, the shapes of requests and answers, problem details, audit, telemetry.
//!
//! A function's `main` wires its operation to an endpoint and hands it to [`serve()`]. What a stranger can send is
//! parsed here, once, into types of `latchkey-core` that cannot be wrong; inside nothing is checked again.

pub mod audit;
pub mod caller;
pub mod canary;
mod deployment;
pub mod endpoints;
pub mod event;
mod if_match;
mod json_body;
pub mod log;
pub mod metrics;
pub mod problem;
mod secret_text;
mod serve;
mod setup_kit_archive;
pub mod telemetry;
mod threads;
mod vault_response;

pub use deployment::Deployment;
pub use serve::{Endpoint, FileAnswer, Response, Success, answer, serve};
pub use threads::block_on;
