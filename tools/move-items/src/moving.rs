//! The first phase: writes each line of the input to the output, with its item as it is in the target.

use std::io::{self, BufRead};
use std::thread;

use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use crate::client::{Client, Reassigned, Transport};
use crate::disk::Disk;
use crate::failure::{Failure, FailureLine, MOVE};
use crate::item_line::Item;
use crate::ledger::{Ledger, Moved};
use crate::line_reader::{Batch, Line, LineReader};
use crate::progress::Progress;
use crate::stop::Stop;

/// Moves the rest of the input, `parallel` batches at a time.
///
/// # Errors
/// [`Stop`] for whatever ends the run. The next run goes on from what is on disk then.
pub async fn move_rest<D: Disk, T: Transport, R: BufRead + Send + 'static>(
    ledger: &mut Ledger<D>,
    client: &Client<T>,
    input: LineReader<R>,
    parallel: usize,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let moved = batches(input, parallel, LineReader::batch)
        .map(|batch| async { move_batch(client, batch.map_err(Stop::disk("the input"))?).await })
        // Keeps the order of the input, whatever the order of the answers.
        .buffered(parallel);
    let mut moved = core::pin::pin!(moved);
    while let Some(batch) = moved.next().await {
        ledger.commit(&batch?)?;
        progress.moved(ledger.journal());
    }
    ledger.end_input()
}

/// Streams what `next` reads. A thread of its own reads ahead, because a slow input must not keep answers waiting.
pub(crate) fn batches<S: Send + 'static, B: Send + 'static>(
    mut source: S,
    ahead: usize,
    next: impl Fn(&mut S) -> io::Result<Option<B>> + Send + 'static,
) -> impl Stream<Item = io::Result<B>> {
    let (sender, mut receiver) = mpsc::channel(ahead);
    thread::spawn(move || {
        while let Some(batch) = next(&mut source).transpose() {
            let failed = batch.is_err();
            if sender.blocking_send(batch).is_err() || failed {
                break;
            }
        }
    });
    stream::poll_fn(move |context| receiver.poll_recv(context))
}

async fn move_batch<T: Transport>(client: &Client<T>, batch: Batch) -> Result<Moved, Stop> {
    let items: Vec<&Item> = items_of(&batch.lines).collect();
    let mut outcomes = client.reassign(&items).await?.into_iter();
    let mut moved = Moved {
        lines: batch.lines.len() as u64,
        input_digest: batch.digest,
        ..Moved::default()
    };
    for line in batch.lines {
        moved.add(line, &mut outcomes)?;
    }
    Ok(moved)
}

/// The items among these lines.
pub(crate) fn items_of(lines: &[Line]) -> impl Iterator<Item = &Item> {
    lines
        .iter()
        .filter_map(|line| line.item.as_ref())
        .map(|line| &line.item)
}

impl Moved {
    fn add(
        &mut self,
        line: Line,
        outcomes: &mut impl Iterator<Item = Result<Reassigned, Failure>>,
    ) -> Result<(), Stop> {
        let Some(item_line) = line.item else {
            if line.text.trim_ascii().is_empty() {
                self.blank = self.blank.saturating_add(1);
            } else {
                let failure = Failure::new("not-an-item", "The line is not an item in JSON.");
                self.fail(line.number, None, failure);
            }
            self.write(&line.text);
            return Ok(());
        };
        match outcomes.next().ok_or(Stop::NoAnswer("an item was not answered for"))? {
            Ok(Reassigned::Moved(sealed_item)) => {
                let from = item_line.item.vault_id().unwrap_or_default();
                let of_vault = self.from_vaults.entry(from).or_default();
                *of_vault = of_vault.saturating_add(1);
                self.write(&item_line.with_sealed_item(&sealed_item));
            }
            Ok(Reassigned::Unchanged) => {
                self.unchanged = self.unchanged.saturating_add(1);
                self.write(&line.text);
            }
            Ok(Reassigned::Elsewhere) => return Err(Stop::NoAnswer("an item was not moved")),
            Err(failure) => {
                self.fail(line.number, Some(item_line.item.item_id), failure);
                self.write(&line.text);
            }
        }
        Ok(())
    }

    /// Notes an item that does not move. Its line goes to the output unchanged, so that the output is complete.
    fn fail(&mut self, line: u64, item_id: Option<String>, failure: Failure) {
        self.failures.push(FailureLine {
            line,
            item_id,
            phase: MOVE.to_owned(),
            failure,
        });
    }

    fn write(&mut self, line: &[u8]) {
        self.output.extend_from_slice(line);
        self.output.push(b'\n');
    }
}
