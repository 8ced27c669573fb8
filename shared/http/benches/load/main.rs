//! A constant load on the handlers, all in this process. Events are as API Gateway sends them and go through the
//! endpoints as the functions wire them. DynamoDB, KMS and STS are in this process too, and answer as late as AWS does.
//!
//! Run it with `make load`; docs/load.md has the figures. Without `--bench`, as `cargo test` runs it, it takes seconds.
//! It exits with 0 if every item opened with its own bytes, no forbidden answer was given, and memory did not grow.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::use_debug,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a bench measures and prints"
)]

mod api;
mod batches;
mod calls;
mod environment;
mod found;
mod items;
mod load;
mod measures;
mod process;
mod settings;
mod vaults;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use latchkey_http::{ALLOCATOR, Allocator};

use crate::load::Load;
use crate::process::memory_slope;
use crate::settings::Settings;

/// The same allocator as in every function.
#[global_allocator]
static GLOBAL_ALLOCATOR: Allocator = ALLOCATOR;

/// The most that memory may grow once the load has settled, in MiB a minute.
const MEMORY_SLOPE: f64 = 1.0;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::from_environment();
    println!("{settings}");
    let started = Instant::now();
    let load = Arc::new(Load::new(settings.clone()).await);
    println!("{} vaults created ({:.0?})", settings.vaults, started.elapsed());
    load.seal_all().await;
    println!("{} items sealed ({:.0?})", settings.items, started.elapsed());
    let flat_out = load.clone().run(settings.flat_out_seconds, None).await;
    let constant = load.clone().run(settings.seconds, Some(settings.rate)).await;
    let (sealed_in, opened_in) = load.largest_batch().await;
    load.open_all().await;
    println!("every item opened again ({:.0?})\n", started.elapsed());

    println!(
        "As fast as it goes, {} clients, for {:.0} s:\n\n{flat_out}",
        settings.clients, flat_out.seconds
    );
    println!(
        "{} requests a second, for {:.0} s:\n\n{constant}",
        settings.rate, constant.seconds
    );
    println!("4 MiB in one call: sealed in {sealed_in:.1?}, opened in {opened_in:.1?}, at the quickest.");
    let mut holds = load.found.verdict();
    match memory_slope(&constant.memory) {
        Some(slope) => {
            println!("Memory: {:+.2} MiB a minute; at most {MEMORY_SLOPE} holds.", slope);
            holds &= slope <= MEMORY_SLOPE;
        }
        None => println!("Memory: too short to tell whether it grows."),
    }
    println!("{}", if holds { "✓ all held" } else { "✗ not all held" });
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
