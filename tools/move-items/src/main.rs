//! `move-items`: docs/moving.md.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use move_items::arguments::Arguments;
use move_items::run::run;
use move_items::stop::Stop;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (said, status) = match run(&Arguments::parse()).await {
        Ok(report) => (writeln!(io::stdout(), "{report}"), report.exit_status()),
        Err(stop @ Stop::Settings(_)) => (writeln!(io::stderr(), "move-items: {stop}"), 2),
        Err(stop @ Stop::OtherMove(_)) => (writeln!(io::stderr(), "move-items: {stop}."), 3),
        Err(stop) => (
            writeln!(
                io::stderr(),
                "move-items: {stop}. The same command goes on from here once that is mended."
            ),
            3,
        ),
    };
    ExitCode::from(if said.is_ok() { status } else { 3 })
}
