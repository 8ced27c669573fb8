//! What a function sets up before its first request: the log, the panic hook, the random generator.

use std::panic;

use latchkey_core::error::Cause;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::telemetry::trace::TraceLines;

/// Sets up one execution environment.
///
/// Trace lines go to standard output. `RUST_LOG` cannot lower the level below info, where raw events and headers are printed. It
/// takes levels and targets (`warn,latchkey_aws=info`), without regular expressions. Seeding the random generator takes 22 ms. It
/// is done here, where Lambda gives full CPU, and not in the first request.
pub fn init() {
    let directives = std::env::var("RUST_LOG").ok().filter(|it| !it.is_empty());
    let targets: Targets = directives.and_then(|it| it.parse().ok()).unwrap_or_default();
    let targets = match targets.default_level() {
        Some(_) => targets,
        None => targets.with_default(LevelFilter::WARN),
    };
    tracing_subscriber::registry()
        .with(TraceLines)
        .with(targets)
        .with(LevelFilter::INFO)
        .init();
    // A panic's message may quote input, so only its place is logged.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(cause = Cause::Panicked.as_str(), place, "the code panicked");
    }));
    let mut seed = [0_u8; 1];
    if aws_lc_rs::rand::fill(&mut seed).is_err() {
        tracing::error!(
            cause = Cause::NoRandomBytes.as_str(),
            "the random generator cannot be seeded"
        );
    }
}
