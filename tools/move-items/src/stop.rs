//! Why a run ends early. Every cause can be mended, and the same command goes on from there.

use std::io;

/// What ended the run.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A file cannot be read or written.
    #[error("{what}: {source}")]
    Disk {
        /// Which file.
        what: String,
        /// The system's error.
        source: io::Error,
    },
    /// The files do not belong to this move.
    #[error("{0}")]
    OtherMove(String),
    /// The API refused the whole call.
    #[error("the API refuses: {0}")]
    Refused(String),
    /// The API did not answer within the time that the user set.
    #[error("no answer for {seconds} s: {last}")]
    Unanswered {
        /// For how long it was asked.
        seconds: u64,
        /// The last thing that went wrong.
        last: String,
    },
    /// The API's answer is not an answer to what was asked.
    #[error("the answer is not what was asked for: {0}")]
    NoAnswer(&'static str),
    /// A setting is missing or wrong.
    #[error("{0}")]
    Settings(String),
}

impl Stop {
    /// Turns an error of the file that `what` names into a [`Stop`].
    pub fn disk(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Disk { what, source }
    }
}
