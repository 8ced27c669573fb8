//! The journal of a move: how much of the move's files counts. It is replaced whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::line_reader::hex;
use crate::stop::Stop;

const VERSION: u32 = 2;

/// How much of a move's files counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    pub(crate) version: u32,
    /// The target.
    pub to_vault_id: String,
    /// How many lines of the input are in the output.
    pub lines: u64,
    /// How many of them this move has moved.
    pub moved: u64,
    /// How many were in the target before this move.
    pub unchanged: u64,
    /// How many did not move. They are in the output as they were.
    pub failed: u64,
    /// How many are blank.
    pub blank: u64,
    /// How many were moved out of each vault.
    pub from_vaults: BTreeMap<String, u64>,
    /// Whether the input has no more lines.
    pub input_ended: bool,
    /// The digest of the input's lines so far.
    pub(crate) input_sha256: String,
    pub(crate) output_bytes: u64,
    pub(crate) output_sha256: String,
    pub(crate) failures_bytes: u64,
    pub(crate) failures_sha256: String,
    /// How far the output has been read back.
    pub read_back: ReadBack,
}

/// How far the output has been read back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// Whether the plaintexts are compared.
    pub compare: bool,
    /// How many lines were looked at.
    pub lines: u64,
    /// How many items open in the target and, if compared, hold what they held before.
    pub good: u64,
    /// How many moved, but do not read back.
    pub bad: u64,
}

impl Journal {
    pub(crate) fn new(to_vault_id: &str) -> Self {
        let nothing = hex(Context::new(&SHA256).finish().as_ref());
        Self {
            version: VERSION,
            to_vault_id: to_vault_id.to_owned(),
            lines: 0,
            moved: 0,
            unchanged: 0,
            failed: 0,
            blank: 0,
            from_vaults: BTreeMap::new(),
            input_ended: false,
            input_sha256: nothing.clone(),
            output_bytes: 0,
            output_sha256: nothing.clone(),
            failures_bytes: 0,
            failures_sha256: nothing,
            read_back: ReadBack::default(),
        }
    }

    /// Whether nothing is left to do, and so nothing is on disk that the journal does not count.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_read_back(false)
    }

    /// Whether every line has been read back, and also compared if `compare` is true.
    pub fn is_read_back(&self, compare: bool) -> bool {
        self.input_ended && self.read_back.lines == self.lines && (self.read_back.compare || !compare)
    }
}

/// Reads the journal of a move to this target. `None` if there is none yet.
pub(crate) fn read<D: Disk>(disk: &D, path: &Path, to_vault_id: &str) -> Result<Option<Journal>, Stop> {
    let Some(text) = disk.read(path)? else {
        return Ok(None);
    };
    let journal: Journal = serde_json::from_slice(&text)
        .ok()
        .filter(|journal: &Journal| journal.version == VERSION)
        .ok_or_else(|| {
            Stop::OtherMove(format!(
                "{} is not a journal of this tool in this version: name another output",
                path.display()
            ))
        })?;
    if journal.to_vault_id == to_vault_id {
        Ok(Some(journal))
    } else {
        Err(Stop::OtherMove(format!(
            "{} is of a move to {}: name another output",
            path.display(),
            journal.to_vault_id
        )))
    }
}

pub(crate) fn write<D: Disk>(disk: &D, path: &Path, journal: &Journal) -> Result<(), Stop> {
    let text = serde_json::to_vec(journal)
        .map_err(io::Error::from)
        .map_err(Stop::disk("the journal"))?;
    disk.replace(path, &text)
}
