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

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::disk::{Disk, GrowingFile};
use crate::failure::{FailureLine, MOVE};
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
    /// Opens the files beside `output`, and cuts off what the journal does not count.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if the files are not the beginning of this move; otherwise errors of the disk.
    pub fn open(disk: D, output: &Path, to_vault_id: &str) -> Result<Self, Stop> {
        let journal_path = journal_path(output);
        let mut file = open(&disk, output)?;
        let mut failures = open(&disk, &failures_path(output))?;
        let read = disk.read(&journal_path).map_err(Stop::disk("the journal"))?;
        let journal = match read {
            Some(text) => journal::parse(&text, to_vault_id)?,
            None if file.length().map_err(Stop::disk("the output"))? > 0 => {
                return Err(Stop::OtherMove(format!(
                    "{} is there, but not its journal: name a new file",
                    output.display()
                )));
            }
            None => {
                let journal = Journal::new(to_vault_id);
                journal::write(&disk, &journal_path, &journal)?;
                journal
            }
        };
        let output_digest = counted(&file, &journal)?;
        cut(&mut file, journal.output_bytes, "the output")?;
        cut(&mut failures, journal.failures_bytes, "the failures")?;
        Ok(Self {
            disk,
            journal_path,
            output: file,
            output_digest,
            failures,
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
        let failures_bytes = self.add_failures(&batch.failures)?;
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
        next.failures_bytes = failures_bytes;
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
        let next = Journal {
            failures_bytes: self.add_failures(failures)?,
            read_back,
            ..self.journal.clone()
        };
        self.replace(next)
    }

    fn add_failures(&mut self, failures: &[FailureLine]) -> Result<u64, Stop> {
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
        Ok(self.journal.failures_bytes.saturating_add(count(&text)))
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

fn open<D: Disk>(disk: &D, path: &Path) -> Result<D::File, Stop> {
    disk.open(path).map_err(Stop::disk(path.display().to_string()))
}

/// The digest of the part of the output that counts. That part must be what was written.
fn counted(output: &impl GrowingFile, journal: &Journal) -> Result<Context, Stop> {
    let mut digest = Context::new(&SHA256);
    let mut rest = journal.output_bytes;
    let mut reader = output
        .reader()
        .map_err(Stop::disk("the output"))?
        .take(journal.output_bytes);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut chunk).map_err(Stop::disk("the output"))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        digest.update(bytes);
        rest = rest.saturating_sub(count(bytes));
    }
    if rest == 0 && hex(digest.clone().finish().as_ref()) == journal.output_sha256 {
        Ok(digest)
    } else {
        Err(Stop::OtherMove(
            "the output is not what was written there: name a new one".to_owned(),
        ))
    }
}

fn cut(file: &mut impl GrowingFile, length: u64, what: &str) -> Result<(), Stop> {
    let there = file.length().map_err(Stop::disk(what))?;
    if there < length {
        return Err(Stop::OtherMove(format!("{what} are shorter than what was written")));
    }
    if there > length {
        file.cut(length).map_err(Stop::disk(what))?;
    }
    Ok(())
}
