//! What a move keeps on disk, and the order in which it is written.
//!
//! There are three files. The output has one line for each line of the input, in the same order. The failures have one
//! line for each item that did not move or does not read back. The journal says how much of both counts, and for which
//! input. A batch is written in two steps:
//!
//! 1. Its lines are added to the output and its failures to the failures, and both are synced to the disk.
//! 2. The journal is replaced by one that counts them.
//!
//! A run that dies before the second step leaves bytes that no journal counts: whole lines or torn ones. The next run
//! cuts them off and moves those items again. This does no harm, because the old sealed items are unchanged. So every
//! item that the journal counts is in the output once, no other item is there, and what was counted is never touched
//! again.
//!
//! Only a journal makes the other two files the move's own. Without one they must not exist, or be empty. Nothing is made
//! or cut before all three are known to belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::Context;

use crate::disk::{Disk, GrowingFile};
use crate::failure::{FailureLine, MOVE, may_be_left};
use crate::found::{counted, must_be_empty, not_as_written, own, rest_of};
use crate::journal::{self, Journal, ReadBack};
use crate::line_reader::{LineReader, hex};
use crate::stop::Stop;

/// A batch of lines for the output, and what the journal counts of them.
#[derive(Default)]
pub struct Moved {
    /// The lines of the output, each with its line feed.
    pub output: Vec<u8>,
    /// The items that did not move.
    pub failures: Vec<FailureLine>,
    /// How many items were moved out of each vault.
    pub from_vaults: BTreeMap<String, u64>,
    /// How many items were in the target already.
    pub unchanged: u64,
    /// How many lines are blank.
    pub blank: u64,
    /// How many lines there are.
    pub lines: u64,
    /// The digest of the input up to these lines.
    pub input_digest: String,
}

/// The files of one move.
pub struct Ledger<D: Disk> {
    disk: D,
    journal_path: PathBuf,
    output: D::File,
    output_digest: Context,
    failures: D::File,
    failures_digest: Context,
    journal: Journal,
}

/// `<output><suffix>`
fn beside(output: &Path, suffix: &str) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where the failures of a move are.
pub fn failures_path(output: &Path) -> PathBuf {
    beside(output, ".failures")
}

/// Where the journal of a move is.
pub fn journal_path(output: &Path) -> PathBuf {
    beside(output, ".journal")
}

impl<D: Disk> Ledger<D> {
    /// Opens the files beside `output`, or makes them, and cuts off what the journal does not count.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if the files are not the beginning of this move; otherwise errors of the disk.
    pub fn open(disk: D, output: &Path, to_vault_id: &str) -> Result<Self, Stop> {
        let (journal_path, failures_path) = (journal_path(output), failures_path(output));
        let found = disk.find(output)?;
        let found_failures = disk.find(&failures_path)?;
        let journal = journal::read(&disk, &journal_path, to_vault_id)?;
        let is_new = journal.is_none();
        if is_new {
            must_be_empty(found.as_ref(), output)?;
            must_be_empty(found_failures.as_ref(), &failures_path)?;
        }
        let journal = journal.unwrap_or_else(|| Journal::new(to_vault_id));
        let (output_digest, rest) = counted(found.as_ref(), output, journal.output_bytes, &journal.output_sha256)?;
        if journal.input_ended && !rest_of(rest, output)?.is_empty() {
            return Err(not_as_written(output));
        }
        let (failures_digest, rest) = counted(
            found_failures.as_ref(),
            &failures_path,
            journal.failures_bytes,
            &journal.failures_sha256,
        )?;
        let rest = rest_of(rest, &failures_path)?;
        if !rest.is_empty() && (journal.is_finished() || !may_be_left(&rest)) {
            return Err(not_as_written(&failures_path));
        }
        let output = own(&disk, found, output, journal.output_bytes)?;
        let failures = own(&disk, found_failures, &failures_path, journal.failures_bytes)?;
        if is_new {
            journal::write(&disk, &journal_path, &journal)?;
        }
        Ok(Self {
            disk,
            journal_path,
            output,
            output_digest,
            failures,
            failures_digest,
            journal,
        })
    }

    /// The journal as it is on disk.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A reader of the input that starts after the lines that are already moved.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if those lines are not the ones that were moved.
    pub fn rest_of<R: io::BufRead>(&self, input: R) -> Result<LineReader<R>, Stop> {
        let mut reader = LineReader::new(input);
        let skipped = reader.skip(self.journal.lines).map_err(Stop::disk("the input"))?;
        if skipped.as_ref() == Some(&self.journal.input_sha256) {
            Ok(reader)
        } else {
            Err(Stop::OtherMove(
                "the input is not the one that was begun with: give the same one, or name a new output".to_owned(),
            ))
        }
    }

