//! The journal of a move: how much of the move's files counts. It is replaced whole or not at all.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::line_reader::hex;
use crate::stop::Stop;

const VERSION: u32 = 1;

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
            output_sha256: nothing,
            failures_bytes: 0,
            read_back: ReadBack::default(),
        }
    }

    /// Whether every line has been read back, and also compared if `compare` is true.
    pub fn is_read_back(&self, compare: bool) -> bool {
        self.input_ended && self.read_back.lines == self.lines && (self.read_back.compare || !compare)
    }
}

pub(crate) fn parse(text: &[u8], to_vault_id: &str) -> Result<Journal, Stop> {
    let journal: Journal = serde_json::from_slice(text)
        .ok()
        .filter(|journal: &Journal| journal.version == VERSION)
        .ok_or_else(|| Stop::OtherMove("the journal is not one of this tool: name a new output".to_owned()))?;
    if journal.to_vault_id == to_vault_id {
        Ok(journal)
    } else {
        Err(Stop::OtherMove(format!(
            "the output was begun with {} as its target: name a new output",
            journal.to_vault_id
        )))
    }
}

pub(crate) fn write<D: Disk>(disk: &D, path: &Path, journal: &Journal) -> Result<(), Stop> {
    serde_json::to_vec(journal)
        .map_err(io::Error::from)
        .and_then(|text| disk.replace(path, &text))
        .map_err(Stop::disk("the journal"))
}
