//! The names that a move writes to must not lead to a file that it has open for something else.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use crate::file_id::FileId;
use crate::ledger::{failures_path, journal_path};
use crate::stop::Stop;

/// Refuses an output if it, its failures or its journal is the input, the token file, or where this process says what
/// it does.
///
/// # Errors
/// [`Stop::Settings`], with the name and what it is.
pub fn check(output: &Path, input: FileId, token_file: Option<&Path>) -> Result<(), Stop> {
    let others = [
        ("the input", Some(input)),
        ("the token file", token_file.and_then(at)),
        ("standard output", behind(io::stdout())),
        ("standard error", behind(io::stderr())),
    ];
    for own in [output, &failures_path(output), &journal_path(output)] {
        let Some(id) = at(own) else { continue };
        if let Some((what, _)) = others.iter().find(|(_, other)| *other == Some(id)) {
            return Err(Stop::Settings(format!(
                "{} is {what}, and a move to {} would write to it: name another output",
                own.display(),
                output.display()
            )));
        }
    }
    Ok(())
}

/// The file that a name leads to, if there is one.
fn at(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|metadata| FileId::of(&metadata))
}

fn behind(stream: impl AsFd) -> Option<FileId> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    file.metadata().ok().map(|metadata| FileId::of(&metadata))
}
