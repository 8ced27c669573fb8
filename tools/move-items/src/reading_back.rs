//! The second phase: reads the output from the disk and asks the API about each item.
//!
//! In a dry run, reassign-item opens each item and says whether it is in the target: under its item id and context,
//! under a data key on record of that vault, with every tag right. No plaintext comes here for that. The plaintexts are
//! compared only if that was asked for: decrypt-item then opens the old and the new item, and the two answers are
//! compared here.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use futures::StreamExt;

use crate::client::{Client, Reassigned, Transport};
use crate::disk::Disk;
use crate::failure::{Failure, FailureLine, READ_BACK};
use crate::item_line::Item;
use crate::journal::ReadBack;
use crate::ledger::Ledger;
use crate::line_reader::{Line, LineReader};
use crate::moving::{batches, items_of};
use crate::progress::Progress;
use crate::stop::Stop;

/// The output, and the input if plaintexts are compared.
struct Files<R> {
    output: LineReader<BufReader<Box<dyn Read + Send>>>,
    input: Option<LineReader<R>>,
    skip: BTreeSet<u64>,
}

/// Lines of the output that moved, and the same lines of the input if they are compared.
struct Pairs {
    lines: u64,
    new: Vec<Line>,
    old: Option<Vec<Line>>,
}

/// The outcome of reading some lines back.
#[derive(Default)]
struct Looked {
    lines: u64,
    good: u64,
    failures: Vec<FailureLine>,
}

/// Reads back what has not been read back yet, `parallel` batches at a time. With an `input`, compares the plaintexts.
///
/// # Errors
/// [`Stop`] for whatever ends the run. The next run goes on from what is on disk then.
pub async fn read_back<D: Disk, T: Transport, R: BufRead + Send + 'static>(
    ledger: &mut Ledger<D>,
    client: &Client<T>,
    input: Option<R>,
    parallel: usize,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let compare = input.is_some();
    if ledger.journal().is_read_back(compare) {
        return Ok(());
    }
    if compare && !ledger.journal().read_back.compare {
        let from_the_start = ReadBack {
            compare,
            ..ReadBack::default()
        };
        ledger.note_read_back(from_the_start, &[])?;
    }
    let looked_at = ledger.journal().read_back.lines;
    let mut files = Files {
        output: ledger.output()?,
        input: input.map(LineReader::new),
        skip: ledger.failed_lines()?,
    };
    files.output.skip(looked_at).map_err(Stop::disk("the output"))?;
    if let Some(input) = &mut files.input {
        input.skip(looked_at).map_err(Stop::disk("the input"))?;
    }
    let looked = batches(files, parallel, Files::next)
        .map(|pairs| async { look(client, pairs.map_err(Stop::disk("the output or the input"))?).await })
        .buffered(parallel);
    let mut looked = core::pin::pin!(looked);
    while let Some(batch) = looked.next().await {
        let batch = batch?;
        let before = &ledger.journal().read_back;
        let now = ReadBack {
            compare: before.compare,
            lines: before.lines.saturating_add(batch.lines),
            good: before.good.saturating_add(batch.good),
            bad: before.bad.saturating_add(batch.failures.len() as u64),
        };
        ledger.note_read_back(now, &batch.failures)?;
        progress.read_back(ledger.journal());
    }
    Ok(())
}

impl<R: BufRead> Files<R> {
    fn next(&mut self) -> io::Result<Option<Pairs>> {
        let Some(batch) = self.output.batch()? else {
            return Ok(None);
        };
        let count = batch.lines.len();
        let moved = |lines: Vec<Line>| {
            let looked_at = |line: &Line| !line.is_blank() && !self.skip.contains(&line.number);
            lines.into_iter().filter(looked_at).collect::<Vec<_>>()
        };
        let old = match &mut self.input {
            Some(input) => Some(moved(input.lines(count)?)),
            None => None,
        };
        Ok(Some(Pairs {
            lines: count as u64,
            new: moved(batch.lines),
            old,
        }))
    }
}

async fn look<T: Transport>(client: &Client<T>, pairs: Pairs) -> Result<Looked, Stop> {
    const NOT_THE_INPUT: Stop = Stop::NoAnswer("the input has changed while it was read");
    let new: Vec<&Item> = items_of(&pairs.new).collect();
    if new.len() != pairs.new.len() {
        return Err(Stop::NoAnswer("the output has a line that is no item"));
    }
    let there = client.look_at(&new).await?;
    let mut outcomes: Vec<Result<(), Failure>> = there.into_iter().map(is_there).collect();
    if let Some(old) = &pairs.old {
        let old: Vec<&Item> = items_of(old).collect();
        let is_same = |(old, new): (&&Item, &&Item)| old.item_id == new.item_id && old.context == new.context;
        if old.len() != new.len() || !old.iter().zip(&new).all(is_same) {
            return Err(NOT_THE_INPUT);
        }
        let (before, after) = (client.decrypt(&old).await?, client.decrypt(&new).await?);
        for (outcome, (before, after)) in outcomes.iter_mut().zip(before.into_iter().zip(after)) {
            let compared = before.and_then(|before| {
                verify_slices_are_equal(before.as_bytes(), after?.as_bytes())
                    .map_err(|_| Failure::new("differs", "The item does not hold what it held before."))
            });
            if outcome.is_ok() {
                *outcome = compared;
            }
        }
    }
    let mut looked = Looked {
        lines: pairs.lines,
        ..Looked::default()
    };
    for (line, outcome) in pairs.new.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => looked.good = looked.good.saturating_add(1),
            Err(failure) => looked.failures.push(FailureLine {
                line: line.number,
                item_id: line.item.map(|line| line.item.item_id),
                phase: READ_BACK.to_owned(),
                failure,
            }),
        }
    }
    Ok(looked)
}

fn is_there(outcome: Result<Reassigned, Failure>) -> Result<(), Failure> {
    match outcome? {
        Reassigned::Unchanged => Ok(()),
        Reassigned::Moved(_) | Reassigned::Elsewhere => {
            Err(Failure::new("elsewhere", "The item opens, but is not in the target."))
        }
    }
}
