//! The final report, which says whether the old key is safe to retire.

use core::fmt;
use std::path::PathBuf;

use crate::journal::Journal;

/// The report of a run that was not ended early.
pub struct Report {
    /// The counts of the move.
    pub journal: Journal,
    /// The file that lists the items that did not move or do not read back.
    pub failures: PathBuf,
}

impl Report {
    /// Whether the input has an item, or a line that should be one. If it has none, nothing is known about any key.
    pub const fn has_items(&self) -> bool {
        self.journal.blank < self.journal.lines
    }

    /// Whether every item of the input is in the target and reads back, and there is one.
    pub fn all_moved(&self) -> bool {
        let journal = &self.journal;
        let there = journal.moved.saturating_add(journal.unchanged);
        self.has_items()
            && journal.input_ended
            && journal.failed == 0
            && journal.read_back.bad == 0
            && journal.read_back.lines == journal.lines
            && journal.read_back.good == there
            && there.saturating_add(journal.blank) == journal.lines
    }

    /// The exit status of the process.
    pub fn exit_status(&self) -> u8 {
        match (self.has_items(), self.all_moved()) {
            (false, _) => 4,
            (true, false) => 1,
            (true, true) => 0,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let journal = &self.journal;
        if !self.has_items() {
            let found = match journal.blank {
                0 => "it is empty".to_owned(),
                1 => "1 blank line".to_owned(),
                lines => format!("{lines} blank lines"),
            };
            return write!(
                f,
                "NO ITEMS in the input: {found}. Nothing was moved, and this says nothing about any key. See whether what \
                 writes the input has failed, and run again."
            );
        }
        let to = &journal.to_vault_id;
        let there = journal.moved.saturating_add(journal.unchanged);
        writeln!(
            f,
            "{} of {} items are in {to}: {} moved, {} were there before; {} did not move.",
            there,
            there.saturating_add(journal.failed),
            journal.moved,
            journal.unchanged,
            journal.failed
        )?;
        for (vault_id, items) in &journal.from_vaults {
            writeln!(f, "  out of {vault_id}: {items}")?;
        }
        let compared = if journal.read_back.compare {
            ", and holds what it held before"
        } else {
            ""
        };
        writeln!(
            f,
            "{} of {there} read back: each opens in {to} under its item id and context{compared}; {} do not.",
            journal.read_back.good, journal.read_back.bad
        )?;
        if self.all_moved() {
            writeln!(
                f,
                "SAFE TO RETIRE, as far as these items go: none of them needs the key of another vault than {to}."
            )?;
            write!(
                f,
                "This tool cannot know of items that are elsewhere: in other stores, in backups, or sealed since the input was \
                 written. Disable the old vault first, and schedule its key's deletion only when nothing has asked for it \
                 (docs/moving.md)."
            )
        } else {
            write!(
                f,
                "NOT SAFE TO RETIRE: keep the old keys. What did not move, and why, is in {}; in the output it is as it was. \
                 Mend it and run again with this output as the input.",
                self.failures.display()
            )
        }
    }
}
