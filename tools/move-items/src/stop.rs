//! Why a run ends before its end. All of it can be mended, and the same command goes on from there.

use std::io;

/// What ended the run.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A file cannot be read or written.
    #[error("{what}: {source}")]
    Disk {
        /// Which.
        what: String,
        /// The system's word.
        source: io::Error,
    },
    /// The files are not those of this move.
    #[error("{0}")]
    OtherMove(String),
    /// The API refused the whole call.
    #[error("the API refuses: {0}")]
    Refused(String),
    /// The API did not answer for as long as was asked for.
    #[error("no answer for {seconds} s: {last}")]
    Unanswered {
        /// For how long it was asked.
        seconds: u64,
        /// What came last.
        last: String,
    },
    /// The API answered something that is no answer to what was asked.
    #[error("the answer is not what was asked for: {0}")]
    NoAnswer(&'static str),
    /// A setting is missing or wrong.
    #[error("{0}")]
    Settings(String),
}

impl Stop {
    /// The file trouble of `what`.
    pub fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Disk { what, source }
    }
}
