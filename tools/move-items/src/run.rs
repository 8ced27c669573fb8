//! One run: from where the last one stopped, through both phases, to the report.

use std::io::BufRead;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::arguments::Arguments;
use crate::client::{Client, Transport};
use crate::disk::{Disk, LocalDisk};
use crate::http::{Api, TokenSource};
use crate::input::Input;
use crate::ledger::{Ledger, failures_path};
use crate::moving::move_rest;
use crate::own_names;
use crate::progress::Progress;
use crate::reading_back::read_back;
use crate::report::Report;
use crate::stop::Stop;

/// Runs the tool with these arguments.
///
/// # Errors
/// [`Stop`] for whatever ends the run early.
pub async fn run(arguments: &Arguments) -> Result<Report, Stop> {
    let client = Client {
        transport: Api::new(&arguments.api_url, token_source(arguments)?)?,
        to_vault_id: arguments.to_vault_id.clone(),
        patience: Duration::from_secs(arguments.patience),
    };
    let input = Input::open(&arguments.input)?;
    own_names::check(&arguments.output, input.id(), arguments.token_file.as_deref())?;
    let mut progress = Progress::to_stderr();
    if let Ok(Some(lines)) = input.count_lines() {
        progress.expect(lines);
    }
    let (input, compare_with) = input.readers(arguments.compare)?;
    let parallel = usize::from(arguments.parallel);
    let ended = move_all(
        LocalDisk,
        &arguments.output,
        &client,
        input,
        compare_with,
        parallel,
        &mut progress,
    )
    .await;
    progress.end();
    ended
}

/// Runs both phases, over any disk and any transport.
///
/// # Errors
/// [`Stop`] for whatever ends the run early.
pub async fn move_all<D: Disk, T: Transport, R: BufRead + Send + 'static>(
    disk: D,
    output: &Path,
    client: &Client<T>,
    input: R,
    compare_with: Option<R>,
    parallel: usize,
    progress: &mut Progress,
) -> Result<Report, Stop> {
    let mut ledger = Ledger::open(disk, output, &client.to_vault_id)?;
    let rest = ledger.rest_of(input)?;
    move_rest(&mut ledger, client, rest, parallel, progress).await?;
    read_back(&mut ledger, client, compare_with, parallel, progress).await?;
    Ok(Report {
        journal: ledger.journal().clone(),
        failures: failures_path(output),
    })
}

fn token_source(arguments: &Arguments) -> Result<TokenSource, Stop> {
    if let Some(file) = &arguments.token_file {
        return Ok(TokenSource::File(file.clone()));
    }
    let token = std::env::var("LATCHKEY_TOKEN").map(Zeroizing::new);
    token
        .map(TokenSource::Given)
        .map_err(|_| Stop::Settings("set LATCHKEY_TOKEN, or name a --token-file".to_owned()))
}
