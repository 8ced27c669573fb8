//! What is on disk of a move, and the order in which it gets there.
//!
//! Three files: the output, one line for each line of the input, in its order; the failures, one line for each item that did
//! not move; and the journal, which says how much of both counts, and of which input. Of each batch
//!
//! 1. its lines are added to the output, and its failures to the failures, and both are synced to the disk;
//! 2. the journal is replaced by one that counts them.
//!
//! A run that dies before the second step has left bytes that no journal counts, whole lines or torn ones: the next run cuts
//! them off and moves those items again, which does no harm, for the old sealed items are still what they were. So every
//! item that the journal counts is in the output once, every other is not there, and what was counted is never touched again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::disk::{Disk, GrowingFile};
use crate::failure::{FailureLine, MOVE};
use crate::journal::{self, Journal, ReadBack};
use crate::line_reader::{LineReader, hex};
use crate::stop::Stop;

/// Lines of the output that belong together, and what is to be counted of them.
#[derive(Default)]
pub struct Moved {
    /// The lines of the output, each with its line feed.
    pub output: Vec<u8>,
    /// Those that did not move.
    pub failures: Vec<FailureLine>,
    /// How many were moved, out of which vault.
    pub from_vaults: BTreeMap<String, u64>,
    /// How many were there already.
    pub unchanged: u64,
    /// How many are blank.
    pub blank: u64,
    /// How many lines these are.
    pub lines: u64,
    /// The digest of the input so far.
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
    /// Opens the files beside `output`, and cuts off what no journal counts.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if what is there is not the beginning of this move; else the disk's trouble.
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

    /// What counts.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The reader of the input, after the lines that are moved already.
    ///
    /// # Errors
    /// [`Stop::OtherMove`] if they are not those that were moved.
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
    /// The disk's trouble.
    pub fn output(&self) -> Result<LineReader<BufReader<Box<dyn Read + Send>>>, Stop> {
        let reader = self.output.reader().map_err(Stop::disk("the output"))?;
        Ok(LineReader::new(BufReader::new(reader)))
    }

    /// The lines that did not move.
    ///
    /// # Errors
    /// The disk's trouble.
    pub fn failed_lines(&self) -> Result<BTreeSet<u64>, Stop> {
        let reader = self.failures.reader().map_err(Stop::disk("the failures"))?;
        serde_json::Deserializer::from_reader(BufReader::new(reader))
            .into_iter::<FailureLine>()
            .filter(|line| !matches!(line, Ok(line) if line.phase != MOVE))
            .map(|line| line.map(|line| line.line))
            .collect::<Result<_, _>>()
            .map_err(|_| Stop::OtherMove("the failures are not what was written there".to_owned()))
    }

    /// Puts a batch on the disk, and counts it then.
    ///
    /// # Errors
    /// The disk's trouble; the batch does not count then.
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
    /// The disk's trouble.
    pub fn end_input(&mut self) -> Result<(), Stop> {
        let next = Journal {
            input_ended: true,
            ..self.journal.clone()
        };
        self.replace(next)
    }

    /// Notes how far the output has been read back, and what did not.
    ///
    /// # Errors
    /// The disk's trouble.
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

/// The digest of what counts of the output; it must be what was written.
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
