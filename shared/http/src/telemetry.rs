//! What a function does before its first request: logs, the panic hook, the random generator.

use std::panic;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Sets up one execution environment.
///
/// Logs are JSON on standard output, at info and above and never below, whatever `RUST_LOG` says: below stand raw events
/// and headers. The random generator is seeded here, where Lambda gives full CPU: 22 ms that the first request would pay.
pub fn init() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::INFO)
        .with_env_filter(filter)
        .without_time()
        .init();
    // A panic's message may quote what it choked on, so only its place is logged.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    let mut seed = [0_u8; 1];
    if aws_lc_rs::rand::fill(&mut seed).is_err() {
        tracing::error!("the random generator cannot be seeded");
    }
}