    /// The output so far, from its beginning.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn output(&self) -> Result<LineReader<BufReader<Box<dyn Read + Send>>>, Stop> {
        let reader = self.output.reader().map_err(Stop::disk("the output"))?;
        Ok(LineReader::new(BufReader::new(reader)))
    }

    /// The numbers of the lines that did not move.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn failed_lines(&self) -> Result<BTreeSet<u64>, Stop> {
        let reader = self.failures.reader().map_err(Stop::disk("the failures"))?;
        serde_json::Deserializer::from_reader(BufReader::new(reader))
            .into_iter::<FailureLine>()
            .filter(|line| !matches!(line, Ok(line) if line.phase != MOVE))
            .map(|line| line.map(|line| line.line))
            .collect::<Result<_, _>>()
            .map_err(|_| Stop::OtherMove("the failures are not what was written there".to_owned()))
    }

    /// Writes a batch to the disk, then counts it in the journal.
    ///
    /// # Errors
    /// Errors of the disk. The batch does not count then.
    pub fn commit(&mut self, batch: &Moved) -> Result<(), Stop> {
        if self.journal.input_ended {
            // The input has grown. Until the journal says so, nothing may be on disk that it does not count.
            self.replace(Journal {
                input_ended: false,
                ..self.journal.clone()
            })?;
        }
        let (failures_bytes, failures_sha256) = self.add_failures(&batch.failures)?;
        self.output
            .append(&batch.output)
            .and_then(|()| self.output.sync())
            .map_err(Stop::disk("the output"))?;
        self.output_digest.update(&batch.output);
        let mut next = self.journal.clone();
        for (vault_id, items) in &batch.from_vaults {
            let of_vault = next.from_vaults.entry(vault_id.clone()).or_default();
            *of_vault = of_vault.saturating_add(*items);
            next.moved = next.moved.saturating_add(*items);
        }
        next.lines = next.lines.saturating_add(batch.lines);
        next.unchanged = next.unchanged.saturating_add(batch.unchanged);
        next.blank = next.blank.saturating_add(batch.blank);
        next.failed = next.failed.saturating_add(count(&batch.failures));
        next.input_sha256.clone_from(&batch.input_digest);
        next.output_bytes = next.output_bytes.saturating_add(count(&batch.output));
        next.output_sha256 = hex(self.output_digest.clone().finish().as_ref());
        (next.failures_bytes, next.failures_sha256) = (failures_bytes, failures_sha256);
        self.replace(next)
    }

    /// Notes that the input has no more lines.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn end_input(&mut self) -> Result<(), Stop> {
        let next = Journal {
            input_ended: true,
            ..self.journal.clone()
        };
        self.replace(next)
    }

    /// Notes how far the output has been read back, and which items do not read back.
    ///
    /// # Errors
    /// Errors of the disk.
    pub fn note_read_back(&mut self, read_back: ReadBack, failures: &[FailureLine]) -> Result<(), Stop> {
        let (failures_bytes, failures_sha256) = self.add_failures(failures)?;
        let next = Journal {
            failures_bytes,
            failures_sha256,
            read_back,
            ..self.journal.clone()
        };
        self.replace(next)
    }

    /// Adds to the failures. Returns their length and digest.
    fn add_failures(&mut self, failures: &[FailureLine]) -> Result<(u64, String), Stop> {
        let mut text = Vec::new();
        for failure in failures {
            serde_json::to_writer(&mut text, failure)
                .map_err(io::Error::from)
                .map_err(Stop::disk("the failures"))?;
            text.push(b'\n');
        }
        if !text.is_empty() {
            self.failures
                .append(&text)
                .and_then(|()| self.failures.sync())
                .map_err(Stop::disk("the failures"))?;
        }
        self.failures_digest.update(&text);
        let bytes = self.journal.failures_bytes.saturating_add(count(&text));
        Ok((bytes, hex(self.failures_digest.clone().finish().as_ref())))
    }

    fn replace(&mut self, next: Journal) -> Result<(), Stop> {
        journal::write(&self.disk, &self.journal_path, &next)?;
        self.journal = next;
        Ok(())
    }
}

fn count<T>(items: &[T]) -> u64 {
    items.len() as u64
}
